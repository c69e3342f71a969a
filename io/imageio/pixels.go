package imageio

import (
	"fmt"
	"image"
	"image/color"
)

// channels is how many an image of model m has.
func channels(m color.Model) int {
	switch m {
	case color.GrayModel, color.Gray16Model:
		return 1
	case color.NRGBAModel, color.NRGBA64Model:
		return 4
	}
	if p, ok := m.(color.Palette); ok {
		for _, c := range p {
			if _, _, _, a := c.RGBA(); a != 0xffff {
				return 4
			}
		}
	}
	return 3
}

// unpack returns the pixels of img, which has n channels.
func unpack(img image.Image, n int) []byte {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	out := make([]byte, 0, w*h*n)
	for y := range h {
		switch m := img.(type) {
		case *image.Gray:
			out = append(out, m.Pix[y*m.Stride:][:w]...)
		case *image.NRGBA:
			out = append(out, m.Pix[y*m.Stride:][:4*w]...)
		case *image.RGBA: // opaque: PNG and JPEG without alpha
			out = every(out, m.Pix[y*m.Stride:][:4*w], 4, 0, 1, 2)
		case *image.Gray16:
			out = every(out, m.Pix[y*m.Stride:][:2*w], 2, 0)
		case *image.NRGBA64:
			out = every(out, m.Pix[y*m.Stride:][:8*w], 8, 0, 2, 4, 6)
		case *image.RGBA64:
			out = every(out, m.Pix[y*m.Stride:][:8*w], 8, 0, 2, 4)
		case *image.Paletted:
			out = paletted(out, m, m.Pix[y*m.Stride:][:w], n)
		case *image.YCbCr:
			for x := range w {
				c := m.COffset(b.Min.X+x, b.Min.Y+y)
				r, g, bl := color.YCbCrToRGB(m.Y[m.YOffset(b.Min.X+x, b.Min.Y+y)], m.Cb[c], m.Cr[c])
				out = append(out, r, g, bl)
			}
		case *image.CMYK:
			for p := m.Pix[y*m.Stride:][:4*w]; len(p) > 0; p = p[4:] {
				r, g, bl := color.CMYKToRGB(p[0], p[1], p[2], p[3])
				out = append(out, r, g, bl)
			}
		default:
			panic(fmt.Errorf("pixels of an unknown kind (%T)", img))
		}
	}
	return out
}

// every appends the bytes at of each step bytes of src.
func every(dst, src []byte, step int, at ...int) []byte {
	for ; len(src) > 0; src = src[step:] {
		for _, i := range at {
			dst = append(dst, src[i])
		}
	}
	return dst
}

func paletted(dst []byte, m *image.Paletted, src []byte, n int) []byte {
	for _, i := range src {
		if int(i) >= len(m.Palette) {
			panic(fmt.Errorf("colour %d of a palette of %d", i, len(m.Palette)))
		}
		c := color.NRGBAModel.Convert(m.Palette[i]).(color.NRGBA)
		dst = append(dst, c.R, c.G, c.B)
		if n == 4 {
			dst = append(dst, c.A)
		}
	}
	return dst
}

// convert returns pixels of from channels with to of them.
func convert(src []byte, from, to int) []byte {
	if from == to {
		return src
	}
	out := make([]byte, 0, len(src)/from*to)
	for ; len(src) > 0; src = src[from:] {
		r, g, b, a := src[0], src[0], src[0], byte(255)
		if from > 1 {
			g, b = src[1], src[2]
		}
		if from == 4 {
			a = src[3]
		}
		switch to {
		case 1:
			out = append(out, luma(r, g, b))
		case 3:
			out = append(out, r, g, b)
		default:
			out = append(out, r, g, b, a)
		}
	}
	return out
}

// luma is what color.GrayModel makes of an opaque colour.
func luma(r, g, b byte) byte {
	y := 19595*uint32(r)*0x101 + 38470*uint32(g)*0x101 + 7471*uint32(b)*0x101 + 1<<15
	return byte(y >> 24)
}

package cpu

import "fmt"

// window is the geometry of a 2-D convolution or pooling, in elements:
// kernel, stride and leading padding of both directions, sizes in and out.
type window struct {
	kh, kw, sh, sw, top, left int
	h, w, oh, ow              int
}

// newWindow reads the ONNX attributes kernel_shape, strides and pads (top,
// left, bottom, right) and the spatial sizes of NCHW shapes.
func newWindow(c *call, kernel, in, out []int) (window, error) {
	s := intsOr(c.Ints("strides"), []int{1, 1})
	p := intsOr(c.Ints("pads"), []int{0, 0, 0, 0})
	if len(kernel) != 2 || len(s) != 2 || len(p) != 4 || len(in) != 4 || len(out) != 4 {
		return window{}, fmt.Errorf("kernel %v, strides %v, pads %v, input %v, output %v: want two spatial dimensions", kernel, s, p, in, out)
	}
	v := window{kh: kernel[0], kw: kernel[1], sh: s[0], sw: s[1], top: p[0], left: p[1], h: in[2], w: in[3], oh: out[2], ow: out[3]}
	if v.kh < 1 || v.kw < 1 || v.sh < 1 || v.sw < 1 || min(p[0], p[1], p[2], p[3]) < 0 ||
		(v.h+p[0]+p[2]-v.kh)/v.sh+1 != v.oh || (v.w+p[1]+p[3]-v.kw)/v.sw+1 != v.ow {
		return v, fmt.Errorf("kernel %v, strides %v, pads %v do not take %v to %v", kernel, s, p, in, out)
	}
	return v, nil
}

func intsOr(v, def []int) []int {
	if v == nil {
		return def
	}
	return v
}

// span returns the outputs o0 <= o < o1 whose tap k reads inside 0..size: o·stride + k - pad.
func span(out, size, stride, k, pad int) (o0, o1 int) {
	o0 = 0
	if k < pad {
		o0 = (pad - k + stride - 1) / stride
	}
	o1 = 0
	if last := size - 1 + pad - k; last >= 0 {
		o1 = last/stride + 1
	}
	o1 = min(o1, out)
	return min(o0, o1), o1
}

// im2col lays one image x (channels, h, w) out as a matrix col
// (channels·kh·kw, oh·ow): the column of an output position holds what its
// kernel reads, zero in the padding.
func (v *window) im2col(col, x []float32, channels int) {
	row := 0
	for c := range channels {
		img := x[c*v.h*v.w : (c+1)*v.h*v.w]
		for ky := range v.kh {
			y0, y1 := span(v.oh, v.h, v.sh, ky, v.top)
			for kx := range v.kw {
				x0, x1 := span(v.ow, v.w, v.sw, kx, v.left)
				v.tapOut(col[row:row+v.oh*v.ow], img, y0, y1, x0, x1, ky-v.top, kx-v.left)
				row += v.oh * v.ow
			}
		}
	}
}

// tapOut writes one row of col: the image shifted by (dy, dx), zero outside.
func (v *window) tapOut(out, img []float32, y0, y1, x0, x1, dy, dx int) {
	clear(out[:y0*v.ow])
	clear(out[y1*v.ow:])
	for oy := y0; oy < y1; oy++ {
		line := out[oy*v.ow : oy*v.ow+v.ow]
		for i := range x0 {
			line[i] = 0
		}
		for i := x1; i < len(line); i++ {
			line[i] = 0
		}
		if x1 <= x0 {
			continue
		}
		src := img[(oy*v.sh+dy)*v.w+x0*v.sw+dx:]
		line = line[x0:x1]
		if v.sw == 1 {
			src = src[:len(line)]
			for i := range line {
				line[i] = src[i]
			}
			continue
		}
		for i := range line {
			line[i] = src[i*v.sw]
		}
	}
}

// col2im adds a matrix laid out like im2col's to an image: its transpose.
func (v *window) col2im(x, col []float32, channels int) {
	row := 0
	for c := range channels {
		img := x[c*v.h*v.w : (c+1)*v.h*v.w]
		for ky := range v.kh {
			y0, y1 := span(v.oh, v.h, v.sh, ky, v.top)
			for kx := range v.kw {
				x0, x1 := span(v.ow, v.w, v.sw, kx, v.left)
				if x1 > x0 {
					v.tapIn(img, col[row:row+v.oh*v.ow], y0, y1, x0, x1, ky-v.top, kx-v.left)
				}
				row += v.oh * v.ow
			}
		}
	}
}

// tapIn adds one row of col to the image at its shift.
func (v *window) tapIn(img, in []float32, y0, y1, x0, x1, dy, dx int) {
	for oy := y0; oy < y1; oy++ {
		line := in[oy*v.ow+x0 : oy*v.ow+x1]
		to := img[(oy*v.sh+dy)*v.w+x0*v.sw+dx:]
		if v.sw == 1 {
			to = to[:len(line)]
			for i, g := range line {
				to[i] += g
			}
			continue
		}
		for i, g := range line {
			to[i*v.sw] += g
		}
	}
}

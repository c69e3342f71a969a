package normalize

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	_ "image/jpeg" // the formats that are taken
	_ "image/png"
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// maxPixels bounds an image before it is decoded.
const maxPixels = 1 << 25

// FittedImage makes numbers of pictures, as Image says.
type FittedImage struct {
	Height   int       `json:"height"`
	Width    int       `json:"width"`
	Channels int       `json:"channels"`
	Fit      string    `json:"fit"`
	Crop     float64   `json:"crop"`
	Layout   string    `json:"layout"`
	Scale    string    `json:"scale"`
	Mean     []float64 `json:"mean,omitempty"`
	Std      []float64 `json:"std,omitempty"`
}

func (m Image) fitted() *FittedImage {
	return &FittedImage{
		Height: m.Height, Width: m.Width, Channels: m.Channels, Fit: m.Fit, Crop: m.Crop,
		Layout: m.Layout, Scale: m.Scale, Mean: m.Mean, Std: m.Std,
	}
}

func (m *FittedImage) check() error {
	var c checker
	c.image("image", Image{
		Height: m.Height, Width: m.Width, Channels: m.Channels, Fit: m.Fit, Crop: m.Crop,
		Layout: m.Layout, Scale: m.Scale, Mean: m.Mean, Std: m.Std,
	})
	if len(c.errs) > 0 {
		return c.errs[0]
	}
	return nil
}

func (m *FittedImage) numbers() int { return m.Height * m.Width * m.Channels }

type imageStep struct {
	where
	f *FittedImage
}

func (s *imageStep) apply(cols []arrow.Array, o *output) error {
	var file func(i int) []byte
	switch c := cols[0].(type) {
	case *array.Binary:
		file = c.Value
	case *array.LargeBinary:
		file = c.Value
	case *array.String:
		file = func(i int) []byte { return []byte(c.Value(i)) }
	case *array.LargeString:
		file = func(i int) []byte { return []byte(c.Value(i)) }
	default:
		return fmt.Errorf("column %q: type %s, want binary", s.name, cols[0].DataType())
	}
	pixels := make([]float64, s.f.numbers())
	for row := range o.n {
		if cols[0].IsNull(row) {
			o.kill(row, cols[0], s.name, s.name+".null", "an image")
			continue
		}
		picture, err := decodeImage(file(row))
		if err != nil {
			o.killCell(row, s.name, s.name+".image", err.Error(), fmt.Sprintf("%d bytes", len(file(row))))
			continue
		}
		s.f.resize(picture, pixels)
		s.f.standardize(pixels)
		out := o.slab[row*o.width+s.offset:][:len(pixels)]
		for i, x := range pixels {
			out[i] = float32(x)
		}
	}
	return nil
}

// killCell marks a row whose value is not for people to read.
func (o *output) killCell(row int, name, rule, reason, value string) {
	if !o.dead[row] {
		o.addLetter(row, name, rule, reason, value)
	}
}

// raster is a picture of 4 bytes a pixel: red, green, blue, and one of no
// account.
type raster struct {
	pix           []byte
	stride        int
	width, height int
}

func decodeImage(file []byte) (*raster, error) {
	config, _, err := image.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("want a PNG or JPEG file: %w", err)
	}
	if config.Width < 1 || config.Height < 1 || config.Width > maxPixels/config.Height {
		return nil, fmt.Errorf("%d x %d pixels, want 1 to %d in all", config.Width, config.Height, maxPixels)
	}
	picture, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("want a PNG or JPEG file: %w", err)
	}
	b := picture.Bounds()
	at := image.Rect(0, 0, b.Dx(), b.Dy())
	if opaque, ok := picture.(interface{ Opaque() bool }); ok && opaque.Opaque() {
		to := image.NewRGBA(at)
		draw.Draw(to, at, picture, b.Min, draw.Src)
		return &raster{to.Pix, to.Stride, b.Dx(), b.Dy()}, nil
	}
	to := image.NewNRGBA(at)
	draw.Draw(to, at, picture, b.Min, draw.Src)
	return &raster{to.Pix, to.Stride, b.Dx(), b.Dy()}, nil
}

// resize samples the part of the picture that is kept at the centres of the
// new pixels, linearly between the four old ones around each; beyond the
// centres of those at the edge it takes the edge. out has the layout.
func (m *FittedImage) resize(p *raster, out []float64) {
	boxW, boxH := float64(p.width), float64(p.height)
	if m.Fit == fitCover {
		if aspect := float64(m.Width) / float64(m.Height); boxW/boxH > aspect {
			boxW = boxH * aspect
		} else {
			boxH = boxW / aspect
		}
	}
	boxW, boxH = boxW*m.Crop, boxH*m.Crop
	columns := taps(m.Width, p.width, boxW)
	for y, row := range taps(m.Height, p.height, boxH) {
		for x, column := range columns {
			var rgb [3]float64
			for c := range rgb {
				top := p.between(column, row.low, c)
				rgb[c] = top + float64((p.between(column, row.high, c)-top)*row.share)
			}
			m.put(out, y, x, rgb)
		}
	}
}

// tap is a place between two old pixels: share of the way from low to high.
type tap struct {
	low, high int
	share     float64
}

// taps are the places of n new pixels in the middle box of so many old ones.
func taps(n, old int, box float64) []tap {
	out := make([]tap, n)
	from := (float64(old) - box) / 2
	for i := range out {
		at := from + float64((float64(i)+0.5)*box/float64(n)) - 0.5
		at = min(max(at, 0), float64(old-1))
		low := int(at)
		out[i] = tap{low, min(low+1, old-1), at - float64(low)}
	}
	return out
}

func (p *raster) between(column tap, row, channel int) float64 {
	line := p.pix[row*p.stride:]
	low, high := float64(line[4*column.low+channel]), float64(line[4*column.high+channel])
	return low + float64((high-low)*column.share)
}

// put writes a pixel. Grey is the luma of ITU-R BT.601.
func (m *FittedImage) put(out []float64, y, x int, rgb [3]float64) {
	values := rgb[:]
	if m.Channels == 1 {
		values = []float64{float64(0.299*rgb[0]) + float64(0.587*rgb[1]) + float64(0.114*rgb[2])}
	}
	for c, v := range values {
		if m.Layout == layoutHWC {
			out[(y*m.Width+x)*m.Channels+c] = v
		} else {
			out[(c*m.Height+y)*m.Width+x] = v
		}
	}
}

// standardize scales the pixels in place.
func (m *FittedImage) standardize(pixels []float64) {
	switch m.Scale {
	case imageUnit:
		for i, v := range pixels {
			pixels[i] = v / 255
		}
	case imagePer:
		perImage(pixels)
	}
	for i, v := range pixels {
		c := i / (m.Height * m.Width)
		if m.Layout == layoutHWC {
			c = i % m.Channels
		}
		if m.Mean != nil {
			v -= m.Mean[c]
		}
		if m.Std != nil {
			v /= m.Std[c]
		}
		pixels[i] = v
	}
}

func perImage(pixels []float64) {
	n := float64(len(pixels))
	var mean, sum float64
	for _, v := range pixels {
		mean += v
	}
	mean /= n
	for _, v := range pixels {
		sum += float64((v - mean) * (v - mean))
	}
	std := max(math.Sqrt(sum/n), 1/math.Sqrt(n))
	for i, v := range pixels {
		pixels[i] = (v - mean) / std
	}
}

package cpu

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// convShape is what Conv and ConvGrad share: x (batch, in, h, w), weights
// (out, in, kh, kw), y (batch, out, oh, ow). As matrices, an image's columns
// are taps x pixels, its output is out x pixels.
type convShape struct {
	window
	batch, in, out, taps, pixels int
}

func newConvShape(c *call, x, w, y *tensor) (*convShape, error) {
	if err := want(accel.Float32, x, w, y); err != nil {
		return nil, err
	}
	if len(x.Shape) != 4 || len(w.Shape) != 4 || len(y.Shape) != 4 || x.Shape[1] != w.Shape[1] ||
		y.Shape[1] != w.Shape[0] || x.Shape[0] != y.Shape[0] {
		return nil, shapeErr(x, w, y)
	}
	if g := c.Int("group", 1); g != 1 {
		return nil, fmt.Errorf("group %d, only 1 is implemented", g)
	}
	v, err := newWindow(c, w.Shape[2:], x.Shape, y.Shape)
	if err != nil {
		return nil, err
	}
	s := &convShape{window: v, batch: x.Shape[0], in: x.Shape[1], out: w.Shape[0], taps: product(w.Shape[1:])}
	s.pixels = s.oh * s.ow
	return s, nil
}

// image returns the i-th of n equal parts of a tensor's elements.
func image(data []float32, i, size int) []float32 { return data[i*size : (i+1)*size] }

// conv is ONNX's Conv in two dimensions, image by image: a matrix of shifted
// copies (im2col), then one product. Chellapilla et al., "High performance
// convolutional neural networks for document processing", 2006.
func conv(c *call) (kernel, error) {
	x, w, bias, y := c.in[0], c.in[1], c.input(2), c.out[0]
	s, err := newConvShape(c, x, w, y)
	if err != nil {
		return nil, err
	}
	if bias != nil && (bias.DType != accel.Float32 || bias.n != s.out) {
		return nil, shapeErr(bias, w)
	}
	cols := s.taps * s.pixels
	scratch := c.scratch(cols + packLen(s.out, s.pixels, s.taps))
	return func() error {
		buf := scratch()
		for i := range s.batch {
			s.im2col(buf[:cols], image(x.f, i, s.in*s.h*s.w), s.in)
			out := image(y.f, i, s.out*s.pixels)
			gemm(out, w.f, buf, s.out, s.pixels, s.taps, false, false, false, buf[cols:])
			if bias != nil {
				addBias(out, bias.f, s.pixels)
			}
		}
		return nil
	}, nil
}

// addBias adds bias[c] to the c-th run of y.
func addBias(y, bias []float32, run int) {
	for c, b := range bias {
		part := y[c*run : (c+1)*run]
		for i := range part {
			part[i] += b
		}
	}
}

// convGrad takes dy, x, w and gives whichever of dx, dw, db are asked for. dw
// and db are summed over the images in order.
func convGrad(c *call) (kernel, error) {
	dy, x, w := c.in[0], c.in[1], c.in[2]
	dx, dw, db := c.output(0), c.output(1), c.output(2)
	s, err := newConvShape(c, x, w, dy)
	if err != nil {
		return nil, err
	}
	if (dx != nil && dx.n != x.n) || (dw != nil && dw.n != w.n) || (db != nil && db.n != s.out) {
		return nil, shapeErr(x, w, dx, dw, db)
	}
	cols := s.taps * s.pixels
	scratch := c.scratch(cols + max(packLen(s.out, s.taps, s.pixels), packLen(s.taps, s.pixels, s.out)))
	return func() error {
		if dw != nil {
			s.gradWeights(dw.f, dy.f, x.f, scratch())
		}
		if db != nil {
			s.gradBias(db.f, dy.f)
		}
		if dx != nil {
			s.gradInput(dx.f, dy.f, w.f, scratch())
		}
		return nil
	}, nil
}

// gradWeights is dw = Σ images dy·colᵀ.
func (s *convShape) gradWeights(dw, dy, x, buf []float32) {
	cols := s.taps * s.pixels
	clear(dw)
	for i := range s.batch {
		s.im2col(buf[:cols], image(x, i, s.in*s.h*s.w), s.in)
		gemm(dw, image(dy, i, s.out*s.pixels), buf, s.out, s.taps, s.pixels, false, true, true, buf[cols:])
	}
}

// gradBias sums dy over images and pixels, in float64.
func (s *convShape) gradBias(db, dy []float32) {
	for c := range db {
		sum := 0.0
		for i := range s.batch {
			for _, v := range image(dy, i*s.out+c, s.pixels) {
				sum += float64(v)
			}
		}
		db[c] = float32(sum)
	}
}

// gradInput is dx = col2im(wᵀ·dy), image by image.
func (s *convShape) gradInput(dx, dy, w, buf []float32) {
	cols := s.taps * s.pixels
	clear(dx)
	for i := range s.batch {
		gemm(buf[:cols], w, image(dy, i, s.out*s.pixels), s.taps, s.pixels, s.out, true, false, false, buf[cols:])
		s.col2im(image(dx, i, s.in*s.h*s.w), buf[:cols], s.in)
	}
}

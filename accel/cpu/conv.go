package cpu

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/conv"
)

var convKernels = map[string]builder{
	"Conv":            {in: 2, out: 1, make: convForward},
	"FusedConv":       {in: 2, out: 1, make: convForward},
	"ConvTranspose":   {in: 2, out: 1, make: convForward},
	"ConvDataGrad":    {in: 3, out: 1, make: convDataGrad},
	"ConvWeightsGrad": {in: 3, out: 1, make: convWeightsGrad},
	"ConvBiasGrad":    {in: 1, out: 1, make: convBiasGrad},
}

// convSpec reads the attributes, which model/graph has spelled out, for the
// shapes of the convolution's x and w.
func convSpec(c *call, x, w []int, transposed bool) (conv.Spec, error) {
	k, pads := c.Ints("kernel_shape"), c.Attrs.Ints("pads")
	if len(x) < 3 || len(w) != len(x) || len(k) != len(x)-2 || len(pads) != 2*len(k) {
		return conv.Spec{}, fmt.Errorf("images %v, filters %v, kernel %v, pads %v do not fit", x, w, k, pads)
	}
	if len(k) > 3 {
		return conv.Spec{}, fmt.Errorf("convolution of %d dimensions: %w", len(k), accel.ErrUnsupported)
	}
	s := conv.Spec{
		N: x[0], C: x[1], M: w[0], In: x[2:], Kernel: k, Strides: c.Ints("strides"), Dilations: c.Ints("dilations"),
		PadsBegin: pads[:len(k)], PadsEnd: pads[len(k):], Groups: c.Int("group", 1), Transposed: transposed,
	}
	if transposed {
		s.M, s.OutputPadding = w[1]*s.Groups, c.Ints("output_padding")
	}
	switch act := c.Str("activation", "none"); act {
	case "none":
	case "Relu":
		s.Epilogue.Act = conv.Relu
	case "Clip":
		s.Epilogue = conv.Epilogue{Act: conv.Clip, Lo: float32(c.Float("lo", math.Inf(-1))), Hi: float32(c.Float("hi", math.Inf(1)))}
	default:
		return s, fmt.Errorf("activation %q: %w", act, accel.ErrUnsupported)
	}
	return s, nil
}

// convForward is y = x * w + bias + residual.
func convForward(c *call) (kernel, error) {
	x, w, bias, residual, y := c.in[0], c.in[1], c.input(2), c.input(3), c.out[0]
	if y.n == 0 {
		return func(*frame) error { return nil }, nil
	}
	s, err := convSpec(c, x.Shape, w.Shape, c.Op == "ConvTranspose")
	if err != nil {
		return nil, err
	}
	if x.DType != accel.Float32 {
		return plainConvForward(c, s)
	}
	plan, err := conv.New(s)
	if err != nil {
		return nil, err
	}
	optional := func(f *frame, t *tensor) []float32 {
		if t == nil {
			return nil
		}
		return data[float32](f, t)
	}
	if w.Const() {
		packed := accel.View[float32](accel.Aligned(4 * plan.PackedLen()))
		plan.PackWeights(packed, accel.View[float32](w.Data))
		scratch := c.floats(plan.PackedScratch(c.threads))
		return func(f *frame) error {
			plan.ForwardPacked(f.pool, data[float32](f, y), data[float32](f, x), packed, optional(f, bias), optional(f, residual), scratch.f32(f))
			return nil
		}, nil
	}
	scratch := c.floats(plan.ForwardScratch(c.threads))
	return func(f *frame) error {
		plan.Forward(f.pool, data[float32](f, y), data[float32](f, x), data[float32](f, w), optional(f, bias), optional(f, residual), scratch.f32(f))
		return nil
	}, nil
}

func convDataGrad(c *call) (kernel, error) {
	dy, w, dx := c.in[0], c.in[1], c.out[0]
	if dx.n == 0 {
		return func(*frame) error { return nil }, nil
	}
	s, err := convSpec(c, dx.Shape, w.Shape, c.Bool("transposed", false))
	if err != nil {
		return nil, err
	}
	if dy.DType != accel.Float32 {
		return plainConvGrad(c, s, dy, dx, w, func(t taps[float64], f *frame) {
			t.dataGrad(data[float64](f, dx), data[float64](f, dy), data[float64](f, w))
		})
	}
	plan, err := conv.New(s)
	if err != nil {
		return nil, err
	}
	scratch := c.floats(plan.DataScratch(c.threads))
	return func(f *frame) error {
		plan.BackwardData(f.pool, data[float32](f, dx), data[float32](f, dy), data[float32](f, w), scratch.f32(f))
		return nil
	}, nil
}

func convWeightsGrad(c *call) (kernel, error) {
	dy, x, dw := c.in[0], c.in[1], c.out[0]
	if dy.n == 0 {
		return func(f *frame) error { clear(raw(f, dw)); return nil }, nil
	}
	s, err := convSpec(c, x.Shape, dw.Shape, c.Bool("transposed", false))
	if err != nil {
		return nil, err
	}
	if dy.DType != accel.Float32 {
		return plainConvGrad(c, s, dy, x, dw, func(t taps[float64], f *frame) {
			t.weightsGrad(data[float64](f, dw), data[float64](f, dy), data[float64](f, x))
		})
	}
	plan, err := conv.New(s)
	if err != nil {
		return nil, err
	}
	scratch := c.floats(plan.WeightsScratch(c.threads))
	return func(f *frame) error {
		plan.BackwardWeights(f.pool, data[float32](f, dw), data[float32](f, dy), data[float32](f, x), scratch.f32(f))
		return nil
	}, nil
}

// convBiasGrad sums each channel, image after image.
func convBiasGrad(c *call) (kernel, error) {
	dy, db := c.in[0], c.out[0]
	n, channels, inner := around(dy.Shape, 1)
	switch dy.DType {
	case accel.Float32:
		return biasGradOf[float32](dy, db, n, channels, inner), nil
	case accel.Float64:
		return biasGradOf[float64](dy, db, n, channels, inner), nil
	}
	return nil, unsupported(c.Op, dy)
}

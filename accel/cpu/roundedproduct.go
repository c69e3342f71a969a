package cpu

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/bgemm"
	"github.com/millrace-go/millrace/accel/cpu/vec"
)

// computeTypes are the values of the attribute compute.
var computeTypes = map[string]bgemm.Type{"bfloat16": bgemm.BFloat16, "float16": bgemm.Float16}

// afterwards are the activations as functions of float32 slices.
var afterwards = map[string]func(dst, x []float32){
	"none": nil, "Relu": vec.Relu, "Gelu": vec.Gelu, "GeluTanh": vec.GeluTanh, "Sigmoid": vec.Sigmoid, "Tanh": vec.Tanh, "Silu": vec.Silu,
}

// rounded is a float32 product whose operands are rounded to a 16-bit type as they
// are packed, constants once and for all; sums and results are float32. What
// package bgemm does not do with a sum follows in a pass over the results, rounded
// step by step as package gemm does it.
func (p *product) rounded(c *call) (kernel, error) {
	name, act := c.Str("compute", ""), c.Str("activation", "none")
	t, ok := computeTypes[name]
	f, known := afterwards[act]
	switch {
	case !ok || c.in[0].DType != accel.Float32:
		return nil, fmt.Errorf("%s computed in %q: %w", c.in[0].DType, name, accel.ErrUnsupported)
	case !known:
		return nil, fmt.Errorf("activation %q: %w", act, accel.ErrUnsupported)
	}
	a, b, bias, residual, y := c.in[0], c.in[1], c.input(2), c.input(3), c.out[0]
	s := bgemm.Spec{
		M: p.m, N: p.n, K: p.k, TransA: p.transA, TransB: p.transB, Type: t, A32: true, B32: true, C32: true,
		Prepacked: b.Const() && p.oneRight(), Bias: bias != nil && p.alpha == 1,
	}
	rest := p.alpha != 1 || residual != nil || f != nil && act != "Relu"
	if act == "Relu" && !rest {
		s.Clip, s.Hi = true, float32(math.Inf(1))
	}
	plan, err := bgemm.New(s)
	if err != nil {
		return nil, err
	}
	var packed []uint16
	if s.Prepacked {
		packed = accel.View[uint16](accel.Aligned(2 * plan.PackedLen()))
		plan.PackB(packed, accel.View[float32](b.Data), nil)
	}
	scratch, last := c.floats(plan.ScratchLen()), addJob[epilogue](c)
	return func(fr *frame) error {
		ya, aa, ba := data[float32](fr, y), data[float32](fr, a), data[float32](fr, b)
		o := bgemm.Operands{Packed: packed, Scratch: scratch.f32(fr)}
		if s.Bias {
			o.Bias = data[float32](fr, bias)
		}
		for _, at := range p.batches {
			for i := range p.count {
				o.C, o.A, o.B = ya[at.c+i*p.m*p.n:], aa[at.a+i*p.strideA:], ba[at.b+i*p.strideB:]
				plan.Run(fr.pool, o)
			}
		}
		if rest {
			e := last(fr)
			e.set(ya, p.n, float32(p.alpha), f)
			if bias != nil && !s.Bias {
				e.bias = data[float32](fr, bias)
			}
			if residual != nil {
				e.residual = data[float32](fr, residual)
			}
			e.run(fr)
		}
		return nil
	}, nil
}

// oneRight reports whether all products have the same right operand.
func (p *product) oneRight() bool { return len(p.batches) == 1 && (p.count == 1 || p.strideB == 0) }

// epilogue is y = act((alpha·y + bias) + residual), in tiles of some rows.
type epilogue struct {
	y, bias, residual []float32 // bias and residual may be nil
	cols, tile        int       // tile is a number of elements
	alpha             float32
	act               func(dst, x []float32)
}

// epilogueElements is about the elements of a tile, which stay in a core's cache.
const epilogueElements = 1 << 14

func (e *epilogue) set(y []float32, cols int, alpha float32, act func(dst, x []float32)) {
	*e = epilogue{y: y, cols: cols, alpha: alpha, act: act, tile: max(1, epilogueElements/max(1, cols)) * cols}
}

func (e *epilogue) run(f *frame) {
	if len(e.y) > 0 {
		f.pool.For((len(e.y)+e.tile-1)/e.tile, e)
	}
	*e = epilogue{}
}

// Do finishes some rows.
func (e *epilogue) Do(tile, _ int) {
	from, to := tile*e.tile, min(tile*e.tile+e.tile, len(e.y))
	y := e.y[from:to]
	if e.alpha != 1 {
		vec.Scale(y, e.alpha)
	}
	if e.bias != nil {
		for i := 0; i < len(y); i += e.cols {
			vec.Add(y[i:i+e.cols], y[i:i+e.cols], e.bias)
		}
	}
	if e.residual != nil {
		vec.Add(y, y, e.residual[from:to])
	}
	if e.act != nil {
		e.act(y, y)
	}
}

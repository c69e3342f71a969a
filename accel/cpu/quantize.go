package cpu

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/cast"
)

var quantizeKernels = map[string]builder{
	"QuantizeLinear":        {in: 2, out: 1, make: quantizeLinear},
	"DequantizeLinear":      {in: 2, out: 1, make: dequantizeLinear},
	"DynamicQuantizeLinear": {in: 1, out: 3, make: dynamicQuantize},
}

// scaleRuns is how the elements of a tensor share scales: in runs of n elements,
// of which one scale is for all, or each element has its own. The scales of run
// (o, a) of outer·axis begin at o·perOuter + a/block·perBlock.
type scaleRuns struct {
	outer, axis, n            int
	each                      bool
	block, perOuter, perBlock int
}

func newScaleRuns(c *call, x, scale *tensor) (scaleRuns, error) {
	if scale.n == 1 {
		return scaleRuns{outer: 1, axis: 1, n: x.n, block: 1}, nil
	}
	a, err := axis(c.Int("axis", 1), len(x.Shape))
	if err != nil {
		return scaleRuns{}, err
	}
	outer, n, inner := around(x.Shape, a)
	block := c.Int("block_size", 0)
	blocks := n
	r := scaleRuns{outer: outer, axis: n, n: inner, block: 1, perBlock: 1}
	if block > 0 {
		blocks = (n + block - 1) / block
		r = scaleRuns{outer: outer, axis: n, n: inner, each: true, block: block, perBlock: inner, perOuter: blocks * inner}
	}
	if block == 0 && inner == 1 { // a row has all scales
		r = scaleRuns{outer: 1, axis: outer, n: n, each: true, block: max(1, outer), perBlock: 0}
	}
	if block > 0 && inner == 1 && n%block == 0 { // whole blocks lie side by side
		r = scaleRuns{outer: outer * blocks, axis: 1, n: block, block: 1, perOuter: 1}
	}
	if want := blocks; block == 0 && scale.n != want || block > 0 && scale.n != outer*blocks*inner {
		return r, shapeErr(x, scale)
	}
	return r, nil
}

// forEach calls do with the place of each run and of its scales.
func (r *scaleRuns) forEach(do func(at, scale int)) {
	for o := range r.outer {
		for a := range r.axis {
			do((o*r.axis+a)*r.n, o*r.perOuter+a/r.block*r.perBlock)
		}
	}
}

// ranges are the codes of the integer types.
var ranges = map[accel.DType]cast.Range{
	accel.Uint8: cast.Uint8, accel.Int8: cast.Int8, accel.Uint16: cast.Uint16, accel.Int16: cast.Int16,
	accel.Uint4: cast.Uint4, accel.Int4: cast.Int4, accel.Uint2: cast.Uint2, accel.Int2: cast.Int2,
}

// integers writes the elements of an integer tensor of at most 32 bits to dst;
// zeros, if the tensor is absent or of a type that has none.
func integers(dst []int32, f *frame, t *tensor) {
	if t == nil {
		clear(dst)
		return
	}
	switch held(t.DType) {
	case accel.Uint8:
		convertAll(dst, data[uint8](f, t))
	case accel.Int8:
		convertAll(dst, data[int8](f, t))
	case accel.Uint16:
		convertAll(dst, data[uint16](f, t))
	case accel.Int16:
		convertAll(dst, data[int16](f, t))
	case accel.Int32:
		copy(dst, data[int32](f, t))
	default:
		clear(dst)
	}
}

func convertAll[T accel.Number](dst []int32, src []T) {
	for i, v := range src {
		dst[i] = int32(v)
	}
}

// quantizing is a call of QuantizeLinear or DequantizeLinear.
type quantizing struct {
	scaleRuns
	x, scale, zero, y *tensor
	zeros             scratchRef
	row               scratchRef // one run of float32
}

func newQuantizing(c *call) (*quantizing, error) {
	q := &quantizing{x: c.in[0], scale: c.in[1], zero: c.input(2), y: c.out[0]}
	var err error
	if q.scaleRuns, err = newScaleRuns(c, q.x, q.scale); err != nil {
		return nil, err
	}
	if err := sameLen(q.x, q.y); err != nil {
		return nil, err
	}
	if q.zero != nil && q.zero.n != q.scale.n {
		return nil, shapeErr(q.scale, q.zero)
	}
	room := c.scratch(4 * (q.scale.n + q.n))
	q.zeros, q.row = room, room
	return q, want(c.Op, []*tensor{q.scale}, accel.Float32)
}

// run calls do for each run with its scales and zero points, and a row of floats
// to work in.
func (q *quantizing) run(f *frame, do func(lo, hi int, scales []float32, zeros []int32, row []float32)) {
	zeros := accel.View[int32](q.zeros.raw(f))[:q.scale.n]
	row := q.row.f32(f)[q.scale.n:]
	integers(zeros, f, q.zero)
	scales := data[float32](f, q.scale)
	q.forEach(func(at, s int) {
		k := 1
		if q.each {
			k = q.n
		}
		do(at, at+q.n, scales[s:s+k], zeros[s:s+k], row)
	})
}

func quantizeLinear(c *call) (kernel, error) {
	q, err := newQuantizing(c)
	if err != nil || q.x.n == 0 {
		return nothing, err
	}
	if err := want(c.Op, []*tensor{q.x}, accel.Float32); err != nil {
		return nil, err
	}
	if m, ok := minifloats[q.y.DType]; ok {
		return q.toMinifloat(m, c.Bool("saturate", true)), nil
	}
	limits, ok := ranges[q.y.DType]
	if !ok {
		return nil, unsupported(c.Op, q.y)
	}
	if q.y.DType.Size() == 2 {
		return func(f *frame) error {
			x, y := data[float32](f, q.x), accel.View[uint16](raw(f, q.y))
			q.run(f, func(lo, hi int, scales []float32, zeros []int32, _ []float32) {
				for i := range scales { // one, for all of the run, or one for each element
					n := (hi - lo) / len(scales)
					cast.Quantize16(y[lo+i*n:lo+(i+1)*n], x[lo+i*n:lo+(i+1)*n], scales[i], zeros[i], limits)
				}
			})
			return nil
		}, nil
	}
	return func(f *frame) error {
		x, y := data[float32](f, q.x), raw(f, q.y)
		q.run(f, func(lo, hi int, scales []float32, zeros []int32, _ []float32) {
			if q.each {
				cast.Quantize8Each(y[lo:hi], x[lo:hi], scales, zeros, limits)
			} else {
				cast.Quantize8(y[lo:hi], x[lo:hi], scales[0], zeros[0], limits)
			}
		})
		return nil
	}, nil
}

// toMinifloat rounds quotients to a float of 8 or 4 bits, whose zero point is 0.
func (q *quantizing) toMinifloat(m cast.Minifloat, saturate bool) kernel {
	return func(f *frame) error {
		if q.zero != nil && slices.ContainsFunc(raw(f, q.zero), func(b byte) bool { return b != 0 }) {
			return fmt.Errorf("the zero point of %s is not 0", q.y.DType)
		}
		x, y := data[float32](f, q.x), raw(f, q.y)
		q.run(f, func(lo, hi int, scales []float32, _ []int32, row []float32) {
			for i, v := range x[lo:hi] {
				row[i] = v / scales[i%len(scales)]
			}
			m.Encode(y[lo:hi], row[:hi-lo], saturate)
		})
		return nil
	}
}

func dequantizeLinear(c *call) (kernel, error) {
	q, err := newQuantizing(c)
	if err != nil || q.x.n == 0 {
		return nothing, err
	}
	if err := want(c.Op, []*tensor{q.y}, accel.Float32); err != nil {
		return nil, err
	}
	if m, ok := minifloats[q.x.DType]; ok {
		return func(f *frame) error {
			x, y := raw(f, q.x), data[float32](f, q.y)
			m.Decode(y, x)
			q.run(f, func(lo, hi int, scales []float32, _ []int32, _ []float32) {
				for i := lo; i < hi; i++ {
					y[i] *= scales[(i-lo)%len(scales)]
				}
			})
			return nil
		}, nil
	}
	whole := map[accel.DType]func(f *frame, dst []float32, lo, hi int, scale float32, zero int32){
		accel.Uint8: func(f *frame, dst []float32, lo, hi int, scale float32, zero int32) {
			cast.DequantizeU8(dst, raw(f, q.x)[lo:hi], scale, zero)
		},
		accel.Int8: func(f *frame, dst []float32, lo, hi int, scale float32, zero int32) {
			cast.DequantizeS8(dst, raw(f, q.x)[lo:hi], scale, zero)
		},
		accel.Uint16: func(f *frame, dst []float32, lo, hi int, scale float32, zero int32) {
			cast.DequantizeU16(dst, accel.View[uint16](raw(f, q.x))[lo:hi], scale, zero)
		},
		accel.Int16: func(f *frame, dst []float32, lo, hi int, scale float32, zero int32) {
			cast.DequantizeS16(dst, accel.View[uint16](raw(f, q.x))[lo:hi], scale, zero)
		},
		accel.Int32: func(f *frame, dst []float32, lo, hi int, scale float32, zero int32) {
			cast.DequantizeS32(dst, data[int32](f, q.x)[lo:hi], scale, zero)
		},
	}[held(q.x.DType)]
	if whole == nil {
		return nil, unsupported(c.Op, q.x)
	}
	return func(f *frame) error {
		y := data[float32](f, q.y)
		q.run(f, func(lo, hi int, scales []float32, zeros []int32, _ []float32) {
			n := (hi - lo) / len(scales) // all of the run, or one element
			for i, scale := range scales {
				at := lo + i*n
				whole(f, y[at:at+n], at, at+n, scale, zeros[i])
			}
		})
		return nil
	}, nil
}

// nothing is the kernel of an operator on tensors without elements.
func nothing(*frame) error { return nil }

func dynamicQuantize(c *call) (kernel, error) {
	x, y, scale, zero := c.in[0], c.out[0], c.out[1], c.out[2]
	if err := want(c.Op, []*tensor{x, scale}, accel.Float32); err != nil {
		return nil, err
	}
	if err := want(c.Op, []*tensor{y, zero}, accel.Uint8); err != nil {
		return nil, err
	}
	if x.n != y.n || scale.n != 1 || zero.n != 1 {
		return nil, shapeErr(x, y, scale, zero)
	}
	return func(f *frame) error {
		s, z := cast.DynamicRange(data[float32](f, x))
		data[float32](f, scale)[0], data[uint8](f, zero)[0] = s, z
		cast.Quantize8(data[uint8](f, y), data[float32](f, x), s, int32(z), cast.Uint8)
		return nil
	}, nil
}

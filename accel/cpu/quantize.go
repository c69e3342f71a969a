package cpu

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/cast"
	"github.com/millrace-go/millrace/accel/cpu/vec"
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
		n := min(grain, x.n)
		return scaleRuns{outer: 1, axis: (x.n + n - 1) / n, n: n, block: 1}, nil
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

// run is where run i begins, and where its scales.
func (r *scaleRuns) run(i int) (at, scale int) {
	return i * r.n, i/r.axis*r.perOuter + i%r.axis/r.block*r.perBlock
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
	if bits := narrow[t.DType]; bits > 0 { // the rest of the byte does not count
		signed := t.DType == accel.Int4 || t.DType == accel.Int2
		for i, v := range dst {
			if dst[i] = v & (1<<bits - 1); signed {
				dst[i] = v << (32 - bits) >> (32 - bits)
			}
		}
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
}

// quantize converts the elements lo to hi of a run. There is one scale and zero
// point for all of them, or one for each. row has room for them as floats.
type quantize func(f *frame, lo, hi int, scales []float32, zeros []int32, row []float32)

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
	return q, want(c.Op, []*tensor{q.scale}, accel.Float32)
}

// kernel applies do to all runs, some at a time.
func (q *quantizing) kernel(c *call, do quantize) kernel {
	job := addJob[quantizeJob](c)
	room := c.scratch(4 * (q.scale.n + q.n*c.threads))
	per := max(1, grain/q.n)
	runs := q.outer * q.axis
	return func(f *frame) error {
		mem := room.raw(f)
		j := job(f)
		*j = quantizeJob{quantizing: q, do: do, f: f, runs: runs, per: per, scales: data[float32](f, q.scale),
			zeros: accel.View[int32](mem[:4*q.scale.n]), rows: accel.View[float32](mem[4*q.scale.n:])}
		integers(j.zeros, f, q.zero)
		f.pool.For((runs+per-1)/per, j)
		return nil
	}
}

type quantizeJob struct {
	*quantizing
	do        quantize
	f         *frame
	runs, per int
	scales    []float32
	zeros     []int32
	rows      []float32 // one for each worker
}

// Do converts some runs.
func (j *quantizeJob) Do(tile, worker int) {
	for i := tile * j.per; i < min((tile+1)*j.per, j.runs); i++ {
		at, s := j.run(i)
		k := 1
		if j.each {
			k = j.n
		}
		j.do(j.f, at, min(at+j.n, j.x.n), j.scales[s:s+k], j.zeros[s:s+k], j.rows[worker*j.n:(worker+1)*j.n])
	}
}

func quantizeLinear(c *call) (kernel, error) {
	if c.in[0].n == 0 {
		return nothing, nil
	}
	q, err := newQuantizing(c)
	if err != nil {
		return nil, err
	}
	if err := want(c.Op, []*tensor{q.x}, accel.Float32); err != nil {
		return nil, err
	}
	if m, ok := minifloats[q.y.DType]; ok {
		return q.toMinifloat(c, m), nil
	}
	limits, ok := ranges[q.y.DType]
	switch {
	case !ok:
		return nil, unsupported(c.Op, q.y)
	case q.y.DType.Size() == 2:
		return q.kernel(c, func(f *frame, lo, hi int, scales []float32, zeros []int32, _ []float32) {
			x, y := data[float32](f, q.x), accel.View[uint16](raw(f, q.y))
			for i, scale := range scales { // one, for all of the run, or one for each element
				n := (hi - lo) / len(scales)
				cast.Quantize16(y[lo+i*n:lo+(i+1)*n], x[lo+i*n:lo+(i+1)*n], scale, zeros[i], limits)
			}
		}), nil
	case q.each:
		return q.kernel(c, func(f *frame, lo, hi int, scales []float32, zeros []int32, _ []float32) {
			cast.Quantize8Each(raw(f, q.y)[lo:hi], data[float32](f, q.x)[lo:hi], scales, zeros, limits)
		}), nil
	}
	return q.kernel(c, func(f *frame, lo, hi int, scales []float32, zeros []int32, _ []float32) {
		cast.Quantize8(raw(f, q.y)[lo:hi], data[float32](f, q.x)[lo:hi], scales[0], zeros[0], limits)
	}), nil
}

// toMinifloat rounds quotients to a float of 8 or 4 bits, whose zero point is 0.
func (q *quantizing) toMinifloat(c *call, m cast.Minifloat) kernel {
	saturate := c.Bool("saturate", true)
	k := q.kernel(c, func(f *frame, lo, hi int, scales []float32, _ []int32, row []float32) {
		x := data[float32](f, q.x)[lo:hi]
		if q.each {
			vec.Div(row[:len(x)], x, scales)
		} else {
			vec.DivScalar(row[:len(x)], x, scales[0])
		}
		m.Encode(raw(f, q.y)[lo:hi], row[:len(x)], saturate)
	})
	return func(f *frame) error {
		if q.zero != nil && slices.ContainsFunc(raw(f, q.zero), func(b byte) bool { return b != 0 }) {
			return fmt.Errorf("the zero point of %s is not 0", q.y.DType)
		}
		return k(f)
	}
}

// dequantizeTo sets dst to (x-zero)·scale for the elements of x from lo on.
type dequantizeTo func(f *frame, dst []float32, x *tensor, lo int, scale float32, zero int32)

// dequantizers are by the type that holds x's elements.
var dequantizers = map[accel.DType]dequantizeTo{
	accel.Uint8: func(f *frame, dst []float32, x *tensor, lo int, scale float32, zero int32) {
		cast.DequantizeU8(dst, raw(f, x)[lo:lo+len(dst)], scale, zero)
	},
	accel.Int8: func(f *frame, dst []float32, x *tensor, lo int, scale float32, zero int32) {
		cast.DequantizeS8(dst, raw(f, x)[lo:lo+len(dst)], scale, zero)
	},
	accel.Uint16: func(f *frame, dst []float32, x *tensor, lo int, scale float32, zero int32) {
		cast.DequantizeU16(dst, accel.View[uint16](raw(f, x))[lo:lo+len(dst)], scale, zero)
	},
	accel.Int16: func(f *frame, dst []float32, x *tensor, lo int, scale float32, zero int32) {
		cast.DequantizeS16(dst, accel.View[uint16](raw(f, x))[lo:lo+len(dst)], scale, zero)
	},
	accel.Int32: func(f *frame, dst []float32, x *tensor, lo int, scale float32, zero int32) {
		cast.DequantizeS32(dst, data[int32](f, x)[lo:lo+len(dst)], scale, zero)
	},
}

func dequantizeLinear(c *call) (kernel, error) {
	if c.in[0].n == 0 {
		return nothing, nil
	}
	q, err := newQuantizing(c)
	if err != nil {
		return nil, err
	}
	if err := want(c.Op, []*tensor{q.y}, accel.Float32); err != nil {
		return nil, err
	}
	of := dequantizers[held(q.x.DType)]
	if m, ok := minifloats[q.x.DType]; ok {
		of = func(f *frame, dst []float32, x *tensor, lo int, scale float32, _ int32) {
			m.Decode(dst, raw(f, x)[lo:lo+len(dst)])
			if scale != 1 {
				vec.Scale(dst, scale)
			}
		}
	}
	switch {
	case of == nil:
		return nil, unsupported(c.Op, q.x)
	case q.x.DType == accel.Int32 && q.each: // whose differences need not be float32s
		return q.kernel(c, func(f *frame, lo, hi int, scales []float32, zeros []int32, _ []float32) {
			for i, scale := range scales {
				of(f, data[float32](f, q.y)[lo+i:lo+i+1], q.x, lo+i, scale, zeros[i])
			}
		}), nil
	case q.each:
		return q.kernel(c, func(f *frame, lo, hi int, scales []float32, zeros []int32, _ []float32) {
			y := data[float32](f, q.y)[lo:hi]
			of(f, y, q.x, lo, 1, 0)
			for i, z := range zeros {
				y[i] = (y[i] - float32(z)) * scales[i] // the difference is exact
			}
		}), nil
	}
	return q.kernel(c, func(f *frame, lo, hi int, scales []float32, zeros []int32, _ []float32) {
		of(f, data[float32](f, q.y)[lo:hi], q.x, lo, scales[0], zeros[0])
	}), nil
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

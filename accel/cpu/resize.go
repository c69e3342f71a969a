package cpu

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/vec"
	"github.com/millrace-go/millrace/accel/extent"
)

// Resize in mode nearest copies elements of any type; the other modes, which are
// separable, work on one dimension after the other in float32, or float64 for
// float64 and integers.
var resizeKernels = map[string]builder{
	"Resize":     {in: 1, out: 1, make: resize, half: true},
	"ResizeGrad": {in: 2, out: 1, make: resizeGrad},
}

// constant is the value of input i, which must be one; nil if it is absent.
func (c *call) constant(i int) (*accel.Array, error) {
	t := c.input(i)
	if t == nil {
		return nil, nil
	}
	if !t.Const() {
		return nil, fmt.Errorf("input %d (%s) must be a constant", i, t.Name)
	}
	return &accel.Array{DType: t.DType, Shape: t.Shape, Data: t.Data}, nil
}

// newResize resolves the inputs of Resize, which begin with roi at input first.
func newResize(c *call, shape []int, first int) (*extent.Resize, error) {
	var in [3]*accel.Array
	for i := range in {
		var err error
		if in[i], err = c.constant(first + i); err != nil {
			return nil, err
		}
	}
	return extent.NewResize(shape, c.Attrs, in[0], in[1], in[2])
}

func resize(c *call) (kernel, error) {
	x, y := c.in[0], c.out[0]
	if err := want(c.Op, []*tensor{y}, x.DType); err != nil {
		return nil, err
	}
	if c.Str("mode", "nearest") != "nearest" {
		return builder{make: resizeSmooth}.kernel(c)
	}
	r, err := newResize(c, x.Shape, 1)
	if err != nil {
		return nil, err
	}
	return bySize(x.DType.Size(), resizeNearest[uint8], resizeNearest[uint16], resizeNearest[uint32], resizeNearest[uint64])(c, r)
}

// resizeSmooth interpolates.
func resizeSmooth(c *call) (kernel, error) {
	x, y := c.in[0], c.out[0]
	r, err := newResize(c, x.Shape, 1)
	if err != nil {
		return nil, err
	}
	if accel.Size(r.Shape()) != y.n {
		return nil, shapeErr(x, y)
	}
	switch x.DType {
	case accel.Float32:
		return interpolate[float32](c, r)
	case accel.Float64:
		return interpolate[float64](c, r)
	case accel.Int8:
		return interpolateInt[int8](c, r, math.MinInt8, math.MaxInt8)
	case accel.Uint8:
		return interpolateInt[uint8](c, r, 0, math.MaxUint8)
	case accel.Int16:
		return interpolateInt[int16](c, r, math.MinInt16, math.MaxInt16)
	case accel.Uint16:
		return interpolateInt[uint16](c, r, 0, math.MaxUint16)
	case accel.Int32:
		return interpolateInt[int32](c, r, math.MinInt32, math.MaxInt32)
	}
	return nil, unsupported(c.Op, x)
}

// resizeNearest is a copy by tables, as Pad is.
func resizeNearest[T accel.Number](c *call, r *extent.Resize) (kernel, error) {
	x, y := c.in[0], c.out[0]
	s := &sources{}
	for d, stride := range contiguous(x.Shape) {
		t, err := r.Taps(d)
		if err != nil {
			return nil, err
		}
		from := make([]int, len(t.Index))
		for i, at := range t.Index {
			from[i] = at * stride
			if t.Outside[i] {
				from[i] = -1
			}
		}
		s.from = append(s.from, from)
	}
	s.finish(1)
	value, err := elementOf[T](r.Outside, x.DType)
	if err != nil {
		return nil, err
	}
	return padded(c, s, x, y, func(*frame) T { return value })
}

// elementOf is the bits of a number as an element of some type.
func elementOf[T accel.Number](v float64, t accel.DType) (T, error) {
	b := accel.Bytes([]float64{v})
	switch {
	case v == 0 || t == accel.Float64:
	case t == accel.Float32:
		b = accel.Bytes([]float32{float32(v)})
	case t.IsHalf():
		var half [1]uint16
		round(half[:], []float32{float32(v)}, t)
		b = accel.Bytes(half[:])
	case t.IsInt():
		b = accel.Bytes([]int64{int64(v)}) // little-endian
	default:
		return 0, fmt.Errorf("value %g of %s: %w", v, t, accel.ErrUnsupported)
	}
	return as[T](b)[0], nil
}

// pass is the resizing of one dimension.
type pass[T float32 | float64] struct {
	outer, in, out, inner int
	k                     int
	index                 []int
	weight                []T
	outside               []bool
	value                 T
}

// newPasses makes the passes over the dimensions that change, the last one first:
// its pass is the slowest, so it has the fewest rows to do where images grow.
func newPasses[T float32 | float64](r *extent.Resize, shape []int) ([]*pass[T], error) {
	var list []*pass[T]
	now := append([]int{}, shape...)
	for d := len(now) - 1; d >= 0; d-- {
		if r.Same(d) {
			continue
		}
		t, err := r.Taps(d)
		if err != nil {
			return nil, err
		}
		p := &pass[T]{in: now[d], out: r.Axes[d].Out, k: t.K, index: t.Index, outside: t.Outside, value: T(r.Outside)}
		p.outer, _, p.inner = around(now, d)
		for _, w := range t.Weight {
			p.weight = append(p.weight, T(w))
		}
		now[d] = p.out
		list = append(list, p)
	}
	return list, nil
}

// passJob runs one pass, forwards or backwards.
type passJob[T float32 | float64] struct {
	p    *pass[T]
	y, x []T
	back bool
}

// Do works on one outer block.
func (j *passJob[T]) Do(o, _ int) {
	p := j.p
	x, y := j.x[o*p.in*p.inner:(o+1)*p.in*p.inner], j.y[o*p.out*p.inner:(o+1)*p.out*p.inner]
	switch {
	case j.back:
		p.spread(x, y)
		return
	case p.inner == 1:
		p.line(y, x)
	default:
		p.rows(y, x)
	}
	for i, outside := range p.outside {
		if outside {
			fill(y[i*p.inner:(i+1)*p.inner], p.value)
		}
	}
}

// spread adds each row of y to the rows of x that it is made of.
func (p *pass[T]) spread(x, y []T) {
	clear(x)
	for i := range p.out {
		row := y[i*p.inner : (i+1)*p.inner]
		for k, at := range p.index[i*p.k : (i+1)*p.k] {
			axpy(x[at*p.inner:(at+1)*p.inner], row, p.weight[i*p.k+k])
		}
	}
}

// line makes elements of elements.
func (p *pass[T]) line(y, x []T) {
	if p.k == 2 {
		index, weight := p.index[:2*len(y)], p.weight[:2*len(y)]
		for i := range y {
			y[i] = T(weight[2*i]*x[index[2*i]]) + T(weight[2*i+1]*x[index[2*i+1]])
		}
		return
	}
	for i := range y {
		var sum T
		for k, at := range p.index[i*p.k : (i+1)*p.k] {
			sum += T(p.weight[i*p.k+k] * x[at])
		}
		y[i] = sum
	}
}

// rows makes rows of rows.
func (p *pass[T]) rows(y, x []T) {
	for i := range p.out {
		row := y[i*p.inner : (i+1)*p.inner]
		for k, at := range p.index[i*p.k : (i+1)*p.k] {
			if from, w := x[at*p.inner:(at+1)*p.inner], p.weight[i*p.k+k]; k > 0 {
				axpy(row, from, w)
			} else {
				scaled(row, from, w)
			}
		}
	}
}

// scaled is y = w·x.
func scaled[T float32 | float64](y, x []T, w T) {
	if y32, ok := any(y).([]float32); ok && len(y) >= 16 {
		vec.MulScalar(y32, any(x).([]float32)[:len(y)], float32(w))
		return
	}
	for i, v := range x[:len(y)] {
		y[i] = w * v
	}
}

// axpy is y += w·x.
func axpy[T float32 | float64](y, x []T, w T) {
	if y32, ok := any(y).([]float32); ok && len(y) >= 16 {
		vec.Axpy(y32, float32(w), any(x).([]float32)[:len(y)])
		return
	}
	for i, v := range x[:len(y)] {
		y[i] += w * v
	}
}

// chain is passes with the memory between them.
type chain[T float32 | float64] struct {
	passes []*pass[T]
	mem    scratchRef
	half   int // elements of each of the two parts of mem
	job    func(*frame) *passJob[T]
}

func newChain[T float32 | float64](c *call, r *extent.Resize, shape []int) (*chain[T], error) {
	passes, err := newPasses[T](r, shape)
	if err != nil {
		return nil, err
	}
	h := &chain[T]{passes: passes, job: addJob[passJob[T]](c), half: accel.Size(shape)}
	for _, p := range passes {
		h.half = max(h.half, p.outer*p.out*p.inner)
	}
	h.half = (h.half + 15) / 16 * 16
	h.mem = c.scratch(2 * h.half * 8)
	return h, nil
}

// buffer is one of two parts of the scratch memory.
func (h *chain[T]) buffer(f *frame, i int) []T {
	return as[T](h.mem.raw(f))[i%2*h.half:][:h.half]
}

// run resizes x to y, or if back is true adds up y's gradient to x's.
func (h *chain[T]) run(f *frame, y, x []T, back bool) {
	last := len(h.passes) - 1
	if last < 0 {
		if back {
			x, y = y, x
		}
		copy(y, x)
		return
	}
	j := h.job(f)
	at := func(i int) []T { // the data before pass i
		switch i {
		case 0:
			return x
		case last + 1:
			return y
		}
		return h.buffer(f, i)
	}
	for i := range h.passes {
		if back {
			i = last - i
		}
		j.p, j.x, j.y, j.back = h.passes[i], at(i), at(i+1), back
		f.pool.For(j.p.outer, j)
	}
	j.x, j.y = nil, nil
}

func interpolate[T float32 | float64](c *call, r *extent.Resize) (kernel, error) {
	x, y := c.in[0], c.out[0]
	h, err := newChain[T](c, r, x.Shape)
	if err != nil {
		return nil, err
	}
	return func(f *frame) error {
		h.run(f, data[T](f, y), data[T](f, x), false)
		return nil
	}, nil
}

// interpolateInt computes in float64 and rounds to the nearest even integer
// within the bounds of the type.
func interpolateInt[T accel.Number](c *call, r *extent.Resize, least, greatest float64) (kernel, error) {
	x, y := c.in[0], c.out[0]
	h, err := newChain[float64](c, r, x.Shape)
	if err != nil {
		return nil, err
	}
	ends := c.scratch(2*h.half*8 + (x.n+y.n)*8)
	return func(f *frame) error {
		wide := as[float64](ends.raw(f))[2*h.half:]
		from, to := wide[:x.n], wide[x.n:x.n+y.n]
		for i, v := range data[T](f, x) {
			from[i] = float64(v)
		}
		h.run(f, to, from, false)
		for i := range data[T](f, y) {
			data[T](f, y)[i] = T(max(least, min(math.RoundToEven(to[i]), greatest)))
		}
		return nil
	}, nil
}

// resizeGrad applies the transposed passes in the opposite order.
func resizeGrad(c *call) (kernel, error) {
	switch c.in[0].DType {
	case accel.Float32:
		return resizeGradOf[float32](c)
	case accel.Float64:
		return resizeGradOf[float64](c)
	}
	return nil, unsupported(c.Op, c.in[0])
}

func resizeGradOf[T float32 | float64](c *call) (kernel, error) {
	dy, dx := c.in[0], c.out[0]
	if err := want(c.Op, []*tensor{dx}, dy.DType); err != nil {
		return nil, err
	}
	r, err := newResize(c, dx.Shape, 2)
	if err != nil {
		return nil, err
	}
	if accel.Size(r.Shape()) != dy.n {
		return nil, shapeErr(dy, dx)
	}
	h, err := newChain[T](c, r, dx.Shape)
	if err != nil {
		return nil, err
	}
	return func(f *frame) error {
		h.run(f, data[T](f, dy), data[T](f, dx), true)
		return nil
	}, nil
}

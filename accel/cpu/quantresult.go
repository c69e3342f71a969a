package cpu

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/qgemm"
)

var quantKernels = map[string]builder{
	"QuantMatMul":  {in: 5, out: 1, make: quantMatMul},
	"QuantConv":    {in: 5, out: 1, make: quantConv},
	"QuantAdd":     {in: 8, out: 1, make: quantAdd},
	"QuantMaxPool": {in: 1, out: 1, make: quantMaxPool},
}

// quantResult is what QuantMatMul and QuantConv make of the sums of their products:
// the scales, zero points and bias of n columns.
type quantResult struct {
	xs, xz, ws, wz, bias, ys, yz, y *tensor

	n       int
	relu    bool
	columns []float32 // scale and offset of each column, where they are constants
}

// newQuantResult reads the inputs of the call, whose w has n columns, and says what
// package qgemm should make. scratch is the memory that the kernel takes itself; the
// columns lie behind it.
func newQuantResult(c *call, n int) (*quantResult, error) {
	r := &quantResult{xs: c.in[1], xz: c.in[2], ws: c.in[4], wz: c.input(5), bias: c.input(6), ys: c.input(7), yz: c.input(8), y: c.out[0], n: n}
	bytes := []*tensor{c.in[0], r.xz, c.in[3], r.wz, r.yz}
	if err := want(c.Op, bytes, accel.Uint8, accel.Int8); err != nil {
		return nil, err
	}
	if err := want(c.Op, []*tensor{r.xs, r.ws, r.bias, r.ys}, accel.Float32); err != nil {
		return nil, err
	}
	for _, t := range []*tensor{r.xs, r.xz, r.ys, r.yz} {
		if t != nil && t.n != 1 {
			return nil, shapeErr(t)
		}
	}
	for _, t := range []*tensor{r.ws, r.wz, r.bias} {
		if t != nil && t.n != n && (t.n != 1 || t == r.bias) {
			return nil, shapeErr(c.in[3], t)
		}
	}
	switch act := c.Str("activation", "none"); act {
	case "none":
	case "Relu":
		r.relu = true
	default:
		return nil, fmt.Errorf("activation %q: %w", act, accel.ErrUnsupported)
	}
	if r.relu && r.ys != nil && !r.leastZero() {
		return nil, fmt.Errorf("relu of codes whose zero point is not the least: %w", accel.ErrUnsupported)
	}
	return r, nil
}

// leastZero reports whether the result's zero point is a constant, the least code.
func (r *quantResult) leastZero() bool {
	if r.yz == nil {
		return true
	}
	least := map[accel.DType]byte{accel.Uint8: 0, accel.Int8: 0x80}[r.yz.DType]
	return r.yz.Const() && r.yz.Data[0] == least
}

// spec says what qgemm makes of the sums.
func (r *quantResult) spec(s *qgemm.Spec) error {
	switch {
	case r.ys == nil && r.y.DType == accel.Float32:
		s.Out = qgemm.Float32
		if r.relu {
			s.Clip, s.Lo, s.Hi = true, 0, float32(math.Inf(1))
		}
	case r.ys != nil && r.y.DType == accel.Uint8:
		s.Out = qgemm.Uint8
	case r.ys != nil && r.y.DType == accel.Int8:
		s.Out = qgemm.Int8
	default:
		return fmt.Errorf("a result of %s", r.y.DType)
	}
	return nil
}

// prepare computes the columns once if all that they are made of is constant.
func (r *quantResult) prepare() {
	for _, t := range []*tensor{r.xs, r.ws, r.bias, r.ys} {
		if t != nil && !t.Const() {
			return
		}
	}
	value := func(t *tensor) []float32 {
		if t == nil {
			return nil
		}
		return accel.View[float32](t.Data)
	}
	r.columns = make([]float32, r.words())
	r.fill(r.columns, value(r.xs)[0], value(r.ws), value(r.bias), value(r.ys))
}

// words is the length of the columns: scales, then offsets.
func (r *quantResult) words() int {
	if r.bias == nil {
		return r.ws.n
	}
	return r.ws.n + r.n
}

// fill computes scales and offsets. Those of float32 results are rounded as Mul of
// the scales and Add of the bias would be.
func (r *quantResult) fill(dst []float32, xs float32, ws, bias, ys []float32) {
	if ys == nil {
		for j, w := range ws {
			dst[j] = xs * w
		}
		copy(dst[len(ws):], bias)
		return
	}
	y := float64(ys[0])
	for j, w := range ws {
		dst[j] = float32(float64(xs) * float64(w) / y)
	}
	for j, b := range bias {
		dst[len(ws)+j] = float32(float64(b) / y)
	}
}

// operands sets what does not depend on the place of a product. work has words()
// elements.
func (r *quantResult) operands(f *frame, o *qgemm.Operands, work []float32) {
	columns := r.columns
	if columns == nil {
		columns = work[:r.words()]
		r.fill(columns, data[float32](f, r.xs)[0], data[float32](f, r.ws), floatsOf(f, r.bias), floatsOf(f, r.ys))
	}
	o.Scale = columns[:r.ws.n]
	if r.bias != nil {
		o.Offset = columns[r.ws.n:]
	}
	o.AZero, o.BZero = bytesOf(f, r.xz), bytesOf(f, r.wz)
	if r.yz != nil {
		o.Zero = code(r.yz.DType, raw(f, r.yz)[0])
	}
}

// result points o to y from an element on.
func (r *quantResult) result(f *frame, o *qgemm.Operands, at int) {
	if r.ys == nil {
		o.CF = data[float32](f, r.y)[at:]
	} else {
		o.CQ = raw(f, r.y)[at:]
	}
}

// floatsOf is an optional tensor's elements, nil if it is absent.
func floatsOf(f *frame, t *tensor) []float32 {
	if t == nil {
		return nil
	}
	return data[float32](f, t)
}

// code is an 8-bit code as a number.
func code(t accel.DType, b byte) int32 {
	if t == accel.Int8 {
		return int32(int8(b))
	}
	return int32(b)
}

package cpu

import (
	"math"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/extent"
)

var labelKernels = map[string]builder{
	"ai.onnx.ml.LabelEncoder": {in: 4, out: 1, make: labelEncoder, half: true},
}

// labelEncoder looks elements up in a table made of the constant keys; of equal
// ones the last counts.
func labelEncoder(c *call) (kernel, error) {
	x, values, other, y := c.in[0], c.in[2], c.in[3], c.out[0]
	keys, err := c.constant(1)
	if err != nil {
		return nil, err
	}
	if err := want(c.Op, []*tensor{x}, keys.DType); err != nil {
		return nil, err
	}
	if err := want(c.Op, []*tensor{values, other}, y.DType); err != nil {
		return nil, err
	}
	if !x.DType.IsNumeric() {
		return nil, unsupported(c.Op, x)
	}
	if x.n != y.n || values.n != keys.Len() || other.n != 1 {
		return nil, shapeErr(x, values, other, y)
	}
	place := map[uint64]int{}
	for i := range keys.Len() {
		place[label(keys, i)] = i + 1
	}
	size := y.DType.Size()
	return func(f *frame) error {
		in := accel.Array{DType: x.DType, Shape: x.Shape, Data: raw(f, x)}
		out, from, none := raw(f, y), raw(f, values), raw(f, other)
		for i := range x.n {
			v := none
			if p := place[label(&in, i)]; p > 0 {
				v = from[(p-1)*size:]
			}
			copy(out[i*size:(i+1)*size], v)
		}
		return nil
	}, nil
}

// label is a number that is the same for equal elements: NaN equals NaN.
func label(a *accel.Array, i int) uint64 {
	if !a.DType.IsFloat() {
		return uint64(extent.Int(a, i))
	}
	v := extent.Float(a, i)
	switch {
	case v == 0:
		return 0
	case v != v:
		return math.Float64bits(math.NaN())
	}
	return math.Float64bits(v)
}

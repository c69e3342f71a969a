package graph

import (
	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/extent"
)

// opRange is start, start + delta, … as far as limit, which is not reached. The
// inputs are start, limit and delta, scalars of one type. Bind makes a constant of it.
var opRange = operator{
	name: "Range", min: 3, static: []int{0, 1, 2}, flat: true,
	shapes: func(c *Context) ([]Type, error) {
		var in [3]*accel.Array
		for i := range in {
			var err error
			if in[i], err = c.Value(i); err != nil {
				return nil, err
			}
		}
		n, err := extent.RangeLen(in[0], in[1], in[2])
		if err != nil {
			return nil, err
		}
		return one(c.DType(0), []int{n})
	},
	expand: func(b *B, n *Node) []*Value {
		start, limit, delta := n.Inputs[0].Data, n.Inputs[1].Data, n.Inputs[2].Data
		count, err := extent.RangeLen(start, limit, delta)
		if err != nil {
			b.Fail(err)
			return nil
		}
		var a *accel.Array
		if start.DType.IsFloat() {
			from, step := extent.Float(start, 0), extent.Float(delta, 0)
			v := make([]float64, count)
			for i := range v {
				v[i] = from + float64(float64(i)*step)
			}
			a = accel.ArrayOf(accel.Float64, []int{count}, v)
		} else {
			from, step := extent.Int(start, 0), extent.Int(delta, 0)
			v := make([]int64, count)
			for i := range v {
				v[i] = from + int64(i)*step
			}
			a = accel.ArrayOf(accel.Int64, []int{count}, v)
		}
		return []*Value{b.Cast(b.Const(a), start.DType)}
	},
}

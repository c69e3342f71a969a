package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opGather looks rows up: y[i…, :] = table[ids[i…], :]. The attribute axis, if
// it is there, is 0.
var opGather = operator{
	name: "Gather", in: []accel.DType{accel.Float32, accel.Int32}, required: 2, flops: free,
	shapes: func(n *Node) ([]Type, error) {
		t := n.shape(0)
		if len(t) == 0 || n.Attrs.Int("axis", 0) != 0 {
			return nil, fmt.Errorf("axis %d of %s, only 0 is implemented", n.Attrs.Int("axis", 0), t)
		}
		return f32(append(append(Shape{}, n.shape(1)...), t[1:]...)), nil
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		rows := accel.Attrs{accel.Int("rows", n.shape(0)[0])}
		return []*Value{b.op("GatherGrad", "", rows, dy[0], n.Inputs[1]), nil}
	},
}

// opGatherGrad takes dy and ids and gives the gradient of the table, whose
// number of rows is the attribute rows.
var opGatherGrad = operator{
	name: "GatherGrad", in: []accel.DType{accel.Float32, accel.Int32}, required: 2, flops: perInput,
	shapes: func(n *Node) ([]Type, error) {
		dy, ids := n.shape(0), n.shape(1)
		if len(dy) < len(ids) || !dy[:len(ids)].Equal(ids) {
			return nil, fmt.Errorf("gradient %s does not begin like the ids %s", dy, ids)
		}
		return f32(append(Shape{n.Attrs.Int("rows", 0)}, dy[len(ids):]...)), nil
	},
}

package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opDropout zeroes elements of x with probability ratio and scales the others
// by 1/(1-ratio). Its second input is the run's seed, one uint64; the attribute
// salt tells the dropouts of a graph apart. Unlike ONNX's there is no training
// mode: Inference takes the node out.
var opDropout = operator{
	name: "Dropout", in: []accel.DType{accel.Float32, accel.Uint64}, required: 2, shapes: dropoutRule,
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		return []*Value{b.op("DropoutGrad", "", n.Attrs, dy[0], n.Inputs[1]), nil}
	},
}

// opDropoutGrad is the same function of dy and the seed.
var opDropoutGrad = operator{
	name: "DropoutGrad", in: []accel.DType{accel.Float32, accel.Uint64}, required: 2, shapes: dropoutRule,
}

func dropoutRule(n *Node) ([]Type, error) {
	if len(n.shape(1)) != 0 {
		return nil, fmt.Errorf("seed %s, want a scalar", n.shape(1))
	}
	if r := n.Attrs.Float("ratio", 0.5); !(r >= 0 && r < 1) {
		return nil, fmt.Errorf("ratio %g, want 0 <= ratio < 1", r)
	}
	return like(0)(n)
}

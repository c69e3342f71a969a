package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opSoftmaxCrossEntropyLoss takes scores (N, C), labels (N) and, if given,
// weights of the classes (C), and gives the weighted mean of the rows' negative
// log-likelihoods, a scalar. The second output, on request, is log softmax.
var opSoftmaxCrossEntropyLoss = operator{
	name: "SoftmaxCrossEntropyLoss", in: []accel.DType{accel.Float32, accel.Int32, accel.Float32}, required: 2,
	shapes: func(n *Node) ([]Type, error) {
		x := n.Inputs[0].Type
		if err := lossShapes(x.Shape, n.shape(1), n.input(2)); err != nil {
			return nil, err
		}
		if r := n.Attrs.Str("reduction", "mean"); r != "mean" {
			return nil, fmt.Errorf("reduction %q, only mean is implemented", r)
		}
		return []Type{{accel.Float32, Shape{}}, x}, nil
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		in := []*Value{dy[0], b.ask(n, 1), n.Inputs[1]}
		if w := n.input(2); w != nil {
			in = append(in, w)
		}
		return []*Value{b.op("SoftmaxCrossEntropyLossGrad", "", nil, in...), nil, nil}[:len(n.Inputs)]
	},
	flops: perInput,
}

// opSoftmaxCrossEntropyLossGrad takes dloss, log softmax, labels and weights and
// gives the gradient of the scores.
var opSoftmaxCrossEntropyLossGrad = operator{
	name: "SoftmaxCrossEntropyLossGrad",
	in:   []accel.DType{accel.Float32, accel.Float32, accel.Int32, accel.Float32}, required: 3,
	shapes: func(n *Node) ([]Type, error) {
		x := n.Inputs[1].Type
		return []Type{x}, lossShapes(x.Shape, n.shape(2), n.input(3))
	},
}

func lossShapes(x, labels Shape, weights *Value) error {
	if len(x) != 2 || !labels.Equal(x[:1]) {
		return fmt.Errorf("scores %s and labels %s, want [N C] and [N]", x, labels)
	}
	if weights != nil && !weights.Type.Shape.Equal(x[1:]) {
		return fmt.Errorf("class weights %s, want [%d]", weights.Type.Shape, x[1])
	}
	return nil
}

package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opNegativeLogLikelihoodLoss is the loss of log-probabilities (N, C, d1, …)
// against labels (N, d1, …), int32 or int64:
//
//	l = -weight[label]·logp[label], 0 where the label is the attribute ignore_index
//
// The optional third input weighs the classes (C). The attribute reduction is
// mean (Σ l / Σ weight[label], the default), sum, or none.
var opNegativeLogLikelihoodLoss = operator{
	name: "NegativeLogLikelihoodLoss", min: 2, max: 3, shapes: lossRule,
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		in := append([]*Value{dy[0]}, n.Inputs...)
		return []*Value{b.Op("NegativeLogLikelihoodLossGrad", n.Attrs, in...), nil, nil}[:len(n.Inputs)]
	},
}

// opNegativeLogLikelihoodLossGrad is the gradient with respect to the
// log-probabilities, of dy and the loss's inputs; of the log-probabilities only
// the shape matters.
var opNegativeLogLikelihoodLossGrad = operator{
	name: "NegativeLogLikelihoodLossGrad", min: 3, max: 4, grad: lossGradGrad,
	shapes: func(c *Context) ([]Type, error) { return one(c.DType(1), c.Shape(1)) },
}

// opSoftmaxCrossEntropyLoss is the NegativeLogLikelihoodLoss of the LogSoftmax of
// scores (N, C, d1, …) over C; its second output, if asked for, is the latter.
var opSoftmaxCrossEntropyLoss = operator{
	name: "SoftmaxCrossEntropyLoss", min: 2, max: 3,
	shapes: func(c *Context) ([]Type, error) {
		types, err := lossRule(c)
		if err != nil {
			return nil, err
		}
		return append(types, Type{DType: c.DType(0), Shape: c.Shape(0)}), nil
	},
	expand: func(b *B, n *Node) []*Value {
		logp := b.Op("LogSoftmax", accel.Attrs{accel.Int("axis", 1)}, n.Inputs[0])
		in := append([]*Value{logp}, n.Inputs[1:]...)
		return []*Value{b.Op("NegativeLogLikelihoodLoss", n.Attrs, in...), logp}
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		logp, err := b.G.Ask(n, 1)
		b.Fail(err)
		var d *Value
		if dy[0] != nil {
			in := append([]*Value{dy[0], logp}, n.Inputs[1:]...)
			d = b.Op("NegativeLogLikelihoodLossGrad", n.Attrs, in...)
		}
		if len(dy) > 1 && dy[1] != nil {
			if d == nil {
				d = dy[1]
			} else {
				d = b.Add(d, dy[1])
			}
		}
		if b.err != nil {
			return nil
		}
		return []*Value{b.logSoftmaxGrad(d, logp), nil, nil}[:len(n.Inputs)]
	},
}

// logSoftmaxGrad is LogSoftmaxGrad over axis 1.
func (b *backward) logSoftmaxGrad(d, logp *Value) *Value {
	rank := len(logp.Type.Shape)
	if rank == 2 {
		return b.Op("LogSoftmaxGrad", nil, d, logp)
	}
	perm := make([]int, rank)
	for i := range perm {
		perm[i] = i
	}
	perm[1], perm[rank-1] = rank-1, 1
	return b.Transpose(b.Op("LogSoftmaxGrad", nil, b.Transpose(d, perm...), b.Transpose(logp, perm...)), perm...)
}

func lossRule(c *Context) ([]Type, error) {
	if err := c.IsA(0, floatTypes...); err != nil {
		return nil, err
	}
	if err := c.IsA(1, accel.Int32, accel.Int64); err != nil {
		return nil, err
	}
	if err := c.Same(0, 2); err != nil {
		return nil, err
	}
	x, labels := c.Shape(0), c.Shape(1)
	if len(x) < 2 || len(labels) != len(x)-1 || labels[0] != x[0] || !slices.Equal(labels[1:], x[2:]) {
		return nil, fmt.Errorf("scores %v and labels %v, want (N, C, d1, …) and (N, d1, …)", x, labels)
	}
	if c.Has(2) && !slices.Equal(c.Shape(2), x[1:2]) {
		return nil, fmt.Errorf("weights %v for %d classes", c.Shape(2), x[1])
	}
	switch r := c.Attrs.Str("reduction", "mean"); r {
	case "mean", "sum":
		return one(c.DType(0), nil)
	case "none":
		return one(c.DType(0), labels)
	default:
		return nil, fmt.Errorf("reduction %q, want mean, sum or none", r)
	}
}

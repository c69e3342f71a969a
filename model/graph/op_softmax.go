package graph

import (
	"github.com/millrace-go/millrace/accel"
)

// opSoftmax is y = exp(x) / Σ exp(x) along the attribute axis (-1).
var opSoftmax = softmaxOp("Softmax")

// opLogSoftmax is y = x - log Σ exp(x) along the attribute axis (-1).
var opLogSoftmax = softmaxOp("LogSoftmax")

// opSoftmaxGrad is dx = y·(dy - Σ dy·y) along the last axis, of dy and y.
var opSoftmaxGrad = operator{name: "SoftmaxGrad", min: 2, shapes: like, inplace: []int{0}, grad: softmaxGradGrad}

// opLogSoftmaxGrad is dx = dy - exp(y)·Σ dy along the last axis, of dy and y.
var opLogSoftmaxGrad = operator{name: "LogSoftmaxGrad", min: 2, shapes: like, inplace: []int{0}, grad: logSoftmaxGradGrad}

func softmaxOp(name string) operator {
	return operator{
		name: name, min: 1, inplace: []int{0},
		shapes: func(c *Context) ([]Type, error) {
			if err := c.IsA(0, floatTypes...); err != nil {
				return nil, err
			}
			if _, err := softmaxAxis(c.Node, c.Rank(0)); err != nil {
				return nil, err
			}
			return like(c)
		},
		when: func(n *Node) bool {
			axis, _ := softmaxAxis(n, len(n.Inputs[0].Type.Shape)) // the shape rule has checked it
			return axis != max(0, len(n.Inputs[0].Type.Shape)-1)
		},
		expand: func(b *B, n *Node) []*Value {
			perm := lastAxis(n)
			y := b.Op(name, nil, b.Transpose(n.Inputs[0], perm...))
			return []*Value{b.Transpose(y, perm...)}
		},
		grad: func(b *backward, n *Node, dy []*Value) []*Value {
			if rank := len(n.Inputs[0].Type.Shape); rank > 0 {
				if axis, _ := softmaxAxis(n, rank); axis != rank-1 {
					perm := lastAxis(n)
					dx := b.Op(name+"Grad", nil, b.Transpose(dy[0], perm...), b.Transpose(n.Outputs[0], perm...))
					return []*Value{b.Transpose(dx, perm...)}
				}
			}
			return []*Value{b.Op(name+"Grad", nil, dy[0], n.Outputs[0])}
		},
	}
}

// floats are the types of activations and weights.
var floatTypes = []accel.DType{accel.Float32, accel.Float64, accel.Float16, accel.BFloat16}

func softmaxAxis(n *Node, rank int) (int, error) {
	if rank == 0 {
		return 0, nil
	}
	return axisOf(n.Attrs.Int("axis", -1), rank)
}

// lastAxis is the permutation that swaps the node's axis with the last, which is
// its own inverse.
func lastAxis(n *Node) []int {
	perm := make([]int, len(n.Inputs[0].Type.Shape))
	for i := range perm {
		perm[i] = i
	}
	axis, _ := softmaxAxis(n, len(perm)) // the shape rule has checked it
	last := len(perm) - 1
	perm[axis], perm[last] = last, axis
	return perm
}

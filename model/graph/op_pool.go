package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opMaxPool is the maximum of each window of x (N, C, d1, …); the second output,
// if asked for, is its place in x as int64. Attributes: auto_pad, ceil_mode,
// dilations, kernel_shape, pads, storage_order, strides. The gradient goes to the
// first of equal elements.
var opMaxPool = operator{
	name: "MaxPool", min: 1,
	shapes: func(c *Context) ([]Type, error) {
		types, err := poolRule(c)
		if err != nil {
			return nil, err
		}
		return append(types, Type{DType: accel.Int64, Shape: types[0].Shape}), nil
	},
	when: func(n *Node) bool { return !spelled(n) }, expand: spellPool,
	grad: poolGrad("MaxPoolGrad"),
}

// opAveragePool is the mean of each window. Attributes: those of MaxPool without
// storage_order, and count_include_pad.
var opAveragePool = operator{
	name: "AveragePool", min: 1, shapes: poolRule,
	when: func(n *Node) bool { return !spelled(n) }, expand: spellPool,
	grad: poolGrad("AveragePoolGrad"),
}

// opLpPool is the p-norm of each window. Attributes: those of AveragePool, and p (2).
var opLpPool = operator{
	name: "LpPool", min: 1, shapes: poolRule,
	when: func(n *Node) bool { return !spelled(n) }, expand: spellPool,
	grad: poolGrad("LpPoolGrad"),
}

// The gradients of pools take dy and x, and the attributes of the pool.
var (
	opMaxPoolGrad     = operator{name: "MaxPoolGrad", min: 2, shapes: likeSecond, grad: maxPoolGradGrad}
	opAveragePoolGrad = operator{name: "AveragePoolGrad", min: 2, shapes: likeSecond, grad: averagePoolGradGrad}
	opLpPoolGrad      = operator{name: "LpPoolGrad", min: 2, shapes: likeSecond, definition: spellLpPoolGrad}
)

func likeSecond(c *Context) ([]Type, error) { return one(c.DType(1), c.Shape(1)) }

// The global pools are pools whose window is the whole of the spatial dimensions.
var (
	opGlobalAveragePool = globalPool("GlobalAveragePool", "AveragePool")
	opGlobalMaxPool     = globalPool("GlobalMaxPool", "MaxPool")
	opGlobalLpPool      = globalPool("GlobalLpPool", "LpPool")
)

func globalPool(name, local string) operator {
	return operator{
		name: name, min: 1,
		shapes: func(c *Context) ([]Type, error) {
			x := c.Shape(0)
			if len(x) < 3 {
				return nil, fmt.Errorf("%v, want (N, C, d1, …)", x)
			}
			out := append([]int{}, x[:2]...)
			for range x[2:] {
				out = append(out, 1)
			}
			return one(c.DType(0), out)
		},
		expand: func(b *B, n *Node) []*Value { return []*Value{b.Op(local, globalAttrs(n), n.Inputs[0])} },
		grad: func(b *backward, n *Node, dy []*Value) []*Value {
			at := poolWindow(b.B, globalAttrs(n), n.Inputs[0])
			return []*Value{b.Op(local+"Grad", at, dy[0], n.Inputs[0])}
		},
	}
}

func globalAttrs(n *Node) accel.Attrs {
	at := accel.Attrs{accel.Ints("kernel_shape", n.Inputs[0].Type.Shape[2:]...)}
	if n.Attrs.Has("p") {
		at = append(at, accel.Int("p", n.Attrs.Int("p", 2)))
	}
	return at
}

func poolRule(c *Context) ([]Type, error) {
	x := c.Shape(0)
	if len(x) < 3 {
		return nil, fmt.Errorf("%v, want (N, C, d1, …)", x)
	}
	w, err := windowOf(c.Attrs, x[2:], nil)
	if err != nil {
		return nil, err
	}
	return one(c.DType(0), append([]int{x[0], x[1]}, w.out...))
}

func poolWindow(b *B, a accel.Attrs, x *Value) accel.Attrs {
	w, err := windowOf(a, x.Type.Shape[2:], nil)
	b.Fail(err)
	return w.attrs(a)
}

func spellPool(b *B, n *Node) []*Value {
	at := poolWindow(b, n.Attrs, n.Inputs[0])
	return b.Ops(n.Op, len(n.Outputs), at, n.Inputs[0])
}

func poolGrad(op string) func(*backward, *Node, []*Value) []*Value {
	return func(b *backward, n *Node, dy []*Value) []*Value {
		if dy[0] == nil {
			return []*Value{nil}
		}
		return []*Value{b.Op(op, poolWindow(b.B, n.Attrs, n.Inputs[0]), dy[0], n.Inputs[0])}
	}
}

package graph

import (
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// simplify removes what does nothing: sums with 0 and products with 1, chains of
// reshapes, transposes that undo each other, casts and expansions to what a value
// is already. No result changes by a bit.
func simplify(g *Graph) error {
	r := newRewriter(g)
	for _, n := range slices.Clone(g.Nodes) {
		if len(n.Outputs) == 0 || n.Outputs[0] == nil {
			continue
		}
		if by := sameValue(n); by != nil && !r.output[n.Outputs[0]] {
			r.unread(n)
			r.replace(n.Outputs[0], by)
			continue
		}
		if err := r.shorten(n); err != nil {
			return err
		}
	}
	g.Prune()
	return nil
}

// sameValue is the input that a node only hands on, or nil.
func sameValue(n *Node) *Value {
	y := n.Outputs[0].Type
	same := func(v *Value) bool { return v != nil && v.Type.DType == y.DType && v.Type.Shape.Equal(y.Shape) }
	switch n.Op {
	case "Cast", "Expand", "Reshape", "Identity":
		if same(n.Inputs[0]) {
			return n.Inputs[0]
		}
	case "Mul":
		for i := range 2 {
			if isScalar(n.Inputs[i], 1) && same(n.Inputs[1-i]) {
				return n.Inputs[1-i]
			}
		}
	case "Div":
		if isScalar(n.Inputs[1], 1) && same(n.Inputs[0]) {
			return n.Inputs[0]
		}
	case "Concat":
		if len(n.Inputs) == 1 {
			return n.Inputs[0]
		}
	case "Transpose":
		if same(n.Inputs[0]) && slices.IsSorted(n.Attrs.Ints("perm")) && n.Attrs.Has("perm") {
			return n.Inputs[0]
		}
	}
	return nil
}

// shorten joins a node with the one of the same kind before it.
func (r *rewriter) shorten(n *Node) error {
	p := n.Inputs
	if len(p) == 0 || p[0] == nil || p[0].Producer == nil || p[0].Producer.Op != n.Op {
		return nil
	}
	first := p[0].Producer
	switch n.Op {
	case "Reshape":
		shape := n.Outputs[0].Type.Shape
		return r.swap(n, func(b *B) *Value { return b.fresh(first.Inputs[0], shape) })
	case "Transpose":
		a, c := first.Attrs.Ints("perm"), n.Attrs.Ints("perm")
		if a == nil || c == nil {
			return nil
		}
		perm := make([]int, len(c))
		for i, d := range c {
			perm[i] = a[d]
		}
		return r.swap(n, func(b *B) *Value { return b.Transpose(first.Inputs[0], perm...) })
	}
	return nil
}

// fresh is Reshape, as a node even if the shape is the same.
func (b *B) fresh(x *Value, shape []int) *Value {
	return b.Op("Reshape", accel.Attrs{accel.Int("allowzero", 1)}, x, b.Ints(shape...))
}

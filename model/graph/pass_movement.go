package graph

import (
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// The rules of simplify for operators that move elements. Each reports whether it
// has replaced the node.

// views are the operators that only change a shape.
var views = []string{"Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity"}

// reshaped writes a change of shape as one Reshape of what all changes before it
// began with.
func (r *rewriter) reshaped(n *Node) (bool, error) {
	x := n.Inputs[0]
	view := slices.Contains(views, n.Op)
	if !view && !(n.Op == "Transpose" && movesOnlyOnes(n)) || r.output[n.Outputs[0]] && n.Op == "Identity" {
		return false, nil
	}
	from := x
	for from.Producer != nil && slices.Contains(views, from.Producer.Op) {
		from = from.Producer.Inputs[0]
	}
	plain := n.Op == "Reshape" && slices.Equal(n.Outputs[0].Type.Shape, constInts(n.Inputs[1]))
	if from == x && plain {
		return false, nil
	}
	shape := n.Outputs[0].Type.Shape
	if r.output[n.Outputs[0]] && from.Type.Shape.Equal(shape) {
		return true, r.swap(n, func(b *B) *Value { return b.fresh(from, shape) })
	}
	return true, r.swap(n, func(b *B) *Value { return b.Reshape(from, shape...) })
}

// constInts is the value of an int64 constant, or nil.
func constInts(v *Value) []int {
	ints, err := (&Context{Node: &Node{Inputs: []*Value{v}}}).Ints(0)
	if err != nil {
		return nil
	}
	return ints
}

// fresh is Reshape, as a node even if the shape is the same.
func (b *B) fresh(x *Value, shape []int) *Value {
	return b.Op("Reshape", accel.Attrs{accel.Int("allowzero", 1)}, x, b.Ints(shape...))
}

// permOf is the permutation of a Transpose, whose rule has checked it.
func permOf(n *Node) []int {
	perm, _ := permutation(n.Attrs.Ints("perm"), len(n.Inputs[0].Type.Shape))
	return perm
}

// movesOnlyOnes reports whether a Transpose leaves the elements in their order.
func movesOnlyOnes(n *Node) bool {
	s, last := n.Inputs[0].Type.Shape, -1
	for _, d := range permOf(n) {
		if s[d] == 1 {
			continue
		}
		if d < last {
			return false
		}
		last = d
	}
	return true
}

// joined makes one node of two that follow each other.
func (r *rewriter) joined(n *Node) (bool, error) {
	first := n.Inputs[0].Producer
	if first == nil || first.Op != n.Op {
		return false, nil
	}
	switch n.Op {
	case "Transpose":
		inner := permOf(first)
		perm := make([]int, len(inner))
		for i, d := range permOf(n) {
			perm[i] = inner[d]
		}
		if slices.IsSorted(perm) && !r.output[n.Outputs[0]] {
			r.handOver(n, first.Inputs[0])
			return true, nil
		}
		return true, r.swap(n, func(b *B) *Value { return b.Transpose(first.Inputs[0], perm...) })
	case "Slice":
		return r.joinSlices(first, n)
	}
	return false, nil
}

// joinSlices takes what two slices along different axes take at once.
func (r *rewriter) joinSlices(first, n *Node) (bool, error) {
	rank := len(n.Inputs[0].Type.Shape)
	if r.reader(first.Outputs[0]) != n {
		return false, nil
	}
	var parts [4][]int // starts, ends, axes, steps
	for _, m := range []*Node{first, n} {
		c := &Context{Node: m}
		var v [4][]int
		for i := range v {
			var err error
			if v[i], err = c.Ints(1 + i); err != nil {
				return false, nil
			}
		}
		if v[2] == nil {
			for d := range v[0] {
				v[2] = append(v[2], d)
			}
		}
		axes, err := axesOf(v[2], rank)
		if err != nil || slices.ContainsFunc(axes, func(a int) bool { return slices.Contains(parts[2], a) }) {
			return false, nil
		}
		if v[2] = axes; v[3] == nil {
			v[3] = slices.Repeat([]int{1}, len(axes))
		}
		for i := range parts {
			parts[i] = append(parts[i], v[i]...)
		}
	}
	return true, r.swap(n, func(b *B) *Value {
		return b.Op("Slice", nil, first.Inputs[0], b.Ints(parts[0]...), b.Ints(parts[1]...), b.Ints(parts[2]...), b.Ints(parts[3]...))
	})
}

// broadcasting are operators whose result does not change if an input is broadcast
// by them instead of by Expand.
var broadcasting = []string{
	"Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Where", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Xor",
}

// unexpanded reads what Expand reads, where the other inputs make the shape already.
func (r *rewriter) unexpanded(n *Node) (bool, error) {
	if !slices.Contains(broadcasting, n.Op) {
		return false, nil
	}
	in, changed := slices.Clone(n.Inputs), false
	for i, v := range in {
		x := argument(v, "Expand")
		if x == nil {
			continue
		}
		var shapes [][]int
		for j, w := range in {
			if j == i {
				w = x
			}
			shapes = append(shapes, w.Type.Shape)
		}
		if s, err := Broadcast(shapes...); err == nil && n.Outputs[0].Type.Shape.Equal(s) {
			in[i], changed = x, true
		}
	}
	if !changed {
		return false, nil
	}
	return true, r.swap(n, func(b *B) *Value { return b.Op(n.Op, n.Attrs, in...) })
}

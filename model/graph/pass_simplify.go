package graph

import (
	"math"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/extent"
)

// simplify removes what does nothing, and writes what is left in the simplest form:
//
//   - x+(-0), x-0, x·1, x/1, x¹, casts to what a value is already or was before it was
//     widened, Neg of Neg, Relu of Relu; Where with a constant condition;
//   - x² as x·x, x/2ⁿ as x·2⁻ⁿ;
//   - chains of Reshape, Squeeze, Unsqueeze and Flatten as one Reshape, chains of Transpose
//     as one, or as a Reshape where only dimensions of size 1 move, slices of slices along
//     other axes as one;
//   - Expand, Slice, Pad, Tile, Concat, Split and Transpose that change nothing;
//   - Expand before operators that broadcast anyway.
//
// No result changes by a bit. (For floats x+0 is not x: it makes 0 of -0.)
func simplify(g *Graph) error {
	r := newRewriter(g)
	for _, n := range slices.Clone(g.Nodes) {
		if len(n.Outputs) == 0 || n.Outputs[0] == nil || len(n.Inputs) == 0 || n.Inputs[0] == nil {
			continue
		}
		by := sameValue(n)
		if by != nil && (!r.output[n.Outputs[0]] || by.Kind == Result && !r.output[by]) {
			r.handOver(n, by)
			continue
		}
		for _, rule := range []func(*rewriter, *Node) (bool, error){(*rewriter).rewrite, (*rewriter).reshaped, (*rewriter).joined, (*rewriter).unexpanded} {
			done, err := rule(r, n)
			if err != nil {
				return err
			}
			if done {
				break
			}
		}
	}
	g.Prune()
	return nil
}

// sameValue is the value that a node only hands on, or nil.
func sameValue(n *Node) *Value {
	y, x := n.Outputs[0].Type, n.Inputs[0]
	same := func(v *Value) bool { return v != nil && v.Type.DType == y.DType && v.Type.Shape.Equal(y.Shape) }
	if v := neutral(n); same(v) {
		return v
	}
	switch n.Op {
	case "Cast", "Expand", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity", "Tile":
		if same(x) {
			return x
		}
		if w := argument(x, "Cast"); n.Op == "Cast" && same(w) && widens(y.DType, x.Type.DType) {
			return w
		}
	case "Slice":
		if same(x) && slicesWhole(n) {
			return x
		}
	case "Pad":
		if pads, err := (&Context{Node: n}).Ints(1); err == nil && same(x) && !slices.ContainsFunc(pads, func(p int) bool { return p != 0 }) {
			return x
		}
	case "Concat", "Split":
		if len(n.Outputs) == 1 && same(x) {
			return x
		}
	case "Transpose":
		if same(x) && slices.IsSorted(n.Attrs.Ints("perm")) && n.Attrs.Has("perm") {
			return x
		}
	case "Neg", "BitwiseNot", "Not":
		return argument(x, n.Op)
	case "Relu", "Abs", "Floor", "Ceil", "Round", "Sign":
		if argument(x, n.Op) != nil {
			return x
		}
	case "Where":
		if c, ok := allEqual(x); ok {
			if v := n.Inputs[2-int(c)]; same(v) {
				return v
			}
		}
	}
	return nil
}

// neutral is the operand that arithmetic with a neutral element leaves, or nil.
func neutral(n *Node) *Value {
	if len(n.Inputs) != 2 || !slices.Contains([]string{"Add", "Sub", "Mul", "Div", "Pow"}, n.Op) {
		return nil
	}
	for i := range 2 {
		c, ok := allEqual(n.Inputs[i])
		if !ok || i == 0 && n.Op != "Add" && n.Op != "Mul" {
			continue
		}
		real := n.Outputs[0].Type.DType.IsFloat()
		switch n.Op {
		case "Add":
			ok = c == 0 && (!real || math.Signbit(c))
		case "Sub":
			ok = c == 0 && (!real || !math.Signbit(c))
		default:
			ok = c == 1
		}
		if ok {
			return n.Inputs[1-i]
		}
	}
	return nil
}

// allEqual is the value of a constant all of whose elements are the same number or bool.
func allEqual(v *Value) (float64, bool) {
	if v == nil || v.Kind != Const || v.Data.Len() == 0 {
		return 0, false
	}
	size := v.Data.DType.Size()
	data := v.Data.Data
	for i := size; i < len(data); i++ {
		if data[i] != data[i-size] {
			return 0, false
		}
	}
	switch t := v.Data.DType; {
	case t.IsFloat():
		return extent.Float(v.Data, 0), true
	case t.IsInt() || t == accel.Bool:
		return float64(extent.Int(v.Data, 0)), true
	}
	return 0, false
}

// widens reports whether every value of type from is one of type to.
func widens(from, to accel.DType) bool {
	switch {
	case from == to:
		return true
	case to == accel.Float64:
		return from.IsFloat() || from.IsInt() && from.Size() <= 4
	case to == accel.Float32:
		return from.IsHalf() || from.IsInt() && from.Size() <= 2
	case from.IsUnsigned():
		return to.IsInt() && to.Size() > from.Size()
	}
	return from.IsSigned() && to.IsSigned() && to.Size() >= from.Size()
}

// slicesWhole reports whether a Slice takes every element in its place. The shapes
// are the same, so only a step backwards could move one.
func slicesWhole(n *Node) bool {
	steps, err := (&Context{Node: n}).Ints(4)
	return err == nil && !slices.ContainsFunc(steps, func(s int) bool { return s < 0 })
}

// rewrite writes arithmetic as cheaper arithmetic with the same results.
func (r *rewriter) rewrite(n *Node) (bool, error) {
	if t := n.Outputs[0].Type.DType; t != accel.Float32 && t != accel.Float64 || len(n.Inputs) != 2 {
		return false, nil
	}
	x, c := n.Inputs[0], 0.0
	s, ok := scalarOf(n.Inputs[1])
	if ok {
		c = s
	}
	switch {
	case n.Op == "Pow" && c == 2 && x.Type.DType == accel.Float32 && x.Type.Shape.Equal(n.Outputs[0].Type.Shape):
		return true, r.swap(n, func(b *B) *Value { return b.Mul(x, x) })
	case n.Op == "Div" && isPowerOfTwo(c):
		return true, r.swap(n, func(b *B) *Value {
			return b.Mul(x, b.filled(x.Type.DType, 1/c, n.Inputs[1].Type.Shape...))
		})
	}
	return false, nil
}

// isPowerOfTwo reports whether c is ±2ⁿ, far from where exponents end.
func isPowerOfTwo(c float64) bool {
	f, e := math.Frexp(c)
	return math.Abs(f) == 0.5 && e > -100 && e < 100
}

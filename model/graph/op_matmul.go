package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opMatMul multiplies the last two dimensions of a and b. Either b is a matrix
// that all of a's leading dimensions share, or both lead with the same ones.
var opMatMul = operator{
	name: "MatMul", in: floats(2), required: 2,
	shapes: func(n *Node) ([]Type, error) {
		a, b := n.shape(0), n.shape(1)
		ra, rb := len(a), len(b)
		if ra < 2 || rb < 2 || (rb != 2 && (ra != rb || !a[:ra-2].Equal(b[:rb-2]))) {
			return nil, fmt.Errorf("%s times %s: want matrices, a stack of them times a matrix, or two like stacks", a, b)
		}
		if a[ra-1] != b[rb-2] {
			return nil, fmt.Errorf("inner dimensions of %s and %s differ", a, b)
		}
		return f32(append(append(Shape{}, a[:ra-1]...), b[rb-1])), nil
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		x, w := n.Inputs[0], n.Inputs[1]
		out := make([]*Value, 2)
		if b.needs(x) {
			out[0] = b.op("MatMul", "", nil, dy[0], b.swapLast(w))
		}
		if !b.needs(w) {
			return out
		}
		// Where a stack shares w, one product a matrix of the stack, then their sum.
		out[1] = b.unbroadcast(b.op("MatMul", "", nil, b.swapLast(x), dy[0]), w)
		return out
	},
	flops: func(n *Node, batch int) Cost {
		s := n.shape(0).At(batch)
		return Cost{MACs: int64(n.Outputs[0].Type.Shape.Len(batch)) * int64(s[len(s)-1])}
	},
}

// swapLast transposes the last two dimensions.
func (b *backward) swapLast(v *Value) *Value {
	if b.err != nil {
		return nil
	}
	perm := make([]int, len(v.Type.Shape))
	for i := range perm {
		perm[i] = i
	}
	l := len(perm)
	perm[l-1], perm[l-2] = l-2, l-1
	return b.op("Transpose", "", accel.Attrs{accel.Ints("perm", perm...)}, v)
}

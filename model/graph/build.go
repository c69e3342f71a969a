package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// B adds nodes to a graph. Its methods do nothing after the first error, which
// Err returns; values are nil then. Shapes passed to it are concrete.
type B struct {
	G    *Graph
	name string // of the nodes it adds
	err  error
}

// Build returns a B whose nodes are called name, or as their operators if it is empty.
func (g *Graph) Build(name string) *B { return &B{G: g, name: name} }

// Err is the first error.
func (b *B) Err() error { return b.err }

// Fail makes err the first error, if there was none.
func (b *B) Fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// Op applies an operator and returns its first output. A nil input is an
// optional one left out.
func (b *B) Op(op string, attrs accel.Attrs, in ...*Value) *Value {
	if n := b.node(op, attrs, in); n != nil {
		return n.Outputs[0]
	}
	return nil
}

// Ops applies an operator and returns its first outs outputs.
func (b *B) Ops(op string, outs int, attrs accel.Attrs, in ...*Value) []*Value {
	vs := make([]*Value, outs)
	n := b.node(op, attrs, in)
	for i := range vs {
		if n == nil || b.err != nil {
			return make([]*Value, outs)
		}
		v, err := b.G.Ask(n, i)
		b.Fail(err)
		vs[i] = v
	}
	return vs
}

func (b *B) node(op string, attrs accel.Attrs, in []*Value) *Node {
	if b.err != nil {
		return nil
	}
	n, err := b.G.ApplyNode(op, b.name, attrs, in...)
	b.Fail(err)
	return n
}

// Const adds a constant.
func (b *B) Const(a *accel.Array) *Value { return b.G.Const(b.name, a) }

// Ints adds an int64 vector: a shape, axes.
func (b *B) Ints(v ...int) *Value { return b.Const(accel.Ints64(v...)) }

// Scalar adds a constant of rank 0, converted to type t.
func (b *B) Scalar(t accel.DType, v float64) *Value {
	if b.err != nil {
		return nil
	}
	a := accel.ArrayOf(accel.Float64, []int{}, []float64{v})
	if t != accel.Float64 {
		out, err := b.G.evaluate("Cast", accel.Attrs{accel.String("to", t.String())}, a)
		if err != nil {
			b.Fail(err)
			return nil
		}
		a = out
	}
	return b.Const(a)
}

// Like adds a scalar of x's element type.
func (b *B) Like(x *Value, v float64) *Value {
	if b.err != nil {
		return nil
	}
	return b.Scalar(x.Type.DType, v)
}

// Reshape gives x another concrete shape.
func (b *B) Reshape(x *Value, shape ...int) *Value {
	if b.err != nil || Shape(shape).Equal(x.Type.Shape) {
		return x
	}
	return b.Op("Reshape", accel.Attrs{accel.Int("allowzero", 1)}, x, b.Ints(shape...))
}

// Expand broadcasts x to a shape.
func (b *B) Expand(x *Value, shape ...int) *Value {
	if b.err != nil || Shape(shape).Equal(x.Type.Shape) {
		return x
	}
	return b.Op("Expand", nil, x, b.Ints(shape...))
}

// Transpose permutes the dimensions.
func (b *B) Transpose(x *Value, perm ...int) *Value {
	return b.Op("Transpose", accel.Attrs{accel.Ints("perm", perm...)}, x)
}

// Cast converts the elements.
func (b *B) Cast(x *Value, t accel.DType) *Value {
	if b.err != nil || x.Type.DType == t {
		return x
	}
	return b.Op("Cast", accel.Attrs{accel.String("to", t.String())}, x)
}

// ReduceSum sums over axes; no axes, no change.
func (b *B) ReduceSum(x *Value, keep bool, axes ...int) *Value {
	return b.reduce("ReduceSum", x, keep, axes)
}

// ReduceMean takes the mean over axes; no axes, no change.
func (b *B) ReduceMean(x *Value, keep bool, axes ...int) *Value {
	return b.reduce("ReduceMean", x, keep, axes)
}

// ReduceMax takes the maximum over axes; no axes, no change.
func (b *B) ReduceMax(x *Value, keep bool, axes ...int) *Value {
	return b.reduce("ReduceMax", x, keep, axes)
}

func (b *B) reduce(op string, x *Value, keep bool, axes []int) *Value {
	if b.err != nil || len(axes) == 0 {
		return x
	}
	k := 0
	if keep {
		k = 1
	}
	return b.Op(op, accel.Attrs{accel.Int("keepdims", k)}, x, b.Ints(axes...))
}

// Slice takes start ≤ i < end of one axis.
func (b *B) Slice(x *Value, axis, start, end int) *Value {
	return b.Op("Slice", nil, x, b.Ints(start), b.Ints(end), b.Ints(axis))
}

// Concat joins values along an axis.
func (b *B) Concat(axis int, xs ...*Value) *Value {
	return b.Op("Concat", accel.Attrs{accel.Int("axis", axis)}, xs...)
}

// Split cuts x along an axis into parts of the given sizes.
func (b *B) Split(x *Value, axis int, sizes ...int) []*Value {
	return b.Ops("Split", len(sizes), accel.Attrs{accel.Int("axis", axis), accel.Int("num_outputs", len(sizes))}, x, b.Ints(sizes...))
}

// Add is x + y.
func (b *B) Add(x, y *Value) *Value { return b.Op("Add", nil, x, y) }

// Sub is x - y.
func (b *B) Sub(x, y *Value) *Value { return b.Op("Sub", nil, x, y) }

// Mul is x · y, element by element.
func (b *B) Mul(x, y *Value) *Value { return b.Op("Mul", nil, x, y) }

// Div is x / y, element by element.
func (b *B) Div(x, y *Value) *Value { return b.Op("Div", nil, x, y) }

// MatMul is the matrix product of the last two dimensions.
func (b *B) MatMul(x, y *Value) *Value { return b.Op("MatMul", nil, x, y) }

// Zeros is a tensor of zeros.
func (b *B) Zeros(t accel.DType, shape ...int) *Value {
	return b.Expand(b.Scalar(t, 0), shape...)
}

// SwapLast transposes the last two dimensions.
func (b *B) SwapLast(x *Value) *Value {
	if b.err != nil {
		return nil
	}
	r := len(x.Type.Shape)
	if r < 2 {
		b.Fail(fmt.Errorf("%s has no two dimensions to swap", x))
		return nil
	}
	perm := make([]int, r)
	for i := range perm {
		perm[i] = i
	}
	perm[r-2], perm[r-1] = r-1, r-2
	return b.Transpose(x, perm...)
}

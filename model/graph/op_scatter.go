package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opScatterElements is x with updates in it: its inputs are x, indices and
// updates, of the same shape, and it puts each update where GatherElements
// would take an element from. The attribute reduction says how an update is
// combined with what is there: none (the default: it takes the place, the last of
// several wins), add, mul, max or min.
var opScatterElements = operator{
	name: "ScatterElements", min: 3, inplace: []int{0}, grad: scatterGrad("GatherElements", "ScatterElements"),
	shapes: func(c *Context) ([]Type, error) {
		if err := c.Same(0, 2); err != nil {
			return nil, err
		}
		if err := elementsRule(c, c.Shape(0), c.Shape(1)); err != nil {
			return nil, err
		}
		if !slices.Equal(c.Shape(1), c.Shape(2)) {
			return nil, fmt.Errorf("indices of shape %v, updates of %v", c.Shape(1), c.Shape(2))
		}
		return scattered(c)
	},
}

// opScatterND is x with updates in it, put where GatherND would take them from.
// Inputs and reduction are those of ScatterElements.
var opScatterND = operator{
	name: "ScatterND", min: 3, inplace: []int{0}, grad: scatterGrad("GatherND", "ScatterND"),
	shapes: func(c *Context) ([]Type, error) {
		if err := c.Same(0, 2); err != nil {
			return nil, err
		}
		want, err := tupleShape(c, c.Shape(0), c.Shape(1))
		if err != nil {
			return nil, err
		}
		if !slices.Equal(want, c.Shape(2)) {
			return nil, fmt.Errorf("updates of shape %v, want %v", c.Shape(2), want)
		}
		return scattered(c)
	},
}

func scattered(c *Context) ([]Type, error) {
	if r := c.Attrs.Str("reduction", "none"); !slices.Contains([]string{"none", "add", "mul", "max", "min"}, r) {
		return nil, fmt.Errorf("reduction %q, want none, add, mul, max or min", r)
	}
	return one(c.DType(0), c.Shape(0))
}

// scatterGrad is the gradient of scattering, of which gather is the opposite.
// Without a reduction it takes it that no place gets two updates. Equal
// extremes share the gradient. That of a factor is the product over the factor or,
// of the only zero in a place, the product of the others.
func scatterGrad(gather, scatter string) func(*backward, *Node, []*Value) []*Value {
	return func(b *backward, n *Node, dy []*Value) []*Value {
		x, at, updates, y, d := n.Inputs[0], n.Inputs[1], n.Inputs[2], n.Outputs[0], dy[0]
		where := n.Attrs.Without("reduction")
		take := func(v *Value) *Value { return b.Op(gather, where, v, at) }
		switch n.Attrs.Str("reduction", "none") {
		case "none":
			none := b.Zeros(updates.Type.DType, updates.Type.Shape...)
			return []*Value{b.Op(scatter, where, d, at, none), nil, take(d)}
		case "add":
			return []*Value{d, nil, take(d)}
		}
		if b.err != nil {
			return nil
		}
		t := x.Type.DType
		if n.Attrs.Str("reduction", "none") == "mul" {
			into := func(x, u *Value) *Value { return b.Op(scatter, n.Attrs, x, at, u) }
			one := b.Like(x, 1)
			zero := b.Op("Equal", nil, updates, b.Like(x, 0))
			zeros := b.Op(scatter, where.With(accel.String("reduction", "add")), b.Zeros(t, x.Type.Shape...), at, b.Cast(zero, t))
			alone := b.Op("And", nil, zero, b.Op("Equal", nil, take(zeros), one))
			others := take(b.Mul(d, into(x, b.Op("Where", nil, alone, one, updates))))
			rest := b.Div(take(b.Mul(d, y)), b.Op("Where", nil, zero, one, updates))
			return []*Value{b.Mul(d, into(b.Expand(one, x.Type.Shape...), updates)), nil, b.Op("Where", nil, alone, others, rest)}
		}
		ours := b.Cast(b.Op("Equal", nil, x, y), t)
		theirs := b.Cast(b.Op("Equal", nil, updates, take(y)), t)
		count := b.Op(scatter, where.With(accel.String("reduction", "add")), ours, at, theirs)
		each := b.Div(d, b.Op("Max", nil, count, b.Scalar(t, 1)))
		return []*Value{b.Mul(each, ours), nil, b.Mul(take(each), theirs)}
	}
}

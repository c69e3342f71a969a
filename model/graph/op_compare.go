package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opEqual is x = y of numbers or bools, with numpy's broadcasting. NaN equals
// nothing. Comparisons give bool and have no gradient.
var opEqual = comparison("Equal", ordinarySet)

// opGreater is x > y.
var opGreater = comparison("Greater", numberSet)

// opGreaterOrEqual is x ≥ y.
var opGreaterOrEqual = comparison("GreaterOrEqual", numberSet)

// opLess is x < y.
var opLess = comparison("Less", numberSet)

// opLessOrEqual is x ≤ y.
var opLessOrEqual = comparison("LessOrEqual", numberSet)

func comparison(name string, of typeSet) operator {
	return operator{name: name, min: 2, flat: true, shapes: func(c *Context) ([]Type, error) {
		t, err := binaryOf(of)(c)
		if err != nil {
			return nil, err
		}
		return one(accel.Bool, t[0].Shape)
	}}
}

// opIsInf tells infinities, of the signs that detect_negative and
// detect_positive, 1 by default, name.
var opIsInf = floatTest("IsInf")

// opIsNaN tells NaNs.
var opIsNaN = floatTest("IsNaN")

// smallFloats are the 8-bit floats of which IsInf and IsNaN are defined.
var smallFloats = []accel.DType{accel.Float8E4M3FN, accel.Float8E4M3FNUZ, accel.Float8E5M2, accel.Float8E5M2FNUZ}

func floatTest(name string) operator {
	return operator{
		name: name, min: 1, flat: true,
		shapes: func(c *Context) ([]Type, error) {
			if !slices.Contains(smallFloats, c.DType(0)) {
				if err := floatSet.check(c, 0); err != nil {
					return nil, err
				}
			}
			return one(accel.Bool, c.Shape(0))
		},
		when: func(n *Node) bool { return !n.Inputs[0].Type.DType.IsFloat() },
		expand: func(b *B, n *Node) []*Value {
			return []*Value{b.Op(name, n.Attrs, b.Cast(n.Inputs[0], accel.Float32))}
		},
	}
}

// opWhere is x where the condition, a bool, holds, and y elsewhere; the three
// broadcast. The gradient goes to the one that was taken.
var opWhere = operator{
	name: "Where", min: 3, inplace: []int{1, 2},
	shapes: func(c *Context) ([]Type, error) {
		if err := boolSet.check(c, 0); err != nil {
			return nil, err
		}
		if err := c.Same(1, 2); err != nil {
			return nil, err
		}
		s, err := Broadcast(c.Shape(0), c.Shape(1), c.Shape(2))
		if err != nil {
			return nil, err
		}
		return one(c.DType(1), s)
	},
	grad: func(b *backward, n *Node, dz []*Value) []*Value {
		out, cond, zero := make([]*Value, 3), n.Inputs[0], b.Like(dz[0], 0)
		if x := n.Inputs[1]; b.needs(x) {
			out[1] = b.unbroadcast(b.Op("Where", nil, cond, dz[0], zero), x)
		}
		if y := n.Inputs[2]; b.needs(y) {
			out[2] = b.unbroadcast(b.Op("Where", nil, cond, zero, dz[0]), y)
		}
		return out
	},
}

// oneOf reports an error unless a text attribute has one of the values, of
// which the first is the default.
func oneOf(n *Node, attr string, values ...string) error {
	if s := n.Attrs.Str(attr, values[0]); !slices.Contains(values, s) {
		return fmt.Errorf("%s is %q, want one of %q", attr, s, values)
	}
	return nil
}

package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opEyeLike is a matrix of the shape of x with ones where column = row + k and
// zeros elsewhere. The attributes are k (0) and dtype (that of x). Bind makes a
// constant of it.
var opEyeLike = operator{
	name: "EyeLike", min: 1, flat: true,
	shapes: func(c *Context) ([]Type, error) {
		if c.Rank(0) != 2 {
			return nil, fmt.Errorf("shape %v, want a matrix", c.Shape(0))
		}
		t, err := typeAttr(c.Node, "dtype", c.DType(0))
		if err != nil {
			return nil, err
		}
		return one(t, c.Shape(0))
	},
	expand: func(b *B, n *Node) []*Value {
		t, err := typeAttr(n, "dtype", n.Inputs[0].Type.DType)
		b.Fail(err)
		s, k := n.Inputs[0].Type.Shape, n.Attrs.Int("k", 0)
		a := accel.NewArray(accel.Uint8, s...)
		for i := range s[0] {
			if j := i + k; j >= 0 && j < s[1] {
				a.Data[i*s[1]+j] = 1
			}
		}
		return []*Value{b.Cast(b.Const(a), t)}
	},
}

// typeAttr is the element type that an attribute names.
func typeAttr(n *Node, attr string, otherwise accel.DType) (accel.DType, error) {
	name := n.Attrs.Str(attr, "")
	if name == "" {
		return otherwise, nil
	}
	return accel.ParseDType(name)
}

package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opCast converts x to the element type to; every pair of types is allowed.
// Floats become integers by truncation, with C's results on x86 where they do
// not fit; integers wrap around; zero alone is false. To the 8-bit floats,
// saturate, 1 by default, limits what is too large instead of making it infinite
// or NaN; to float8e8m0, round_mode is up (the default), down or nearest.
// The gradient between floats is cast back; others have none.
var opCast = operator{
	name: "Cast", min: 1,
	shapes: func(c *Context) ([]Type, error) {
		to, err := accel.ParseDType(c.Attrs.Str("to", ""))
		if err != nil {
			return nil, err
		}
		if err := oneOf(c.Node, "round_mode", "up", "down", "nearest"); err != nil {
			return nil, err
		}
		return one(to, c.Shape(0))
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		x := n.Inputs[0].Type.DType
		if !x.IsFloat() {
			return []*Value{nil}
		}
		return []*Value{b.Cast(dy[0], x)}
	},
}

// opCastLike is Cast to the element type of its second input.
var opCastLike = operator{
	name: "CastLike", min: 2,
	shapes: func(c *Context) ([]Type, error) { return one(c.DType(1), c.Shape(0)) },
	expand: func(b *B, n *Node) []*Value {
		to := n.Inputs[1].Type.DType
		return []*Value{b.Op("Cast", n.Attrs.With(accel.String("to", to.String())), n.Inputs[0])}
	},
}

// opBitCast gives the bits of x the element type to, which is as wide.
var opBitCast = operator{
	name: "BitCast", min: 1, flat: true,
	shapes: func(c *Context) ([]Type, error) {
		to, err := accel.ParseDType(c.Attrs.Str("to", ""))
		if err != nil {
			return nil, err
		}
		if from := c.DType(0); from.Size() != to.Size() {
			return nil, fmt.Errorf("%s has elements of %d bytes, %s of %d", from, from.Size(), to, to.Size())
		}
		return one(to, c.Shape(0))
	},
}

// opStopGradient is y = x, whose gradient counts as zero. It is no ONNX operator.
var opStopGradient = operator{name: "StopGradient", min: 1, shapes: like, view: true, flat: true}

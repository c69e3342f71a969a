package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opMaskedDropout is Dropout while training: it zeroes elements of x with
// probability ratio and scales the others by 1/(1-ratio). Its second input is
// the run's seed, one uint64; the attribute salt tells the dropouts of a graph
// apart. What is dropped depends on seed, salt and the element's index alone.
// Inference takes the node out.
var opMaskedDropout = operator{
	name: "MaskedDropout", min: 2, shapes: maskedDropoutRule, inplace: []int{0},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		return []*Value{b.Op("MaskedDropout", n.Attrs, dy[0], n.Inputs[1]), nil}
	},
}

func maskedDropoutRule(c *Context) ([]Type, error) {
	if err := c.IsA(0, floatTypes...); err != nil {
		return nil, err
	}
	if err := c.IsA(1, accel.Uint64); err != nil {
		return nil, err
	}
	if c.Rank(1) != 0 {
		return nil, fmt.Errorf("seed %v, want a scalar", c.Shape(1))
	}
	if r := c.Attrs.Float("ratio", 0.5); !(r >= 0 && r < 1) {
		return nil, fmt.Errorf("ratio %g, want 0 <= ratio < 1", r)
	}
	return like(c)
}

package graph

import (
	"fmt"
	"slices"
)

// opSqueeze drops the dimensions of size 1 that its second input, axes, names;
// all of them if it is absent.
var opSqueeze = operator{
	name: "Squeeze", min: 1, max: 2, static: []int{1}, view: true, grad: reshapeGrad,
	shapes: func(c *Context) ([]Type, error) {
		s := c.Shape(0)
		axes, err := c.Ints(1)
		if err != nil {
			return nil, err
		}
		if axes, err = axesOf(axes, len(s)); err != nil {
			return nil, err
		}
		out := []int{}
		for d, n := range s {
			drop := slices.Contains(axes, d) || !c.Has(1) && n == 1
			if drop && n != 1 {
				return nil, fmt.Errorf("dimension %d of %v is not 1", d, s)
			}
			if !drop {
				out = append(out, n)
			}
		}
		return one(c.DType(0), out)
	},
}

// opUnsqueeze inserts dimensions of size 1, so that they are where its second
// input, axes, says.
var opUnsqueeze = operator{
	name: "Unsqueeze", min: 2, static: []int{1}, view: true, grad: reshapeGrad,
	shapes: func(c *Context) ([]Type, error) {
		s := c.Shape(0)
		axes, err := c.Ints(1)
		if err != nil {
			return nil, err
		}
		rank := len(s) + len(axes)
		if axes, err = axesOf(axes, rank); err != nil {
			return nil, err
		}
		out, next := make([]int, rank), 0
		for d := range out {
			if slices.Contains(axes, d) {
				out[d] = 1
				continue
			}
			out[d] = s[next]
			next++
		}
		return one(c.DType(0), out)
	},
}

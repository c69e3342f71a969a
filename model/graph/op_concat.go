package graph

import (
	"errors"
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/extent"
)

// opConcat lays its inputs one after the other along the attribute axis, which
// must be there.
var opConcat = operator{
	name: "Concat", min: 1, max: variadic, shapes: concatRule,
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		axis, err := axisOf(n.Attrs.Int("axis", 0), len(dy[0].Type.Shape))
		b.Fail(err)
		sizes := make([]int, len(n.Inputs))
		for i, v := range n.Inputs {
			sizes[i] = v.Type.Shape[axis]
		}
		return b.Split(dy[0], axis, sizes...)
	},
}

func concatRule(c *Context) ([]Type, error) {
	if !c.Attrs.Has("axis") {
		return nil, errors.New("no attribute axis")
	}
	out := slices.Clone(c.Shape(0))
	axis, err := axisOf(c.Attrs.Int("axis", 0), len(out))
	if err != nil {
		return nil, err
	}
	for i := 1; i < len(c.Inputs); i++ {
		if !c.Has(i) {
			return nil, fmt.Errorf("input %d is absent", i)
		}
		if err := c.Same(0, i); err != nil {
			return nil, err
		}
		s := c.Shape(i)
		if len(s) != len(out) {
			return nil, fmt.Errorf("shapes %v and %v do not join along axis %d", c.Shape(0), s, axis)
		}
		for d := range s {
			if d != axis && s[d] != out[d] {
				return nil, fmt.Errorf("shapes %v and %v do not join along axis %d", c.Shape(0), s, axis)
			}
		}
		out[axis] += s[axis]
	}
	return one(c.DType(0), out)
}

// opSplit cuts x along the attribute axis (0) into parts of the sizes that its
// second input gives; without it into num_outputs parts of equal size, of which
// the last is smaller if it must be. Parts may be empty.
var opSplit = operator{
	name: "Split", min: 1, max: 2, outs: variadic, static: []int{1},
	shapes: func(c *Context) ([]Type, error) {
		s := c.Shape(0)
		axis, err := axisOf(c.Attrs.Int("axis", 0), len(s))
		if err != nil {
			return nil, err
		}
		sizes, err := c.Ints(1)
		if err != nil {
			return nil, err
		}
		if sizes, err = extent.Split(s[axis], sizes, c.Attrs.Int("num_outputs", 0)); err != nil {
			return nil, err
		}
		out := make([]Type, len(sizes))
		for i, size := range sizes {
			part := slices.Clone(s)
			part[axis] = size
			out[i] = Type{DType: c.DType(0), Shape: part}
		}
		return out, nil
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		for i, v := range n.Outputs {
			if dy[i] != nil {
				continue
			}
			if v == nil {
				var err error
				if v, err = b.G.Ask(n, i); err != nil {
					b.Fail(err)
					return nil
				}
			}
			dy[i] = b.Zeros(v.Type.DType, v.Type.Shape...)
		}
		return []*Value{b.Op("Concat", accel.Attrs{accel.Int("axis", n.Attrs.Int("axis", 0))}, dy...), nil}
	},
}

package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opConcat lays its inputs one after the other along the attribute axis.
var opConcat = operator{
	name: "Concat", in: floats(1), required: 1, rest: accel.Float32, flops: free,
	shapes: func(n *Node) ([]Type, error) {
		out := append(Shape(nil), n.shape(0)...)
		axis, err := axisOf(n.Attrs.Int("axis", 0), len(out))
		if err != nil {
			return nil, err
		}
		if out[axis] == N {
			return nil, fmt.Errorf("axis %d of %s is the batch", axis, out)
		}
		for i, v := range n.Inputs[1:] {
			if v == nil {
				return nil, fmt.Errorf("input %d is absent", i+1)
			}
			s := v.Type.Shape
			if len(s) != len(out) || s[axis] == N {
				return nil, fmt.Errorf("shapes %s and %s do not join along axis %d", n.shape(0), s, axis)
			}
			for d := range s {
				if d != axis && s[d] != out[d] {
					return nil, fmt.Errorf("shapes %s and %s do not join along axis %d", n.shape(0), s, axis)
				}
			}
			out[axis] += s[axis]
		}
		return f32(out), nil
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		axis, _ := axisOf(n.Attrs.Int("axis", 0), len(n.shape(0)))
		sizes := make([]int, len(n.Inputs))
		for i := range sizes {
			sizes[i] = n.shape(i)[axis]
		}
		s := b.apply("Split", "", accel.Attrs{accel.Int("axis", axis), accel.Ints("split", sizes...)}, dy[0])
		if s == nil {
			return nil
		}
		return s.Outputs
	},
}

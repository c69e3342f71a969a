package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opSplit cuts x along the attribute axis into parts of the sizes that the
// attribute split gives.
var opSplit = operator{
	name: "Split", in: floats(1), required: 1, outs: variadic, flops: free,
	shapes: func(n *Node) ([]Type, error) {
		s, sizes := n.shape(0), n.Attrs.Ints("split")
		axis, err := axisOf(n.Attrs.Int("axis", 0), len(s))
		if err != nil {
			return nil, err
		}
		var out []Type
		sum := 0
		for _, size := range sizes {
			part := append(Shape(nil), s...)
			part[axis] = size
			sum += size
			if size <= 0 {
				return nil, fmt.Errorf("part of size %d", size)
			}
			out = append(out, Type{accel.Float32, part})
		}
		if sum != s[axis] {
			return nil, fmt.Errorf("parts %v do not make up axis %d of %s", sizes, axis, s)
		}
		return out, nil
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		for i := range dy {
			if dy[i] == nil {
				dy[i] = b.zeros(n.Outputs[i])
			}
		}
		return []*Value{b.op("Concat", "", accel.Attrs{accel.Int("axis", n.Attrs.Int("axis", 0))}, dy...)}
	},
}

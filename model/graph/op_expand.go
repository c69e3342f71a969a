package graph

import "fmt"

// opExpand repeats x to the attribute shape, in which -1 is N, by numpy's rule.
var opExpand = operator{
	name: "Expand", in: floats(1), required: 1, flops: free,
	shapes: func(n *Node) ([]Type, error) {
		to := Shape(n.Attrs.Ints("shape"))
		for _, d := range to {
			if d <= 0 && d != N {
				return nil, fmt.Errorf("shape %v: dimensions must be positive or N", to)
			}
		}
		s, err := broadcast(n.shape(0), to)
		if err == nil && !s.Equal(to) {
			err = fmt.Errorf("%s is larger than %s", n.shape(0), to)
		}
		return f32(to), err
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		return []*Value{b.unbroadcast(dy[0], n.Inputs[0])}
	},
}

package graph

import "fmt"

// opFlatten makes a matrix of x: the dimensions before the attribute axis (1)
// are the rows, the others the columns.
var opFlatten = operator{
	name: "Flatten", in: floats(1), required: 1, view: true,
	shapes: func(n *Node) ([]Type, error) {
		s, axis := n.shape(0), n.Attrs.Int("axis", 1)
		if axis < 0 || axis > len(s) {
			return nil, fmt.Errorf("axis %d of %s", axis, s)
		}
		rows, errR := flat(s[:axis])
		cols, errC := flat(s[axis:])
		if errR != nil || errC != nil {
			return nil, fmt.Errorf("axis %d of %s: a multiple of N is no dimension", axis, s)
		}
		return f32(Shape{rows, cols}), nil
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		return []*Value{b.reshape(dy[0], n.shape(0))}
	},
}

// flat is the product of dimensions if it is a number or N itself.
func flat(s Shape) (int, error) {
	c, p := s.size()
	switch {
	case p == 0:
		return c, nil
	case p == 1 && c == 1:
		return N, nil
	}
	return 0, fmt.Errorf("%s", s)
}

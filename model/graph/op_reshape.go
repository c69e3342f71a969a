package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opReshape gives x another shape, the attribute shape (ONNX before opset 5 had
// it so): 0 keeps the dimension of that place, -1, at most once, is what is left.
var opReshape = operator{
	name: "Reshape", in: make([]accel.DType, 1), required: 1, view: true,
	shapes: func(n *Node) ([]Type, error) {
		s, err := reshape(n.shape(0), n.Attrs.Ints("shape"))
		return []Type{{n.Inputs[0].Type.DType, s}}, err
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		return []*Value{b.reshape(dy[0], n.shape(0))}
	},
}

// reshape resolves 0 and -1, for every batch size at once.
func reshape(from Shape, spec []int) (Shape, error) {
	to, hole := make(Shape, len(spec)), -1
	known := Shape{}
	for i, d := range spec {
		switch {
		case d == 0 && i < len(from):
			d = from[i]
			known = append(known, d)
		case d == -1 && hole < 0:
			hole = i
		case d > 0:
			known = append(known, d)
		default:
			return nil, fmt.Errorf("shape %v: dimension %d is not allowed there", spec, i)
		}
		to[i] = d
	}
	have, haveN := from.size()
	want, wantN := known.size()
	switch {
	case hole < 0 && have == want && haveN == wantN:
		return to, nil
	case hole >= 0 && haveN == wantN && have%want == 0:
		to[hole] = have / want
		return to, nil
	case hole >= 0 && haveN == wantN+1 && have == want:
		to[hole] = N
		return to, nil
	}
	return nil, fmt.Errorf("%s has not the elements of %v", from, spec)
}

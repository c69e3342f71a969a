package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opReshape gives x the shape of its second input: 0 keeps the dimension of
// that place (unless allowzero is 1), -1, at most once, is what is left.
var opReshape = operator{
	name: "Reshape", min: 2, static: []int{1}, view: true, grad: reshapeGrad,
	shapes: func(c *Context) ([]Type, error) {
		spec, err := c.Ints(1)
		if err != nil {
			return nil, err
		}
		s, err := reshape(c.Shape(0), spec, c.Attrs.Bool("allowzero", false))
		if err != nil {
			return nil, err
		}
		return one(c.DType(0), s)
	},
}

// reshape resolves 0 and -1.
func reshape(from, spec []int, allowZero bool) ([]int, error) {
	to, hole, known := make([]int, len(spec)), -1, 1
	for i, d := range spec {
		switch {
		case d == 0 && !allowZero:
			if i >= len(from) {
				return nil, fmt.Errorf("shape %v: no dimension %d in %v to keep", spec, i, from)
			}
			d = from[i]
		case d == -1 && hole < 0:
			hole = i
			continue
		case d < 0:
			return nil, fmt.Errorf("shape %v: dimension %d is not allowed there", spec, i)
		}
		to[i] = d
		known *= d
	}
	n := accel.Size(from)
	if hole >= 0 {
		if known == 0 || n%known != 0 {
			return nil, fmt.Errorf("%v has not the elements of %v", from, spec)
		}
		to[hole] = n / known
	}
	if accel.Size(to) != n {
		return nil, fmt.Errorf("%v has not the elements of %v", from, spec)
	}
	return to, nil
}

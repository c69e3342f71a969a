package graph

import (
	"fmt"
	"slices"
)

// opTranspose permutes dimensions: dimension d of y is dimension perm[d] of x.
// The default of the attribute perm reverses them.
var opTranspose = operator{
	name: "Transpose", min: 1,
	shapes: func(c *Context) ([]Type, error) {
		from := c.Shape(0)
		perm, err := permutation(c.Attrs.Ints("perm"), len(from))
		if err != nil {
			return nil, err
		}
		to := make([]int, len(from))
		for d, p := range perm {
			to[d] = from[p]
		}
		return one(c.DType(0), to)
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		perm, err := permutation(n.Attrs.Ints("perm"), len(dy[0].Type.Shape))
		b.Fail(err)
		back := make([]int, len(perm))
		for d, p := range perm {
			back[p] = d
		}
		return []*Value{b.Transpose(dy[0], back...)}
	},
}

// permutation checks perm, or gives the reversal if it is empty.
func permutation(perm []int, rank int) ([]int, error) {
	if len(perm) == 0 {
		out := make([]int, rank)
		for d := range out {
			out[d] = rank - 1 - d
		}
		return out, nil
	}
	for d := range rank {
		if len(perm) != rank || !slices.Contains(perm, d) {
			return nil, fmt.Errorf("perm %v is no permutation of %d dimensions", perm, rank)
		}
	}
	if rank == 0 {
		return nil, fmt.Errorf("perm %v of a scalar", perm)
	}
	return perm, nil
}

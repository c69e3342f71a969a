package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opTranspose permutes dimensions: y's dimension d is x's dimension perm[d]. The
// default of the attribute perm reverses them.
var opTranspose = operator{
	name: "Transpose", in: floats(1), required: 1, flops: free,
	shapes: func(n *Node) ([]Type, error) {
		from := n.shape(0)
		perm, err := permutation(n.Attrs.Ints("perm"), len(from))
		if err != nil {
			return nil, err
		}
		to := make(Shape, len(from))
		for d, p := range perm {
			to[d] = from[p]
		}
		return f32(to), nil
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		perm, _ := permutation(n.Attrs.Ints("perm"), len(n.shape(0))) // the shape rule has checked it
		back := make([]int, len(perm))
		for d, p := range perm {
			back[p] = d
		}
		return []*Value{b.op("Transpose", "", accel.Attrs{accel.Ints("perm", back...)}, dy[0])}
	},
}

// permutation checks perm, or gives the reversal if it is nil.
func permutation(perm []int, rank int) ([]int, error) {
	if perm == nil {
		for d := rank - 1; d >= 0; d-- {
			perm = append(perm, d)
		}
		return perm, nil
	}
	seen := make([]bool, rank)
	for _, p := range perm {
		if p < 0 || p >= rank || seen[p] || len(perm) != rank {
			return nil, fmt.Errorf("perm %v is no permutation of %d dimensions", perm, rank)
		}
		seen[p] = true
	}
	if len(perm) != rank {
		return nil, fmt.Errorf("perm %v is no permutation of %d dimensions", perm, rank)
	}
	return perm, nil
}

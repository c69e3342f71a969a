package graph

import "fmt"

// Accumulate adds up gradients over micro-batches: for a batch that is cut into
// parts of equal size, each run on its own, it appends to a concrete graph an
// input sum(<name>) for every gradient and returns the values
//
//	sum + gradient/parts
//
// To be run with zeros first, and then with what the run before returned: after
// the last part they are the mean of the parts' gradients, which is the gradient
// of the whole batch if the loss is a mean over it.
func Accumulate(g *Graph, gradients []*Value, parts int) ([]*Value, error) {
	if parts < 1 {
		return nil, fmt.Errorf("graph.Accumulate: %d parts, want at least 1", parts)
	}
	b := g.Build("accumulate")
	out := make([]*Value, len(gradients))
	for i, v := range gradients {
		sum, err := g.Input("sum("+v.Name+")", v.Type.DType, v.Type.Shape...)
		if err != nil {
			return nil, err
		}
		out[i] = b.Add(sum, b.Div(v, b.Like(v, float64(parts))))
	}
	return out, b.err
}

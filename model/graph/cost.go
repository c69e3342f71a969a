package graph

// Cost counts the arithmetic of a node, graph or step.
type Cost struct {
	// MACs are the multiply-adds of convolutions and matrix products.
	MACs int64
	// Elementwise are the elements computed by all other operators.
	Elementwise int64
}

// FLOPs is 2·MACs, the number that papers quote: elementwise work is left out.
func (c Cost) FLOPs() int64 { return 2 * c.MACs }

// Cost adds up all nodes for a batch of n rows.
func (g *Graph) Cost(n int) Cost {
	var sum Cost
	for _, node := range g.Nodes {
		c := node.Cost(n)
		sum.MACs += c.MACs
		sum.Elementwise += c.Elementwise
	}
	return sum
}

// Cost is what one node does for a batch of n rows.
func (n *Node) Cost(batch int) Cost {
	o := table[n.Op]
	switch {
	case o.flops != nil:
		return o.flops(n, batch)
	case o.view:
		return Cost{}
	}
	for _, out := range n.Outputs {
		if out != nil {
			return Cost{Elementwise: int64(out.Type.Shape.Len(batch))}
		}
	}
	return Cost{}
}

// free is the cost of operators that only move data.
func free(*Node, int) Cost { return Cost{} }

// perInput counts one operation an element of the first input.
func perInput(n *Node, batch int) Cost {
	return Cost{Elementwise: int64(n.shape(0).Len(batch))}
}

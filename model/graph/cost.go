package graph

import "github.com/millrace-go/millrace/accel"

// Cost counts the arithmetic of a node, graph or step.
type Cost struct {
	// MACs are the multiply-adds of convolutions and matrix products.
	MACs int64
	// Elementwise are the elements computed by all other operators.
	Elementwise int64
}

// FLOPs is 2·MACs, the number that papers quote: elementwise work is left out.
func (c Cost) FLOPs() int64 { return 2 * c.MACs }

// Cost adds up all nodes of a concrete graph.
func (g *Graph) Cost() Cost {
	var sum Cost
	for _, n := range g.Nodes {
		c := n.Cost()
		sum.MACs += c.MACs
		sum.Elementwise += c.Elementwise
	}
	return sum
}

// Cost is what one node of a concrete graph does.
func (n *Node) Cost() Cost {
	o := table[n.Op]
	if o.macs != nil {
		return Cost{MACs: o.macs(n)}
	}
	if o.view {
		return Cost{}
	}
	for _, out := range n.Outputs {
		if out != nil {
			return Cost{Elementwise: int64(accel.Size(out.Type.Shape))}
		}
	}
	return Cost{}
}

package graph

import "slices"

// Prune removes the nodes that no output depends on, and the constants that no
// node reads. Inputs and parameters stay, so the arguments of a compiled
// program do not change.
func (g *Graph) Prune() {
	needed := map[*Value]bool{}
	for _, v := range g.Outputs {
		needed[v] = true
	}
	var kept []*Node
	for _, n := range slices.Backward(g.Nodes) {
		if !slices.ContainsFunc(n.Outputs, func(v *Value) bool { return v != nil && needed[v] }) {
			continue
		}
		for _, v := range n.Inputs {
			needed[v] = true
		}
		for _, body := range n.Graphs {
			body.Graph.captures(needed)
		}
		kept = append(kept, n)
	}
	slices.Reverse(kept)
	g.Nodes = kept
	g.Consts = slices.DeleteFunc(g.Consts, func(v *Value) bool { return !needed[v] })
}

// captures marks the values that the nodes of a body read.
func (g *Graph) captures(needed map[*Value]bool) {
	for _, n := range g.Nodes {
		for _, v := range n.Inputs {
			needed[v] = true
		}
		for _, body := range n.Graphs {
			body.Graph.captures(needed)
		}
	}
	for _, v := range g.Outputs {
		needed[v] = true
	}
}

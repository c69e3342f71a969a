package graph

import (
	"fmt"
	"strings"
)

// String prints the graph, one declaration or node a line:
//
//	graph digits
//	  input features float32[N 64]
//	  param fc1.weight float32[64 10]
//	  fc1 float32[N 10] = Gemm(features, fc1.weight)
//	  output fc1
func (g *Graph) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "graph %s\n", g.Name)
	for _, v := range g.Inputs {
		fmt.Fprintf(&b, "  input %s\n", v)
	}
	for _, v := range g.Params {
		fmt.Fprintf(&b, "  param %s\n", v)
	}
	for _, n := range g.Nodes {
		fmt.Fprintf(&b, "  %s\n", n)
	}
	for _, v := range g.Outputs {
		fmt.Fprintf(&b, "  output %s\n", v.Name)
	}
	return b.String()
}

// String prints outputs = Op(inputs){attributes}.
func (n *Node) String() string {
	names := make([]string, len(n.Inputs))
	for i, v := range n.Inputs {
		names[i] = "-"
		if v != nil {
			names[i] = v.Name
		}
	}
	return fmt.Sprintf("%s = %s(%s)%s", typeList(n.Outputs), n.Op, strings.Join(names, ", "), n.Attrs)
}

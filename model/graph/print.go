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
	g.print(&b, "")
	return b.String()
}

func (g *Graph) print(b *strings.Builder, indent string) {
	fmt.Fprintf(b, "%sgraph %s\n", indent, g.Name)
	for _, v := range g.Inputs {
		fmt.Fprintf(b, "%s  input %s\n", indent, g.typed(v))
	}
	for _, v := range g.Params {
		fmt.Fprintf(b, "%s  param %s\n", indent, g.typed(v))
	}
	for _, v := range g.Consts {
		fmt.Fprintf(b, "%s  const %s%s\n", indent, g.typed(v), shortValue(v))
	}
	for _, n := range g.Nodes {
		fmt.Fprintf(b, "%s  %s\n", indent, g.line(n))
		for _, body := range n.Graphs {
			body.Graph.print(b, indent+"    ")
		}
	}
	for _, v := range g.Outputs {
		fmt.Fprintf(b, "%s  output %s\n", indent, v.Name)
	}
}

func (g *Graph) typed(v *Value) string {
	if v == nil {
		return "-"
	}
	return v.Name + " " + v.Type.format(g.shapeText)
}

// line prints outputs = Op(inputs){attributes}.
func (g *Graph) line(n *Node) string {
	outs := make([]string, len(n.Outputs))
	for i, v := range n.Outputs {
		outs[i] = g.typed(v)
	}
	names := make([]string, len(n.Inputs))
	for i, v := range n.Inputs {
		names[i] = "-"
		if v != nil {
			names[i] = v.Name
		}
	}
	return fmt.Sprintf("%s = %s(%s)%s", strings.Join(outs, ", "), n.Op, strings.Join(names, ", "), n.Attrs)
}

// shortValue prints the value of a small integer constant.
func shortValue(v *Value) string {
	c := &Context{Node: &Node{Inputs: []*Value{v}}}
	if v.Data.Len() > 8 {
		return ""
	}
	ints, err := c.Ints(0)
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" = %v", ints)
}

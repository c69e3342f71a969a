package graph

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Dot writes the graph for Graphviz: a box for each node, an arrow for each value
// with its type, round boxes for inputs, parameters and outputs. Constants are
// left out; bodies of control flow are clusters.
func (g *Graph) Dot(w io.Writer) error {
	v := &viewer{ids: map[*Value]string{}}
	v.line("digraph %s {", strconv.Quote(g.Name))
	v.line("  rankdir=TB; node [shape=box, fontsize=10]; edge [fontsize=9];")
	v.graph(g, "  ", dotShapes{})
	v.line("}")
	_, err := io.WriteString(w, v.text.String())
	return err
}

// Mermaid writes the graph as a Mermaid flowchart, with the parts that Dot draws.
func (g *Graph) Mermaid(w io.Writer) error {
	v := &viewer{ids: map[*Value]string{}}
	v.line("flowchart TB")
	v.graph(g, "  ", mermaidShapes{})
	_, err := io.WriteString(w, v.text.String())
	return err
}

// shapes is how a notation writes the parts of a picture.
type shapes interface {
	round(id, label string) string
	box(id, label string) string
	arrow(from, to, label string) string
	open(id, label string) string
	close() string
}

// viewer draws a graph and those within it.
type viewer struct {
	text  strings.Builder
	ids   map[*Value]string // what a value comes out of
	count int
}

func (v *viewer) line(format string, args ...any) { fmt.Fprintf(&v.text, format+"\n", args...) }

func (v *viewer) id() string {
	v.count++
	return fmt.Sprintf("n%d", v.count)
}

func (v *viewer) graph(g *Graph, indent string, s shapes) {
	for _, list := range [][]*Value{g.Inputs, g.Params} {
		for _, in := range list {
			v.ids[in] = v.id()
			v.line("%s%s", indent, s.round(v.ids[in], g.typed(in)))
		}
	}
	for _, n := range g.Nodes {
		v.node(g, n, indent, s)
	}
	for _, out := range g.Outputs {
		id := v.id()
		v.line("%s%s", indent, s.round(id, out.Name))
		v.arrow(g, out, id, indent, s)
	}
}

func (v *viewer) node(g *Graph, n *Node, indent string, s shapes) {
	id := v.id()
	v.line("%s%s", indent, s.box(id, n.Op+n.Attrs.String()))
	for _, in := range n.Inputs {
		if in != nil {
			v.arrow(g, in, id, indent, s)
		}
	}
	for _, out := range n.Outputs {
		if out != nil {
			v.ids[out] = id
		}
	}
	for _, body := range n.Graphs {
		v.line("%s%s", indent, s.open(v.id(), body.Attr+" of "+n.Name))
		v.graph(body.Graph, indent+"  ", s)
		v.line("%s%s", indent, s.close())
	}
}

func (v *viewer) arrow(g *Graph, from *Value, to, indent string, s shapes) {
	if id, ok := v.ids[from]; ok {
		v.line("%s%s", indent, s.arrow(id, to, from.Type.format(g.shapeText)))
	}
}

type dotShapes struct{}

func (dotShapes) round(id, label string) string {
	return fmt.Sprintf("%s [label=%s, shape=box, style=rounded];", id, strconv.Quote(label))
}
func (dotShapes) box(id, label string) string {
	return fmt.Sprintf("%s [label=%s];", id, strconv.Quote(label))
}
func (dotShapes) arrow(from, to, label string) string {
	return fmt.Sprintf("%s -> %s [label=%s];", from, to, strconv.Quote(label))
}
func (dotShapes) open(id, label string) string {
	return fmt.Sprintf("subgraph cluster_%s { label=%s;", id, strconv.Quote(label))
}
func (dotShapes) close() string { return "}" }

type mermaidShapes struct{}

// mermaidText escapes what would end a quoted label.
func mermaidText(s string) string {
	return `"` + strings.NewReplacer(`"`, "#quot;", "\n", " ").Replace(s) + `"`
}

func (mermaidShapes) round(id, label string) string { return id + "(" + mermaidText(label) + ")" }
func (mermaidShapes) box(id, label string) string   { return id + "[" + mermaidText(label) + "]" }
func (mermaidShapes) arrow(from, to, label string) string {
	return from + " -- " + mermaidText(label) + " --> " + to
}
func (mermaidShapes) open(id, label string) string {
	return "subgraph " + id + " [" + mermaidText(label) + "]"
}
func (mermaidShapes) close() string { return "end" }

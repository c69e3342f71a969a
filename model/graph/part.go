package graph

import (
	"fmt"
	"slices"
)

// copier copies nodes to a graph of its own. Values from elsewhere become its
// inputs.
type copier struct {
	to     *Graph
	values map[*Value]*Value
	root   *copier  // of the outermost graph
	from   []*Value // what the inputs of the root were made of, in order
}

func newCopier(name string) *copier {
	c := &copier{to: New(name), values: map[*Value]*Value{nil: nil}}
	c.root = c
	return c
}

// Closed returns a copy of a body in which the values that it reads of the graphs
// around it are inputs, after its own; and those values.
func (g *Graph) Closed() (*Graph, []*Value, error) {
	c := newCopier(g.Name)
	if err := c.body(g); err != nil {
		return nil, nil, err
	}
	return c.to, c.from, nil
}

// Part returns a copy of the nodes from ≤ i < to as a graph of its own, and the
// values that its inputs and outputs are copies of. Its outputs are the values that
// other nodes read, and outputs of g.
func (g *Graph) Part(from, to int) (part *Graph, in, out []*Value, err error) {
	c := newCopier(g.Name)
	for _, n := range g.Nodes[from:to] {
		if err := c.node(n); err != nil {
			return nil, nil, nil, err
		}
	}
	read := map[*Value]bool{}
	for _, v := range g.Outputs {
		read[v] = true
	}
	for _, n := range slices.Concat(g.Nodes[:from], g.Nodes[to:]) {
		n.reads(read)
	}
	for _, n := range g.Nodes[from:to] {
		for _, v := range n.Outputs {
			if v != nil && read[v] {
				c.to.Outputs = append(c.to.Outputs, c.values[v])
				out = append(out, v)
			}
		}
	}
	return c.to, c.from, out, nil
}

// reads marks the values that a node reads, those that its bodies read included.
func (n *Node) reads(marked map[*Value]bool) {
	for _, v := range n.Inputs {
		marked[v] = true
	}
	for _, b := range n.Graphs {
		b.Graph.captures(marked)
	}
}

// body copies a whole graph.
func (c *copier) body(g *Graph) error {
	for _, v := range slices.Concat(g.Inputs, g.Params) {
		w, err := c.to.InputOf(c.to.free(v.Name), loose(v.Type))
		if err != nil {
			return err
		}
		c.values[v] = w
	}
	for _, v := range g.Consts {
		c.values[v] = c.to.Const(v.Name, v.Data)
	}
	for _, n := range g.Nodes {
		if err := c.node(n); err != nil {
			return err
		}
	}
	for i, v := range g.Outputs {
		w, err := c.value(v)
		if err != nil {
			return err
		}
		if w == nil {
			return fmt.Errorf("output %d is absent", i)
		}
		c.to.Outputs = append(c.to.Outputs, w)
	}
	return nil
}

// loose is a type without what only the graph it is from can tell: a shape with symbols.
func loose(t Type) Type {
	if t.Form == Tensor && !t.Shape.Concrete() {
		return Type{DType: t.DType, Form: Unknown}
	}
	return t
}

// value is the copy of a value that is read.
func (c *copier) value(v *Value) (*Value, error) {
	if w, ok := c.values[v]; ok {
		return w, nil
	}
	r := c.root
	if v.Kind == Const {
		r.values[v] = r.to.Const(v.Name, v.Data)
		return r.values[v], nil
	}
	t := Type{Form: Unknown}
	if v.Kind != Result {
		t = loose(v.Type)
	}
	w, err := r.to.InputOf(r.to.free(v.Name), t)
	if err != nil {
		return nil, err
	}
	r.values[v] = w
	r.from = append(r.from, v)
	return w, nil
}

// node copies a node and its bodies.
func (c *copier) node(n *Node) error {
	m := &Node{Op: n.Op, Name: n.Name, Attrs: n.Attrs}
	for _, v := range n.Inputs {
		w, err := c.value(v)
		if err != nil {
			return err
		}
		m.Inputs = append(m.Inputs, w)
	}
	for _, b := range n.Graphs {
		inner := &copier{to: New(b.Graph.Name), values: c.values, root: c.root}
		if err := inner.body(b.Graph); err != nil {
			return fmt.Errorf("%s: %w", b.Attr, err)
		}
		m.Graphs = append(m.Graphs, Body{b.Attr, inner.to})
	}
	names := make([]string, len(n.Outputs))
	for i, v := range n.Outputs {
		if v != nil {
			names[i] = c.to.free(v.Name)
		}
	}
	if err := c.to.Append(m, names); err != nil {
		return err
	}
	for i, v := range n.Outputs {
		if v != nil {
			c.values[v] = m.Outputs[i]
		}
	}
	return nil
}

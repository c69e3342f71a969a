package graph

import (
	"fmt"
	"slices"
)

// define finds the values through which gradients flow, and writes the nodes
// that cannot be differentiated otherwise as their definitions.
func (b *backward) define() {
	g := b.G
	for i := 0; i < len(g.Nodes) && b.err == nil; {
		n := g.Nodes[i]
		b.mark(n)
		if f := b.definitionOf(n); f != nil {
			if err := g.spell(i, f); err != nil {
				b.Fail(fmt.Errorf("graph.Gradients: %s (%s): %w", n.Name, n.Op, err))
			}
			continue // with the first node of the definition
		}
		i++
	}
}

// definitionOf is the definition by which a node is to be replaced, or nil.
func (b *backward) definitionOf(n *Node) func(*B, *Node) []*Value {
	o := table[n.Op]
	short := o.when != nil && o.when(n) // a form that Bind writes out, which the gradient does not know
	if o.flat || o.grad != nil && !short || !slices.ContainsFunc(n.Outputs, b.needs) {
		return nil
	}
	if o.definition != nil && !short {
		return o.definition
	}
	return o.expand
}

// spell replaces node i of a concrete graph by its definition. The node's
// outputs stay the same values.
func (g *Graph) spell(i int, definition func(*B, *Node) []*Value) error {
	n, first := g.Nodes[i], len(g.Nodes)
	d := &binder{from: g, to: g, values: map[*Value]*Value{nil: nil}, symbols: map[int]int{}}
	if err := d.expand(n, n, definition); err != nil {
		return err
	}
	for _, v := range n.Outputs {
		if v == nil {
			continue
		}
		w := d.values[v]
		if !slices.Contains(g.Nodes[first:], w.Producer) || slices.Contains(n.Outputs, w) {
			k, err := g.ApplyNode("Identity", n.Name, nil, w)
			if err != nil {
				return err
			}
			w = k.Outputs[0]
		}
		g.become(w, v, g.Nodes[first:])
	}
	added := slices.Clone(g.Nodes[first:])
	for _, k := range added {
		if o := table[k.Op]; k.Op == n.Op && (o.grad == nil || o.when == nil || o.when(k)) {
			return fmt.Errorf("operator %s has no gradient", n.Op)
		}
	}
	g.Nodes = slices.Replace(g.Nodes[:first], i, i+1, added...)
	return nil
}

// become puts v in the place of the result w, which only nodes of the list read.
func (g *Graph) become(w, v *Value, nodes []*Node) {
	k := w.Producer
	k.Outputs[slices.Index(k.Outputs, w)] = v
	v.Producer = k
	for _, m := range nodes {
		for j, in := range m.Inputs {
			if in == w {
				m.Inputs[j] = v
			}
		}
	}
}

// defined gives an operator a definition for Gradients.
func defined(o operator, definition func(*B, *Node) []*Value) operator {
	o.definition = definition
	return o
}

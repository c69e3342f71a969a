package graph

import "slices"

// Clone returns a deep copy and the copy of each value; attributes are shared.
func (g *Graph) Clone() (*Graph, map[*Value]*Value) {
	c := New(g.Name)
	to := map[*Value]*Value{nil: nil}
	copyOf := func(v *Value) *Value {
		w := *v
		to[v] = &w
		return &w
	}
	for name := range g.names {
		c.names[name] = true
	}
	for _, v := range g.Inputs {
		c.Inputs = append(c.Inputs, copyOf(v))
	}
	for _, v := range g.Params {
		c.Params = append(c.Params, copyOf(v))
	}
	for _, n := range g.Nodes {
		m := &Node{Op: n.Op, Name: n.Name, Attrs: n.Attrs}
		for _, v := range n.Inputs {
			m.Inputs = append(m.Inputs, to[v])
		}
		for _, v := range n.Outputs {
			if v == nil {
				m.Outputs = append(m.Outputs, nil)
				continue
			}
			w := copyOf(v)
			w.Producer = m
			m.Outputs = append(m.Outputs, w)
		}
		c.Nodes = append(c.Nodes, m)
	}
	for _, v := range g.Outputs {
		c.Outputs = append(c.Outputs, to[v])
	}
	return c, to
}

// Prune removes the nodes that no output depends on. Inputs and parameters
// stay, so the arguments of a compiled program do not change.
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
		kept = append(kept, n)
	}
	slices.Reverse(kept)
	g.Nodes = kept
}

// Inference replaces each Dropout by its input, and drops the inputs that only
// they read (the seed). Call it before Gradients.
func (g *Graph) Inference() {
	instead := map[*Value]*Value{}
	var kept []*Node
	for _, n := range g.Nodes {
		for i, v := range n.Inputs {
			if w, ok := instead[v]; ok {
				n.Inputs[i] = w
			}
		}
		if n.Op == "Dropout" {
			instead[n.Outputs[0]] = n.Inputs[0]
			continue
		}
		kept = append(kept, n)
	}
	before := g.reads()
	g.Nodes = kept
	for i, v := range g.Outputs {
		if w, ok := instead[v]; ok {
			g.Outputs[i] = w
		}
	}
	after := g.reads()
	g.Inputs = slices.DeleteFunc(g.Inputs, func(v *Value) bool { return before[v] && !after[v] })
}

// reads is the set of values that some node reads.
func (g *Graph) reads() map[*Value]bool {
	out := map[*Value]bool{}
	for _, n := range g.Nodes {
		for _, v := range n.Inputs {
			out[v] = true
		}
	}
	return out
}

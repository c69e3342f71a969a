package graph

import (
	"fmt"
	"slices"
)

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

// Pass is one rewriting of a concrete graph. It changes no output's value, but for
// rounding where its comment says so.
type Pass struct {
	Name string
	run  func(g *Graph) error
}

// Passes lists the passes in the order in which Optimize runs them. Patterns are
// looked for in the simplest form of a graph, so what makes it simpler comes first; a
// pass that takes more of the graph comes before those that would take a part of it:
// attention before products, which take scales and transposes, and products and
// convolutions, which take residuals, before sums with a normalisation.
func Passes() []Pass {
	return []Pass{
		{"dead-code", func(g *Graph) error { g.Prune(); return nil }},
		{"merge-equal", mergeEqual},
		{"simplify", simplify},
		{"fuse-qdq", fuseQDQ},
		{"fold-batchnorm", foldBatchNorm},
		{"fuse-layernorm", fuseLayerNorm},
		{"fuse-gelu", fuseGelu},
		{"fuse-attention", fuseAttention},
		{"merge-equal", mergeEqual}, // what the passes made twice,
		{"simplify", simplify},      // and what they left of reshapes and transposes
		{"fuse-conv", fuseConv},
		{"fuse-matmul", fuseMatMul},
		{"fuse-skip-norm", fuseSkipNorm},
	}
}

// fusable are the passes that make sense before Gradients: what they make has
// gradients of its own, which are cheaper than those of the parts.
var fusable = []string{"dead-code", "merge-equal", "simplify", "fuse-layernorm", "fuse-gelu", "fuse-attention"}

// Prepare runs on a concrete graph the passes that are worth it before Gradients.
func (g *Graph) Prepare() error {
	var skip []string
	for _, p := range Passes() {
		if !slices.Contains(fusable, p.Name) {
			skip = append(skip, p.Name)
		}
	}
	return g.Optimize(skip...)
}

// Optimize runs the passes on a concrete graph, but for those to skip; "all"
// skips every one.
func (g *Graph) Optimize(skip ...string) error {
	for _, p := range Passes() {
		if slices.Contains(skip, p.Name) || slices.Contains(skip, "all") {
			continue
		}
		if err := p.run(g); err != nil {
			return fmt.Errorf("graph: pass %s: %w", p.Name, err)
		}
	}
	return nil
}

// Inference replaces each MaskedDropout by its input, and drops the inputs that
// only they read (the seed). It works on symbolic graphs; call it before
// Gradients.
func (g *Graph) Inference() {
	instead := map[*Value]*Value{}
	var kept []*Node
	for _, n := range g.Nodes {
		n.readInstead(instead)
		if n.Op == "MaskedDropout" {
			instead[n.Outputs[0]] = n.Inputs[0]
			continue
		}
		kept = append(kept, n)
	}
	before := g.reads()
	g.Nodes = kept
	exchange(g.Outputs, instead)
	after := g.reads()
	g.Inputs = slices.DeleteFunc(g.Inputs, func(v *Value) bool { return before[v] && !after[v] })
}

// readInstead makes a node, and the bodies it has, read other values.
func (n *Node) readInstead(instead map[*Value]*Value) {
	exchange(n.Inputs, instead)
	for _, b := range n.Graphs {
		for _, m := range b.Graph.Nodes {
			m.readInstead(instead)
		}
		exchange(b.Graph.Outputs, instead)
	}
}

func exchange(values []*Value, instead map[*Value]*Value) {
	for i, v := range values {
		if w, ok := instead[v]; ok {
			values[i] = w
		}
	}
}

// reads is the set of values that some node, or a body in it, reads, and of the outputs.
func (g *Graph) reads() map[*Value]bool {
	out := map[*Value]bool{}
	for _, n := range g.Nodes {
		n.reads(out)
	}
	for _, v := range g.Outputs {
		out[v] = true
	}
	return out
}

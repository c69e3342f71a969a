package graph

import (
	"fmt"
	"maps"
	"slices"
)

// Checkpoint is an option of Gradients that saves memory for time: the backward
// pass keeps these values, and computes again what else it needs of the nodes
// before the last of them. The values cut the nodes, in their order in the
// graph, into segments; the segment that ends with a checkpoint is computed again
// just before its own backward pass, from what was computed before it. So the
// values are to be those that later segments read, such as the outputs of the
// layers of a deep network; others that later segments read are kept besides.
//
// The gradients are the same to the bit. Operators that draw random numbers of
// their own are not computed twice. See Chen, Xu, Zhang & Guestrin,
// https://arxiv.org/abs/1604.06174.
func Checkpoint(values ...*Value) GradientOption {
	return func(b *backward) { b.again.at = append(b.again.at, values...) }
}

// checkpoints is what a reverse pass knows of recomputing.
type checkpoints struct {
	at     []*Value
	ends   map[int]int // the first node of the segment that ends with this one
	copies map[*Node]*Node
	made   map[*Node]bool // copies and barriers, of all segments
}

// of is the node as the gradient rule is to see it: its copy, if it was computed again.
func (c *checkpoints) of(n *Node) *Node {
	if m := c.copies[n]; m != nil {
		return m
	}
	return n
}

// cut finds the segments.
func (b *backward) cut(forward []*Node) {
	place := map[*Node]int{}
	for i, n := range forward {
		place[n] = i
	}
	b.again.ends, b.again.copies, b.again.made = map[int]int{}, map[*Node]*Node{}, map[*Node]bool{}
	for _, v := range b.again.at {
		i, ok := place[v.Producer]
		if !ok {
			b.Fail(fmt.Errorf("graph.Checkpoint: %s is not the result of a node", v))
			return
		}
		b.again.ends[i] = 0
	}
	first := 0
	for _, end := range slices.Sorted(maps.Keys(b.again.ends)) {
		b.again.ends[end] = first
		first = end + 1
	}
}

// recompute copies the segment that ends with node i, if one does.
func (b *backward) recompute(forward []*Node, i int) {
	first, ok := b.again.ends[i]
	if !ok {
		return
	}
	to := map[*Value]*Value{nil: nil}
	for _, n := range forward[first : i+1] {
		if b.copyable(n) && b.err == nil {
			b.copyNode(n, to)
		}
	}
}

// copyable says that a node computed again gives the same, and that there is
// anything to compute it from.
func (b *backward) copyable(n *Node) bool {
	return !table[n.Op].random && len(n.Graphs) == 0 && slices.ContainsFunc(n.Inputs, func(v *Value) bool {
		return v != nil && v.Kind != Const
	})
}

// copyNode adds a copy of n, which reads the copies of the values that the
// segment has made so far, and all others through barriers.
func (b *backward) copyNode(n *Node, to map[*Value]*Value) {
	in := make([]*Value, len(n.Inputs))
	for i, v := range n.Inputs {
		if v != nil && v.Kind != Const && to[v] == nil {
			to[v] = b.barrier(v)
		}
		if in[i] = to[v]; v != nil && v.Kind == Const {
			in[i] = v
		}
	}
	m, err := b.G.ApplyNode(n.Op, "again("+n.Name+")", n.Attrs, in...)
	if err != nil {
		b.Fail(err)
		return
	}
	b.again.copies[n], b.again.made[m] = m, true
	for i, v := range n.Outputs {
		if v == nil {
			continue
		}
		w, err := b.G.Ask(m, i)
		b.Fail(err)
		to[v] = w
		b.live[w] = b.live[v]
	}
}

// barrier adds a view of v that is not to be merged with it.
func (b *backward) barrier(v *Value) *Value {
	m, err := b.G.ApplyNode("Barrier", "again("+v.Name+")", nil, v)
	if err != nil {
		b.Fail(err)
		return v
	}
	b.again.made[m] = true
	b.live[m.Outputs[0]] = b.live[v]
	return m.Outputs[0]
}

// dropUnread takes out the copies that turned out not to be needed.
func (b *backward) dropUnread(gradients []*Value) {
	if len(b.again.made) == 0 {
		return
	}
	read := map[*Value]bool{}
	for _, v := range gradients {
		read[v] = true
	}
	var kept []*Node
	for _, n := range slices.Backward(b.G.Nodes) {
		if b.again.made[n] && !slices.ContainsFunc(n.Outputs, func(v *Value) bool { return v != nil && read[v] }) {
			continue
		}
		for _, v := range n.Inputs {
			read[v] = true
		}
		kept = append(kept, n)
	}
	slices.Reverse(kept)
	b.G.Nodes = kept
}

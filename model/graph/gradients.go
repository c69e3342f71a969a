package graph

import (
	"fmt"
	"slices"
)

// backward is the state of one reverse pass. As a B, its methods do nothing after
// the first error, so that a gradient rule reads like its formula.
type backward struct {
	*B
	grads map[*Value]*Value
	live  map[*Value]bool // values on a path from what is asked for
	again checkpoints
}

// A GradientOption changes how Gradients goes about it, not what comes out.
type GradientOption func(*backward)

// Gradients appends to a concrete graph the nodes that compute d loss / d v for
// each v of wrt, and returns those values in the same order. loss is a float
// scalar. A value that the loss does not depend on gets a gradient of zeros. The
// nodes are ordinary ones, so gradients of gradients can be asked for.
//
// A node on the way whose operator has a definition by others and no gradient of
// its own is replaced by that definition.
func Gradients(g *Graph, loss *Value, wrt []*Value, options ...GradientOption) ([]*Value, error) {
	if !loss.Type.DType.IsFloat() || len(loss.Type.Shape) != 0 {
		return nil, fmt.Errorf("graph.Gradients: the loss is %s, want a float scalar", loss)
	}
	b := &backward{B: g.Build("grad"), grads: map[*Value]*Value{}, live: map[*Value]bool{}}
	for _, o := range options {
		o(b)
	}
	for _, v := range wrt {
		b.live[v] = true
	}
	b.define()
	forward := slices.Clone(g.Nodes)
	b.cut(forward)
	b.add(loss, b.Like(loss, 1))
	for i := len(forward) - 1; i >= 0 && b.err == nil; i-- {
		b.recompute(forward, i)
		b.visit(forward[i])
	}
	out := b.results(wrt)
	if b.err != nil {
		return nil, b.err
	}
	b.dropUnread(out)
	return out, nil
}

// results are the gradients of wrt, each a tensor of its own.
func (b *backward) results(wrt []*Value) []*Value {
	b.name = "grad"
	out, given := make([]*Value, len(wrt)), map[*Value]bool{}
	for i, v := range wrt {
		if out[i] = b.grads[v]; out[i] == nil {
			out[i] = b.Zeros(v.Type.DType, v.Type.Shape...)
		}
		if b.err != nil {
			return nil
		}
		if given[out[i]] || out[i].Kind != Result {
			out[i] = b.Op("Identity", nil, out[i])
		}
		given[out[i]] = true
		if b.err == nil {
			b.G.rename(out[i], "grad("+v.Name+")")
		}
	}
	return out
}

// mark makes the outputs of a node live if any input is, and a gradient can flow to it.
func (b *backward) mark(n *Node) {
	if table[n.Op].flat {
		return
	}
	for _, in := range n.Inputs {
		if in == nil || !b.live[in] {
			continue
		}
		for _, out := range n.Outputs {
			if out != nil && out.Type.DType.IsFloat() {
				b.live[out] = true
			}
		}
		return
	}
}

// visit runs the gradient rule of one node, if the loss depends on it and it on wrt.
func (b *backward) visit(n *Node) {
	dy, any := make([]*Value, len(n.Outputs)), false
	for i, out := range n.Outputs {
		if out != nil && b.live[out] {
			dy[i] = b.grads[out]
			any = any || dy[i] != nil
		}
	}
	if !any || table[n.Op].flat {
		return
	}
	o := table[n.Op]
	if o.grad == nil {
		b.Fail(fmt.Errorf("graph.Gradients: %s: operator %s has no gradient", n.Name, n.Op))
		return
	}
	b.name = "grad(" + n.Name + ")"
	for i, d := range o.grad(b, b.again.of(n), dy) {
		if d != nil && b.err == nil && b.needs(n.Inputs[i]) {
			b.add(n.Inputs[i], d)
		}
	}
	if b.err != nil {
		b.err = fmt.Errorf("graph.Gradients: %s (%s): %w", n.Name, n.Op, b.err)
	}
}

// needs reports whether the gradient with respect to v is of use.
func (b *backward) needs(v *Value) bool { return v != nil && b.live[v] }

// add accumulates a gradient of v.
func (b *backward) add(v, d *Value) {
	if b.err != nil {
		return
	}
	if !d.Type.Shape.Equal(v.Type.Shape) || d.Type.DType != v.Type.DType {
		b.Fail(fmt.Errorf("gradient of %s is %s", v, d.Type))
		return
	}
	if have := b.grads[v]; have != nil {
		d = b.Add(have, d)
	}
	b.grads[v] = d
}

// unbroadcast sums a gradient back to the shape of v, which was broadcast to the shape of d.
func (b *backward) unbroadcast(d, v *Value) *Value {
	if b.err != nil || d == nil || d.Type.Shape.Equal(v.Type.Shape) {
		return d
	}
	from, to := d.Type.Shape, v.Type.Shape
	var axes []int
	for i := range from {
		if j := i - (len(from) - len(to)); j < 0 || to[j] != from[i] {
			axes = append(axes, i)
		}
	}
	return b.Reshape(b.ReduceSum(d, true, axes...), to...)
}

// pair is the gradient of a broadcasting operator: of each input that needs it,
// summed back to the input's shape.
func (b *backward) pair(n *Node, dx, dy func() *Value) []*Value {
	out := make([]*Value, 2)
	for i, f := range []func() *Value{dx, dy} {
		if b.needs(n.Inputs[i]) {
			out[i] = b.unbroadcast(f(), n.Inputs[i])
		}
	}
	return out
}

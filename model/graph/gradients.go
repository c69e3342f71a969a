package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// backward is the state of one reverse pass. Its methods do nothing after the
// first error, so that a gradient rule reads like its formula.
type backward struct {
	g     *Graph
	grads map[*Value]*Value
	live  map[*Value]bool // values on a path from what is asked for
	node  *Node           // whose rule is running, for names
	err   error
}

// Gradients appends the nodes that compute d loss / d v for each v of wrt, and
// returns those values in the same order. loss is a float32 scalar. A value that
// the loss does not depend on gets a gradient of zeros.
func Gradients(g *Graph, loss *Value, wrt []*Value) ([]*Value, error) {
	if loss.Type.DType != accel.Float32 || len(loss.Type.Shape) != 0 {
		return nil, fmt.Errorf("graph.Gradients: the loss is %s, want a float32 scalar", loss)
	}
	b := &backward{g: g, grads: map[*Value]*Value{}, live: map[*Value]bool{}}
	for _, v := range wrt {
		b.live[v] = true
	}
	forward := append([]*Node(nil), g.Nodes...)
	for _, n := range forward {
		b.mark(n)
	}
	b.add(loss, b.op("Constant", "grad", accel.Attrs{accel.Float("value_float", 1)}))
	for i := len(forward) - 1; i >= 0 && b.err == nil; i-- {
		b.visit(forward[i])
	}
	out, given := make([]*Value, len(wrt)), map[*Value]bool{}
	for i, v := range wrt {
		if out[i] = b.grads[v]; out[i] == nil {
			out[i] = b.zeros(v)
		}
		if given[out[i]] { // two values, one gradient: each gets its own tensor
			out[i] = b.op("Identity", "grad("+v.Name+")", nil, out[i])
		}
		given[out[i]] = true
		if b.err != nil {
			return nil, b.err
		}
		g.rename(out[i], "grad("+v.Name+")")
	}
	return out, nil
}

// mark makes the outputs of a node live if any input is.
func (b *backward) mark(n *Node) {
	for _, in := range n.Inputs {
		if in != nil && b.live[in] {
			for _, out := range n.Outputs {
				if out != nil {
					b.live[out] = true
				}
			}
			return
		}
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
	if !any {
		return
	}
	o := table[n.Op]
	if o.grad == nil {
		b.err = fmt.Errorf("graph.Gradients: %s: operator %s has no gradient", n.Name, n.Op)
		return
	}
	b.node = n
	for i, d := range o.grad(b, n, dy) {
		if d != nil && b.err == nil && b.needs(n.Inputs[i]) {
			b.add(n.Inputs[i], d)
		}
	}
}

// needs reports whether the gradient with respect to v is of use.
func (b *backward) needs(v *Value) bool { return v != nil && b.live[v] }

// add accumulates a gradient of v.
func (b *backward) add(v, d *Value) {
	if b.err != nil {
		return
	}
	if !d.Type.Shape.Equal(v.Type.Shape) {
		b.err = fmt.Errorf("graph.Gradients: gradient of %s has shape %s", v, d.Type.Shape)
		return
	}
	if have := b.grads[v]; have != nil {
		d = b.op("Add", "grad("+v.Name+")", nil, have, d)
	}
	b.grads[v] = d
}

// op appends a node named after the one whose rule is running.
func (b *backward) op(op, name string, attrs accel.Attrs, in ...*Value) *Value {
	if n := b.apply(op, name, attrs, in...); n != nil {
		return n.Outputs[0]
	}
	return nil
}

// apply is op for operators with several outputs; nil after an error.
func (b *backward) apply(op, name string, attrs accel.Attrs, in ...*Value) *Node {
	if b.err != nil {
		return nil
	}
	if name == "" {
		name = "grad(" + b.node.Name + ")"
	}
	n, err := b.g.ApplyNode(op, name, attrs, in...)
	if err != nil {
		b.err = err
	}
	return n
}

// ask returns an output that may have been left out.
func (b *backward) ask(n *Node, i int) *Value {
	if b.err != nil {
		return nil
	}
	v, err := b.g.Ask(n, i)
	if err != nil {
		b.err = err
	}
	return v
}

// zeros is a gradient of zeros for v.
func (b *backward) zeros(v *Value) *Value {
	zero := b.op("Constant", "zero", accel.Attrs{accel.Float("value_float", 0)})
	return b.op("Expand", "grad("+v.Name+")", accel.Attrs{accel.Ints("shape", v.Type.Shape...)}, zero)
}

// unbroadcast sums a gradient of shape d back to the shape of v, which was broadcast to it.
func (b *backward) unbroadcast(d, v *Value) *Value {
	if b.err != nil || d.Type.Shape.Equal(v.Type.Shape) {
		return d
	}
	from, to := d.Type.Shape, v.Type.Shape
	var axes []int
	for i := range from {
		if j := i - (len(from) - len(to)); j < 0 || to[j] != from[i] {
			axes = append(axes, i)
		}
	}
	d = b.op("ReduceSum", "", accel.Attrs{accel.Ints("axes", axes...), accel.Int("keepdims", 1)}, d)
	if len(from) == len(to) {
		return d
	}
	return b.reshape(d, to)
}

// reshape gives d the shape s, which has at most one N.
func (b *backward) reshape(d *Value, s Shape) *Value {
	return b.op("Reshape", "", accel.Attrs{accel.Ints("shape", s...)}, d)
}

// expand broadcasts d to the shape s.
func (b *backward) expand(d *Value, s Shape) *Value {
	return b.op("Expand", "", accel.Attrs{accel.Ints("shape", s...)}, d)
}

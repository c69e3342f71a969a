package graph

import (
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// fuseLayerNorm finds normalisations of the last dimensions that exporters write out:
//
//	LayerNormalization  d/√(mean(d²) + eps)·gain + bias with d = x - mean(x)
//	RMSNormalization    x/√(mean(x²) + eps)·gain
//
// where the root may be a power, and the division a product with the inverse. The
// kernels keep their sums in another order than the separate nodes.
func fuseLayerNorm(g *Graph) error {
	r := newRewriter(g)
	rule := func(n *Node) error {
		if m, ok := r.normalized(n); ok {
			return r.normalize(n, m)
		}
		return nil
	}
	err := r.sweep(map[string]func(*Node) error{"Div": rule, "Mul": rule})
	g.Prune()
	return err
}

// normMatch is a normalisation of x from an axis on.
type normMatch struct {
	x    *Value
	axis int
	eps  float64
	mean bool // x is centred first
}

// normalized matches d/√(mean(d²) + eps), of which no other node reads a part.
func (r *rewriter) normalized(n *Node) (m normMatch, ok bool) {
	if !n.Outputs[0].Type.DType.IsFloat() {
		return m, false
	}
	for i := range 2 {
		d, root := n.Inputs[1-i], n.Inputs[i]
		if r.reader(root) != n || n.Op == "Div" && i == 0 {
			continue
		}
		sum := r.rooted(root, n.Op == "Mul")
		if sum == nil || r.reader(sum) == nil || sum.Producer == nil || sum.Producer.Op != "Add" {
			continue
		}
		eps, variance, is := other(sum.Producer)
		if !is || r.reader(variance) == nil {
			continue
		}
		square, axis := meanOf(variance)
		if square == nil || r.reader(square) == nil || !isSquare(square, d) || !n.Outputs[0].Type.Shape.Equal(d.Type.Shape) || accel.Size(d.Type.Shape) == 0 {
			continue
		}
		return r.centred(n, normMatch{x: d, axis: axis, eps: eps}, square.Producer), true
	}
	return m, false
}

// rooted is u, if v is √u or, inverse, 1/√u, in whatever way it is written.
func (r *rewriter) rooted(v *Value, inverse bool) *Value {
	n := v.Producer
	if n == nil {
		return nil
	}
	switch {
	case n.Op == "Pow" && (!inverse && isScalar(n.Inputs[1], 0.5) || inverse && isScalar(n.Inputs[1], -0.5)):
		return n.Inputs[0]
	case n.Op == "Sqrt" && !inverse:
		return n.Inputs[0]
	case n.Op == "Reciprocal" && inverse && r.reader(n.Inputs[0]) != nil:
		return r.rooted(n.Inputs[0], false)
	case n.Op == "Div" && inverse && isScalar(n.Inputs[0], 1) && r.reader(n.Inputs[1]) != nil:
		return r.rooted(n.Inputs[1], false)
	}
	return nil
}

// meanOf is what v is the mean of, if over the last dimensions from axis on, which
// are kept; else nil.
func meanOf(v *Value) (x *Value, axis int) {
	if x = argument(v, "ReduceMean"); x == nil || len(v.Type.Shape) != len(x.Type.Shape) {
		return nil, 0
	}
	axes, err := (&Context{Node: v.Producer}).Ints(1)
	rank := len(x.Type.Shape)
	if err == nil {
		axes, err = axesOf(axes, rank)
	}
	if err != nil || len(axes) == 0 {
		return nil, 0
	}
	slices.Sort(axes)
	axis = rank - len(axes)
	if axes[0] != axis {
		return nil, 0
	}
	return x, axis
}

// isSquare reports whether v is d².
func isSquare(v, d *Value) bool {
	p := v.Producer
	return p != nil && (p.Op == "Mul" && p.Inputs[0] == d && p.Inputs[1] == d || p.Op == "Pow" && p.Inputs[0] == d && isScalar(p.Inputs[1], 2))
}

// centred notes that the x of a match is x - mean(x), if only the nodes n and
// square read it.
func (r *rewriter) centred(n *Node, m normMatch, square *Node) normMatch {
	p := m.x.Producer
	if p == nil || p.Op != "Sub" || r.output[m.x] {
		return m
	}
	for _, reader := range r.readers[m.x] {
		if reader != n && reader != square {
			return m
		}
	}
	if x, axis := meanOf(p.Inputs[1]); x == p.Inputs[0] && axis == m.axis {
		m.x, m.mean = x, true
	}
	return m
}

// normalize replaces node n, and the gain and bias after it if they are tensors of
// the last dimensions.
func (r *rewriter) normalize(n *Node, m normMatch) error {
	last := m.x.Type.Shape[m.axis:]
	at, gain, bias := n, (*Value)(nil), (*Value)(nil)
	if next := r.reader(n.Outputs[0]); next != nil && next.Op == "Mul" {
		if gain = lastBeside(next, n.Outputs[0], last); gain != nil {
			at = next
		}
	}
	if next := r.reader(at.Outputs[0]); next != nil && next.Op == "Add" && m.mean {
		if bias = lastBeside(next, at.Outputs[0], last); bias != nil {
			at = next
		}
	}
	attrs := accel.Attrs{accel.Int("axis", m.axis), accel.Float("epsilon", m.eps)}
	return r.swap(at, func(b *B) *Value {
		t := m.x.Type.DType
		if gain == nil {
			gain = b.filled(t, 1, last...)
		}
		if !m.mean {
			return b.Op("RMSNormalization", attrs, m.x, b.Reshape(gain, last...))
		}
		if bias == nil {
			bias = b.filled(t, 0, last...)
		}
		return b.Op("LayerNormalization", attrs, m.x, b.Reshape(gain, last...), b.Reshape(bias, last...))
	})
}

// lastBeside is the other input of a node whose result has v's shape, if it has the
// shape last, or ones before it; else nil.
func lastBeside(n *Node, v *Value, last Shape) *Value {
	w := beside(n, v)
	if w == nil || !n.Outputs[0].Type.Shape.Equal(v.Type.Shape) {
		return nil
	}
	s := w.Type.Shape
	if len(s) < len(last) || !s[len(s)-len(last):].Equal(last) || accel.Size(s) != accel.Size(last) {
		return nil
	}
	return w
}

// fuseSkipNorm makes one SkipLayerNormalization of a sum and the LayerNormalization
// of it over the last dimension; others may read the sum too. It rounds as
// the separate nodes do.
func fuseSkipNorm(g *Graph) error {
	r := newRewriter(g)
	err := r.each("LayerNormalization", func(n *Node) error { return fuseSkip(r, n) })
	g.Prune()
	return err
}

func fuseSkip(r *rewriter, n *Node) error {
	x := n.Inputs[0]
	add, rank := x.Producer, len(x.Type.Shape)
	axis := n.Attrs.Int("axis", -1)
	if add == nil || add.Op != "Add" || rank == 0 || axis != -1 && axis != rank-1 || r.output[x] || len(n.Inputs) != 3 || n.Input(2) == nil ||
		n.Inputs[1].Kind == Result || n.Inputs[2].Kind == Result || n.Attrs.Str("stash_type", "float32") != "float32" {
		return nil
	}
	last := x.Type.Shape[rank-1:]
	for _, v := range n.Inputs[1:] {
		if !v.Type.Shape.Equal(last) {
			return nil
		}
	}
	for _, v := range add.Inputs {
		if !v.Type.Shape.Equal(x.Type.Shape) {
			return nil
		}
	}
	attrs := accel.Attrs{accel.Float("epsilon", n.Attrs.Float("epsilon", 1e-5))}
	y, err := r.before(add, func(b *B) *Value {
		return b.Op("SkipLayerNormalization", attrs, add.Inputs[0], add.Inputs[1], n.Inputs[1], n.Inputs[2])
	})
	if err != nil {
		return err
	}
	return r.takeOver(n, add, y.Producer)
}

// takeOver makes by's outputs the results of a normalisation and of the sum before it.
func (r *rewriter) takeOver(norm, add, by *Node) error {
	old := append(slices.Clone(norm.Outputs), nil, nil, nil)[:3]
	old = append(old, nil)
	if len(r.readers[add.Outputs[0]]) > 1 {
		old[3] = add.Outputs[0]
	}
	for i, v := range old {
		if v == nil {
			continue
		}
		w, err := r.g.Ask(by, i)
		if err != nil {
			return err
		}
		w.Name, v.Name = v.Name, w.Name
		r.replace(v, w)
	}
	r.unread(norm)
	r.unread(add)
	return nil
}

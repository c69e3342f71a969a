package graph

import (
	"math"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// fuseConv takes padding with zeros into the convolution behind it, and makes one
// FusedConv of a convolution, a bias of one value a channel, a residual of its own
// shape, and a Relu or a Clip. It rounds as the separate nodes do.
func fuseConv(g *Graph) error {
	r := newRewriter(g)
	rules := map[string]func(*Node) error{"Conv": r.padConv, "Add": r.addToConv, "Relu": r.boundConv, "Clip": r.boundConv}
	err := r.sweep(rules)
	g.Prune()
	return err
}

// padConv pads in the convolution.
func (r *rewriter) padConv(n *Node) error {
	p := n.Inputs[0].Producer
	if p == nil || p.Op != "Pad" || !spelled(n) || p.Input(3) != nil || p.Attrs.Str("mode", "constant") != "constant" {
		return nil
	}
	if zero := p.Input(2); zero != nil && !isScalar(zero, 0) {
		return nil
	}
	before, rank := constInts(p.Inputs[1]), len(n.Inputs[0].Type.Shape)
	if len(before) != 2*rank || slices.Min(before) < 0 || before[0] != 0 || before[1] != 0 || before[rank] != 0 || before[rank+1] != 0 {
		return nil
	}
	pads := slices.Clone(n.Attrs.Ints("pads"))
	for d := range rank - 2 {
		pads[d] += before[2+d]
		pads[rank-2+d] += before[rank+2+d]
	}
	in := append([]*Value{p.Inputs[0]}, n.Inputs[1:]...)
	return r.swap(n, func(b *B) *Value { return b.Op("Conv", n.Attrs.With(accel.Ints("pads", pads...)), in...) })
}

// openConv is the convolution that computes v alone and has no activation yet.
func (r *rewriter) openConv(v *Value) *Node {
	p := r.producer(v, "Conv")
	if p == nil {
		p = r.producer(v, "FusedConv")
	}
	if p == nil || !v.Type.DType.IsFloat() || p.Attrs.Has("activation") {
		return nil
	}
	return p
}

// addToConv takes what is added as bias or as residual.
func (r *rewriter) addToConv(n *Node) error {
	y := n.Outputs[0].Type.Shape
	for i := range 2 {
		p, x := r.openConv(n.Inputs[i]), n.Inputs[1-i]
		if p == nil || p.Input(3) != nil || x == n.Inputs[i] || !y.Equal(n.Inputs[i].Type.Shape) {
			continue
		}
		if p.Input(2) == nil && accel.Size(x.Type.Shape) == y[1] && perChannel(x.Type.Shape, len(y), 1, y[1]) {
			return r.swap(n, func(b *B) *Value { return b.Op("FusedConv", p.Attrs, p.Inputs[0], p.Inputs[1], b.Reshape(x, y[1])) })
		}
		if x.Type.Shape.Equal(y) {
			return r.swap(n, func(b *B) *Value { return b.Op("FusedConv", p.Attrs, p.Inputs[0], p.Inputs[1], p.Input(2), x) })
		}
	}
	return nil
}

// boundConv takes the limits that a Relu or a Clip puts on what a convolution computes.
func (r *rewriter) boundConv(n *Node) error {
	p := r.openConv(n.Inputs[0])
	if p == nil {
		return nil
	}
	attrs := p.Attrs.With(accel.String("activation", n.Op))
	if n.Op == "Clip" {
		lo, hi := math.Inf(-1), math.Inf(1)
		for i, bound := range []*float64{&lo, &hi} {
			v := n.Input(1 + i)
			if s, ok := scalarOf(v); ok {
				*bound = s
			} else if v != nil {
				return nil
			}
		}
		if !(lo <= hi) {
			return nil
		}
		attrs = attrs.With(accel.Float("lo", lo)).With(accel.Float("hi", hi))
	}
	return r.swap(n, func(b *B) *Value { return b.Op("FusedConv", attrs, p.Inputs...) })
}

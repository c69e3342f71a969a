package graph

import (
	"math"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// fuseMatMul makes one FusedMatMul of a matrix product and what surrounds it: the
// transposes of its operands' last two dimensions, a scale of an operand or of the
// result, a bias of one value a column, a residual of its own shape, an activation. It
// rounds as the separate nodes do, but that a scale multiplies the sum.
func fuseMatMul(g *Graph) error {
	r := newRewriter(g)
	steps := []struct {
		op   string
		rule func(r *rewriter, n *Node) error
	}{
		{"MatMul", plainToFused}, {"FusedMatMul", fuseTransposes}, {"Transpose", fuseTransposed}, {"Mul", fuseScale}, {"Div", fuseScale},
		{"Add", fuseBias}, {"Add", fuseResidual},
		{"Relu", fuseActivation}, {"Gelu", fuseActivation}, {"Tanh", fuseActivation}, {"Sigmoid", fuseActivation}, {"Swish", fuseActivation},
	}
	for _, s := range steps {
		if err := r.each(s.op, func(n *Node) error { return s.rule(r, n) }); err != nil {
			return err
		}
	}
	g.Prune()
	return nil
}

func plainToFused(r *rewriter, n *Node) error {
	if len(n.Inputs[0].Type.Shape) < 2 || len(n.Inputs[1].Type.Shape) < 2 || !n.Outputs[0].Type.DType.IsFloat() {
		return nil
	}
	return r.swap(n, func(b *B) *Value { return b.Op("FusedMatMul", nil, n.Inputs...) })
}

// fuseTransposes reads an operand as its transpose instead of transposing it.
func fuseTransposes(r *rewriter, n *Node) error {
	in, attrs, changed := append([]*Value{}, n.Inputs...), n.Attrs, false
	for i, name := range []string{"transA", "transB"} {
		p := n.Inputs[i].Producer
		if p == nil || p.Op != "Transpose" || !swapsLastTwo(p) {
			continue
		}
		in[i], changed = p.Inputs[0], true
		t := 1 - attrs.Int(name, 0)
		if attrs = attrs.Without(name); t != 0 {
			attrs = attrs.With(accel.Int(name, 1))
		}
	}
	if !changed {
		return nil
	}
	return r.swap(n, func(b *B) *Value { return b.Op("FusedMatMul", attrs, in...) })
}

// fuseTransposed computes (a·b)ᵀ as bᵀ·aᵀ, which sums the same products in the same order.
func fuseTransposed(r *rewriter, n *Node) error {
	p := r.producer(n.Inputs[0], "FusedMatMul")
	if !plain(p) || !swapsLastTwo(n) || len(p.Inputs[0].Type.Shape) != 2 || len(p.Inputs[1].Type.Shape) != 2 {
		return nil
	}
	attrs := p.Attrs.Without("transA", "transB")
	if p.Attrs.Int("transB", 0) == 0 {
		attrs = attrs.With(accel.Int("transA", 1))
	}
	if p.Attrs.Int("transA", 0) == 0 {
		attrs = attrs.With(accel.Int("transB", 1))
	}
	return r.swap(n, func(b *B) *Value { return b.Op("FusedMatMul", attrs, p.Inputs[1], p.Inputs[0]) })
}

func swapsLastTwo(n *Node) bool {
	perm := n.Attrs.Ints("perm")
	r := len(n.Inputs[0].Type.Shape)
	if perm == nil {
		return r == 2
	}
	for i, p := range perm[:max(0, r-2)] {
		if p != i {
			return false
		}
	}
	return r >= 2 && perm[r-2] == r-1 && perm[r-1] == r-2
}

// plain reports whether a product has neither bias, residual nor activation yet.
func plain(n *Node) bool {
	return n != nil && n.Input(2) == nil && n.Input(3) == nil && !n.Attrs.Has("activation")
}

// fuseScale takes a constant factor of the product, or one of its operands, into alpha.
func fuseScale(r *rewriter, n *Node) error {
	s, x, ok := factor(n)
	if !ok || !n.Outputs[0].Type.DType.IsFloat() || !n.Outputs[0].Type.Shape.Equal(x.Type.Shape) {
		return nil
	}
	if p := r.producer(x, "FusedMatMul"); plain(p) {
		if attrs, ok := scaledBy(p, s); ok {
			return r.swap(n, func(b *B) *Value { return b.Op("FusedMatMul", attrs, p.Inputs...) })
		}
	}
	p := r.reader(n.Outputs[0])
	if p == nil || p.Op != "FusedMatMul" || p.Input(2) == n.Outputs[0] || p.Input(3) == n.Outputs[0] || p.Inputs[0] == p.Inputs[1] {
		return nil
	}
	in := slices.Clone(p.Inputs)
	for i := range 2 {
		if in[i] == n.Outputs[0] {
			in[i] = x
		}
	}
	if attrs, ok := scaledBy(p, s); ok {
		return r.swap(p, func(b *B) *Value { return b.Op("FusedMatMul", attrs, in...) })
	}
	return nil
}

// scaledBy is the attributes of a product with alpha multiplied by s, unless that
// leaves the range of float32.
func scaledBy(p *Node, s float64) (accel.Attrs, bool) {
	alpha := s * p.Attrs.Float("alpha", 1)
	a := math.Abs(alpha)
	return p.Attrs.With(accel.Float("alpha", alpha)), a > 1e-30 && a < 1e30
}

// factor is the constant that a Mul or Div multiplies x by.
func factor(n *Node) (s float64, x *Value, ok bool) {
	if n.Op == "Mul" {
		return other(n)
	}
	s, ok = scalarOf(n.Inputs[1])
	return 1 / s, n.Inputs[0], ok
}

// fuseBias adds a bias that is constant along all dimensions but the last.
func fuseBias(r *rewriter, n *Node) error {
	for i := range 2 {
		p, bias := r.producer(n.Inputs[i], "FusedMatMul"), n.Inputs[1-i]
		if !plain(p) || !n.Outputs[0].Type.Shape.Equal(p.Outputs[0].Type.Shape) {
			continue
		}
		s, y := bias.Type.Shape, n.Outputs[0].Type.Shape
		cols := y[len(y)-1]
		if len(s) == 0 || s[len(s)-1] != cols || accel.Size(s) != cols || bias.Producer != nil && bias.Producer == p {
			continue
		}
		return r.swap(n, func(b *B) *Value {
			return b.Op("FusedMatMul", p.Attrs, p.Inputs[0], p.Inputs[1], b.Reshape(bias, cols))
		})
	}
	return nil
}

// fuseResidual adds a tensor of the product's shape, if it is computed before.
func fuseResidual(r *rewriter, n *Node) error {
	for i := range 2 {
		p, x := r.producer(n.Inputs[i], "FusedMatMul"), n.Inputs[1-i]
		if p == nil || p.Input(3) != nil || p.Attrs.Has("activation") || !x.Type.Shape.Equal(p.Outputs[0].Type.Shape) || x == n.Inputs[i] {
			continue
		}
		return r.swap(n, func(b *B) *Value { return b.Op("FusedMatMul", p.Attrs, p.Inputs[0], p.Inputs[1], p.Input(2), x) })
	}
	return nil
}

func fuseActivation(r *rewriter, n *Node) error {
	p := r.producer(n.Inputs[0], "FusedMatMul")
	if p == nil || p.Attrs.Has("activation") || !n.Outputs[0].Type.DType.IsFloat() || n.Outputs[0].Type.DType == accel.Float64 {
		return nil
	}
	name := n.Op
	if name == "Swish" {
		if name = "Silu"; n.Attrs.Float("alpha", 1) != 1 {
			return nil
		}
	}
	if name == "Gelu" && n.Attrs.Str("approximate", "none") == "tanh" {
		name = "GeluTanh"
	}
	return r.swap(n, func(b *B) *Value {
		return b.Op("FusedMatMul", p.Attrs.With(accel.String("activation", name)), p.Inputs...)
	})
}

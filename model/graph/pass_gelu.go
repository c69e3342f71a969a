package graph

import (
	"math"

	"github.com/millrace-go/millrace/accel"
)

// fuseGelu finds the activations that exporters write out,
//
//	Gelu  x·½·(1 + erf(x/√2)), and with approximate=tanh ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))
//	Silu  x·sigmoid(x)
//
// in any order of the factors. The kernels round once where the separate
// nodes round at every step.
func fuseGelu(g *Graph) error {
	r := newRewriter(g)
	err := r.each("Mul", func(n *Node) error {
		if len(r.readers[n.Outputs[0]]) == 1 && r.readers[n.Outputs[0]][0].Op == "Mul" && !r.output[n.Outputs[0]] {
			return nil // the product goes on
		}
		factors, scale := r.factors(n)
		if x := geluOf(factors, scale, erfFactor); x != nil {
			return r.swap(n, func(b *B) *Value { return b.Op("Gelu", nil, x) })
		}
		if x := geluOf(factors, scale, tanhFactor); x != nil {
			return r.swap(n, func(b *B) *Value { return b.Op("Gelu", accel.Attrs{accel.String("approximate", "tanh")}, x) })
		}
		if x := siluOf(factors, scale); x != nil {
			return r.swap(n, func(b *B) *Value { return b.Op("Swish", nil, x) })
		}
		return nil
	})
	g.Prune()
	return err
}

// factors multiplies out a product: what is multiplied, and the constants among it.
func (r *rewriter) factors(n *Node) (list []*Value, scale float64) {
	scale = 1
	for _, v := range n.Inputs {
		if s, ok := scalarOf(v); ok {
			scale *= s
			continue
		}
		if p := r.producer(v, "Mul"); p != nil {
			inner, s := r.factors(p)
			list, scale = append(list, inner...), scale*s
			continue
		}
		list = append(list, v)
	}
	return list, scale
}

// geluOf is x, if the factors are x and 1+f(x) with a scale of one half.
func geluOf(factors []*Value, scale float64, factor func(*Value) *Value) *Value {
	if len(factors) != 2 || float32(scale) != 0.5 {
		return nil
	}
	for i := range 2 {
		if x := factor(factors[i]); x != nil && x == factors[1-i] {
			return x
		}
	}
	return nil
}

func siluOf(factors []*Value, scale float64) *Value {
	if len(factors) != 2 || scale != 1 {
		return nil
	}
	for i := range 2 {
		if x := argument(factors[i], "Sigmoid"); x != nil && x == factors[1-i] {
			return x
		}
	}
	return nil
}

// argument is the input of the node of operator op that computes v, or nil.
func argument(v *Value, op string) *Value {
	if v == nil || v.Producer == nil || v.Producer.Op != op {
		return nil
	}
	return v.Producer.Inputs[0]
}

// onePlus is u, if v is 1 + u.
func onePlus(v *Value) *Value {
	if v.Producer == nil || v.Producer.Op != "Add" {
		return nil
	}
	if s, u, ok := other(v.Producer); ok && s == 1 {
		return u
	}
	return nil
}

// erfFactor is x, if v is 1 + erf(x/√2).
func erfFactor(v *Value) *Value {
	u := argument(onePlus(v), "Erf")
	if u == nil || u.Producer == nil {
		return nil
	}
	switch p := u.Producer; p.Op {
	case "Div":
		if isScalar(p.Inputs[1], math.Sqrt2) {
			return p.Inputs[0]
		}
	case "Mul":
		if s, x, ok := other(p); ok && near(s, 1/math.Sqrt2) {
			return x
		}
	}
	return nil
}

// near allows for constants that were rounded to float32, or written with a few digits.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-6*math.Abs(b) }

// tanhFactor is x, if v is 1 + tanh(√(2/π)·(x + 0.044715·x³)).
func tanhFactor(v *Value) *Value {
	u := argument(onePlus(v), "Tanh")
	if u == nil || u.Producer == nil || u.Producer.Op != "Mul" {
		return nil
	}
	s, sum, ok := other(u.Producer)
	if !ok || !near(s, math.Sqrt(2/math.Pi)) || sum.Producer == nil || sum.Producer.Op != "Add" {
		return nil
	}
	for i := range 2 {
		x, cubic := sum.Producer.Inputs[i], sum.Producer.Inputs[1-i]
		if cubic.Producer == nil || cubic.Producer.Op != "Mul" {
			continue
		}
		if c, cube, ok := other(cubic.Producer); ok && near(c, 0.044715) && isCube(cube, x) {
			return x
		}
	}
	return nil
}

// isCube reports whether v is x³, as a power or as products.
func isCube(v, x *Value) bool {
	p := v.Producer
	if p == nil {
		return false
	}
	if p.Op == "Pow" {
		return p.Inputs[0] == x && isScalar(p.Inputs[1], 3)
	}
	if p.Op != "Mul" {
		return false
	}
	for i := range 2 {
		q := p.Inputs[1-i].Producer
		if p.Inputs[i] == x && q != nil && (q.Op == "Mul" && q.Inputs[0] == x && q.Inputs[1] == x || q.Op == "Pow" && q.Inputs[0] == x && isScalar(q.Inputs[1], 2)) {
			return true
		}
	}
	return false
}

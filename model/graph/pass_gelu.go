package graph

import (
	"math"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// fuseGelu finds the activations that exporters write out,
//
//	Gelu       x·½·(1 + erf(x/√2)), and with approximate=tanh ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))
//	Swish      x·sigmoid(alpha·x)
//	HardSwish  x·HardSigmoid(x), x·clip(x+3, 0, 6)/6
//	Mish       x·tanh(Softplus(x))
//
// with factors and terms in any order. The kernels round once where the separate
// nodes round at every step, and have the constants in full where those of the nodes are
// rounded to their type, or written with six digits.
func fuseGelu(g *Graph) error {
	r := newRewriter(g)
	rules := map[string]func(*Node) error{}
	for _, op := range []string{"Erf", "Tanh", "Sigmoid", "HardSigmoid", "Clip"} {
		rules[op] = r.gate
	}
	err := r.sweep(rules)
	g.Prune()
	return err
}

// cubic is a polynomial of x: the factors of 1, x, x² and x³.
type cubic [4]float64

func (p cubic) plus(q cubic, sign float64) cubic {
	for i := range p {
		p[i] += sign * q[i]
	}
	return p
}

// times multiplies; ok is false if the degree is more than 3.
func (p cubic) times(q cubic) (out cubic, ok bool) {
	for i, a := range p {
		for j, b := range q {
			if a == 0 || b == 0 {
				continue
			}
			if i+j > 3 {
				return out, false
			}
			out[i+j] += a * b
		}
	}
	return out, true
}

// is reports whether p is q, but for the rounding of constants of type t.
func (p cubic) is(t accel.DType, q cubic) bool {
	for i := range p {
		if !near(t, p[i], q[i]) {
			return false
		}
	}
	return true
}

// cubicOf writes v as a polynomial of x, through at most depth nodes.
func cubicOf(v, x *Value, depth int) (p cubic, ok bool) {
	if v == x {
		return cubic{0, 1}, true
	}
	if s, ok := scalarOf(v); ok {
		return cubic{s}, true
	}
	n := v.Producer
	if depth == 0 || n == nil || !slices.Contains([]string{"Add", "Sub", "Mul", "Div", "Pow", "Neg"}, n.Op) {
		return p, false
	}
	if p, ok = cubicOf(n.Inputs[0], x, depth-1); !ok {
		return p, false
	}
	if n.Op == "Neg" {
		return cubic{}.plus(p, -1), true
	}
	q, ok := cubicOf(n.Inputs[1], x, depth-1)
	if !ok {
		return p, false
	}
	constant := q == cubic{q[0]}
	switch {
	case n.Op == "Add":
		return p.plus(q, 1), true
	case n.Op == "Sub":
		return p.plus(q, -1), true
	case n.Op == "Mul":
		return p.times(q)
	case n.Op == "Div" && constant && q[0] != 0:
		return p.times(cubic{1 / q[0]})
	case n.Op == "Pow" && constant && (q[0] == 2 || q[0] == 3):
		power := p
		for range int(q[0]) - 1 {
			if power, ok = power.times(p); !ok {
				return p, false
			}
		}
		return power, true
	}
	return p, false
}

// variables lists what v may be a polynomial of: itself, and what it is computed
// from by arithmetic, near things first.
func variables(v *Value, depth int) []*Value {
	list := []*Value{v}
	for range depth {
		for _, w := range list {
			if n := w.Producer; n != nil && slices.Contains([]string{"Add", "Sub", "Mul", "Div", "Pow", "Neg"}, n.Op) {
				for _, in := range n.Inputs {
					if in.Kind != Const && !slices.Contains(list, in) {
						list = append(list, in)
					}
				}
			}
		}
	}
	return list
}

// geluDepth is how many nodes deep the argument of a gate may be: the longest
// is 2·(√(2/π)·(x + 0.044715·(x·(x·x)))).
const geluDepth = 6

// gate tries to make an activation x·f(…) of what surrounds a node f, whose
// argument is a polynomial of x.
func (r *rewriter) gate(f *Node) error {
	if !f.Outputs[0].Type.DType.IsFloat() {
		return nil
	}
	if x := argument(f.Inputs[0], "Softplus"); x != nil && f.Op == "Tanh" {
		return r.gated(f, x, []gateForm{{scale: cubic{0, 1}, op: "Mish"}})
	}
	for _, x := range variables(f.Inputs[0], geluDepth) {
		arg, ok := cubicOf(f.Inputs[0], x, geluDepth)
		if !ok {
			continue
		}
		was := len(r.g.Nodes)
		if err := r.gated(f, x, gateForms(f, arg)); err != nil || len(r.g.Nodes) != was {
			return err
		}
	}
	return nil
}

// gateForm is an activation scale·f + offset of a gate f, both polynomials of x.
type gateForm struct {
	scale, offset cubic
	op            string
	attrs         accel.Attrs
}

// gateForms lists the activations that a gate with this argument may belong to.
func gateForms(f *Node, arg cubic) []gateForm {
	t := f.Outputs[0].Type.DType
	x, half, sixth := cubic{0, 1}, cubic{0, 0.5}, cubic{0, 1.0 / 6}
	root := math.Sqrt(2 / math.Pi)
	bend := cubic{0, root, 0, root * 0.044715}
	tanh := accel.Attrs{accel.String("approximate", "tanh")}
	switch {
	case f.Op == "Erf" && arg.is(t, cubic{0, math.Sqrt2 / 2}):
		return []gateForm{{half, half, "Gelu", nil}}
	case f.Op == "Tanh" && arg.is(t, bend):
		return []gateForm{{half, half, "Gelu", tanh}}
	case f.Op == "Sigmoid" && arg.is(t, bend.plus(bend, 1)):
		return []gateForm{{x, cubic{}, "Gelu", tanh}}
	case f.Op == "Sigmoid" && arg == x:
		return []gateForm{{x, cubic{}, "Swish", nil}}
	case f.Op == "Sigmoid" && arg == cubic{0, arg[1]} && arg[1] != 0:
		return []gateForm{{x, cubic{}, "Swish", accel.Attrs{accel.Float("alpha", arg[1])}}}
	case f.Op == "HardSigmoid" && arg == x && near(t, f.Attrs.Float("alpha", 0.2), 1.0/6) && f.Attrs.Float("beta", 0.5) == 0.5:
		return []gateForm{{x, cubic{}, "HardSwish", nil}}
	case f.Op == "Clip" && arg == cubic{3, 1} && isScalar(f.Input(1), 0) && isScalar(f.Input(2), 6):
		return []gateForm{{sixth, cubic{}, "HardSwish", nil}}
	}
	return nil
}

// gated follows the only readers of f as long as what they compute is scale·f +
// offset, and replaces the first that is one of the forms.
func (r *rewriter) gated(f *Node, x *Value, forms []gateForm) error {
	v, scale, offset := f.Outputs[0], cubic{1}, cubic{}
	for len(forms) > 0 {
		n := r.reader(v)
		if n == nil || len(n.Inputs) != 2 || beside(n, v) == nil {
			return nil
		}
		p, ok := cubicOf(beside(n, v), x, geluDepth)
		if !ok {
			return nil
		}
		if scale, offset, ok = throughGate(n, v, p, scale, offset); !ok {
			return nil
		}
		v = n.Outputs[0]
		for _, form := range forms {
			if scale.is(v.Type.DType, form.scale) && offset.is(v.Type.DType, form.offset) && v.Type.Shape.Equal(x.Type.Shape) {
				return r.swap(n, func(b *B) *Value { return b.Op(form.op, form.attrs, x) })
			}
		}
	}
	return nil
}

// throughGate is what node n makes of v = scale·f + offset with the polynomial p,
// its other input.
func throughGate(n *Node, v *Value, p, scale, offset cubic) (cubic, cubic, bool) {
	switch {
	case n.Op == "Add":
		return scale, offset.plus(p, 1), true
	case n.Op == "Sub" && n.Inputs[0] == v:
		return scale, offset.plus(p, -1), true
	case n.Op == "Sub":
		return cubic{}.plus(scale, -1), p.plus(offset, -1), true
	case n.Op == "Div" && (n.Inputs[0] != v || p != cubic{p[0]} || p[0] == 0):
		return scale, offset, false
	case n.Op == "Div":
		p = cubic{1 / p[0]}
	case n.Op != "Mul":
		return scale, offset, false
	}
	s, ok := scale.times(p)
	o, ok2 := offset.times(p)
	return s, o, ok && ok2
}

package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// The optimizers of ai.onnx.preview.training take the learning rate r and the
// number t of updates before this one, both scalars, and then all weights, all
// their gradients and all their states, one kind after the other; they give the
// new weights and states in that order. A weight w first adds norm_coefficient·w
// to its gradient g.
var (
	// opAdagrad: h ← h + g², w ← w - r/(1+t·decay_factor)·g/(√h+epsilon). See Duchi et al., JMLR 12, 2011.
	opAdagrad = trainingOp("Adagrad", 1, adagradStep)
	// opAdam: v ← alpha·v + (1-alpha)·g, h ← beta·h + (1-beta)·g², w ← w -
	// r'·v/(√h+epsilon), where r' = r·√(1-betaᵗ)/(1-alphaᵗ), or r if t is 0; then w ←
	// (1-norm_coefficient_post)·w. See Kingma & Ba, https://arxiv.org/abs/1412.6980.
	opAdam = trainingOp("Adam", 2, adamStep)
	// opMomentum: v ← alpha·v + β·g, where β is beta, but 1 if t is 0; w ← w - r·v,
	// or with mode nesterov w - r·(g + alpha·v).
	opMomentum = trainingOp("Momentum", 1, momentumStep)
)

// updateStep is the update of one weight: the new weight, and the new states.
type updateStep func(b *B, n *Node, rate, count, w, g *Value, states []*Value) []*Value

func trainingOp(name string, states int, step updateStep) operator {
	kinds := 2 + states
	return operator{
		name: "ai.onnx.preview.training." + name, min: 2 + kinds, max: variadic, outs: variadic,
		shapes: func(c *Context) ([]Type, error) {
			count := (len(c.Inputs) - 2) / kinds
			if len(c.Inputs) != 2+kinds*count || c.Rank(0)+c.Rank(1) != 0 {
				return nil, fmt.Errorf("%d inputs, want two scalars and %d for each weight", len(c.Inputs), kinds)
			}
			if err := c.IsA(1, accel.Int64); err != nil {
				return nil, err
			}
			var out []Type
			for i := 2; i < len(c.Inputs); i++ {
				if !c.Has(i) || !slices.Equal(c.Shape(i), c.Shape(2+(i-2)%count)) || c.DType(i) != c.DType(2) {
					return nil, fmt.Errorf("input %d does not have the type of its weight", i)
				}
				if i < 2+count || i >= 2+2*count {
					out = append(out, Type{DType: c.DType(i), Shape: c.Shape(i)})
				}
			}
			return out, nil
		},
		expand: func(b *B, n *Node) []*Value {
			count := (len(n.Inputs) - 2) / kinds
			out := make([]*Value, count*(1+states))
			for i := range count {
				w := n.Inputs[2+i]
				g := b.Add(n.Inputs[2+count+i], b.Mul(w, b.Like(w, n.Attrs.Float("norm_coefficient", 0))))
				var old []*Value
				for s := range states {
					old = append(old, n.Inputs[2+(2+s)*count+i])
				}
				rate := b.Cast(n.Inputs[0], w.Type.DType)
				for s, v := range step(b, n, rate, b.Cast(n.Inputs[1], w.Type.DType), w, g, old) {
					out[s*count+i] = v
				}
			}
			return out
		},
	}
}

// blend is a·x + c·y.
func (b *B) blend(a float64, x *Value, c float64, y *Value) *Value {
	return b.Add(b.Mul(x, b.Like(x, a)), b.Mul(y, b.Like(y, c)))
}

func adagradStep(b *B, n *Node, rate, count, w, g *Value, states []*Value) []*Value {
	decayed := b.Div(rate, b.Add(b.Mul(count, b.Like(w, n.Attrs.Float("decay_factor", 0))), b.Like(w, 1)))
	h := b.Add(states[0], b.Mul(g, g))
	divisor := b.Add(b.Op("Sqrt", nil, h), b.Like(w, n.Attrs.Float("epsilon", 1e-6)))
	return []*Value{b.Sub(w, b.Div(b.Mul(decayed, g), divisor)), h}
}

func adamStep(b *B, n *Node, rate, count, w, g *Value, states []*Value) []*Value {
	alpha, beta := n.Attrs.Float("alpha", 0.9), n.Attrs.Float("beta", 0.999)
	v := b.blend(alpha, states[0], 1-alpha, g)
	h := b.blend(beta, states[1], 1-beta, b.Mul(g, g))
	rest := func(base float64) *Value { // 1 - baseᵗ
		return b.Sub(b.Like(w, 1), b.Op("Pow", nil, b.Like(w, base), count))
	}
	corrected := b.Div(b.Mul(rate, b.Op("Sqrt", nil, rest(beta))), rest(alpha))
	corrected = b.Op("Where", nil, b.Op("Greater", nil, count, b.Like(w, 0)), corrected, rate)
	divisor := b.Add(b.Op("Sqrt", nil, h), b.Like(w, n.Attrs.Float("epsilon", 1e-6)))
	next := b.Sub(w, b.Div(b.Mul(corrected, v), divisor))
	return []*Value{b.Mul(next, b.Like(w, 1-n.Attrs.Float("norm_coefficient_post", 0))), v, h}
}

func momentumStep(b *B, n *Node, rate, count, w, g *Value, states []*Value) []*Value {
	alpha := n.Attrs.Float("alpha", 0.9)
	beta := b.Op("Where", nil, b.Op("Greater", nil, count, b.Like(w, 0)), b.Like(w, n.Attrs.Float("beta", 1)), b.Like(w, 1))
	v := b.Add(b.Mul(states[0], b.Like(w, alpha)), b.Mul(g, beta))
	step := v
	if n.Attrs.Str("mode", "standard") == "nesterov" {
		step = b.Add(g, b.Mul(v, b.Like(w, alpha)))
	}
	return []*Value{b.Sub(w, b.Mul(rate, step)), v}
}

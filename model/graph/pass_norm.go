package graph

import (
	"github.com/millrace-go/millrace/accel"
)

// fuseLayerNorm finds LayerNormalization over the last axis, as exporters wrote
// it before there was the operator:
//
//	d = x - mean(x);  y = d/√(mean(d²) + eps)·gain + bias
//
// The kernel keeps its sums in another order than the separate nodes.
func fuseLayerNorm(g *Graph) error {
	r := newRewriter(g)
	err := r.each("Div", func(n *Node) error {
		x, eps, ok := normalized(n)
		if !ok {
			return nil
		}
		return r.layerNorm(n, x, eps)
	})
	g.Prune()
	return err
}

// normalized matches d/√(mean(d²) + eps) and returns x.
func normalized(n *Node) (x *Value, eps float64, ok bool) {
	d := n.Inputs[0]
	sum := argument(n.Inputs[1], "Sqrt")
	if d.Producer == nil || d.Producer.Op != "Sub" || sum == nil || sum.Producer == nil || sum.Producer.Op != "Add" {
		return nil, 0, false
	}
	eps, variance, is := other(sum.Producer)
	if !is || !isSquare(meanOfLast(variance), d) {
		return nil, 0, false
	}
	x = d.Producer.Inputs[0]
	if meanOfLast(d.Producer.Inputs[1]) != x || len(x.Type.Shape) == 0 || x.Type.DType != accel.Float32 {
		return nil, 0, false
	}
	return x, eps, true
}

// meanOfLast is what v is the mean of, if over the last axis, which is kept; else nil.
func meanOfLast(v *Value) *Value {
	x := argument(v, "ReduceMean")
	if x == nil || len(v.Type.Shape) != len(x.Type.Shape) {
		return nil
	}
	axes, err := (&Context{Node: v.Producer}).Ints(1)
	last := len(x.Type.Shape) - 1
	if err != nil || len(axes) != 1 || axes[0] != -1 && axes[0] != last {
		return nil
	}
	return x
}

// isSquare reports whether v is d².
func isSquare(v, d *Value) bool {
	if v == nil || v.Producer == nil {
		return false
	}
	p := v.Producer
	return p.Op == "Mul" && p.Inputs[0] == d && p.Inputs[1] == d || p.Op == "Pow" && p.Inputs[0] == d && isScalar(p.Inputs[1], 2)
}

// layerNorm replaces the division, and the gain and bias after it if they are
// vectors of the last axis.
func (r *rewriter) layerNorm(n *Node, x *Value, eps float64) error {
	cols := x.Type.Shape[len(x.Type.Shape)-1]
	at, gain, bias := n, (*Value)(nil), (*Value)(nil)
	if m := r.reader(n.Outputs[0]); m != nil && m.Op == "Mul" {
		if gain = vectorBeside(m, n.Outputs[0], cols); gain != nil {
			at = m
			if a := r.reader(m.Outputs[0]); a != nil && a.Op == "Add" {
				if bias = vectorBeside(a, m.Outputs[0], cols); bias != nil {
					at = a
				}
			}
		}
	}
	return r.swap(at, func(b *B) *Value {
		if gain == nil {
			gain = b.Const(filled(cols, 1))
		}
		if bias == nil {
			bias = b.Const(filled(cols, 0))
		}
		gain, bias = b.Reshape(gain, cols), b.Reshape(bias, cols)
		return b.Op("LayerNormalization", accel.Attrs{accel.Int("axis", -1), accel.Float("epsilon", eps)}, x, gain, bias)
	})
}

// vectorBeside is the other input of a node, if it is a vector of the last axis.
func vectorBeside(n *Node, v *Value, cols int) *Value {
	w := n.Inputs[0]
	if w == v {
		w = n.Inputs[1]
	}
	s := w.Type.Shape
	if w == v || len(s) == 0 || s[len(s)-1] != cols || accel.Size(s) != cols {
		return nil
	}
	return w
}

// filled is a vector of n times v.
func filled(n int, v float32) *accel.Array {
	a := accel.NewArray(accel.Float32, n)
	for i := range accel.Values[float32](a) {
		accel.Values[float32](a)[i] = v
	}
	return a
}

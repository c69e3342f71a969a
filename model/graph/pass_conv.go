package graph

import (
	"math"

	"github.com/millrace-go/millrace/accel"
)

// foldBatchNorm folds a BatchNormalization with constant statistics into the
// constant weights of the convolution before it. It computes in float64 and rounds
// once, where the separate nodes round at every step.
func foldBatchNorm(g *Graph) error {
	r := newRewriter(g)
	err := r.each("BatchNormalization", func(n *Node) error {
		if n.Attrs.Bool("training_mode", false) {
			return nil
		}
		p := r.producer(n.Inputs[0], "Conv")
		if p == nil || !allConst(n.Inputs[1:]) || !allConst(p.Inputs[1:]) || p.Inputs[1].Type.DType != accel.Float32 || n.Inputs[1].Type.DType != accel.Float32 {
			return nil
		}
		w, bias := foldedWeights(n, p)
		return r.swap(n, func(b *B) *Value { return b.Op("Conv", p.Attrs, p.Inputs[0], b.Const(w), b.Const(bias)) })
	})
	g.Prune()
	return err
}

func allConst(vs []*Value) bool {
	for _, v := range vs {
		if v != nil && v.Kind != Const {
			return false
		}
	}
	return true
}

// foldedWeights scales each filter by gain/√(variance+epsilon) and moves the bias.
func foldedWeights(n, conv *Node) (w, bias *accel.Array) {
	stat := func(i int) []float32 { return accel.Values[float32](n.Inputs[i].Data) }
	gain, shift, mean, variance := stat(1), stat(2), stat(3), stat(4)
	eps := n.Attrs.Float("epsilon", 1e-5)
	old := accel.Values[float32](conv.Inputs[1].Data)
	w, bias = accel.NewArray(accel.Float32, conv.Inputs[1].Data.Shape...), accel.NewArray(accel.Float32, len(gain))
	each := len(old) / max(1, len(gain))
	for c := range gain {
		scale := float64(gain[c]) / math.Sqrt(float64(variance[c])+eps)
		for i := c * each; i < (c+1)*each; i++ {
			accel.Values[float32](w)[i] = float32(float64(old[i]) * scale)
		}
		b := 0.0
		if conv.Input(2) != nil {
			b = float64(accel.Values[float32](conv.Inputs[2].Data)[c])
		}
		accel.Values[float32](bias)[c] = float32((b-float64(mean[c]))*scale + float64(shift[c]))
	}
	return w, bias
}

// fuseConv makes one FusedConv of a convolution, a residual of its own shape and
// a Relu. It rounds as the separate nodes do.
func fuseConv(g *Graph) error {
	r := newRewriter(g)
	if err := r.each("Add", func(n *Node) error { return fuseConvResidual(r, n) }); err != nil {
		return err
	}
	err := r.each("Relu", func(n *Node) error {
		for _, op := range []string{"Conv", "FusedConv"} {
			if p := r.producer(n.Inputs[0], op); p != nil && p.Outputs[0].Type.DType == accel.Float32 && !p.Attrs.Has("activation") {
				return r.swap(n, func(b *B) *Value {
					return b.Op("FusedConv", p.Attrs.With(accel.String("activation", "Relu")), p.Inputs...)
				})
			}
		}
		return nil
	})
	g.Prune()
	return err
}

func fuseConvResidual(r *rewriter, n *Node) error {
	for i := range 2 {
		p, x := r.producer(n.Inputs[i], "Conv"), n.Inputs[1-i]
		if p == nil || p.Outputs[0].Type.DType != accel.Float32 || !x.Type.Shape.Equal(p.Outputs[0].Type.Shape) || !x.Type.Shape.Equal(n.Outputs[0].Type.Shape) || x == n.Inputs[i] {
			continue
		}
		return r.swap(n, func(b *B) *Value { return b.Op("FusedConv", p.Attrs, p.Inputs[0], p.Inputs[1], p.Input(2), x) })
	}
	return nil
}

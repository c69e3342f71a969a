package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opGemm is y = alpha·op(a)·op(b) + beta·c for matrices; the attributes transA
// and transB transpose, c broadcasts to y.
var opGemm = operator{
	name: "Gemm", in: floats(3), required: 2,
	shapes: func(n *Node) ([]Type, error) {
		a, b := n.shape(0), n.shape(1)
		if len(a) != 2 || len(b) != 2 {
			return nil, fmt.Errorf("%s times %s, want two matrices", a, b)
		}
		m, k := flip(a, n.Attrs.Int("transA", 0))
		kb, cols := flip(b, n.Attrs.Int("transB", 0))
		if k != kb {
			return nil, fmt.Errorf("inner dimensions of %s and %s differ (transA=%d, transB=%d)", a, b, n.Attrs.Int("transA", 0), n.Attrs.Int("transB", 0))
		}
		y := Shape{m, cols}
		if c := n.input(2); c != nil {
			if s, err := broadcast(c.Type.Shape, y); err != nil || !s.Equal(y) {
				return nil, fmt.Errorf("bias %s does not broadcast to %s", c.Type.Shape, y)
			}
		}
		return f32(y), nil
	},
	grad: gemmGrad,
	flops: func(n *Node, batch int) Cost {
		_, k := flip(n.shape(0).At(batch), n.Attrs.Int("transA", 0))
		return Cost{MACs: int64(n.Outputs[0].Type.Shape.Len(batch)) * int64(k)}
	},
}

func flip(s []int, t int) (int, int) {
	if t != 0 {
		return s[1], s[0]
	}
	return s[0], s[1]
}

// gemmGrad: with y = op(a)·op(b), d op(a) = dy·op(b)ᵀ and d op(b) = op(a)ᵀ·dy.
func gemmGrad(b *backward, n *Node, dy []*Value) []*Value {
	a, w := n.Inputs[0], n.Inputs[1]
	ta, tb := n.Attrs.Int("transA", 0), n.Attrs.Int("transB", 0)
	alpha := n.Attrs.Float("alpha", 1)
	prod := func(x, y *Value, tx, ty int) *Value {
		return b.op("Gemm", "", gemmAttrs(alpha, tx, ty), x, y)
	}
	out := make([]*Value, 3)
	if b.needs(a) && ta == 0 {
		out[0] = prod(dy[0], w, 0, 1-tb)
	} else if b.needs(a) {
		out[0] = prod(w, dy[0], tb, 1)
	}
	if b.needs(w) && tb == 0 {
		out[1] = prod(a, dy[0], 1-ta, 0)
	} else if b.needs(w) {
		out[1] = prod(dy[0], a, 1, ta)
	}
	if c := n.input(2); b.needs(c) {
		d := dy[0]
		if beta := n.Attrs.Float("beta", 1); beta != 1 {
			d = b.op("Mul", "", nil, d, b.op("Constant", "", accel.Attrs{accel.Float("value_float", beta)}))
		}
		out[2] = b.unbroadcast(d, c)
	}
	return out[:len(n.Inputs)]
}

// gemmAttrs leaves out what is at its default.
func gemmAttrs(alpha float64, ta, tb int) accel.Attrs {
	var at accel.Attrs
	if alpha != 1 {
		at = append(at, accel.Float("alpha", alpha))
	}
	if ta != 0 {
		at = append(at, accel.Int("transA", 1))
	}
	if tb != 0 {
		at = append(at, accel.Int("transB", 1))
	}
	return at
}

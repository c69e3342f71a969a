package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opGemm is y = alpha·op(a)·op(b) + beta·c for matrices; the attributes transA
// and transB transpose, c broadcasts to y.
var opGemm = operator{
	name: "Gemm", min: 2, max: 3,
	shapes: func(c *Context) ([]Type, error) {
		if err := c.Same(0, 1, 2); err != nil {
			return nil, err
		}
		if c.Rank(0) != 2 || c.Rank(1) != 2 {
			return nil, fmt.Errorf("%v times %v, want two matrices", c.Shape(0), c.Shape(1))
		}
		y, err := matmulShape(c.Shape(0), c.Shape(1), c.Attrs.Bool("transA", false), c.Attrs.Bool("transB", false))
		if err != nil {
			return nil, err
		}
		if c.Has(2) {
			if s, err := Broadcast(c.Shape(2), y); err != nil || !slices.Equal(s, y) {
				return nil, fmt.Errorf("bias %v does not broadcast to %v", c.Shape(2), y)
			}
		}
		return one(c.DType(0), y)
	},
	expand: gemmAsProduct,
	grad:   gemmGrad,
	macs:   matmulMACs,
}

// gemmAsProduct writes Gemm as a FusedMatMul, with the bias inside where it is a row.
func gemmAsProduct(b *B, n *Node) []*Value {
	beta := n.Attrs.Float("beta", 1)
	attrs := productAttrs(n.Attrs.Bool("transA", false), n.Attrs.Bool("transB", false), n.Attrs.Float("alpha", 1))
	x, y, c := n.Inputs[0], n.Inputs[1], n.Input(2)
	if c == nil || beta == 0 {
		return []*Value{b.Op("FusedMatMul", attrs, x, y)}
	}
	if beta != 1 {
		c = b.Mul(c, b.Like(c, beta))
	}
	if b.err != nil {
		return nil
	}
	cols := y.Type.Shape[1]
	if n.Attrs.Bool("transB", false) {
		cols = y.Type.Shape[0]
	}
	if s := c.Type.Shape; accel.Size(s) == cols && (len(s) == 0 || s[len(s)-1] == cols) {
		return []*Value{b.Op("FusedMatMul", attrs, x, y, b.Reshape(c, cols))}
	}
	return []*Value{b.Add(b.Op("FusedMatMul", attrs, x, y), c)}
}

func gemmGrad(b *backward, n *Node, dy []*Value) []*Value {
	out := matmulGrad(b, n.Inputs[0], n.Inputs[1], dy[0], n.Attrs.Bool("transA", false), n.Attrs.Bool("transB", false), n.Attrs.Float("alpha", 1))
	if c := n.Input(2); b.needs(c) {
		d := dy[0]
		if beta := n.Attrs.Float("beta", 1); beta != 1 {
			d = b.Mul(d, b.Like(d, beta))
		}
		out = append(out, b.unbroadcast(d, c))
	}
	return out
}

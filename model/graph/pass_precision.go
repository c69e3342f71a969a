package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// LowerPrecision makes the float32 matrix products of a concrete graph round
// their operands to bfloat16 or float16; sums, results and everything else stay
// float32, so parameters keep their precision while they are trained. It comes
// after the passes, where a program asks for it.
//
// A product's error is then, to first order, at most (2u + K·2^-24)·Σ|a·b|, with u =
// 2^-8 for bfloat16 and 2^-11 for float16; float16 operands beyond 65504 become
// infinite. Products of many matrices with as many others (those of attention)
// and products of less than lowestWork multiply-adds or with short sums are left
// as they are: they would be slower.
func (g *Graph) LowerPrecision(t accel.DType) error {
	if t == accel.Float32 {
		return nil
	}
	if !t.IsHalf() {
		return fmt.Errorf("graph.LowerPrecision: products in %s: %w", t, accel.ErrUnsupported)
	}
	r := newRewriter(g)
	if err := r.each("MatMul", func(n *Node) error { return plainToFused(r, n) }); err != nil {
		return fmt.Errorf("graph.LowerPrecision: %w", err)
	}
	g.Prune()
	for _, n := range g.Nodes {
		if n.Op == "FusedMatMul" && n.Outputs[0].Type.DType == accel.Float32 && paysLower(n) {
			n.Attrs = n.Attrs.With(accel.String("compute", t.String()))
		}
	}
	return nil
}

// What a product must have to be worth rounding its operands: measured on a CPU
// with the instruction, where it then takes half the time.
const (
	lowestWork = 1 << 20 // multiply-adds
	lowestSum  = 64      // terms of a sum
)

// paysLower reports whether a product is one of two matrices that are large enough.
func paysLower(n *Node) bool {
	b := n.Inputs[1].Type.Shape
	k, _ := lastTwo(b, n.Attrs.Bool("transB", false))
	return accel.Size(b[:len(b)-2]) == 1 && k >= lowestSum && matmulMACs(n) >= lowestWork
}

package graph

import (
	"fmt"
	"math"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opFlexAttention is attention whose scores and probabilities are changed by
// graphs of one input and one output, (B, H, S, T) each, where they are given:
//
//	probabilities = prob_mod(softmax(score_mod(scale·q·kᵀ))), y = probabilities·v
//
// q, k and v are as for FusedAttention, with four dimensions; scale is 1/√D by
// default. The scores are of type softmax_precision, by default float32, or
// float64 where q is.
var opFlexAttention = operator{
	name: "ai.onnx.preview.FlexAttention", min: 3,
	shapes: func(c *Context) ([]Type, error) {
		if err := c.IsA(0, floatTypes...); err != nil {
			return nil, err
		}
		if err := c.Same(0, 1, 2); err != nil {
			return nil, err
		}
		if c.Rank(0) != 4 {
			return nil, fmt.Errorf("q %v, want (B, H, S, D)", c.Shape(0))
		}
		a, err := attentionSizesOf(nil, c.Shape(0), c.Shape(1), c.Shape(2))
		if err != nil {
			return nil, err
		}
		return one(c.DType(0), a.result())
	},
	expand: func(b *B, n *Node) []*Value {
		q, k, v := n.Inputs[0], n.Inputs[1], n.Inputs[2]
		t := q.Type.DType
		precision, err := accel.ParseDType(n.Attrs.Str("softmax_precision", statType(t).String()))
		b.Fail(err)
		repeat := q.Type.Shape[1] / k.Type.Shape[1]
		k, v = b.repeatHeads(k, repeat), b.repeatHeads(v, repeat)
		scale := n.Attrs.Float("scale", 1/math.Sqrt(float64(q.Type.Shape[3])))
		scores := b.Op("FusedMatMul", accel.Attrs{accel.Int("transB", 1), accel.Float("alpha", scale)}, b.Cast(q, precision), b.Cast(k, precision))
		p := b.Op("Softmax", nil, b.inlined(n.Body("score_mod"), scores))
		p = b.inlined(n.Body("prob_mod"), p)
		return []*Value{b.Cast(b.MatMul(p, b.Cast(v, precision)), t)}
	},
}

// inlined applies a graph of one input and one output, which changes neither
// shape nor type, to x; no graph, no change.
func (b *B) inlined(body *Graph, x *Value) *Value {
	if body == nil || b.err != nil {
		return x
	}
	if len(body.Inputs) != 1 || len(body.Outputs) != 1 {
		b.Fail(fmt.Errorf("a graph of %d inputs and %d outputs, want one of each", len(body.Inputs), len(body.Outputs)))
		return nil
	}
	to := map[*Value]*Value{nil: nil, body.Inputs[0]: x}
	for _, c := range body.Consts {
		to[c] = b.Const(c.Data)
	}
	for _, n := range body.Nodes {
		b.inlineNode(n, to)
	}
	if b.err != nil {
		return nil
	}
	y := to[body.Outputs[0]]
	if y == nil || y.Type.DType != x.Type.DType || !slices.Equal(y.Type.Shape, x.Type.Shape) {
		b.Fail(fmt.Errorf("graph %s makes %v of %v, want the same type", body.Name, y, x))
	}
	return y
}

func (b *B) inlineNode(n *Node, to map[*Value]*Value) {
	if b.err != nil {
		return
	}
	var in []*Value
	for _, v := range n.Inputs {
		w, ok := to[v]
		if !ok {
			b.Fail(fmt.Errorf("%s reads %s, which is outside of its graph: %w", n.Name, v.Name, accel.ErrUnsupported))
			return
		}
		in = append(in, w)
	}
	if len(n.Graphs) > 0 {
		b.Fail(fmt.Errorf("%s in a graph that is an attribute: %w", n.Op, accel.ErrUnsupported))
		return
	}
	for i, v := range b.Ops(n.Op, len(n.Outputs), n.Attrs, in...) {
		to[n.Outputs[i]] = v
	}
	to[nil] = nil
}

package graph

import (
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// fuseQDQ computes quantized graphs on integers. It looks for
//
//   - products and convolutions of DequantizeLinear's results, with their bias, a Relu
//     and a QuantizeLinear behind them: QuantMatMul, QuantConv;
//   - MatMulInteger and ConvInteger whose sums are cast, scaled and biased: the same,
//     with the bits of the separate nodes;
//   - sums of two dequantized tensors that are quantized again: QuantAdd, with the same bits;
//   - moves of dequantized tensors, which become moves of bytes.
//
// The sums of a product are exact here and rounded there, so a code may differ by
// one where a value lies next to the middle of two codes. Convolutions run with
// channels last; the Transposes around them meet and vanish. In the end constants that were left
// quantized are folded.
func fuseQDQ(g *Graph) error {
	if !slices.ContainsFunc(g.Nodes, func(n *Node) bool {
		return n.Op == "DequantizeLinear" || n.Op == "MatMulInteger" || n.Op == "ConvInteger"
	}) {
		return nil
	}
	q := &quantizer{newRewriter(g)}
	rules := map[string]func(*Node) error{
		"MatMul": q.product, "FusedMatMul": q.product, "Conv": q.conv, "Mul": q.scaledSums,
		"Add": q.bias, "Relu": q.relu, "QuantizeLinear": q.quantize, "MaxPool": q.maxPool, "Pad": q.pad, "Slice": q.slice,
		"Reshape": q.move, "Transpose": q.move, "Squeeze": q.move, "Unsqueeze": q.move, "Flatten": q.move, "Gather": q.move, "Expand": q.move,
	}
	for _, n := range slices.Clone(g.Nodes) {
		rule := rules[n.Op]
		if rule == nil || len(n.Outputs) > 1 && q.used(n.Outputs[1]) || !q.used(n.Outputs[0]) {
			continue
		}
		if err := rule(n); err != nil {
			return err
		}
	}
	g.Prune()
	if err := foldRest(g); err != nil {
		return err
	}
	g.Prune()
	return nil
}

// foldRest computes what Bind left for this pass.
func foldRest(g *Graph) error {
	r := newRewriter(g)
	for _, n := range g.Nodes {
		o := table[n.Op]
		if o.random || len(n.Graphs) > 0 || len(n.Inputs) == 0 || len(n.Outputs) != 1 || !affordable(n, []Type{n.Outputs[0].Type}) {
			continue
		}
		out, err := Evaluate(n)
		if err != nil {
			return err
		}
		r.replace(n.Outputs[0], g.Const(n.Outputs[0].Name, out[0]))
	}
	return nil
}

type quantizer struct{ *rewriter }

func (q *quantizer) used(v *Value) bool { return v != nil && (len(q.readers[v]) > 0 || q.output[v]) }

// coded is a dequantized value: its codes, scale and zero point, which may be nil.
type coded struct{ codes, scale, zero *Value }

// coded finds what v is dequantized from: bytes with one constant scale.
func (q *quantizer) coded(v *Value) (coded, bool) {
	c, ok := dequantized(v)
	return c, ok && c.scale.Kind == Const && accel.Size(c.scale.Type.Shape) == 1 && (c.zero == nil || c.zero.Kind == Const)
}

func dequantized(v *Value) (coded, bool) {
	if v == nil || v.Producer == nil || v.Producer.Op != "DequantizeLinear" || v.Type.DType != accel.Float32 {
		return coded{}, false
	}
	n := v.Producer
	c := coded{n.Inputs[0], n.Inputs[1], n.Input(2)}
	return c, slices.Contains(bytes8, c.codes.Type.DType) && c.scale.Type.DType == accel.Float32 && n.Attrs.Int("block_size", 0) == 0
}

// weights is coded for constants whose scales are one, or one for each index of axis.
func weights(v *Value, axis int) (coded, bool) {
	c, ok := dequantized(v)
	if !ok || c.codes.Kind != Const || c.scale.Kind != Const || c.zero != nil && c.zero.Kind != Const {
		return c, false
	}
	if accel.Size(c.scale.Type.Shape) == 1 {
		return c, true
	}
	at, err := axisOf(v.Producer.Attrs.Int("axis", 1), len(v.Type.Shape))
	return c, err == nil && at == axis
}

// sameConst reports whether both are absent, or constants of the same type and bytes.
func sameConst(a, b *Value) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a == b || a.Kind == Const && b.Kind == Const && a.Type.DType == b.Type.DType && slices.Equal(a.Data.Data, b.Data.Data)
}

// product makes a QuantMatMul of a product of dequantized matrices.
func (q *quantizer) product(n *Node) error {
	a := n.Attrs
	x, ok := q.coded(n.Inputs[0])
	s := n.Inputs[1].Type.Shape
	if !ok || len(s) < 2 || len(n.Inputs[0].Type.Shape) < 2 || a.Bool("transA", false) || a.Float("alpha", 1) != 1 || n.Input(3) != nil || !reluOrNone(a) {
		return nil
	}
	columns := len(s) - 1
	if a.Bool("transB", false) {
		columns--
	}
	w, ok := weights(n.Inputs[1], columns)
	if !ok || len(s) > 2 && accel.Size(w.scale.Type.Shape) > 1 {
		if w, ok = q.coded(n.Inputs[1]); !ok {
			return nil
		}
	}
	return q.swap(n, func(b *B) *Value {
		return b.Op("QuantMatMul", a.Without("alpha", "transA"), x.codes, x.scale, b.zeroOf(x.codes, x.zero), w.codes, w.scale, w.zero, n.Input(2))
	})
}

func reluOrNone(a accel.Attrs) bool {
	act := a.Str("activation", "none")
	return act == "none" || act == "Relu"
}

// conv makes a QuantConv of a convolution of dequantized images.
func (q *quantizer) conv(n *Node) error {
	x, ok := q.coded(n.Inputs[0])
	w, ok2 := weights(n.Inputs[1], 0)
	if rank := len(n.Inputs[0].Type.Shape); !ok || !ok2 || rank > 5 || !spelled(n) {
		return nil
	}
	return q.swap(n, func(b *B) *Value {
		y := b.Op("QuantConv", n.Attrs, b.channelsLast(x.codes), x.scale, b.zeroOf(x.codes, x.zero), w.codes, w.scale, w.zero, n.Input(2))
		return b.channelsFirst(y)
	})
}

// lastPerm and firstPerm are the permutations between (N, C, d1, …) and (N, d1, …, C).
func lastPerm(rank int) []int {
	p := make([]int, rank)
	for i := range p {
		p[i] = i + 1
	}
	p[0], p[rank-1] = 0, 1
	return p
}

func firstPerm(rank int) []int {
	p := make([]int, rank)
	for i := range p {
		p[i] = i - 1
	}
	p[0], p[1] = 0, rank-1
	return p
}

// channelsLast moves the channels of images behind, or takes back that they were
// moved in front.
func (b *B) channelsLast(v *Value) *Value {
	if b.err != nil {
		return nil
	}
	if x := behind(v); x != nil {
		return x
	}
	return b.Transpose(v, lastPerm(len(v.Type.Shape))...)
}

func (b *B) channelsFirst(v *Value) *Value {
	if b.err != nil {
		return nil
	}
	return b.Transpose(v, firstPerm(len(v.Type.Shape))...)
}

// behind is what v was before its channels were moved in front, else nil.
func behind(v *Value) *Value {
	if p := v.Producer; len(v.Type.Shape) > 2 && p != nil && p.Op == "Transpose" && slices.Equal(p.Attrs.Ints("perm"), firstPerm(len(v.Type.Shape))) {
		return p.Inputs[0]
	}
	return nil
}

// scaledSums makes a product of sums that are cast to float32 and multiplied by the
// scale of x and those of w.
func (q *quantizer) scaledSums(n *Node) error {
	for i := range 2 {
		c, s := q.producer(n.Inputs[i], "Cast"), n.Inputs[1-i].Producer
		if c == nil || s == nil || s.Op != "Mul" || c.Outputs[0].Type.DType != accel.Float32 || !n.Outputs[0].Type.Shape.Equal(c.Outputs[0].Type.Shape) {
			continue
		}
		for k := range 2 {
			xs, ws := s.Inputs[k], s.Inputs[1-k]
			if accel.Size(xs.Type.Shape) != 1 || ws.Kind != Const || ws.Type.DType != accel.Float32 {
				continue
			}
			if m := q.producer(c.Inputs[0], "MatMulInteger"); m != nil && columnVector(ws, n.Outputs[0].Type.Shape) {
				return q.integerProduct(n, m, xs, ws)
			}
			if m := q.producer(c.Inputs[0], "ConvInteger"); m != nil && accel.Size(ws.Type.Shape) == 1 {
				return q.integerConv(n, m, xs, ws)
			}
		}
	}
	return nil
}

// columnVector reports whether v is one value, or one for each index of y's last dimension.
func columnVector(v *Value, y Shape) bool {
	s := v.Type.Shape
	return accel.Size(s) == 1 || len(s) > 0 && s[len(s)-1] == y[len(y)-1] && accel.Size(s) == s[len(s)-1]
}

// oneZero reports whether a zero point is absent or one value.
func oneZero(v *Value) bool { return v == nil || accel.Size(v.Type.Shape) == 1 }

func (q *quantizer) integerProduct(n, m *Node, xs, ws *Value) error {
	wz := m.Input(3)
	if !oneZero(m.Input(2)) || wz != nil && !columnVector(wz, n.Outputs[0].Type.Shape) || len(m.Inputs[0].Type.Shape) < 2 || len(m.Inputs[1].Type.Shape) != 2 {
		return nil
	}
	return q.swap(n, func(b *B) *Value {
		return b.Op("QuantMatMul", nil, m.Inputs[0], xs, b.zeroOf(m.Inputs[0], m.Input(2)), m.Inputs[1], b.flat(ws), b.flat(wz))
	})
}

// zeroOf is the zero point of codes, which is 0 where it is absent.
func (b *B) zeroOf(codes, zero *Value) *Value {
	if zero != nil {
		return zero
	}
	return b.Like(codes, 0)
}

// flat makes a vector of a value that may be absent.
func (b *B) flat(v *Value) *Value {
	if b.err != nil || v == nil {
		return v
	}
	return b.Reshape(v, accel.Size(v.Type.Shape))
}

func (q *quantizer) integerConv(n, m *Node, xs, ws *Value) error {
	w, wz := m.Inputs[1], m.Input(3)
	if w.Kind != Const || wz != nil && wz.Kind != Const || len(w.Type.Shape) > 5 || !spelled(m) {
		return nil
	}
	return q.swap(n, func(b *B) *Value {
		return b.channelsFirst(b.Op("QuantConv", m.Attrs, b.channelsLast(m.Inputs[0]), xs, b.zeroOf(m.Inputs[0], m.Input(2)), w, ws, wz))
	})
}

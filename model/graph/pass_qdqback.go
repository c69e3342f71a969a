package graph

import (
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// fused finds the QuantMatMul or QuantConv that computes v as float32, perhaps with
// its channels moved in front. Nobody else reads its result.
func (q *quantizer) fused(v *Value) *Node {
	n := q.producer(v, "QuantMatMul")
	if n == nil && v != nil && behind(v) != nil && q.reader(v) != nil {
		n = q.producer(behind(v), "QuantConv")
	}
	if n == nil || n.Input(7) != nil {
		return nil
	}
	return n
}

// refuse replaces node n, whose input is a fused operator's result, by that
// operator with other inputs or attributes.
func (q *quantizer) refuse(n, op *Node, attrs accel.Attrs, in ...*Value) error {
	return q.swap(n, func(b *B) *Value {
		y := b.Op(op.Op, attrs, in...)
		if op.Op == "QuantConv" {
			return b.channelsFirst(y)
		}
		return y
	})
}

// bias takes the bias behind a fused operator into it.
func (q *quantizer) bias(n *Node) error {
	for i := range 2 {
		op, bias := q.fused(n.Inputs[i]), n.Inputs[1-i]
		y := n.Outputs[0].Type.Shape
		if op == nil || op.Input(6) != nil || op.Attrs.Has("activation") || bias.Kind != Const || !y.Equal(n.Inputs[i].Type.Shape) {
			continue
		}
		channels := y[len(y)-1]
		if op.Op == "QuantConv" {
			channels = y[1]
			if s := bias.Type.Shape; len(s) < len(y)-1 || s[len(s)-len(y)+1] != channels {
				continue
			}
		} else if !columnVector(bias, y) {
			continue
		}
		if accel.Size(bias.Type.Shape) != channels {
			continue
		}
		in := slices.Clone(op.Inputs)
		for len(in) < 7 {
			in = append(in, nil)
		}
		in[6] = q.g.Const(bias.Name, &accel.Array{DType: bias.Type.DType, Shape: []int{channels}, Data: bias.Data.Data})
		return q.refuse(n, op, op.Attrs, in...)
	}
	return nil
}

func (q *quantizer) relu(n *Node) error {
	op := q.fused(n.Inputs[0])
	if op == nil || op.Attrs.Has("activation") {
		return nil
	}
	return q.refuse(n, op, op.Attrs.With(accel.String("activation", "Relu")), op.Inputs...)
}

// quantize makes integers of what is computed to be quantized.
func (q *quantizer) quantize(n *Node) error {
	scale, zero := n.Inputs[1], n.Input(2)
	if n.Inputs[0].Type.DType != accel.Float32 || scale.Kind != Const || accel.Size(scale.Type.Shape) != 1 || zero != nil && zero.Kind != Const ||
		!slices.Contains(bytes8, n.Outputs[0].Type.DType) || n.Attrs.Int("block_size", 0) != 0 || zero == nil && n.Outputs[0].Type.DType != accel.Uint8 {
		return nil
	}
	x := n.Inputs[0]
	if c, ok := q.coded(x); ok && sameConst(c.scale, scale) && sameConst(c.zero, zero) && c.codes.Type.DType == n.Outputs[0].Type.DType {
		if q.output[n.Outputs[0]] {
			return nil
		}
		q.unread(n)
		q.replace(n.Outputs[0], c.codes)
		return nil
	}
	if p := q.producer(x, "Relu"); p != nil && leastCode(zero) {
		x = p.Inputs[0] // what is less than 0 gets the least code anyway
		if q.reader(x) != p {
			x = n.Inputs[0]
		}
	}
	if op := q.fused(x); op != nil && (!op.Attrs.Has("activation") || leastCode(zero)) {
		in := append(slices.Clone(op.Inputs), nil, nil, nil)[:7]
		return q.refuse(n, op, op.Attrs, append(in, scale, zero)...)
	}
	if p := q.producer(x, "Add"); p != nil && zero != nil {
		return q.add(n, p)
	}
	return nil
}

func leastCode(zero *Value) bool {
	if zero == nil {
		return true
	}
	return zero.Data.Data[0] == map[accel.DType]byte{accel.Uint8: 0, accel.Int8: 0x80}[zero.Type.DType]
}

// add makes a QuantAdd of a sum p that node n quantizes.
func (q *quantizer) add(n, p *Node) error {
	x, ok := q.coded(p.Inputs[0])
	y, ok2 := q.coded(p.Inputs[1])
	if !ok || !ok2 || x.zero == nil || y.zero == nil || !x.codes.Type.Shape.Equal(y.codes.Type.Shape) {
		return nil
	}
	sum := func(b *B, a, c *Value) *Value {
		return b.Op("QuantAdd", nil, a, x.scale, x.zero, c, y.scale, y.zero, n.Inputs[1], n.Inputs[2])
	}
	return q.swap(n, func(b *B) *Value {
		if behind(x.codes) != nil && behind(y.codes) != nil {
			return b.channelsFirst(sum(b, behind(x.codes), behind(y.codes)))
		}
		return sum(b, x.codes, y.codes)
	})
}

// moved replaces node n, which moves dequantized elements, by DequantizeLinear of
// the codes that move makes.
func (q *quantizer) moved(n *Node, c coded, move func(b *B) *Value) error {
	return q.swap(n, func(b *B) *Value {
		return b.Op("DequantizeLinear", nil, move(b), c.scale, c.zero)
	})
}

func (q *quantizer) move(n *Node) error {
	c, ok := q.coded(n.Inputs[0])
	if !ok || c.codes.Kind == Const {
		return nil
	}
	in := append([]*Value{c.codes}, n.Inputs[1:]...)
	return q.moved(n, c, func(b *B) *Value { return b.Op(n.Op, n.Attrs, in...) })
}

// maxPool takes the maximum of codes: they are in the order of what they stand for. A
// window that lies in the padding wholly has none, but -Inf.
func (q *quantizer) maxPool(n *Node) error {
	c, ok := q.coded(n.Inputs[0])
	s := n.Inputs[0].Type.Shape
	if !ok || !spelled(n) || !(accel.View[float32](c.scale.Data.Data)[0] > 0) || !windowsInside(n.Attrs, s[2:]) {
		return nil
	}
	if x := behind(c.codes); x != nil && len(s) == 4 {
		return q.moved(n, c, func(b *B) *Value { return b.channelsFirst(b.Op("QuantMaxPool", n.Attrs, x)) })
	}
	return q.moved(n, c, func(b *B) *Value { return b.Op("MaxPool", n.Attrs, c.codes) })
}

// windowsInside reports whether no window lies in the padding wholly.
func windowsInside(a accel.Attrs, in []int) bool {
	w, err := windowOf(a, in, nil)
	if err != nil {
		return false
	}
	for d := range in {
		if w.begin[d] > (w.kernel[d]-1)*w.dilations[d] || (w.out[d]-1)*w.strides[d]-w.begin[d] >= in[d] {
			return false
		}
	}
	return true
}

// slice moves codes; where their channels are last, along other axes.
func (q *quantizer) slice(n *Node) error {
	c, ok := q.coded(n.Inputs[0])
	axes := n.Input(3)
	if !ok || behind(c.codes) == nil || axes == nil || axes.Kind != Const || axes.Type.DType != accel.Int64 {
		return q.move(n)
	}
	perm := firstPerm(len(n.Inputs[0].Type.Shape))
	var to []int
	for _, a := range accel.Values[int64](axes.Data) {
		at, err := axisOf(int(a), len(perm))
		if err != nil {
			return err
		}
		to = append(to, perm[at])
	}
	return q.moved(n, c, func(b *B) *Value {
		in := append([]*Value{behind(c.codes)}, n.Inputs[1:]...)
		in[3] = b.Ints(to...)
		return b.channelsFirst(b.Op("Slice", n.Attrs, in...))
	})
}

// pad pads codes by their zero point instead of values by 0.
func (q *quantizer) pad(n *Node) error {
	c, ok := q.coded(n.Inputs[0])
	pads := n.Inputs[1]
	if !ok || c.zero == nil || n.Attrs.Str("mode", "constant") != "constant" || n.Input(2) != nil && !isScalar(n.Input(2), 0) || n.Input(3) != nil ||
		pads.Kind != Const || pads.Type.DType != accel.Int64 {
		return nil
	}
	perm := firstPerm(max(2, len(n.Inputs[0].Type.Shape)))
	return q.moved(n, c, func(b *B) *Value {
		zero := b.Reshape(c.zero)
		x := behind(c.codes)
		if x == nil {
			return b.Op("Pad", n.Attrs, c.codes, pads, zero)
		}
		old := accel.Values[int64](pads.Data)
		to := make([]int, len(old))
		for d, p := range perm {
			to[p], to[len(perm)+p] = int(old[d]), int(old[len(perm)+d])
		}
		return b.channelsFirst(b.Op("Pad", n.Attrs, x, b.Ints(to...), zero))
	})
}

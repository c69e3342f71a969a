package graph

import (
	"math"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/extent"
)

// foldBatchNorm folds what follows a convolution or a product with constant weights,
// and is affine for each channel with constants, into weights and bias:
// BatchNormalization with given statistics, and Mul, Div, Add and Sub by a
// value a channel. It computes in float64 and rounds once, where the
// separate nodes round at every step; it leaves alone what would make weights or a
// bias beyond the range of their type.
func foldBatchNorm(g *Graph) error {
	r := newRewriter(g)
	rules := map[string]func(*Node) error{"BatchNormalization": r.foldAffine}
	for _, op := range []string{"Mul", "Div", "Add", "Sub"} {
		rules[op] = r.foldAffine
	}
	err := r.sweep(rules)
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

// linear is a convolution or product y = w·x + bias whose w and bias are constants.
type linear struct {
	*Node
	outs int // the axis of the outputs in w
	per  int // outputs that each index of that axis stands for: the groups of ConvTranspose
	at   int // the axis of the outputs in y
}

// linearOf finds the node that computes v alone, if it is linear.
func (r *rewriter) linearOf(v *Value) (l linear, ok bool) {
	n := v.Producer
	if n == nil || r.reader(v) == nil || !v.Type.DType.IsFloat() || len(n.Inputs) < 2 || !allConst(n.Inputs[1:]) || n.Input(3) != nil || n.Attrs.Has("activation") {
		return l, false
	}
	l = linear{Node: n, per: 1, at: len(v.Type.Shape) - 1}
	switch rank := len(n.Inputs[1].Type.Shape); n.Op {
	case "Conv", "FusedConv":
		l.at = 1
	case "ConvTranspose":
		l.outs, l.per, l.at = 1, n.Attrs.Int("group", 1), 1
	case "MatMul", "FusedMatMul":
		if rank != 2 || len(n.Inputs[0].Type.Shape) < 2 {
			return l, false
		}
		if l.outs = 1; n.Attrs.Bool("transB", false) {
			l.outs = 0
		}
	default:
		return l, false
	}
	return l, true
}

// foldAffine folds node n into what computes its input.
func (r *rewriter) foldAffine(n *Node) error {
	for i := range min(2, len(n.Inputs)) {
		l, ok := r.linearOf(n.Inputs[i])
		if !ok || i > 0 && (n.Op == "BatchNormalization" || n.Op == "Div") || !n.Outputs[0].Type.Shape.Equal(n.Inputs[i].Type.Shape) {
			continue
		}
		scale, shift, ok := affine(n, i, l)
		if !ok || l.Op == "FusedMatMul" && l.Attrs.Float("alpha", 1) != 1 {
			continue
		}
		w, bias := l.scaled(scale), l.shifted(scale, shift)
		t := l.Inputs[1].Type
		if !holds(t.DType, w) || !holds(t.DType, bias) {
			continue
		}
		return r.swap(n, func(b *B) *Value {
			in := []*Value{l.Inputs[0], l.Inputs[1], nil}
			if w != nil {
				in[1] = b.rounded(t.DType, w, t.Shape...)
			}
			if bias != nil {
				in[2] = b.rounded(t.DType, bias, len(bias))
			}
			op := l.Op
			if op == "MatMul" {
				op = "FusedMatMul"
			}
			return b.Op(op, l.Attrs, in...)
		})
	}
	return nil
}

// affine is the scale and the shift of each channel of l's result that node n
// applies to its input i.
func affine(n *Node, i int, l linear) (scale, shift []float64, ok bool) {
	y := n.Outputs[0].Type.Shape
	channels := y[l.at]
	if n.Op == "BatchNormalization" {
		if n.Attrs.Bool("training_mode", false) || l.at != 1 || !allConst(n.Inputs[1:]) {
			return nil, nil, false
		}
		for c := range channels {
			stat := func(i int) float64 { return extent.Float(n.Inputs[i].Data, c) }
			s := stat(1) / math.Sqrt(stat(4)+n.Attrs.Float("epsilon", 1e-5))
			scale, shift = append(scale, s), append(shift, stat(2)-stat(3)*s)
		}
		return scale, shift, true
	}
	c := n.Inputs[1-i]
	if c.Kind != Const || !perChannel(c.Type.Shape, len(y), l.at, channels) {
		return nil, nil, false
	}
	for j := range channels {
		v := extent.Float(c.Data, j%c.Data.Len())
		s, t := 1.0, 0.0
		switch n.Op {
		case "Mul":
			s = v
		case "Div":
			s = 1 / v
		case "Add":
			t = v
		case "Sub":
			if t = -v; i == 1 {
				s, t = -1, v
			}
		}
		if s-s != 0 || t-t != 0 {
			return nil, nil, false
		}
		scale, shift = append(scale, s), append(shift, t)
	}
	return scale, shift, true
}

// perChannel reports whether a shape broadcasts to one of a rank as one value, or as
// one for each of the channels of an axis.
func perChannel(s Shape, rank, axis, channels int) bool {
	n := accel.Size(s)
	if n == 1 {
		return true
	}
	d := axis - (rank - len(s))
	return n == channels && d >= 0 && s[d] == channels
}

// holds reports whether all values are in the range of a type.
func holds(t accel.DType, values []float64) bool {
	most := math.MaxFloat64
	switch t {
	case accel.Float32:
		most = math.MaxFloat32
	case accel.Float16:
		most = 65504
	case accel.BFloat16:
		most = 0x1.fep127
	}
	return !slices.ContainsFunc(values, func(v float64) bool { return !(math.Abs(v) <= most) })
}

// scaled is w with each output scaled; nil if it stays as it is.
func (l linear) scaled(scale []float64) []float64 {
	w := l.Inputs[1]
	if allOnes(scale) {
		return nil
	}
	s := w.Type.Shape
	out, inner := s[l.outs], accel.Size(s[l.outs+1:])
	group := s[0] / l.per // of ConvTranspose: the inputs of a group
	v := make([]float64, w.Data.Len())
	for i := range v {
		c := i / inner % out
		if l.per > 1 {
			c += i / (inner * out) / group * out
		}
		v[i] = extent.Float(w.Data, i) * scale[c]
	}
	return v
}

// shifted is the bias, scaled and shifted; nil if nothing is left of it.
func (l linear) shifted(scale, shift []float64) []float64 {
	old := l.Input(2)
	v, zero := make([]float64, len(scale)), old == nil
	for c := range v {
		if v[c] = shift[c]; old != nil {
			v[c] += extent.Float(old.Data, c) * scale[c]
		}
		zero = zero && v[c] == 0
	}
	if zero {
		return nil
	}
	return v
}

func allOnes(s []float64) bool {
	for _, v := range s {
		if v != 1 {
			return false
		}
	}
	return true
}

// rounded is a constant of float64 numbers as elements of another type.
func (b *B) rounded(t accel.DType, v []float64, shape ...int) *Value {
	if b.err != nil {
		return nil
	}
	a := accel.ArrayOf(accel.Float64, shape, v)
	if t == accel.Float64 {
		return b.Const(a)
	}
	out, err := b.G.evaluate("Cast", accel.Attrs{accel.String("to", t.String())}, a)
	if err != nil {
		b.Fail(err)
		return nil
	}
	return b.Const(out)
}

package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opConv convolves x (N, C, d1, …) with filters w (M, C/group, k1, …) and adds a
// bias (M). Attributes: auto_pad, dilations, group, kernel_shape, pads, strides.
var opConv = operator{
	name: "Conv", min: 2, max: 3, shapes: convRule, macs: convMACs,
	when:   func(n *Node) bool { return !spelled(n) },
	expand: spellConv,
	grad:   convGrad,
}

// opFusedConv is Conv plus a residual of y's shape, the fourth input, and the
// attribute activation: none, Relu, or Clip with the bounds lo and hi (-Inf and
// +Inf). Its attributes are all spelled out.
var opFusedConv = operator{name: "FusedConv", min: 2, max: 4, macs: convMACs, definition: spellFusedConv, shapes: func(c *Context) ([]Type, error) {
	types, err := convRule(c)
	if err == nil && c.Has(3) && !slices.Equal(c.Shape(3), types[0].Shape) {
		err = fmt.Errorf("residual %v for a result of %v", c.Shape(3), types[0].Shape)
	}
	return types, err
}}

// opConvTranspose is the gradient of Conv with respect to its input, as an
// operator: x (N, C, d1, …), w (C, M/group, k1, …), bias (M). Attributes: those of
// Conv, output_padding and output_shape.
var opConvTranspose = operator{
	name: "ConvTranspose", min: 2, max: 3, shapes: convTransposeRule,
	when: func(n *Node) bool { return !spelled(n) || n.Attrs.Ints("output_padding") == nil },
	expand: func(b *B, n *Node) []*Value {
		w, adj, err := transposedWindow(n.Attrs, n.Inputs[0].Type.Shape, n.Inputs[1].Type.Shape)
		b.Fail(err)
		return []*Value{b.Op("ConvTranspose", append(w.attrs(n.Attrs), accel.Ints("output_padding", adj...)), n.Inputs...)}
	},
	grad: convTransposeGrad,
	macs: func(n *Node) int64 {
		w := n.Inputs[1].Type.Shape
		return int64(accel.Size(n.Inputs[0].Type.Shape)) * int64(accel.Size(w[1:]))
	},
}

// The gradients of Conv, or with the attribute transposed of ConvTranspose, whose
// attributes they share. The shape of the result is a constant input.
var (
	// opConvDataGrad takes dy, w and the shape of x.
	opConvDataGrad = operator{name: "ConvDataGrad", grad: convDataGradGrad, min: 3, static: []int{2}, shapes: shapedBy(2), macs: func(n *Node) int64 {
		return gradMACs(n, n.Inputs[0], n.Inputs[1].Type.Shape)
	}}
	// opConvWeightsGrad takes dy, x and the shape of w.
	opConvWeightsGrad = operator{name: "ConvWeightsGrad", grad: convWeightsGradGrad, min: 3, static: []int{2}, shapes: shapedBy(2), macs: func(n *Node) int64 {
		return gradMACs(n, n.Inputs[0], n.Outputs[0].Type.Shape)
	}}
	// opConvBiasGrad sums dy over all but the channels.
	opConvBiasGrad = operator{name: "ConvBiasGrad", grad: convBiasGradGrad, min: 1, shapes: func(c *Context) ([]Type, error) {
		if c.Rank(0) < 2 {
			return nil, fmt.Errorf("%v has no channels", c.Shape(0))
		}
		return one(c.DType(0), c.Shape(0)[1:2])
	}}
)

func gradMACs(n *Node, dy *Value, w Shape) int64 {
	if n.Attrs.Bool("transposed", false) {
		return int64(accel.Size(dy.Type.Shape)) * int64(w[0]/max(1, n.Attrs.Int("group", 1))) * int64(accel.Size(w[2:]))
	}
	return int64(accel.Size(dy.Type.Shape)) * int64(accel.Size(w[1:]))
}

// shapedBy is the rule of operators whose result has the type of the first input
// and the shape that constant input i holds.
func shapedBy(i int) func(c *Context) ([]Type, error) {
	return func(c *Context) ([]Type, error) {
		s, err := c.Ints(i)
		if err != nil {
			return nil, err
		}
		return one(c.DType(0), s)
	}
}

func convRule(c *Context) ([]Type, error) {
	if err := c.Same(0, 1, 2, 3); err != nil {
		return nil, err
	}
	w := c.Shape(1)
	s, err := convShape(c.Attrs, c.Shape(0), w, c.Attrs.Int("group", 1))
	if err != nil {
		return nil, err
	}
	if c.Has(2) && !slices.Equal(c.Shape(2), w[:1]) {
		return nil, fmt.Errorf("bias %v, want [%d]", c.Shape(2), w[0])
	}
	return one(c.DType(0), s)
}

// convShape is the shape of the convolution of x with filters w.
func convShape(a accel.Attrs, x, w []int, group int) ([]int, error) {
	if len(x) < 3 || len(w) != len(x) || group < 1 || x[1] != w[1]*group || w[0]%group != 0 {
		return nil, fmt.Errorf("images %v and filters %v in %d groups, want (N, C, d1, …) and (M, C/group, k1, …)", x, w, group)
	}
	win, err := windowOf(a, x[2:], w[2:])
	if err != nil {
		return nil, err
	}
	return append([]int{x[0], w[0]}, win.out...), nil
}

func convMACs(n *Node) int64 {
	return int64(accel.Size(n.Outputs[0].Type.Shape)) * int64(accel.Size(n.Inputs[1].Type.Shape[1:]))
}

// spellConv writes a convolution with its attributes in full.
func spellConv(b *B, n *Node) []*Value {
	win, err := windowOf(n.Attrs, n.Inputs[0].Type.Shape[2:], n.Inputs[1].Type.Shape[2:])
	b.Fail(err)
	return []*Value{b.Op(n.Op, win.attrs(n.Attrs), n.Inputs...)}
}

func convGrad(b *backward, n *Node, dy []*Value) []*Value {
	x, w := n.Inputs[0], n.Inputs[1]
	win, err := windowOf(n.Attrs, x.Type.Shape[2:], w.Type.Shape[2:])
	b.Fail(err)
	return b.convGrads(n, dy[0], win.attrs(n.Attrs))
}

func convTransposeGrad(b *backward, n *Node, dy []*Value) []*Value {
	w, adj, err := transposedWindow(n.Attrs, n.Inputs[0].Type.Shape, n.Inputs[1].Type.Shape)
	b.Fail(err)
	return b.convGrads(n, dy[0], append(w.attrs(n.Attrs), accel.Ints("output_padding", adj...), accel.Int("transposed", 1)))
}

func (b *backward) convGrads(n *Node, dy *Value, attrs accel.Attrs) []*Value {
	x, w := n.Inputs[0], n.Inputs[1]
	out := make([]*Value, 3)
	if b.err != nil {
		return out
	}
	if b.needs(x) {
		out[0] = b.Op("ConvDataGrad", attrs, dy, w, b.Ints(x.Type.Shape...))
	}
	if b.needs(w) {
		out[1] = b.Op("ConvWeightsGrad", attrs, dy, x, b.Ints(w.Type.Shape...))
	}
	if b.needs(n.Input(2)) {
		out[2] = b.Op("ConvBiasGrad", nil, dy)
	}
	return out[:len(n.Inputs)]
}

func convTransposeRule(c *Context) ([]Type, error) {
	if err := c.Same(0, 1, 2); err != nil {
		return nil, err
	}
	x, w, group := c.Shape(0), c.Shape(1), c.Attrs.Int("group", 1)
	if len(x) < 3 || len(w) != len(x) || group < 1 || x[1] != w[0] || x[1]%group != 0 {
		return nil, fmt.Errorf("images %v and filters %v in %d groups, want (N, C, d1, …) and (C, M/group, k1, …)", x, w, group)
	}
	if c.Has(2) && !slices.Equal(c.Shape(2), []int{w[1] * group}) {
		return nil, fmt.Errorf("bias %v, want [%d]", c.Shape(2), w[1]*group)
	}
	win, _, err := transposedWindow(c.Attrs, x, w)
	if err != nil {
		return nil, err
	}
	return one(c.DType(0), append([]int{x[0], w[1] * group}, win.out...))
}

// transposedWindow resolves the attributes of ConvTranspose; adj is its output_padding.
func transposedWindow(a accel.Attrs, x, weights []int) (w window, adj []int, err error) {
	in, rank := x[2:], len(x)-2
	if w, err = windowBase(a, rank, weights[2:]); err != nil {
		return w, nil, err
	}
	if adj = slices.Clone(a.Ints("output_padding")); adj == nil {
		adj = make([]int, rank)
	}
	shape := a.Ints("output_shape")
	if len(shape) == rank+2 {
		shape = shape[2:] // some files give batch and channels too
	}
	if len(adj) != rank || shape != nil && len(shape) != rank {
		return w, nil, fmt.Errorf("output_padding %v, output_shape %v for %d dimensions", adj, shape, rank)
	}
	mode := a.Str("auto_pad", "NOTSET")
	w.out = make([]int, rank)
	for i, size := range in {
		full := w.strides[i]*(size-1) + adj[i] + (w.kernel[i]-1)*w.dilations[i] + 1
		want := full - w.begin[i] - w.end[i]
		if shape != nil || mode == "SAME_UPPER" || mode == "SAME_LOWER" {
			if want = size * w.strides[i]; shape != nil {
				want = shape[i]
			}
			if w.begin[i], w.end[i] = 0, 0; full < want {
				adj[i] += want - full // zeros behind, as if the output had been padded
			} else {
				w.begin[i], w.end[i] = halves(full-want, mode == "SAME_UPPER")
			}
		}
		if want < 1 || w.begin[i] < 0 || w.end[i] < 0 {
			return w, nil, fmt.Errorf("output size %d with pads %d and %d in dimension %d", want, w.begin[i], w.end[i], i)
		}
		w.out[i] = want
	}
	return w, adj, nil
}

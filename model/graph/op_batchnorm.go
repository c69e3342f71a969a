package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opBatchNormalization normalises each channel of x (N, C, d1, …):
//
//	y = (x-mean)/√(variance+epsilon)·scale + bias
//
// It takes x, scale, bias, mean and variance, the last four of (C). epsilon is
// 1e-5 by default. With the attribute training_mode, mean and variance are those
// of the channel in this batch (the variance divides by the number of elements),
// and the second and third outputs are the running statistics,
//
//	momentum·given + (1-momentum)·current
//
// with momentum 0.9 by default; the fourth and fifth, of our own, are the batch's
// mean and 1/√(variance+epsilon). No gradient flows through running
// statistics.
var opBatchNormalization = operator{
	name: "BatchNormalization", min: 5, inplace: []int{0}, shapes: batchNormRule,
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		if n.Attrs.Int("training_mode", 0) == 0 {
			return b.frozenNormGrad(n, dy[0])
		}
		if !b.only(n, dy, 0) {
			return nil
		}
		g := b.Ops("BatchNormGrad", 3, nil, dy[0], n.Inputs[0], n.Inputs[1], b.ask(n, 3), b.ask(n, 4))
		return append(g, nil, nil)
	},
}

// opGroupNormalization normalises num_groups groups of channels of each image of
// x (N, C, d1, …), then multiplies each channel by scale and adds bias, both (C).
// Attributes: epsilon (1e-5), num_groups, stash_type. The second and third
// outputs, of our own, are mean and 1/√(variance+epsilon), (N, num_groups).
// See Wu & He, https://arxiv.org/abs/1803.08494.
var opGroupNormalization = operator{
	name: "GroupNormalization", min: 3, inplace: []int{0},
	shapes: func(c *Context) ([]Type, error) {
		groups := c.Attrs.Int("num_groups", 0)
		if err := channelsOf(c, 1, 2); err != nil {
			return nil, err
		}
		x := c.Shape(0)
		if groups < 1 || x[1]%groups != 0 {
			return nil, fmt.Errorf("%d channels in %d groups", x[1], groups)
		}
		stat := Type{DType: statType(c.DType(0)), Shape: Shape{x[0], groups}}
		return []Type{{DType: c.DType(0), Shape: x}, stat, stat}, nil
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		if !b.only(n, dy, 0) {
			return nil
		}
		at := accel.Attrs{accel.Int("num_groups", n.Attrs.Int("num_groups", 0))}
		return b.Ops("GroupNormGrad", 3, at, dy[0], n.Inputs[0], n.Inputs[1], b.ask(n, 1), b.ask(n, 2))
	},
}

// opInstanceNormalization is GroupNormalization with a group a channel.
var opInstanceNormalization = operator{
	name: "InstanceNormalization", min: 3,
	shapes: func(c *Context) ([]Type, error) {
		if err := channelsOf(c, 1, 2); err != nil {
			return nil, err
		}
		return like(c)
	},
	expand: func(b *B, n *Node) []*Value {
		at := n.Attrs.With(accel.Int("num_groups", max(1, n.Inputs[0].Type.Shape[1])))
		return []*Value{b.Op("GroupNormalization", at, n.Inputs...)}
	},
}

// The gradients with respect to x, scale and bias, from dy, x, scale and the
// statistics mean and 1/√(variance+epsilon) of what was normalised together.
var (
	opBatchNormGrad = operator{name: "BatchNormGrad", min: 5, outs: 3, inplace: []int{0}, shapes: channelGradRule, definition: spellChannelNormGrad}
	opGroupNormGrad = operator{name: "GroupNormGrad", min: 5, outs: 3, inplace: []int{0}, shapes: channelGradRule, definition: spellChannelNormGrad}
)

func channelGradRule(c *Context) ([]Type, error) {
	s := Type{DType: c.DType(2), Shape: c.Shape(2)}
	return []Type{{DType: c.DType(1), Shape: c.Shape(1)}, s, s}, nil
}

// channelsOf checks that x is (N, C, …), and the given inputs are (C) of floats.
func channelsOf(c *Context, inputs ...int) error {
	x := c.Shape(0)
	if len(x) < 2 {
		return fmt.Errorf("x is %v, want (N, C, d1, …)", x)
	}
	if err := c.IsA(0, floatTypes...); err != nil {
		return err
	}
	for _, i := range inputs {
		if err := c.IsA(i, floatTypes...); err != nil {
			return err
		}
		if !slices.Equal(c.Shape(i), x[1:2]) {
			return fmt.Errorf("input %d is %v, want [%d]", i, c.Shape(i), x[1])
		}
	}
	return nil
}

func batchNormRule(c *Context) ([]Type, error) {
	if err := channelsOf(c, 1, 2, 3, 4); err != nil {
		return nil, err
	}
	y := Type{DType: c.DType(0), Shape: c.Shape(0)}
	if c.Attrs.Int("training_mode", 0) == 0 {
		return []Type{y}, nil
	}
	running := Type{DType: c.DType(3), Shape: c.Shape(3)}
	batch := Type{DType: statType(c.DType(0)), Shape: c.Shape(3)}
	return []Type{y, running, {DType: c.DType(4), Shape: c.Shape(4)}, batch, batch}, nil
}

// frozenNormGrad is the gradient of a BatchNormalization with given statistics:
// with s = 1/√(variance+epsilon) and h = (x-mean)·s, it is dy·scale·s for x,
// Σdy·h for scale, Σdy for bias, -scale·s·Σdy for the mean, and
// -½·scale·s²·Σdy·h for the variance.
func (b *backward) frozenNormGrad(n *Node, dy *Value) []*Value {
	x, t := n.Inputs[0], n.Inputs[0].Type.DType
	rank := len(x.Type.Shape)
	column, over := slices.Repeat([]int{1}, rank), []int{0}
	column[1] = x.Type.Shape[1]
	for d := 2; d < rank; d++ {
		over = append(over, d)
	}
	as := func(i int) *Value { return b.Reshape(b.Cast(n.Inputs[i], t), column...) }
	scale, mean, variance := as(1), as(3), as(4)
	if b.err != nil {
		return nil
	}
	s := b.Op("Reciprocal", nil, b.Op("Sqrt", nil, b.Add(variance, b.Like(variance, n.Attrs.Float("epsilon", 1e-5)))))
	h := b.Mul(b.Sub(x, mean), s)
	sum, dot := b.ReduceSum(dy, true, over...), b.ReduceSum(b.Mul(dy, h), true, over...)
	slope := b.Mul(scale, s)
	d := []*Value{b.Mul(dy, slope), dot, sum, b.neg(b.Mul(slope, sum)), b.scale(b.Mul(b.Mul(slope, s), dot), -0.5)}
	for i := 1; i < 5; i++ {
		d[i] = b.Cast(b.Reshape(d[i], column[1]), n.Inputs[i].Type.DType)
	}
	return d
}

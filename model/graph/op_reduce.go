package graph

import (
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// reductionOps lists the operators that reduce dimensions, or go along one.
func reductionOps() []operator {
	return []operator{
		opReduceSum, opReduceMean, opReduceMax, opReduceMin, opReduceProd,
		opReduceL1, opReduceL2, opReduceLogSum, opReduceLogSumExp, opReduceSumSquare,
		opArgMax, opArgMin, opTopK, opCumSum, opCumProd, opCumProdGrad,
	}
}

// Reductions take x and axes, an optional constant vector: all dimensions are
// reduced if it is absent or empty, or none if noop_with_empty_axes is 1 (the
// default is 0). keepdims, 1 by default, leaves them with size 1. In the
// gradients, dy stands for itself repeated over what was reduced.

// opReduceSum is the sum; of nothing, 0.
var opReduceSum = reduction("ReduceSum", func(b *backward, n *Node, dy *Value) *Value { return dy })

// opReduceMean is the mean: dx = dy/count. That of integers is truncated.
var opReduceMean = reduction("ReduceMean", func(b *backward, n *Node, dy *Value) *Value {
	return b.scale(dy, 1/float64(n.reducedCount()))
})

// opReduceMax is the largest element, NaN if one is NaN; of nothing, -Inf or the
// least integer. Of bools, it is whether any is true. The elements that attain it
// share the gradient equally, as in PyTorch.
var opReduceMax = reduceExtreme("ReduceMax")

// opReduceMin is the smallest element, as ReduceMax. Of bools, it is whether all are true.
var opReduceMin = reduceExtreme("ReduceMin")

// opReduceProd is the product; of nothing, 1. dx = dy times the product of the
// other elements, which is found without dividing.
var opReduceProd = reduction("ReduceProd", func(b *backward, n *Node, dy *Value) *Value {
	return b.Mul(dy, b.productOfOthers(n))
})

// opReduceL1 is Σ|x|: dx = dy·sign(x).
var opReduceL1 = reduction("ReduceL1", func(b *backward, n *Node, dy *Value) *Value {
	return b.Mul(dy, b.Op("Sign", nil, n.Inputs[0]))
})

// opReduceL2 is √Σx²: dx = dy·x/y, 0 where y is 0.
var opReduceL2 = reduction("ReduceL2", func(b *backward, n *Node, dy *Value) *Value {
	y := b.keptOutput(n)
	some := b.Op("Greater", nil, y, b.Like(y, 0))
	return b.Mul(b.zeroUnless(some, b.Div(dy, y)), n.Inputs[0])
})

// opReduceLogSum is log Σx: dx = dy/Σx.
var opReduceLogSum = reduction("ReduceLogSum", func(b *backward, n *Node, dy *Value) *Value {
	return b.Div(dy, b.Op("Exp", nil, b.keptOutput(n)))
})

// opReduceSumSquare is Σx²: dx = 2·dy·x.
var opReduceSumSquare = reduction("ReduceSumSquare", func(b *backward, n *Node, dy *Value) *Value {
	return b.Mul(b.scale(dy, 2), n.Inputs[0])
})

// reduction is a reducing operator; slope gives the gradient, or what broadcasts
// to it, from dy with the reduced dimensions kept.
func reduction(name string, slope func(b *backward, n *Node, dy *Value) *Value) operator {
	return operator{
		name: name, min: 1, max: 2, static: []int{1}, shapes: reduceRule(numberSet),
		grad: func(b *backward, n *Node, dy []*Value) []*Value {
			x, kept := n.Inputs[0].Type.Shape, n.keptShape()
			d := slope(b, n, b.Reshape(dy[0], kept...))
			return []*Value{b.Expand(d, x...), nil}[:len(n.Inputs)]
		},
	}
}

func reduceExtreme(name string) operator {
	o := reduction(name, func(b *backward, n *Node, dy *Value) *Value {
		x := n.Inputs[0]
		best := b.Op("Equal", nil, x, b.keptOutput(n))
		count := b.ReduceSum(b.Cast(best, x.Type.DType), true, n.reducedAxes()...)
		return b.zeroUnless(best, b.Div(dy, count))
	})
	o.shapes = reduceRule(ordinarySet)
	return o
}

func reduceRule(of typeSet) func(*Context) ([]Type, error) {
	return func(c *Context) ([]Type, error) {
		if err := of.check(c, 0); err != nil {
			return nil, err
		}
		axes, err := reduceAxes(c)
		if err != nil {
			return nil, err
		}
		return one(c.DType(0), reducedShape(c.Shape(0), axes, c.Attrs.Bool("keepdims", true)))
	}
}

// reduceAxes are the dimensions that a reduction reduces.
func reduceAxes(c *Context) ([]int, error) {
	axes, err := c.Ints(1)
	if err != nil {
		return nil, err
	}
	if len(axes) == 0 && !c.Attrs.Bool("noop_with_empty_axes", false) {
		for d := range c.Rank(0) {
			axes = append(axes, d)
		}
	}
	return axesOf(axes, c.Rank(0))
}

func reducedShape(shape, axes []int, keep bool) []int {
	out := []int{}
	for d, size := range shape {
		switch {
		case !slices.Contains(axes, d):
			out = append(out, size)
		case keep:
			out = append(out, 1)
		}
	}
	return out
}

// reducedAxes are the dimensions that a node of a concrete graph reduces. Its
// shape rule has checked them.
func (n *Node) reducedAxes() []int {
	axes, _ := reduceAxes(&Context{Node: n, shapes: [][]int{n.Inputs[0].Type.Shape, nil}})
	return axes
}

// keptShape is the shape of the result with the reduced dimensions kept.
func (n *Node) keptShape() []int { return reducedShape(n.Inputs[0].Type.Shape, n.reducedAxes(), true) }

// keptOutput is the result of a reduction with the reduced dimensions kept.
func (b *backward) keptOutput(n *Node) *Value { return b.Reshape(n.Outputs[0], n.keptShape()...) }

// reducedCount is the number of elements that each result is made of.
func (n *Node) reducedCount() int {
	count := 1
	for _, d := range n.reducedAxes() {
		count *= n.Inputs[0].Type.Shape[d]
	}
	return count
}

// productOfOthers is, at each element of x, the product of the elements that it
// is multiplied with: of those before and of those behind it.
func (b *backward) productOfOthers(n *Node) *Value {
	x, axes := n.Inputs[0], n.reducedAxes()
	shape := x.Type.Shape
	if len(axes) == 0 {
		return b.Expand(b.Like(x, 1), shape...)
	}
	var perm, inverse []int // kept dimensions first
	for d := range shape {
		if !slices.Contains(axes, d) {
			perm = append(perm, d)
		}
	}
	kept := len(perm)
	perm = append(perm, axes...)
	moved := make([]int, len(perm))
	inverse = make([]int, len(perm))
	for i, d := range perm {
		moved[i], inverse[d] = shape[d], i
	}
	rows := b.Reshape(b.Transpose(x, perm...), accel.Size(moved[:kept]), accel.Size(moved[kept:]))
	axis := b.Const(accel.ArrayOf(accel.Int64, []int{}, []int64{1}))
	before := b.Op("CumProd", accel.Attrs{accel.Int("exclusive", 1)}, rows, axis)
	behind := b.Op("CumProd", accel.Attrs{accel.Int("exclusive", 1), accel.Int("reverse", 1)}, rows, axis)
	return b.Transpose(b.Reshape(b.Mul(before, behind), moved...), inverse...)
}

// opReduceLogSumExp is log Σeˣ, as log Σexp(x-m) + m with the largest element m
// if it is finite, else 0. Half precision is computed in float32, integers in float64.
var opReduceLogSumExp = operator{
	name: "ReduceLogSumExp", min: 1, max: 2, static: []int{1}, shapes: reduceRule(numberSet),
	expand: func(b *B, n *Node) []*Value {
		from := n.Inputs[0].Type.DType
		wide := accel.Float64
		if from.IsHalf() || from == accel.Float32 {
			wide = accel.Float32
		}
		x := b.Cast(n.Inputs[0], wide)
		keep := n.Attrs.With(accel.Int("keepdims", 1))
		over := func(op string, x *Value) *Value {
			return b.Op(op, keep, append([]*Value{x}, n.Inputs[1:]...)...)
		}
		m := over("ReduceMax", x)
		m = b.Op("Where", nil, b.Op("IsInf", nil, m), b.Like(m, 0), m)
		m = b.Op("StopGradient", nil, m) // the terms that it adds cancel out
		y := b.Add(over("ReduceLogSum", b.Op("Exp", nil, b.Sub(x, m))), m)
		out := reducedShape(n.Inputs[0].Type.Shape, n.reducedAxes(), n.Attrs.Bool("keepdims", true))
		return []*Value{b.Reshape(b.Cast(y, from), out...)}
	},
}

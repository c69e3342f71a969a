package graph

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/accel"
)

// opRelu is y = max(x, 0) of numbers; its slope at 0 is 0.
var opRelu = unary("Relu", numberSet, func(b *backward, dy, _, y *Value) *Value { return b.Op("ReluGrad", nil, dy, y) })

// opReluGrad is dx = dy where y > 0, else 0.
var opReluGrad = slopeOp("ReluGrad", straight)

// opLeakyRelu is x where x ≥ 0 and alpha·x below; alpha is 0.01 by default.
var opLeakyRelu = activation("LeakyRelu", "LeakyReluGrad")

// opLeakyReluGrad is dx = dy where x ≥ 0, and dy·alpha below.
var opLeakyReluGrad = slopeOp("LeakyReluGrad", straight)

// opPRelu is x where x ≥ 0 and slope·x below; slope, the second input,
// broadcasts to x. Its gradient is the sum of dy·x where x < 0.
var opPRelu = operator{
	name: "PRelu", min: 2, inplace: []int{0},
	shapes: func(c *Context) ([]Type, error) {
		t, err := binaryOf(numberSet)(c)
		if err == nil && !t[0].Shape.Equal(c.Shape(0)) {
			return nil, fmt.Errorf("slope of shape %v for x of %v", c.Shape(1), c.Shape(0))
		}
		return t, err
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		x, slope := n.Inputs[0], n.Inputs[1]
		below := b.Op("Less", nil, x, b.Like(x, 0))
		return b.pair(n,
			func() *Value { return b.Op("Where", nil, below, b.Mul(dy[0], slope), dy[0]) },
			func() *Value { return b.zeroUnless(below, b.Mul(dy[0], x)) })
	},
}

// opThresholdedRelu is x where x > alpha, 1 by default, and 0 elsewhere.
var opThresholdedRelu = operator{
	name: "ThresholdedRelu", min: 1, inplace: []int{0}, shapes: unaryRule(floatSet),
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		x := n.Inputs[0]
		return []*Value{b.zeroUnless(b.Op("Greater", nil, x, b.Like(x, n.Attrs.Float("alpha", 1))), dy[0])}
	},
}

// opElu is x where x > 0 and alpha·(eˣ-1) below; alpha is 1 by default.
var opElu = activation("Elu", "EluGrad")

// opEluGrad is dx = dy where x > 0, and dy·alpha·eˣ below, where it is its own slope.
var opEluGrad = slopeOp("EluGrad", func(b *backward, n *Node, d, dy, x *Value) *Value {
	return b.zeroUnless(b.Op("LessOrEqual", nil, x, b.Like(x, 0)), b.Op("EluGrad", n.Attrs, b.Mul(d, dy), x))
})

// The default attributes of Selu, which are float32 in ONNX.
const (
	seluAlpha = 1.67326319217681884765625
	seluGamma = 1.05070102214813232421875
)

// opSelu is gamma·Elu(x); alpha and gamma are 1.6733 and 1.0507 by default.
var opSelu = operator{
	name: "Selu", min: 1, inplace: []int{0}, shapes: unaryRule(floatSet),
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		alpha := accel.Attrs{accel.Float("alpha", n.Attrs.Float("alpha", seluAlpha))}
		return []*Value{b.scale(b.Op("EluGrad", alpha, dy[0], n.Inputs[0]), n.Attrs.Float("gamma", seluGamma))}
	},
}

// opCelu is x where x > 0 and alpha·(exp(x/alpha)-1) below; alpha is 1 by default.
var opCelu = operator{
	name: "Celu", min: 1, inplace: []int{0}, shapes: unaryRule(floatSet),
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		x := n.Inputs[0]
		return []*Value{b.Op("EluGrad", nil, dy[0], b.Div(x, b.Like(x, n.Attrs.Float("alpha", 1))))}
	},
}

// opSigmoid is y = 1/(1+e⁻ˣ).
var opSigmoid = unary("Sigmoid", floatSet, func(b *backward, dy, _, y *Value) *Value { return b.Op("SigmoidGrad", nil, dy, y) })

// opSigmoidGrad is dx = dy·y·(1-y).
var opSigmoidGrad = slopeOp("SigmoidGrad", func(b *backward, _ *Node, d, dy, y *Value) *Value {
	return b.Mul(b.Mul(d, dy), b.oneMinus(b.scale(y, 2)))
})

// opHardSigmoid is max(0, min(1, alpha·x+beta)); alpha is 0.2 and beta 0.5 by
// default. The slope at the bends is 0.
var opHardSigmoid = activation("HardSigmoid", "HardSigmoidGrad")

// opHardSigmoidGrad is dx = dy·alpha where 0 < alpha·x+beta < 1, else 0.
var opHardSigmoidGrad = slopeOp("HardSigmoidGrad", straight)

// opHardSwish is x·max(0, min(1, x/6+½)).
var opHardSwish = activation("HardSwish", "HardSwishGrad")

// opHardSwishGrad is dx = dy·(x/3+½) where -3 < x < 3, dy above, 0 below.
var opHardSwishGrad = slopeOp("HardSwishGrad", func(b *backward, _ *Node, d, dy, x *Value) *Value {
	return b.zeroUnless(b.Op("Less", nil, b.Op("Abs", nil, x), b.Like(x, 3)), b.scale(b.Mul(d, dy), 1.0/3))
})

// opSoftplus is log(1+eˣ).
var opSoftplus = activation("Softplus", "SoftplusGrad")

// opSoftplusGrad is dx = dy·Sigmoid(x).
var opSoftplusGrad = slopeOp("SoftplusGrad", func(b *backward, _ *Node, d, dy, x *Value) *Value {
	return b.Op("SigmoidGrad", nil, b.Mul(d, dy), b.Op("Sigmoid", nil, x))
})

// opSoftsign is y = x/(1+|x|): dx = dy·(1-|y|)².
var opSoftsign = unary("Softsign", floatSet, func(b *backward, dy, _, y *Value) *Value {
	return b.Mul(dy, b.sq(b.oneMinus(b.Op("Abs", nil, y))))
})

// opMish is x·tanh(Softplus(x)).
var opMish = activation("Mish", "MishGrad")

// opMishGrad is dx = dy·(t + x·s·(1-t²)) with t = tanh(Softplus(x)), s = Sigmoid(x).
var opMishGrad = defined(slopeOp("MishGrad", nil), spellMishGrad)

// opSwish is x·Sigmoid(alpha·x), also called SiLU where alpha is 1, its default.
var opSwish = operator{
	name: "Swish", min: 1, inplace: []int{0}, shapes: unaryRule(floatSet),
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		x := n.Inputs[0]
		if alpha := n.Attrs.Float("alpha", 1); alpha != 1 {
			x = b.scale(x, alpha) // Swish is SiLU(alpha·x)/alpha
		}
		return []*Value{b.Op("SiluGrad", nil, dy[0], x)}
	},
}

// opSiluGrad is dx = dy·s·(1+x·(1-s)) with s = Sigmoid(x). Its slope in x is
// s·(1-s)·(2+x·(1-2s)).
var opSiluGrad = slopeOp("SiluGrad", func(b *backward, _ *Node, d, dy, x *Value) *Value {
	s := b.Op("Sigmoid", nil, x)
	bend := b.Add(b.Mul(x, b.oneMinus(b.scale(s, 2))), b.Like(x, 2))
	return b.Mul(b.Op("SigmoidGrad", nil, b.Mul(d, dy), s), bend)
})

// opGelu is x·Φ(x), Φ the normal distribution function, or with approximate=tanh
// (the default is none) ½x·(1+tanh(√(2/π)·(x+0.044715·x³))).
var opGelu = operator{
	name: "Gelu", min: 1, inplace: []int{0},
	shapes: func(c *Context) ([]Type, error) {
		if err := oneOf(c.Node, "approximate", "none", "tanh"); err != nil {
			return nil, err
		}
		return unaryRule(floatSet)(c)
	},
	grad: activation("", "GeluGrad").grad,
}

// opGeluGrad is dx = dy·Gelu'(x), with Gelu's attribute. With the normal density φ,
// the slope of Gelu' is φ(x)·(2-x²); with s = Sigmoid(2u) of the tanh form, it is
// s·(1-s)·(2·2u′ + x·(1-2s)·(2u′)² + x·2u″).
var opGeluGrad = slopeOp("GeluGrad", func(b *backward, n *Node, d, dy, x *Value) *Value {
	xx, both := b.sq(x), b.Mul(d, dy)
	if n.Attrs.Str("approximate", "none") == "none" {
		density := b.scale(b.Op("Exp", nil, b.scale(xx, -0.5)), 1/math.Sqrt(2*math.Pi))
		return b.Mul(both, b.Mul(density, b.Sub(b.Like(x, 2), xx)))
	}
	linear := 2 * math.Sqrt(2/math.Pi)
	cubic := linear * 0.044715
	u1 := b.Add(b.scale(xx, 3*cubic), b.Like(x, linear))
	s := b.Op("Sigmoid", nil, b.Mul(x, b.Add(b.scale(xx, cubic), b.Like(x, linear))))
	bend := b.Add(b.scale(u1, 2), b.Mul(b.Mul(x, b.oneMinus(b.scale(s, 2))), b.sq(u1)))
	bend = b.Add(bend, b.scale(xx, 6*cubic))
	return b.Mul(b.Op("SigmoidGrad", nil, both, s), bend)
})

// opShrink is x+bias where x < -lambd, x-bias where x > lambd, and 0 between;
// lambd is 0.5 and bias 0 by default.
var opShrink = operator{
	name: "Shrink", min: 1, inplace: []int{0}, shapes: unaryRule(numberSet),
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		x := n.Inputs[0]
		far := b.Op("Greater", nil, b.Op("Abs", nil, x), b.Like(x, n.Attrs.Float("lambd", 0.5)))
		return []*Value{b.zeroUnless(far, dy[0])}
	},
}

// activation is a function of floats with attributes; the operator slope gives
// its gradient from dy and x, with the same attributes.
func activation(name, slope string) operator {
	return operator{
		name: name, min: 1, inplace: []int{0}, shapes: unaryRule(floatSet),
		grad: func(b *backward, n *Node, dy []*Value) []*Value {
			return []*Value{b.Op(slope, n.Attrs, dy[0], n.Inputs[0])}
		},
	}
}

package graph

// opSqrt is y = √x of floats: dx = dy/(2y).
var opSqrt = unary("Sqrt", floatSet, func(b *backward, dy, _, y *Value) *Value { return b.Div(b.scale(dy, 0.5), y) })

// opExp is y = eˣ of floats: dx = dy·y.
var opExp = unary("Exp", floatSet, func(b *backward, dy, _, y *Value) *Value { return b.Mul(dy, y) })

// opLog is the natural logarithm of floats: dx = dy/x.
var opLog = unary("Log", floatSet, func(b *backward, dy, x, _ *Value) *Value { return b.Div(dy, x) })

// opErf is the error function 2/√π ∫₀ˣ exp(-t²) dt.
var opErf = unary("Erf", floatSet, func(b *backward, dy, x, _ *Value) *Value { return b.Op("ErfGrad", nil, dy, x) })

// opErfGrad is dx = dy·2/√π·exp(-x²). Its slope in x is -2x of itself.
var opErfGrad = slopeOp("ErfGrad", func(b *backward, _ *Node, d, dy, x *Value) *Value {
	return b.Mul(b.Op("ErfGrad", nil, b.Mul(d, dy), x), b.scale(x, -2))
})

// opSin is the sine: dx = dy·cos x.
var opSin = unary("Sin", floatSet, func(b *backward, dy, x, _ *Value) *Value { return b.Mul(dy, b.Op("Cos", nil, x)) })

// opCos is the cosine: dx = -dy·sin x.
var opCos = unary("Cos", floatSet, func(b *backward, dy, x, _ *Value) *Value { return b.neg(b.Mul(dy, b.Op("Sin", nil, x))) })

// opTan is the tangent: dx = dy·(1+y²).
var opTan = unary("Tan", floatSet, func(b *backward, dy, _, y *Value) *Value { return b.Add(dy, b.Mul(dy, b.sq(y))) })

// opAsin is the arcsine: dx = dy/√(1-x²).
var opAsin = unary("Asin", floatSet, func(b *backward, dy, x, _ *Value) *Value {
	return b.Div(dy, b.Op("Sqrt", nil, b.oneMinus(b.sq(x))))
})

// opAcos is the arccosine: dx = -dy/√(1-x²).
var opAcos = unary("Acos", floatSet, func(b *backward, dy, x, _ *Value) *Value {
	return b.neg(b.Div(dy, b.Op("Sqrt", nil, b.oneMinus(b.sq(x)))))
})

// opAtan is the arctangent: dx = dy/(1+x²).
var opAtan = unary("Atan", floatSet, func(b *backward, dy, x, _ *Value) *Value { return b.Div(dy, b.Add(b.sq(x), b.Like(x, 1))) })

// opSinh is the hyperbolic sine: dx = dy·cosh x.
var opSinh = unary("Sinh", floatSet, func(b *backward, dy, x, _ *Value) *Value { return b.Mul(dy, b.Op("Cosh", nil, x)) })

// opCosh is the hyperbolic cosine: dx = dy·sinh x.
var opCosh = unary("Cosh", floatSet, func(b *backward, dy, x, _ *Value) *Value { return b.Mul(dy, b.Op("Sinh", nil, x)) })

// opTanh is the hyperbolic tangent.
var opTanh = unary("Tanh", floatSet, func(b *backward, dy, _, y *Value) *Value { return b.Op("TanhGrad", nil, dy, y) })

// opTanhGrad is dx = dy·(1-y²).
var opTanhGrad = slopeOp("TanhGrad", func(b *backward, _ *Node, d, dy, y *Value) *Value {
	return b.Mul(b.Mul(d, dy), b.scale(y, -2))
})

// opAsinh is the inverse hyperbolic sine: dx = dy/√(x²+1).
var opAsinh = unary("Asinh", floatSet, func(b *backward, dy, x, _ *Value) *Value {
	return b.Div(dy, b.Op("Sqrt", nil, b.Add(b.sq(x), b.Like(x, 1))))
})

// opAcosh is the inverse hyperbolic cosine: dx = dy/√(x²-1).
var opAcosh = unary("Acosh", floatSet, func(b *backward, dy, x, _ *Value) *Value {
	return b.Div(dy, b.Op("Sqrt", nil, b.Sub(b.sq(x), b.Like(x, 1))))
})

// opAtanh is the inverse hyperbolic tangent: dx = dy/(1-x²).
var opAtanh = unary("Atanh", floatSet, func(b *backward, dy, x, _ *Value) *Value { return b.Div(dy, b.oneMinus(b.sq(x))) })

//go:build ignore

package main

import "math"

// unaryOf is a definition dst = f(x, scalars).
func unaryOf(name, scalars string, f func(k *kernel, x *val, s []*val) *val) definition {
	return mapOf(name, "dst, x", scalars, func(l *lane, p []string, s []*val) {
		l.store(p[0], f(l.kernel, l.load(p[1]), s))
	})
}

// mapOf is a function on slices of one length, element by element.
func mapOf(name, slices, scalars string, body func(l *lane, p []string, s []*val)) definition {
	params := slices + " []float32"
	if scalars != "" {
		params += "; " + scalars + " float32"
	}
	s := signature{name: name, params: params}
	return definition{s, func(k *kernel) {
		k.row("n")
		p := k.pointers(slices)
		var pinned []*val
		for _, a := range s.list() {
			if a.kind == "float32" {
				pinned = append(pinned, k.scalar(a.name))
			}
		}
		k.pass(func(l *lane) { body(l, p, pinned) })
	}}
}

// plain is a unary function without scalars.
func plain(name string, f func(k *kernel, x *val) *val) definition {
	return unaryOf(name, "", func(k *kernel, x *val, _ []*val) *val { return f(k, x) })
}

var unary = []definition{
	plain("relu", func(k *kernel, x *val) *val { return k.max(k.constant(0), x) }),
	plain("gelu", (*kernel).gelu),
	plain("geluTanh", func(k *kernel, x *val) *val {
		v := k.mul(x, k.fma(k.mul(x, x), k.constant(geluCubic), k.constant(geluLinear)))
		return k.timesSigmoid(x, v, k.expMinusAbs(v))
	}),
	plain("sigmoid", func(k *kernel, x *val) *val {
		t := k.expMinusAbs(x)
		return k.div(k.sel(k.negative(x), t, k.constant(1)), k.add(t, k.constant(1)))
	}),
	plain("tanh", (*kernel).tanh),
	plain("silu", func(k *kernel, x *val) *val { return k.timesSigmoid(x, x, k.expMinusAbs(x)) }),
	plain("exp", (*kernel).exp),
	plain("expm1", (*kernel).expm1),
	plain("log", (*kernel).log),
	plain("log1p", (*kernel).log1p),
	plain("softplus", func(k *kernel, x *val) *val {
		return k.add(k.max(k.constant(0), x), k.log1pUnit(k.expMinusAbs(x)))
	}),
	plain("mish", func(k *kernel, x *val) *val { return k.mul(x, k.mishFactor(x, k.expMinusAbs(x))) }),
	plain("erf", (*kernel).erf),
	plain("sqrt", (*kernel).sqrt),
	plain("reciprocal", func(k *kernel, x *val) *val { return k.div(k.constant(1), x) }),
	plain("neg", (*kernel).neg),
	plain("abs", (*kernel).abs),
	plain("square", func(k *kernel, x *val) *val { return k.mul(x, x) }),
	plain("floor", func(k *kernel, x *val) *val { return k.round(x, toFloor) }),
	plain("ceil", func(k *kernel, x *val) *val { return k.round(x, toCeil) }),
	plain("roundEven", func(k *kernel, x *val) *val { return k.round(x, toEven) }),
	plain("softsign", func(k *kernel, x *val) *val { return k.div(x, k.add(k.abs(x), k.constant(1))) }),
	unaryOf("clip", "lo, hi", func(k *kernel, x *val, s []*val) *val { return k.min(s[1], k.max(s[0], x)) }),
	unaryOf("leakyRelu", "alpha", func(k *kernel, x *val, s []*val) *val {
		return k.sel(k.cmp(greaterEqual, x, k.constant(0)), x, k.mul(x, s[0]))
	}),
	unaryOf("hardSigmoid", "alpha, beta", func(k *kernel, x *val, s []*val) *val {
		return k.min(k.constant(1), k.max(k.constant(0), k.fma(x, s[0], s[1])))
	}),
	plain("hardSwish", func(k *kernel, x *val) *val {
		return k.mul(x, k.min(k.constant(1), k.max(k.constant(0), k.fma(x, k.constant(1.0/6), k.constant(0.5)))))
	}),
	unaryOf("elu", "pos, neg, s", func(k *kernel, x *val, s []*val) *val {
		return k.sel(k.cmp(greater, x, k.constant(0)), k.mul(x, s[0]), k.mul(s[1], k.expm1(k.mul(x, s[2]))))
	}),
}

// mishFactor is tanh(log(1+eˣ)) from t = exp(-|x|): (1+2t)/(1+2t+2t²) for x >= 0,
// and t(t+2)/(t(t+2)+2) below.
func (k *kernel) mishFactor(x, t *val) *val {
	below := k.mul(t, k.add(t, k.constant(2)))
	above := k.fma(t, k.constant(2), k.constant(1))
	m := k.negative(x)
	num := k.sel(m, below, above)
	rest := k.sel(m, k.constant(2), k.mul(t, k.add(t, t)))
	return k.div(num, k.add(num, rest))
}

// gradOf is a definition dx = dy·f(v).
func gradOf(name, v, scalars string, f func(k *kernel, v *val, s []*val) *val) definition {
	return mapOf(name, "dx, dy, "+v, scalars, func(l *lane, p []string, s []*val) {
		slope := f(l.kernel, l.load(p[2]), s)
		l.store(p[0], l.mul(l.load(p[1]), slope))
	})
}

var grad = []definition{
	mapOf("reluGrad", "dx, dy, y", "", func(l *lane, p []string, _ []*val) {
		m := l.cmp(notLessEqual, l.load(p[2]), l.constant(0))
		l.store(p[0], l.keep(m, l.load(p[1])))
	}),
	gradOf("geluGrad", "x", "", func(k *kernel, x *val, _ []*val) *val {
		tail, bell := k.normal(x)
		return k.fma(k.mul(x, k.constant(0.3989422804014327)), bell, k.normalCDF(x, tail))
	}),
	gradOf("geluTanhGrad", "x", "", func(k *kernel, x *val, _ []*val) *val {
		z := k.mul(x, x)
		v := k.mul(x, k.fma(z, k.constant(geluCubic), k.constant(geluLinear)))
		_, far, near := k.logistic(v)
		slope := k.mul(x, k.fma(z, k.constant(3*geluCubic), k.constant(geluLinear)))
		return k.fma(k.mul(slope, far), near, k.sel(k.negative(x), near, far))
	}),
	mapOf("sigmoidGrad", "dx, dy, y", "", func(l *lane, p []string, _ []*val) {
		y := l.load(p[2])
		less := l.sub(l.constant(1), y)
		l.store(p[0], l.mul(l.mul(l.load(p[1]), y), less))
	}),
	gradOf("tanhGrad", "y", "", func(k *kernel, y *val, _ []*val) *val { return k.fnma(y, y, k.constant(1)) }),
	gradOf("siluGrad", "x", "", func(k *kernel, x *val, _ []*val) *val {
		_, far, near := k.logistic(x)
		m := k.negative(x)
		s, rest := k.sel(m, near, far), k.sel(m, far, near)
		return k.mul(s, k.fma(x, rest, k.constant(1)))
	}),
	gradOf("softplusGrad", "x", "", func(k *kernel, x *val, _ []*val) *val {
		_, far, near := k.logistic(x)
		return k.sel(k.negative(x), near, far)
	}),
	gradOf("mishGrad", "x", "", func(k *kernel, x *val, _ []*val) *val {
		t, far, near := k.logistic(x)
		f := k.mishFactor(x, t)
		s := k.sel(k.negative(x), near, far)
		return k.fma(k.mul(x, s), k.fnma(f, f, k.constant(1)), f)
	}),
	gradOf("erfGrad", "x", "", func(k *kernel, x *val, _ []*val) *val {
		d := k.gauss(k.min(k.constant(11), k.abs(x)), 1)
		return k.mul(k.scale(k.expSmall(d.r), d), k.constant(2/math.Sqrt(math.Pi)))
	}),
	gradOf("eluGrad", "x", "alpha", func(k *kernel, x *val, s []*val) *val {
		return k.sel(k.cmp(greater, x, k.constant(0)), k.constant(1), k.mul(s[0], k.exp(x)))
	}),
	gradOf("leakyReluGrad", "x", "alpha", func(k *kernel, x *val, s []*val) *val {
		return k.sel(k.cmp(greaterEqual, x, k.constant(0)), k.constant(1), s[0])
	}),
	mapOf("hardSigmoidGrad", "dx, dy, x", "alpha, beta", func(l *lane, p []string, s []*val) {
		v := l.fma(l.load(p[2]), s[0], s[1])
		g := l.keep(l.cmp(greater, v, l.constant(0)), l.mul(l.load(p[1]), s[0]))
		l.store(p[0], l.keep(l.cmp(less, v, l.constant(1)), g))
	}),
	gradOf("hardSwishGrad", "x", "", func(k *kernel, x *val, _ []*val) *val {
		slope := k.fma(x, k.constant(1.0/3), k.constant(0.5))
		slope = k.sel(k.cmp(greaterEqual, x, k.constant(3)), k.constant(1), slope)
		return k.sel(k.cmp(lessEqual, x, k.constant(-3)), k.constant(0), slope)
	}),
}

// binaryOf is a definition dst = f(a, b).
func binaryOf(name string, f func(k *kernel, a, b *val) *val) definition {
	return mapOf(name, "dst, a, b", "", func(l *lane, p []string, _ []*val) {
		a := l.load(p[1])
		l.store(p[0], f(l.kernel, a, l.load(p[2])))
	})
}

// scalarOf is a definition dst = f(a, s).
func scalarOf(name string, f func(k *kernel, a, s *val) *val) definition {
	return mapOf(name, "dst, a", "s", func(l *lane, p []string, s []*val) {
		l.store(p[0], f(l.kernel, l.load(p[1]), s[0]))
	})
}

// extreme orders -0 below +0, and is NaN if an operand is. Where a and b are
// zeros, the two orders of the instruction give one each; merge joins the signs.
func extreme(pick, merge func(k *kernel, a, b *val) *val) func(k *kernel, a, b *val) *val {
	return func(k *kernel, a, b *val) *val {
		y := merge(k, pick(k, a, b), pick(k, b, a))
		return k.sel(k.cmp(unordered, a, b), k.add(a, b), y)
	}
}

var (
	maximum = extreme((*kernel).max, (*kernel).and)
	minimum = extreme((*kernel).min, (*kernel).or)
)

var binary = []definition{
	binaryOf("add", (*kernel).add),
	binaryOf("sub", (*kernel).sub),
	binaryOf("mul", (*kernel).mul),
	binaryOf("div", (*kernel).div),
	binaryOf("minimum", minimum),
	binaryOf("maximum", maximum),
	mapOf("mulAdd", "dst, a, b, c", "", func(l *lane, p []string, _ []*val) {
		l.store(p[0], l.fma(l.load(p[1]), l.load(p[2]), l.load(p[3])))
	}),
	scalarOf("addScalar", (*kernel).add),
	scalarOf("mulScalar", (*kernel).mul),
	scalarOf("scalarSub", func(k *kernel, a, s *val) *val { return k.sub(s, a) }),
	scalarOf("divScalar", (*kernel).div),
	scalarOf("scalarDiv", func(k *kernel, a, s *val) *val { return k.div(s, a) }),
	scalarOf("minScalar", minimum),
	scalarOf("maxScalar", maximum),
	mapOf("axpy", "dst, x", "s", func(l *lane, p []string, s []*val) {
		l.store(p[0], l.fma(l.load(p[1]), s[0], l.load(p[0])))
	}),
	mapOf("axpby", "dst, x", "s, t", func(l *lane, p []string, s []*val) {
		l.store(p[0], l.fma(l.load(p[1]), s[0], l.mul(l.load(p[0]), s[1])))
	}),
}

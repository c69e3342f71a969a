//go:build ignore

package main

import (
	"math"
	"strings"
)

// rowsOf is a definition of a function on rows; body is the work on one row,
// with the pointers at its elements. The pointers named in step are matrices,
// those in next hold one number a row, the others stay.
func rowsOf(name, slices, step, next, scalars string, body func(k *kernel, p map[string]string, s []*val)) definition {
	params := slices + " []float32; rows, cols int"
	if scalars != "" {
		params += "; " + scalars + " float32"
	}
	s := signature{name: name, params: params, perRow: true}
	return definition{s, func(k *kernel) {
		k.row("cols")
		names := strings.Fields(strings.ReplaceAll(slices, ",", ""))
		p := map[string]string{}
		for i, r := range k.pointers(strings.Join(names, " ")) {
			p[names[i]] = r
		}
		var pinned []*val
		for _, a := range s.list() {
			if a.kind == "float32" {
				pinned = append(pinned, k.scalar(a.name))
			}
		}
		k.rows(pick(p, step), pick(p, next), func() { body(k, p, pinned) })
	}}
}

func pick(p map[string]string, names string) []string {
	var out []string
	for _, n := range strings.Fields(names) {
		out = append(out, p[n])
	}
	return out
}

// count is the number of columns as a float32 in all lanes, pinned.
func (k *kernel) count() *val {
	d := k.pin()
	k.raw(d, "VCVTSI2SSQ "+k.file.arg(k.name, "cols")+", {d:X}, {d:X}")
	return k.raw(d, "VBROADCASTSS {d:X}, {d}")
}

// total is the sum of the accumulators, pinned.
func (k *kernel) total(acc []*val) *val { return k.pinnedCopy(k.reduce("VADDPS", acc)) }

func (k *kernel) pinnedCopy(v *val) *val {
	d := k.pin()
	k.into(d, v)
	return d
}

// number reads one number at pointer p into all lanes, pinned.
func (k *kernel) number(p string) *val { return k.raw(k.pin(), "VBROADCASTSS ("+p+"), {d}") }

// addTo adds v to an accumulator, and addProduct a·b.
func (l *lane) addTo(acc []*val, v *val) { l.raw(acc[l.half], "VADDPS {0}, {d}, {d}", v) }
func (l *lane) addProduct(acc []*val, a, b *val) {
	l.raw(acc[l.half], "VFMADD231PS {0}, {1}, {d}", a, b)
}

// largest is the largest element of a row, pinned; NaN may be lost.
func (k *kernel) largest(load func(*lane) *val) *val {
	acc := k.accumulators()
	lowest := k.constant(math.Inf(-1))
	k.fill(acc, lowest)
	k.pass(func(l *lane) { l.raw(acc[l.half], "VMAXPS {0}, {d}, {d}", l.orElse(load(l), lowest)) })
	return k.pinnedCopy(k.reduce("VMAXPS", acc))
}

// softmax is the softmax of the row that load reads.
func softmax(k *kernel, dst string, load func(*lane) *val) {
	m := k.largest(load)
	acc := k.accumulators()
	k.clear(acc)
	k.pass(func(l *lane) {
		e := l.orZero(l.expNegative(l.sub(load(l), m)))
		l.store(dst, e)
		l.addTo(acc, e)
	})
	scale := k.pinnedCopy(k.div(k.constant(1), k.reduce("VADDPS", acc)))
	k.pass(func(l *lane) { l.store(dst, l.mul(l.load(dst), scale)) })
}

var rowwise = []definition{
	rowsOf("softmaxRows", "dst, x", "dst x", "", "", func(k *kernel, p map[string]string, _ []*val) {
		softmax(k, p["dst"], func(l *lane) *val { return l.load(p["x"]) })
	}),
	rowsOf("logSoftmaxRows", "dst, x", "dst x", "", "", func(k *kernel, p map[string]string, _ []*val) {
		m := k.largest(func(l *lane) *val { return l.load(p["x"]) })
		acc := k.accumulators()
		k.clear(acc)
		k.pass(func(l *lane) { l.addTo(acc, l.orZero(l.expNegative(l.sub(l.load(p["x"]), m)))) })
		log := k.pinnedCopy(k.log(k.reduce("VADDPS", acc)))
		k.pass(func(l *lane) { l.store(p["dst"], l.sub(l.sub(l.load(p["x"]), m), log)) })
	}),
	rowsOf("softmaxGradRows", "dx, dy, y", "dx dy y", "", "", func(k *kernel, p map[string]string, _ []*val) {
		acc := k.accumulators()
		k.clear(acc)
		k.pass(func(l *lane) { l.addProduct(acc, l.load(p["dy"]), l.load(p["y"])) })
		s := k.total(acc)
		k.pass(func(l *lane) { l.store(p["dx"], l.mul(l.load(p["y"]), l.sub(l.load(p["dy"]), s))) })
	}),
	rowsOf("logSoftmaxGradRows", "dx, dy, y", "dx dy y", "", "", func(k *kernel, p map[string]string, _ []*val) {
		acc := k.accumulators()
		k.clear(acc)
		k.pass(func(l *lane) { l.addTo(acc, l.load(p["dy"])) })
		s := k.total(acc)
		k.pass(func(l *lane) { l.store(p["dx"], l.fnma(l.exp(l.load(p["y"])), s, l.load(p["dy"]))) })
	}),
	rowsOf("layerNormRows", "dst, mean, invstd, x, gamma, beta", "dst x", "mean invstd", "eps", layerNorm),
	rowsOf("layerNormGradRows", "dx, dgamma, dbeta, dy, x, gamma, mean, invstd", "dx dy x", "mean invstd", "", layerNormGrad),
	rowsOf("rmsNormRows", "dst, invrms, x, gamma", "dst x", "invrms", "eps", rmsNorm),
	rowsOf("rmsNormGradRows", "dx, dgamma, dy, x, gamma, invrms", "dx dy x", "invrms", "", rmsNormGrad),
}

// inverseRoot is 1/√(v/n + eps), pinned.
func (k *kernel) inverseRoot(v, n, eps *val) *val {
	return k.pinnedCopy(k.div(k.constant(1), k.sqrt(k.add(k.div(v, n), eps))))
}

func layerNorm(k *kernel, p map[string]string, s []*val) {
	n := k.count()
	acc := k.accumulators()
	k.clear(acc)
	k.pass(func(l *lane) { l.addTo(acc, l.load(p["x"])) })
	mean := k.pinnedCopy(k.div(k.reduce("VADDPS", acc), n))
	k.clear(acc)
	k.pass(func(l *lane) {
		d := l.orZero(l.sub(l.load(p["x"]), mean))
		l.addProduct(acc, d, d)
	})
	inv := k.inverseRoot(k.reduce("VADDPS", acc), n, s[0])
	k.raw(nil, "VMOVSS {0:X}, ("+p["mean"]+")", mean)
	k.raw(nil, "VMOVSS {0:X}, ("+p["invstd"]+")", inv)
	k.pass(func(l *lane) {
		h := l.mul(l.sub(l.load(p["x"]), mean), inv)
		l.store(p["dst"], l.fma(h, l.load(p["gamma"]), l.load(p["beta"])))
	})
}

func layerNormGrad(k *kernel, p map[string]string, _ []*val) {
	n := k.count()
	mean, inv := k.number(p["mean"]), k.number(p["invstd"])
	sumG, sumGH := k.accumulators(), k.accumulators()
	k.clear(sumG)
	k.clear(sumGH)
	k.pass(func(l *lane) {
		h := l.mul(l.sub(l.load(p["x"]), mean), inv)
		dy := l.load(p["dy"])
		g := l.mul(dy, l.load(p["gamma"]))
		l.addTo(sumG, g)
		l.addProduct(sumGH, g, h)
		l.store(p["dgamma"], l.fma(dy, h, l.load(p["dgamma"])))
		l.store(p["dbeta"], l.add(dy, l.load(p["dbeta"])))
	})
	a := k.pinnedCopy(k.div(k.reduce("VADDPS", sumG), n))
	b := k.pinnedCopy(k.div(k.reduce("VADDPS", sumGH), n))
	k.pass(func(l *lane) {
		h := l.mul(l.sub(l.load(p["x"]), mean), inv)
		g := l.fms(l.load(p["dy"]), l.load(p["gamma"]), a)
		l.store(p["dx"], l.mul(inv, l.fnma(h, b, g)))
	})
}

func rmsNorm(k *kernel, p map[string]string, s []*val) {
	n := k.count()
	acc := k.accumulators()
	k.clear(acc)
	k.pass(func(l *lane) {
		x := l.load(p["x"])
		l.addProduct(acc, x, x)
	})
	inv := k.inverseRoot(k.reduce("VADDPS", acc), n, s[0])
	k.raw(nil, "VMOVSS {0:X}, ("+p["invrms"]+")", inv)
	k.pass(func(l *lane) {
		l.store(p["dst"], l.mul(l.mul(l.load(p["x"]), inv), l.load(p["gamma"])))
	})
}

func rmsNormGrad(k *kernel, p map[string]string, _ []*val) {
	n := k.count()
	inv := k.number(p["invrms"])
	acc := k.accumulators()
	k.clear(acc)
	k.pass(func(l *lane) {
		h := l.mul(l.load(p["x"]), inv)
		dy := l.load(p["dy"])
		l.addProduct(acc, l.mul(dy, l.load(p["gamma"])), h)
		l.store(p["dgamma"], l.fma(dy, h, l.load(p["dgamma"])))
	})
	b := k.pinnedCopy(k.div(k.reduce("VADDPS", acc), n))
	k.pass(func(l *lane) {
		h := l.mul(l.load(p["x"]), inv)
		g := l.mul(l.load(p["dy"]), l.load(p["gamma"]))
		l.store(p["dx"], l.mul(inv, l.fnma(h, b, g)))
	})
}

//go:build ignore

package main

import "fmt"

// stepOf is a definition of an optimizer's step on slices of one length with
// numbers in an array; body gets and returns the elements.
func stepOf(name, slices string, numbers int, body func(k *kernel, e, s []*val) []*val) definition {
	params := fmt.Sprintf("%s []float32; s *[%d]float32", slices, numbers)
	return definition{signature{name: name, params: params}, func(k *kernel) {
		k.row("n")
		p := k.pointers(slices + " s")
		at := p[len(p)-1]
		var s []*val
		for i := range numbers {
			s = append(s, k.raw(k.pin(), fmt.Sprintf("VBROADCASTSS %d(%s), {d}", 4*i, at)))
		}
		k.pass(func(l *lane) {
			var e []*val
			for _, r := range p[:len(p)-1] {
				e = append(e, l.load(r))
			}
			for i, v := range body(l.kernel, e, s) {
				if v != nil {
					l.store(p[i], v)
				}
			}
		})
	}}
}

var optimizers = []definition{
	stepOf("adamW", "p, grad, m, v", 8, func(k *kernel, e, s []*val) []*val {
		scale, blend, beta2, less2, decay, step, root, eps := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
		g := k.mul(e[1], scale)
		m := k.fma(blend, k.sub(g, e[2]), e[2])
		v := k.fma(k.mul(g, g), less2, k.mul(beta2, e[3]))
		denom := k.fma(k.sqrt(v), root, eps)
		p := k.fnma(step, k.div(m, denom), k.mul(decay, e[0]))
		return []*val{p, nil, m, v}
	}),
	stepOf("momentum", "p, grad, u", 4, func(k *kernel, e, s []*val) []*val {
		d := k.fma(s[1], e[0], k.mul(s[0], e[1]))
		u := k.fma(s[2], e[2], d)
		return []*val{k.fnma(s[3], u, e[0]), nil, u}
	}),
	stepOf("nesterov", "p, grad, u", 4, func(k *kernel, e, s []*val) []*val {
		d := k.fma(s[1], e[0], k.mul(s[0], e[1]))
		u := k.fma(s[2], e[2], d)
		return []*val{k.fnma(s[3], k.fma(s[2], u, d), e[0]), nil, u}
	}),
	stepOf("lion", "p, grad, m", 7, func(k *kernel, e, s []*val) []*val {
		g := k.mul(e[1], s[0])
		c := k.fma(s[1], e[2], k.mul(s[2], g))
		step := k.or(s[6], k.sign(c))
		step = k.keep(k.cmp(notEqual, c, k.constant(0)), step)
		step = k.sel(k.cmp(unordered, c, c), c, step)
		p := k.sub(k.mul(e[0], s[5]), step)
		return []*val{p, nil, k.fma(s[3], e[2], k.mul(s[4], g))}
	}),
}

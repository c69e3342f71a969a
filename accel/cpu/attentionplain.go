package cpu

import (
	"math"

	"github.com/millrace-go/millrace/accel"
)

// The float64 kernels of attention are its definition, one query at a time.

// attention64 is the operands in one run.
type attention64 struct {
	*attention
	q, k, v, bias []float64
}

func (a *attention) operands64(f *frame, q, k, v, mask *tensor) attention64 {
	o := attention64{attention: a, q: data[float64](f, q), k: data[float64](f, k), v: data[float64](f, v)}
	if mask != nil {
		o.bias = data[float64](f, mask)
	}
	return o
}

// row is what is at element i of a head.
func (a *attention64) row(x []float64, s strides, b, h, i, n int) []float64 {
	return x[s.at(b, h)+i*s.row:][:n]
}

// probabilities sets p, one a key that query i may see; all are 0 if the mask leaves none.
func (a *attention64) probabilities(p []float64, b, h, i int) {
	q, least := a.row(a.q, a.qs, b, h, i, a.d), true
	for j := range p {
		p[j] = 0
		for l, v := range a.row(a.k, a.ks, b, h/(a.heads/a.groups), j, a.d) {
			p[j] += q[l] * v
		}
		p[j] *= a.scale
		if a.masked {
			m := a.bias[a.mask.at(b, h)+i*a.mask.row+j*a.maskStep]
			least = least && math.IsInf(m, -1)
			p[j] += m
		}
	}
	if a.masked && least {
		clear(p)
		return
	}
	softmaxRow(p, p)
}

func (a *attention) forward64(c *call) kernel {
	scratch := c.scratch(8 * a.t)
	return func(f *frame) error {
		o := a.operands64(f, c.in[0], c.in[1], c.in[2], c.input(3))
		out, all := data[float64](f, c.out[0]), accel.View[float64](scratch.raw(f))
		a.eachQuery(func(b, h, i int) {
			y, p := o.row(out, a.ys, b, h, i, a.e), all[:a.keys(i+1)]
			clear(y)
			o.probabilities(p, b, h, i)
			for j, w := range p {
				for l, v := range o.row(o.v, a.vs, b, h/(a.heads/a.groups), j, a.e) {
					y[l] += w * v
				}
			}
		})
		return nil
	}
}

func (a *attention) eachQuery(do func(b, h, i int)) {
	for b := range a.batch {
		for h := range a.heads {
			for i := range a.s {
				do(b, h, i)
			}
		}
	}
}

func (a *attention) backward64(c *call) kernel {
	scratch := c.scratch(8 * 2 * a.t)
	return func(f *frame) error {
		o := a.operands64(f, c.in[1], c.in[2], c.in[3], c.input(4))
		dys, dqs, dks, dvs := data[float64](f, c.in[0]), data[float64](f, c.out[0]), data[float64](f, c.out[1]), data[float64](f, c.out[2])
		clear(dqs)
		clear(dks)
		clear(dvs)
		all := accel.View[float64](scratch.raw(f))
		a.eachQuery(func(b, h, i int) {
			n, g := a.keys(i+1), h/(a.heads/a.groups)
			p, dp, dy := all[:n], all[a.t:a.t+n], o.row(dys, a.ys, b, h, i, a.e)
			o.probabilities(p, b, h, i)
			for j, w := range p {
				dp[j] = 0
				dv := o.row(dvs, a.vs, b, g, j, a.e)
				for l, v := range o.row(o.v, a.vs, b, g, j, a.e) {
					dp[j] += dy[l] * v
					dv[l] += w * dy[l]
				}
			}
			softmaxGradRow(dp, dp, p)
			q, dq := o.row(o.q, a.qs, b, h, i, a.d), o.row(dqs, a.qs, b, h, i, a.d)
			for j, d := range dp {
				dk := o.row(dks, a.ks, b, g, j, a.d)
				for l, v := range o.row(o.k, a.ks, b, g, j, a.d) {
					dq[l] += a.scale * d * v
					dk[l] += a.scale * d * q[l]
				}
			}
		})
		return nil
	}
}

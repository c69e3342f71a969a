package pool

import "math"

// window is the taps of one output that are inside the plane.
type window struct {
	d0, d1, h0, h1, w0, w1 int // first places, and taps
	stepD, stepH, stepW    int // from tap to tap, in elements
	at                     int // of the first tap
}

// windows calls f with each output of a plane and its window.
func (p *Plan) windows(f func(o int, w window)) {
	d, h, c := &p.ax[0], &p.ax[1], &p.ax[2]
	w := window{stepW: c.dil, stepH: h.dil * p.in[2], stepD: d.dil * p.in[1] * p.in[2]}
	o := 0
	for od := range p.out[0] {
		w.d1 = d.hi[od] - d.lo[od]
		w.d0 = d.first[od] + d.lo[od]*d.dil
		for oh := range p.out[1] {
			w.h1 = h.hi[oh] - h.lo[oh]
			w.h0 = h.first[oh] + h.lo[oh]*h.dil
			for ow := range p.out[2] {
				w.w1 = c.hi[ow] - c.lo[ow]
				w.w0 = c.first[ow] + c.lo[ow]*c.dil
				w.at = (w.d0*p.in[1]+w.h0)*p.in[2] + w.w0
				f(o, w)
				o++
			}
		}
	}
}

// each calls f with each place of the window, in row-major order.
func (w window) each(f func(at int)) {
	for line := range w.d1 * w.h1 {
		at := w.line(line)
		for range w.w1 {
			f(at)
			at += w.stepW
		}
	}
}

// line is the place of the first tap of a line along the last dimension.
func (w window) line(i int) int {
	if w.d1 == 1 {
		return w.at + i*w.stepH
	}
	return w.at + i/w.h1*w.stepD + i%w.h1*w.stepH
}

func (r *run) maxGradPlane(i, _ int) {
	dx, dy := r.planeIn(r.dx, i), r.planeOut(r.dy, i)
	clear(dx)
	for o, at := range r.idx[i*r.outLen:][:r.outLen] {
		if at >= 0 {
			dx[at] += dy[o]
		}
	}
}

// divisor is what the sum of the window of output (d, h, w) is divided by.
func (p *Plan) divisor(d, h, w int) float32 {
	a, b, c := &p.ax[0], &p.ax[1], &p.ax[2]
	if p.spec.CountIncludePad {
		return float32(max(1, a.padded[d]*b.padded[h]*c.padded[w]))
	}
	return float32(max(1, (a.hi[d]-a.lo[d])*(b.hi[h]-b.lo[h])*(c.hi[w]-c.lo[w])))
}

func (r *run) averageGradPlane(i, _ int) {
	dx, dy := r.planeIn(r.dx, i), r.planeOut(r.dy, i)
	clear(dx)
	r.windows(func(o int, w window) {
		v := dy[o] / r.divisor(o/r.out[2]/r.out[1], o/r.out[2]%r.out[1], o%r.out[2])
		w.each(func(at int) { dx[at] += v })
	})
}

func (r *run) averageWhole(i, _ int) {
	r.y[i] = r.kernels.sum(&r.x[i*r.inLen], r.inLen) / float32(r.inLen)
}

func (r *run) averageGradWhole(i, _ int) {
	r.kernels.fill(&r.dx[i*r.inLen], r.inLen, r.dy[i]/float32(r.inLen))
}

func (r *run) lpPlane(i, _ int) {
	x, y := r.planeIn(r.x, i), r.planeOut(r.y, i)
	r.windows(func(o int, w window) {
		sum := 0.0
		w.each(func(at int) { sum += power(math.Abs(float64(x[at])), r.spec.P) })
		switch r.spec.P {
		case 1:
		case 2:
			sum = math.Sqrt(sum)
		default:
			sum = math.Pow(sum, 1/float64(r.spec.P))
		}
		y[o] = float32(sum)
	})
}

func (r *run) lpGradPlane(i, _ int) {
	dx, dy, x, y := r.planeIn(r.dx, i), r.planeOut(r.dy, i), r.planeIn(r.x, i), r.planeOut(r.y, i)
	clear(dx)
	r.windows(func(o int, w window) {
		if y[o] == 0 {
			return
		}
		scale := float64(dy[o]) / power(float64(y[o]), r.spec.P-1)
		w.each(func(at int) {
			if v := float64(x[at]); v != 0 {
				dx[at] += float32(scale * math.Copysign(power(math.Abs(v), r.spec.P-1), v))
			}
		})
	})
}

// power is v to the n by multiplication.
func power(v float64, n int) float64 {
	p := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			p *= v
		}
		v *= v
	}
	return p
}

package pool

import (
	"math"
	"unsafe"
)

// lineArgs take one tap into n neighbouring outputs of a row: output i meets
// x[i·step], which is element at + i·step of its plane. maxLine keeps the
// greatest, and unless idx is nil where it is: an idx of -1 gives way to any
// element. sumLine adds.
type lineArgs struct {
	x, y, idx unsafe.Pointer
	n, at     int
}

// lines calls f for each tap and each row of outputs that it meets, in the order
// of taps: outputs from on, n of them, and the place of the first one's element.
func (p *Plan) lines(f func(from, n, at int)) {
	d, h, w := &p.ax[0], &p.ax[1], &p.ax[2]
	for od := range p.out[0] {
		for oh := range p.out[1] {
			row := (od*p.out[1] + oh) * p.out[2]
			for kd := d.lo[od]; kd < d.hi[od]; kd++ {
				for kh := h.lo[oh]; kh < h.hi[oh]; kh++ {
					line := ((d.first[od]+kd*d.dil)*p.in[1] + h.first[oh] + kh*h.dil) * p.in[2]
					for kw, r := range w.outputs {
						if r[1] > r[0] {
							f(row+r[0], r[1]-r[0], line+w.first[r[0]]+kw*w.dil)
						}
					}
				}
			}
		}
	}
}

// noIndex is the bits of an index of -1.
var noIndex = math.Float32frombits(math.MaxUint32)

func (r *run) maxPlane(i, worker int) {
	x, y := r.planeIn(r.x, i), r.planeOut(r.y, i)
	r.kernels.fill(&y[0], len(y), float32(math.Inf(-1)))
	var idx []int32
	if r.idx != nil {
		idx = r.idx[i*r.outLen:][:r.outLen]
		r.kernels.fill((*float32)(unsafe.Pointer(&idx[0])), len(idx), noIndex)
	}
	a, step := &r.lineArgs[worker], r.ax[2].step
	r.lines(func(from, n, at int) {
		*a = lineArgs{x: unsafe.Pointer(&x[at]), y: unsafe.Pointer(&y[from]), n: n, at: at}
		if idx != nil {
			a.idx = unsafe.Pointer(&idx[from])
		}
		if step < 3 && r.kernels.maxLine[step] != nil {
			r.kernels.maxLine[step](a)
		} else {
			maxLineGo(a, step)
		}
	})
}

func (r *run) averagePlane(i, worker int) {
	x, y := r.planeIn(r.x, i), r.planeOut(r.y, i)
	clear(y)
	a, step := &r.lineArgs[worker], r.ax[2].step
	r.lines(func(from, n, at int) {
		*a = lineArgs{x: unsafe.Pointer(&x[at]), y: unsafe.Pointer(&y[from]), n: n}
		if step < 3 && r.kernels.sumLine[step] != nil {
			r.kernels.sumLine[step](a)
		} else {
			sumLineGo(a, step)
		}
	})
	o := 0
	for d := range r.out[0] {
		for h := range r.out[1] {
			for w := range r.out[2] {
				y[o] /= r.divisor(d, h, w)
				o++
			}
		}
	}
}

// maxLineGo is maxLine for any step.
func maxLineGo(a *lineArgs, step int) {
	x, y := unsafe.Slice((*float32)(a.x), (a.n-1)*step+1), unsafe.Slice((*float32)(a.y), a.n)
	if a.idx == nil {
		for i := range y {
			if v := x[i*step]; v > y[i] || v != v {
				y[i] = v
			}
		}
		return
	}
	idx := unsafe.Slice((*int32)(a.idx), a.n)
	for i := range y {
		if v := x[i*step]; v > y[i] || v != v || idx[i] < 0 {
			y[i], idx[i] = v, int32(a.at+i*step)
		}
	}
}

// sumLineGo is sumLine for any step.
func sumLineGo(a *lineArgs, step int) {
	x, y := unsafe.Slice((*float32)(a.x), (a.n-1)*step+1), unsafe.Slice((*float32)(a.y), a.n)
	for i := range y {
		y[i] += x[i*step]
	}
}

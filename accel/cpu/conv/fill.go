package conv

import "unsafe"

// fill copies what the block that begins at output at reads of chans channels
// to dst, with zeros for padding. src begins at the first channel.
func (p *problem) fill(dst, src []float32, ks *kernels, a *copyArgs, at [3]int, chans int) {
	d, h, w := &p.ax[0], &p.ax[1], &p.ax[2]
	d0, h0, w0 := d.base+at[0]*d.step, h.base+at[1]*h.step, w.base+at[2]*w.step
	top := min(max(0, -h0), p.span[1])
	bottom := max(top, min(p.span[1], h.src-h0))
	plane := p.span[1] * p.rowPitch
	for c := range chans {
		for z := range p.span[0] {
			to := dst[c*p.chanPitch+z*plane:]
			if sz := d0 + z; sz < 0 || sz >= d.src {
				clear(to[:plane])
				continue
			} else if bottom > top {
				from := src[((c*d.src+sz)*h.src+h0+top)*w.src:]
				p.fillRows(to[top*p.rowPitch:], from, ks, a, bottom-top, w0)
			}
			clear(to[:top*p.rowPitch])
			clear(to[bottom*p.rowPitch : plane])
		}
	}
	end := dst[chans*p.chanPitch:]
	clear(end[:min(len(end), 4*lanes)])
}

// fillRows copies n rows, from source column w0 on, each phase of the step by
// itself.
func (p *problem) fillRows(to, from []float32, ks *kernels, a *copyArgs, n, w0 int) {
	w := &p.ax[2]
	if p.mask != nil && w.step <= 2 && ks.copyRows != nil {
		*a = copyArgs{
			dst: unsafe.Pointer(&to[0]), src: unsafe.Pointer(&from[0]), mask: unsafe.Pointer(&p.mask[0]), first: 4 * w0,
			rows: n, dstPitch: 4 * p.rowPitch, srcPitch: 4 * w.src,
		}
		if w.step == 1 {
			a.vecs = ceil(p.span[2], lanes)
			ks.copyRows(a)
		} else {
			a.vecs, a.odd = p.wq/lanes, 4*p.wq
			ks.copyRows2(a)
		}
		return
	}
	for r := range n {
		row, line := to[r*p.rowPitch:][:p.rowPitch], from[r*w.src:][:w.src]
		for ph := range w.step {
			fillPhase(row[ph*p.wq:][:p.wq], line, w0+ph, w.step)
		}
	}
}

// fillPhase sets dst[i] = src[first + i·step], and zero outside of src.
func fillPhase(dst, src []float32, first, step int) {
	if step == 1 {
		lo := min(max(0, -first), len(dst))
		hi := max(lo, min(len(dst), len(src)-first))
		clear(dst[:lo])
		if hi > lo {
			copy(dst[lo:hi], src[first+lo:])
		}
		clear(dst[hi:])
		return
	}
	for i := range dst {
		dst[i] = 0
		if at := first + i*step; at >= 0 && at < len(src) {
			dst[i] = src[at]
		}
	}
}

package conv

import "unsafe"

// fill copies what the block that begins at output at reads of chans channels
// to dst, with zeros for padding. src begins at the first channel.
func (p *problem) fill(dst, src []float32, ks *kernels, a *copyArgs, at [3]int, chans int) {
	d := &p.ax[0]
	first := [3]int{}
	for i := range first {
		first[i] = p.ax[i].base + at[i]*p.ax[i].step
	}
	vector := p.mask != nil && p.ax[2].step <= 2 && ks.copyRows != nil
	plane, from := p.span[1]*p.rowPitch, p.ax[1].src*p.ax[2].src
	if vector && p.span[0] == 1 && first[0] >= 0 && first[0] < d.src {
		p.fillPlanes(dst, src[first[0]*from:], ks, a, first, chans)
	} else {
		for c := range chans {
			for z := range p.span[0] {
				to := dst[c*p.chanPitch+z*plane:]
				if sz := first[0] + z; sz < 0 || sz >= d.src {
					clear(to[:plane])
				} else if vector {
					p.fillPlanes(to, src[(c*d.src+sz)*from:], ks, a, first, 1)
				} else {
					p.fillPlane(to[:plane], src[(c*d.src+sz)*from:][:from], first)
				}
			}
		}
	}
	end := dst[chans*p.chanPitch:]
	clear(end[:min(len(end), 4*lanes)])
}

// inside is how many of the rows that a block reads come before those of the
// source, and before those after it.
func (p *problem) inside(first int) (top, bottom int) {
	top = min(max(0, -first), p.span[1])
	return top, max(top, min(p.span[1], p.ax[1].src-first))
}

// fillPlanes copies one plane of each of chans channels by the vector kernel.
func (p *problem) fillPlanes(to, from []float32, ks *kernels, a *copyArgs, first [3]int, chans int) {
	w := &p.ax[2]
	top, bottom := p.inside(first[1])
	*a = copyArgs{
		dst: unsafe.Pointer(&to[0]), src: unsafe.Pointer(&from[0]), mask: unsafe.Pointer(&p.mask[0]), first: 4 * first[2],
		chans: chans, top: top, rows: bottom - top, bottom: p.span[1] - bottom,
		dstPitch: 4 * p.rowPitch, srcPitch: 4 * w.src, dstChan: 4 * p.chanPitch, srcChan: 4 * p.ax[0].src * p.ax[1].src * w.src,
	}
	if bottom > top {
		a.first += 4 * (first[1] + top) * w.src
	}
	if w.step == 1 {
		a.vecs = ceil(p.span[2], lanes)
		ks.copyRows(a)
		return
	}
	a.vecs, a.odd = p.wq/lanes, 4*p.wq
	ks.copyRows2(a)
}

// fillPlane copies a plane, each phase of the step by itself.
func (p *problem) fillPlane(to, from []float32, first [3]int) {
	w := &p.ax[2]
	top, bottom := p.inside(first[1])
	clear(to[:top*p.rowPitch])
	for r := top; r < bottom; r++ {
		row, line := to[r*p.rowPitch:][:p.rowPitch], from[(first[1]+r)*w.src:][:w.src]
		for ph := range w.step {
			fillPhase(row[ph*p.wq:][:p.wq], line, first[2]+ph, w.step)
		}
	}
	clear(to[bottom*p.rowPitch:])
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

package conv

// lanes is the number of output positions in a segment: neighbours in a row,
// which one 256-bit vector holds.
const lanes = 8

// blockLen is about how many floats of the source a block copies: it should
// stay in the level-two cache beside the weights and the output.
const blockLen = 16 << 10

// kBlock is how many taps make one chain of multiply-adds.
const kBlock = 384

// problem is a correlation of one source with the kernel: each output row of
// the matrix product (an output channel) against every position. Positions are
// cut in blocks of blk, whose source is copied to scratch memory, or read where
// it is.
type problem struct {
	ax        [3]axis
	groups    int
	srcC      int    // source channels a group
	rows      int    // output channels a group
	strides   [3]int // of the weights: from group to group, row to row, source channel to source channel
	k         int    // chain length: srcC · taps
	tapIndex  []int
	blk, nblk [3]int
	inPlace   bool // the source is read where it is
	direct    bool // the kernel writes to the destination: a chain of one block, since y may be the residual
	span      [3]int
	wq        int // columns of one phase of the step
	rowPitch  int
	chanPitch int
	koff      []int64 // bytes from an output's place in the block to each tap
	seg       []int64 // bytes from the block's begin to each segment's first output
	mask      []int32 // -1 where a copied source column is inside the source
	kern      *tileKernel
	panels    int
	wOff      int // where its packed weights begin
}

// newProblem plans the correlation along ax; scatter tells which side of the
// weights is the source.
func newProblem(g geom, ax [3]axis, ks *kernels, scatter bool) *problem {
	taps := g.taps()
	p := &problem{ax: ax, groups: g.groups, srcC: g.cb, rows: g.cs, strides: [3]int{g.cs * g.cb * taps, g.cb * taps, taps}}
	if scatter {
		p.srcC, p.rows = g.cs, g.cb
		p.strides[1], p.strides[2] = p.strides[2], p.strides[1]
	}
	for _, d := range ax[0].tap {
		for _, h := range ax[1].tap {
			for _, w := range ax[2].tap {
				p.tapIndex = append(p.tapIndex, (d*g.kern[1]+h)*g.kern[2]+w)
			}
		}
	}
	p.k = p.srcC * len(p.tapIndex)
	p.kern = ks.tile(p.rows)
	p.panels = (p.rows + p.kern.mr - 1) / p.kern.mr
	p.chooseBlocks(g.n)
	p.layout()
	return p
}

// chooseBlocks halves the block until its source is short enough, and further
// while there are too few blocks to share among threads. A block is whole in
// every dimension after the first that is cut, so that its segments are a
// prefix of the full block's.
func (p *problem) chooseBlocks(n int) {
	for i := range p.blk {
		p.blk[i] = p.ax[i].n
	}
	small := func() int {
		return p.srcC * p.ax[0].extent(p.blk[0]) * p.ax[1].extent(p.blk[1]) * p.ax[2].extent(p.blk[2])
	}
	work := func() int { return p.blk[0] * p.blk[1] * p.blk[2] * p.rows * p.k }
	parts := func() int { return n * p.groups * ceil(p.ax[0].n, p.blk[0]) * ceil(p.ax[1].n, p.blk[1]) }
	for {
		big, few := small() > blockLen, parts() < 4 && work() > 1<<20
		switch {
		case (big || few) && p.blk[0] > 1:
			p.blk[0] = (p.blk[0] + 1) / 2
		case (big || few) && p.blk[1] > 1:
			p.blk[1] = (p.blk[1] + 1) / 2
		case (big || few) && p.blk[2] > 16*lanes:
			p.blk[2] = roundUp(p.blk[2]/2, 2*lanes)
		default:
			for i := range p.nblk {
				p.nblk[i] = ceil(p.ax[i].n, p.blk[i])
			}
			return
		}
	}
}

// layout decides how a block's source lies in memory.
func (p *problem) layout() {
	w := &p.ax[2]
	p.inPlace = w.step == 1 && w.n%lanes == 0 && p.blk[2]%lanes == 0
	for i := range p.ax {
		p.span[i] = p.ax[i].extent(p.blk[i])
		p.inPlace = p.inPlace && p.ax[i].inside()
	}
	oneRow := p.blk[0] == 1 && p.blk[1] == 1
	p.direct = p.k <= kBlock && (p.blk[2] == w.n || oneRow) && w.n%lanes == 0 && p.blk[2]%lanes == 0
	for i := range p.ax {
		p.direct = p.direct && p.ax[i].outStep == 1 && p.ax[i].out0 == 0 && p.ax[i].n == p.ax[i].dst
	}
	planePitch := 0
	if p.inPlace {
		p.wq, p.rowPitch = w.src, w.src
		planePitch = p.ax[1].src * p.rowPitch
		p.chanPitch = p.ax[0].src * planePitch
	} else {
		p.wq = ceil(p.span[2], w.step)
		if w.step > 1 {
			p.wq = roundUp(p.wq, lanes)
		}
		p.rowPitch = p.wq * w.step
		planePitch = p.span[1] * p.rowPitch
		p.chanPitch = p.span[0] * planePitch
	}
	p.offsets(planePitch)
	p.segments(planePitch)
	if !p.inPlace && p.nblk[2] == 1 {
		p.mask = columnMask(w, p.span[2])
	}
}

// offsets fills koff.
func (p *problem) offsets(planePitch int) {
	for c := range p.srcC {
		for _, d := range p.ax[0].off {
			for _, h := range p.ax[1].off {
				for _, w := range p.ax[2].off {
					at := c*p.chanPitch + d*planePitch + h*p.rowPitch + w%p.ax[2].step*p.wq + w/p.ax[2].step
					p.koff = append(p.koff, int64(4*at))
				}
			}
		}
	}
}

// segments fills seg, and appends what a kernel of several segments may read
// past the last.
func (p *problem) segments(planePitch int) {
	for d := range p.blk[0] {
		for h := range p.blk[1] {
			for w := 0; w < p.blk[2]; w += lanes {
				at := d*p.ax[0].step*planePitch + h*p.ax[1].step*p.rowPitch + w
				p.seg = append(p.seg, int64(4*at))
			}
		}
	}
	p.seg = append(p.seg, p.seg[len(p.seg)-1])
}

// columnMask tells which of the columns that a row of a block copies are inside
// the source, with room for two more vectors.
func columnMask(w *axis, span int) []int32 {
	mask := make([]int32, roundUp(span, lanes)+2*lanes)
	for i := range mask {
		if c := w.base + i; i < span && c >= 0 && c < w.src {
			mask[i] = -1
		}
	}
	return mask
}

// sourceLen is how many floats of scratch a block's source needs: reads of the
// last segment and vector stores may pass the end of the last row.
func (p *problem) sourceLen() int {
	if p.inPlace {
		return 0
	}
	return p.srcC*p.chanPitch + 4*lanes
}

// bufferPitch is the length of a row of the buffer that the kernel writes when
// it does not write to the destination.
func (p *problem) bufferPitch() int { return roundUp(p.blockSegs(p.blk)*lanes, 2*lanes) }

func (p *problem) bufferLen() int {
	if p.direct {
		return 0
	}
	return p.bufferPitch() * p.kern.mr
}

// blockSegs is the number of segments of a block of sizes b.
func (p *problem) blockSegs(b [3]int) int { return b[0] * b[1] * ceil(b[2], lanes) }

// packedLen is the length of its packed weights.
func (p *problem) packedLen() int { return p.groups * p.panels * p.kern.mr * p.k }

// cost is the multiply-adds of one image and group, those of unused lanes
// included. Methods are compared by it, so it does not depend on the kernel: the
// method decides the bits.
func (p *problem) cost() int {
	return p.rows * p.k * p.ax[0].n * p.ax[1].n * roundUp(p.ax[2].n, lanes)
}

// pack writes the weights of a panel of kern.mr output rows for each tap in
// turn, with zeros for rows that do not exist.
func (p *problem) pack(dst, w []float32) {
	if p.k == 0 { // no tap meets these positions
		return
	}
	mr := p.kern.mr
	clear(dst[:p.packedLen()])
	for gr := range p.groups {
		from := w[gr*p.strides[0]:]
		to := dst[gr*p.panels*mr*p.k:]
		for row := range p.rows {
			panel := to[row/mr*mr*p.k+row%mr:]
			i := 0
			for c := range p.srcC {
				at := from[row*p.strides[1]+c*p.strides[2]:]
				for _, t := range p.tapIndex {
					panel[i] = at[t]
					i += mr
				}
			}
		}
	}
}

func ceil(a, b int) int    { return (a + b - 1) / b }
func roundUp(a, b int) int { return (a + b - 1) / b * b }

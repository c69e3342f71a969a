package conv

import "unsafe"

// cols computes big from small the other way round: for each channel of big and
// each tap the product of small with its weights, and then the sum of these
// columns at their places. Where a kernel is wide and small has few positions,
// most taps of the direct form meet padding; here none does.
//
// An element is a sum over the taps, in order, of chains over small's channels.
type cols struct {
	geom    geom
	kernels *kernels
	prob    *problem
	chans   int // channels of big that a task computes
	chunks  int // tasks a group
	vecs    int // vectors of 16 of a row of big
	rowOff  []int64
	mask    []int32
	pitch   int // floats from one tap's column to the next
}

// colsLimit is the greatest number of positions of small that cols takes.
const colsLimit = 2048

// newCols plans it, or returns nil if the shape does not suit.
func newCols(g geom, ks *kernels) *cols {
	taps, positions := g.taps(), product(g.small[:])
	if g.stride[2] != 1 || taps == 1 || positions > colsLimit {
		return nil
	}
	c := &cols{geom: g, kernels: ks, vecs: ceil(g.big[2], 2*lanes)}
	rows := g
	rows.n = 4 // so that the number of images does not decide
	rows.cb, rows.cs = g.cs, g.cb*taps
	rows.big, rows.small = [3]int{1, 1, positions}, [3]int{1, 1, positions}
	rows.kern, rows.stride, rows.dil, rows.pad = [3]int{1, 1, 1}, [3]int{1, 1, 1}, [3]int{1, 1, 1}, [3]int{}
	var ax [3]axis
	for i := range ax {
		ax[i] = gatherAxis(&rows, i)
	}
	c.prob = newProblem(rows, ax, ks, false)
	c.prob.strides = [3]int{g.cs * g.cb * taps, 1, g.cb * taps}
	if c.prob.blocks() != 1 {
		return nil
	}
	c.pitch = c.prob.bufferPitch()
	for c.chans = 1; c.chans < g.cb && (c.chans*taps%c.prob.kern.mr != 0 || c.chans*taps < 32); c.chans++ {
	}
	c.chunks = ceil(g.cb, c.chans)
	c.rowTable()
	c.maskTable()
	return c
}

// rowTable lists, for each row of big, the rows of the columns that add to it:
// their places at column 0 of big, in bytes, closed by -1.
func (c *cols) rowTable() {
	g := &c.geom
	for d := range g.big[0] {
		for h := range g.big[1] {
			for kd := range g.kern[0] {
				for kh := range g.kern[1] {
					sd, okD := source(d+g.pad[0]-kd*g.dil[0], g.stride[0], g.small[0])
					sh, okH := source(h+g.pad[1]-kh*g.dil[1], g.stride[1], g.small[1])
					if okD && okH {
						at := (kd*g.kern[1]+kh)*g.kern[2]*c.pitch + (sd*g.small[1]+sh)*g.small[2] + g.pad[2]
						c.rowOff = append(c.rowOff, int64(4*at))
					}
				}
			}
			c.rowOff = append(c.rowOff, -1)
		}
	}
}

// source is i / stride if that is an index below n.
func source(i, stride, n int) (int, bool) {
	return i / stride, i >= 0 && i%stride == 0 && i/stride < n
}

// maskTable tells, for each vector of a row of big and each tap along it, which
// lanes lie on small.
func (c *cols) maskTable() {
	g := &c.geom
	for q := range c.vecs {
		for k := range g.kern[2] {
			for l := range 2 * lanes {
				m := int32(0)
				if _, ok := source(q*2*lanes+l+g.pad[2]-k*g.dil[2], 1, g.small[2]); ok {
					m = -1
				}
				c.mask = append(c.mask, m)
			}
		}
	}
}

// cost is comparable to corr.cost: adding a column takes about as long as a few
// multiply-adds.
func (c *cols) cost() float64 {
	adds := 2 * 3 * c.geom.cb * c.geom.taps() * product(c.geom.small[:2]) * c.vecs * 2 * lanes
	return 1.1 * float64(c.prob.cost()+adds)
}

func (c *cols) planeLen() int  { return c.geom.big[0] * c.geom.big[1] * c.vecs * 2 * lanes }
func (c *cols) bufferLen() int { return roundUp(c.chans*c.geom.taps(), c.prob.kern.mr) * c.pitch }

// scratch is the length that threads workers need beside the packed weights.
func (c *cols) scratch(threads int) int {
	return threads * (c.prob.sourceLen() + c.bufferLen() + c.planeLen())
}

// do computes the channels of one chunk.
func (c *cols) do(r *call, tile, id int) {
	g, p, w := &c.geom, c.prob, &r.workers[id]
	first := tile % c.chunks * c.chans
	chans := min(c.chans, g.cb-first)
	image, group := tile/c.chunks/g.groups, tile/c.chunks%g.groups
	own := r.scratch[id*c.scratch(1):][:c.scratch(1)]
	source, own := own[:p.sourceLen()], own[p.sourceLen():]
	buffer, plane := own[:c.bufferLen()], own[c.bufferLen():]

	a := &w.tile
	src := r.src[(image*g.groups+group)*g.cs*p.ax[2].n:]
	a.src = unsafe.Pointer(&src[0])
	if !p.inPlace {
		p.fill(source, src, c.kernels, &w.copy, [3]int{}, p.srcC)
		a.src = unsafe.Pointer(&source[0])
	}
	row, end := first*g.taps(), (first+chans)*g.taps()
	a.pitch = 4 * c.pitch
	for at := 0; row < end; row += p.kern.mr {
		a.rows = min(p.kern.mr, end-row)
		a.out = unsafe.Pointer(&buffer[at])
		p.chain(w, r.packed[(group*p.panels+row/p.kern.mr)*p.kern.mr*p.k:], p.blockSegs(p.blk), open)
		at += p.kern.mr * c.pitch
	}
	for i := range chans {
		c.channel(r, w, plane, buffer[i*g.taps()*c.pitch:], (image*g.groups+group)*g.cb+first+i)
	}
}

// channel sums the columns of one channel of dst.
func (c *cols) channel(r *call, w *worker, plane, columns []float32, ch int) {
	g := &c.geom
	rows := g.big[0] * g.big[1]
	w.add = addArgs{
		dst: unsafe.Pointer(&plane[0]), src: unsafe.Pointer(&columns[0]),
		rowOff: unsafe.Pointer(&c.rowOff[0]), mask: unsafe.Pointer(&c.mask[0]),
		rows: rows, vecs: c.vecs, kw: g.kern[2],
		tapPitch: 4 * (c.pitch - g.dil[2]), dstPitch: 8 * lanes * c.vecs,
	}
	c.kernels.addTaps(&w.add)
	w.flush = flushArgs{
		dst: unsafe.Pointer(&r.dst[ch*rows*g.big[2]]), src: unsafe.Pointer(&plane[0]),
		rows: rows, n: g.big[2], dstPitch: 4 * g.big[2], srcPitch: 8 * lanes * c.vecs, lo: r.end.lo, hi: r.end.hi,
	}
	if r.end.bias != nil {
		w.flush.bias = r.end.bias[ch%(g.groups*g.cb)]
	}
	if r.end.residual != nil {
		w.flush.res = unsafe.Pointer(&r.end.residual[ch*rows*g.big[2]])
	}
	c.kernels.flush(&w.flush)
}

func (c *cols) packedLen() int        { return c.prob.packedLen() }
func (c *cols) pack(dst, w []float32) { c.prob.pack(dst, w) }
func (c *cols) tasks(int) int         { return c.geom.n * c.geom.groups * c.chunks }

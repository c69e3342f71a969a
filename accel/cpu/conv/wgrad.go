package conv

import "unsafe"

// chainLen is about how many positions, of one or several images, a sum of the
// weights' gradient takes before it is added to the total; gradLen is the
// greatest number of floats of x that are copied for it.
const (
	chainLen = 4096
	gradLen  = 64 << 10
)

// wgrad sums dy[n,m,o]·x[n,c,o+k] over images and positions, in 16 lanes of
// neighbouring positions. A unit is a few images, or a block of one; its sums
// are added to dw in the order of units. A task computes some of the weights
// over all units, so that threads do not show.
type wgrad struct {
	geom          geom
	kernels       *kernels
	lay           *problem // where x's channels of a task lie
	grads         []*gradKernel
	chans, rows   int // of big and small, that a task takes
	images        int // of a unit
	tab           []gradStep
	dyInPlace     bool
	dyPitch       int // floats from one of small's channels to the next
	xImage        int // floats from one image to the next
	dyImage       int
	mask          []int32 // of a row of dy
	cParts, mPart int     // tasks of a group
}

func newWgrad(g geom, ks *kernels) *wgrad {
	p := &problem{groups: g.groups}
	for i := range p.ax {
		p.ax[i] = gatherAxis(&g, i)
		p.blk[i] = p.ax[i].n
	}
	w := &wgrad{geom: g, kernels: ks, lay: p, grads: ks.gradsFor(g.cs, g.cb*g.taps())}
	w.cut()
	p.srcC = w.chans
	for i := range p.ax {
		p.nblk[i] = ceil(p.ax[i].n, p.blk[i])
	}
	for range g.kern[0] * g.kern[1] * g.kern[2] {
		p.tapIndex = append(p.tapIndex, len(p.tapIndex))
	}
	p.layout()
	w.place()
	w.table()
	w.mask = columnMask(&axis{src: g.small[2]}, g.small[2])
	return w
}

// cut chooses the sizes of tasks and units.
func (w *wgrad) cut() {
	g, p := &w.geom, w.lay
	mr := w.grads[0].mr
	w.chans, w.rows = ceil(g.cb, 2), roundUp(ceil(g.cs, 2), mr)
	for g.groups*ceil(g.cb, w.chans)*ceil(g.cs, w.rows) < 4 && w.rows > mr {
		w.rows = roundUp(w.rows/2, mr)
	}
	size := func() int { return p.ax[0].extent(p.blk[0]) * p.ax[1].extent(p.blk[1]) * p.ax[2].extent(p.blk[2]) }
	for i := range p.blk {
		for step := 2 * lanes; p.blk[i] > 1 && (i < 2 || p.blk[i] > step) && (product(p.blk[:]) > 2*chainLen || size() > gradLen/4); {
			p.blk[i] = (p.blk[i] + 1) / 2
			if i == 2 {
				p.blk[i] = roundUp(p.blk[i], step)
			}
		}
	}
	w.images = 1
	if product(p.blk[:]) == product(g.small[:]) {
		w.images = min(g.n, max(1, chainLen/product(p.blk[:])))
	}
	for w.chans > 4 && w.chans*w.images*size() > gradLen {
		w.chans = ceil(w.chans, 2)
	}
	w.cParts, w.mPart = ceil(g.cb, w.chans), ceil(g.cs, w.rows)
}

// place decides where the images of x and dy lie.
func (w *wgrad) place() {
	g, p := &w.geom, w.lay
	n := p.ax[2].n
	whole := p.blk[2] == n || p.blk[0] == 1 && p.blk[1] == 1
	w.dyInPlace = whole && n%lanes == 0
	for i, b := range p.blk { // an odd number of segments needs a zero segment after it
		last := p.ax[i].n - (p.nblk[i]-1)*b
		sizes := p.blk
		sizes[i] = last
		w.dyInPlace = w.dyInPlace && p.blockSegs(sizes)%2 == 0
	}
	positions := product(g.small[:])
	w.dyPitch, w.dyImage = positions, g.groups*g.cs*positions
	if !w.dyInPlace {
		w.dyPitch = p.bufferPitch()
		w.dyImage = w.rows * w.dyPitch
	}
	w.xImage = g.groups * g.cb * product(g.big[:])
	if !p.inPlace {
		w.xImage = p.sourceLen()
	}
}

// table lists the steps of a unit.
func (w *wgrad) table() {
	p := w.lay
	segs := p.blockSegs(p.blk)
	for i := range w.images {
		for s := 0; s < segs; s += 2 {
			x := int64(4 * i * w.xImage)
			w.tab = append(w.tab, gradStep{x0: x + p.seg[s], x1: x + p.seg[s+1], dy: int64(4 * (i*w.dyImage + s*lanes))})
		}
	}
}

// tasks is the number of parts of dw.
func (w *wgrad) tasks() int { return w.geom.groups * w.cParts * w.mPart }

func (w *wgrad) sourceLen() int {
	if w.lay.inPlace {
		return 0
	}
	return w.images * w.xImage
}

func (w *wgrad) dyLen() int {
	if w.dyInPlace {
		return 0
	}
	return w.images * w.dyImage
}

// scratch is the length that threads workers need.
func (w *wgrad) scratch(threads int) int { return threads * (w.sourceLen() + w.dyLen()) }

// gradRun is one call; a tile is a part of the weights.
type gradRun struct {
	*wgrad
	dw, dy, x, scratch []float32
	workers            []worker
}

// gradJob is one task: channels c0 to c1 of big and m0 to m1 of small.
type gradJob struct {
	*gradRun
	own            *worker
	group          int
	c0, c1, m0, m1 int
	xCopy, dyCopy  []float32
}

// Do computes one part of dw over all images.
func (r *gradRun) Do(tile, id int) {
	g, p := &r.geom, r.lay
	j := gradJob{gradRun: r, own: &r.workers[id]}
	j.m0 = tile % r.mPart * r.rows
	j.m1 = min(g.cs, j.m0+r.rows)
	tile /= r.mPart
	j.c0 = tile % r.cParts * r.chans
	j.c1 = min(g.cb, j.c0+r.chans)
	j.group = tile / r.cParts
	own := r.scratch[id*r.wgrad.scratch(1):][:r.wgrad.scratch(1)]
	j.xCopy, j.dyCopy = own[:r.sourceLen()], own[r.sourceLen():]
	for m := j.m0; m < j.m1; m++ {
		clear(r.dw[j.at(m, j.c0):][:(j.c1-j.c0)*g.taps()])
	}
	for n := 0; n < g.n; n += r.images {
		for b := range p.blocks() {
			at := [3]int{b / (p.nblk[1] * p.nblk[2]) * p.blk[0], b / p.nblk[2] % p.nblk[1] * p.blk[1], b % p.nblk[2] * p.blk[2]}
			j.unit(n, min(g.n, n+r.images), at)
		}
	}
}

// at is the place of the weights of small's channel m and big's c in dw.
func (j *gradJob) at(m, c int) int {
	g := &j.geom
	return ((j.group*g.cs+m)*g.cb + c) * g.taps()
}

// unit adds images n0 to n1 of the block at at.
func (j *gradJob) unit(n0, n1 int, at [3]int) {
	p := j.lay
	var size [3]int
	for i := range size {
		size[i] = min(p.blk[i], p.ax[i].n-at[i])
	}
	a := &j.own.grad
	a.x, a.dy = j.source(n0, n1, at), j.gradient(n0, n1, at, size)
	a.tab, a.n = unsafe.Pointer(&j.tab[0]), (n1-n0)*ceil(p.blockSegs(size), 2)
	a.dyPitch, a.dstPitch = 4*j.dyPitch, 4*j.geom.cb*j.geom.taps()
	dy := a.dy
	kr, cols := j.grads[0].kr, (j.c1-j.c0)*j.geom.taps()
	for k := 0; k < cols; k += kr {
		a.koff, a.cols = unsafe.Pointer(&p.koff[k]), min(kr, cols-k)
		if a.cols < kr { // the last offset again for columns that do not exist
			n := copy(j.own.seg[:kr], p.koff[k:cols])
			for ; n < kr; n++ {
				j.own.seg[n] = j.own.seg[n-1]
			}
			a.koff = unsafe.Pointer(&j.own.seg[0])
		}
		for m := j.m0; m < j.m1; {
			kern := j.kernel(j.m1 - m)
			a.dy = unsafe.Add(dy, (m-j.m0)*a.dyPitch)
			a.dst = unsafe.Pointer(&j.dw[j.at(m, j.c0)+k])
			kern.run(a)
			m += kern.mr
		}
	}
}

// kernel is the tallest that fits in rows.
func (w *wgrad) kernel(rows int) *gradKernel {
	for _, k := range w.grads {
		if k.mr <= rows {
			return k
		}
	}
	panic("conv: no kernel of one row")
}

// source returns x of the unit, copied if need be.
func (j *gradJob) source(n0, n1 int, at [3]int) unsafe.Pointer {
	g, p := &j.geom, j.lay
	plane := product(g.big[:])
	if p.inPlace {
		o := 0
		for i := range p.ax {
			o = o*p.ax[i].src + p.ax[i].base + at[i]*p.ax[i].step
		}
		return unsafe.Pointer(&j.x[((n0*g.groups+j.group)*g.cb+j.c0)*plane+o])
	}
	for n := n0; n < n1; n++ {
		src := j.x[((n*g.groups+j.group)*g.cb+j.c0)*plane:][:(j.c1-j.c0)*plane]
		p.fill(j.xCopy[(n-n0)*j.xImage:][:j.xImage], src, j.kernels, &j.own.copy, at, j.c1-j.c0)
	}
	return unsafe.Pointer(&j.xCopy[0])
}

// gradient returns dy of the unit: where it is, or with each row of positions
// lengthened by zeros to whole segments.
func (j *gradJob) gradient(n0, n1 int, at, size [3]int) unsafe.Pointer {
	g := &j.geom
	plane := product(g.small[:])
	first := ((n0*g.groups+j.group)*g.cs+j.m0)*plane + (at[0]*g.small[1]+at[1])*g.small[2] + at[2]
	if j.dyInPlace {
		return unsafe.Pointer(&j.dy[first])
	}
	pitch := ceil(size[2], lanes) * lanes
	for n := range n1 - n0 {
		for m := range j.m1 - j.m0 {
			from := j.dy[first+n*g.groups*g.cs*plane+m*plane:]
			to := j.dyCopy[n*j.dyImage+m*j.dyPitch:][:j.dyPitch]
			for z := range size[0] {
				j.lengthen(to[z*size[1]*pitch:], from[z*g.small[1]*g.small[2]:], size[1], size[2], pitch)
			}
			clear(to[size[0]*size[1]*pitch:])
		}
	}
	return unsafe.Pointer(&j.dyCopy[0])
}

// lengthen copies rows of n floats to rows of pitch floats.
func (j *gradJob) lengthen(to, from []float32, rows, n, pitch int) {
	width := j.geom.small[2]
	if n == width && j.kernels.copyRows != nil {
		j.own.copy = copyArgs{
			dst: unsafe.Pointer(&to[0]), src: unsafe.Pointer(&from[0]), mask: unsafe.Pointer(&j.mask[0]),
			chans: 1, rows: rows, vecs: pitch / lanes, dstPitch: 4 * pitch, srcPitch: 4 * width,
		}
		j.kernels.copyRows(&j.own.copy)
		return
	}
	for r := range rows {
		row := to[r*pitch:][:pitch]
		copy(row[:n], from[r*width:])
		clear(row[n:])
	}
}

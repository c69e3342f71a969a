package conv

import "unsafe"

// corr computes one side of the convolution from the other by problems: one
// from big to small; from small to big one for each residue of the strides.
type corr struct {
	geom     geom
	kernels  *kernels
	scatter  bool
	problems []*problem
	weights  int // length of the packed weights
	copied   int // scratch of a worker: the copy of a block's source …
	buffer   int // … and the rows of a panel
	units    int // tasks
}

func newCorr(g geom, ks *kernels, scatter bool) *corr {
	c := &corr{geom: g, kernels: ks, scatter: scatter}
	var list [3][]axis
	for i := range list {
		if scatter {
			list[i] = scatterAxes(&g, i)
		} else {
			list[i] = []axis{gatherAxis(&g, i)}
		}
	}
	for _, d := range list[0] {
		for _, h := range list[1] {
			for _, w := range list[2] {
				c.add(newProblem(g, [3]axis{d, h, w}, ks, scatter))
			}
		}
	}
	return c
}

func (c *corr) add(p *problem) {
	p.wOff = c.weights
	c.weights += p.packedLen()
	c.copied = max(c.copied, p.sourceLen())
	c.buffer = max(c.buffer, p.bufferLen())
	c.problems = append(c.problems, p)
	c.units += p.tasks(c.geom.n)
}

// cost is the multiply-adds of one image, those of unused lanes included.
func (c *corr) cost() float64 {
	sum := 0
	for _, p := range c.problems {
		sum += p.cost()
	}
	return float64(sum)
}

func (c *corr) packedLen() int { return c.weights }

func (c *corr) pack(dst, w []float32) {
	for _, p := range c.problems {
		p.pack(dst[p.wOff:], w)
	}
}

// scratch is the length that threads workers need beside the packed weights.
func (c *corr) scratch(threads int) int { return threads * (c.copied + c.buffer) }

func (c *corr) tasks(int) int { return c.units }

// do computes one block of one problem.
func (c *corr) do(r *call, tile, worker int) {
	for _, p := range c.problems {
		if n := p.tasks(c.geom.n); tile >= n {
			tile -= n
			continue
		}
		j := c.job(r, p, tile, worker)
		for gr := j.group0; gr < j.group1; gr++ {
			j.group(gr)
		}
		return
	}
}

// job is one block of a problem, for some groups and some panels.
type job struct {
	*corr
	*call
	p              *problem
	image          int
	group0, group1 int
	panel0, panel1 int
	at, size       [3]int
	source, buffer []float32
	own            *worker
}

// groupsPerTask and panelsPerTask cut a problem's work further than images and
// blocks do, if these are few; small groups go together.
func (p *problem) groupsPerTask() int {
	work := p.cost() / p.blocks()
	return min(p.groups, max(1, (1<<18)/max(1, work)))
}

func (p *problem) panelsPerTask(n int) int {
	if n*p.groups*p.blocks() >= 4 || p.cost() < 1<<21 {
		return p.panels
	}
	return ceil(p.panels, 4)
}

func (p *problem) blocks() int { return p.nblk[0] * p.nblk[1] * p.nblk[2] }

func (p *problem) tasks(n int) int {
	return n * ceil(p.groups, p.groupsPerTask()) * p.blocks() * ceil(p.panels, p.panelsPerTask(n))
}

// job finds what tile stands for.
func (c *corr) job(r *call, p *problem, tile, worker int) job {
	gp, pp := p.groupsPerTask(), p.panelsPerTask(c.geom.n)
	j := job{corr: c, call: r, p: p, own: &r.workers[worker]}
	chunks := ceil(p.panels, pp)
	j.panel0 = tile % chunks * pp
	j.panel1 = min(p.panels, j.panel0+pp)
	tile /= chunks
	for i := 2; i >= 0; i-- {
		j.at[i] = tile % p.nblk[i] * p.blk[i]
		j.size[i] = min(p.blk[i], p.ax[i].n-j.at[i])
		tile /= p.nblk[i]
	}
	chunks = ceil(p.groups, gp)
	j.group0 = tile % chunks * gp
	j.group1 = min(p.groups, j.group0+gp)
	j.image = tile / chunks
	own := r.scratch[worker*(c.copied+c.buffer):]
	j.source, j.buffer = own[:c.copied], own[c.copied:][:c.buffer]
	return j
}

// group computes the block for one group.
func (j *job) group(gr int) {
	p := j.p
	first := j.image*p.groups + gr
	srcPlane := p.ax[0].src * p.ax[1].src * p.ax[2].src
	src := j.src[first*p.srcC*srcPlane:][:p.srcC*srcPlane]
	a := &j.own.tile
	if p.k == 0 {
		a.src = unsafe.Pointer(&src[0]) // not read
	} else if p.inPlace {
		at := 0
		for i := range p.ax {
			at = at*p.ax[i].src + p.ax[i].base + j.at[i]*p.ax[i].step
		}
		a.src = unsafe.Pointer(&src[at])
	} else {
		p.fill(j.source, src, j.kernels, &j.own.copy, j.at, p.srcC)
		a.src = unsafe.Pointer(&j.source[0])
	}
	dstPlane := p.ax[0].dst * p.ax[1].dst * p.ax[2].dst
	for i := j.panel0; i < j.panel1; i++ {
		row := i * p.kern.mr
		a.rows = min(p.kern.mr, p.rows-row)
		packed := j.packed[p.wOff+(gr*p.panels+i)*p.kern.mr*p.k:]
		if p.direct {
			j.toDestination(a, packed, gr*p.rows+row, dstPlane)
		} else {
			j.throughBuffer(a, packed, gr*p.rows+row, dstPlane)
		}
	}
}

// toDestination computes a panel's rows, which begin at channel row, in place.
func (j *job) toDestination(a *tileArgs, packed []float32, row, plane int) {
	p := j.p
	at := (j.image*p.groups*p.rows+row)*plane + (j.at[0]*p.ax[1].n+j.at[1])*p.ax[2].n + j.at[2]
	a.out, a.pitch = unsafe.Pointer(&j.dst[at]), 4*plane
	end := j.end
	if end.residual != nil {
		end.residual = end.residual[at:]
	}
	if end.bias != nil {
		end.bias = end.bias[row:]
	}
	p.chain(j.own, packed, p.blockSegs(j.size), end)
}

// throughBuffer computes a panel's rows in the buffer and moves them to their
// places.
func (j *job) throughBuffer(a *tileArgs, packed []float32, row, plane int) {
	p := j.p
	pitch := p.bufferPitch()
	a.out, a.pitch = unsafe.Pointer(&j.buffer[0]), 4*pitch
	p.chain(j.own, packed, p.blockSegs(j.size), open)
	segs := ceil(j.size[2], lanes) * lanes
	d, h, w := &p.ax[0], &p.ax[1], &p.ax[2]
	for r := range a.rows {
		f := &j.own.flush
		*f = flushArgs{rows: j.size[1], n: j.size[2], dstPitch: 4 * h.outStep * w.dst, srcPitch: 4 * segs, lo: j.end.lo, hi: j.end.hi}
		if w.outStep == 1 && f.dstPitch == 4*f.n && f.srcPitch == 4*f.n { // rows without gaps are one
			f.rows, f.n = 1, f.rows*f.n
		}
		if j.end.bias != nil {
			f.bias = j.end.bias[row+r]
		}
		for z := range j.size[0] {
			at := (j.image*p.groups*p.rows + row + r) * plane
			at += ((d.out0+(j.at[0]+z)*d.outStep)*h.dst+h.out0+j.at[1]*h.outStep)*w.dst + w.out0 + j.at[2]*w.outStep
			f.dst = unsafe.Pointer(&j.dst[at])
			f.src = unsafe.Pointer(&j.buffer[r*pitch+z*j.size[1]*segs])
			if j.end.residual != nil {
				f.res = unsafe.Pointer(&j.end.residual[at])
			}
			j.kernels.flushStep(f, w.outStep)
		}
	}
}

// flushStep chooses the kernel by the distance of neighbours in dst.
func (ks *kernels) flushStep(f *flushArgs, step int) {
	switch step {
	case 1:
		ks.flush(f)
	case 2:
		ks.flush2(f)
	default:
		flushGo(f, step)
	}
}

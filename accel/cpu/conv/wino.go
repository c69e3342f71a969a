package conv

import "unsafe"

// wino is a correlation with a kernel of 3 x 3 at stride 1 by the algorithm
// F(2x2, 3x3) of Lavin & Gray, https://arxiv.org/abs/1509.09308: the 4 x 4
// source of each 2 x 2 outputs, a square, is transformed, and so are the
// weights; 16 products of matrices, one for each element of a square, take the
// place of 36; and their results are transformed back. Lanes are squares.
//
// An output is a sum of nine chains over the channels, with more rounding than
// one chain has; all transforms but the weights' are sums.
type wino struct {
	geom    geom
	kernels *kernels
	squares func(*squareArgs)
	lay     *problem // of the source: its outputs are squares
	gemm    *problem // of one of the 16 products
	chans   int      // of the source, a group
	rows    int      // of the destination, a group
	offset  [9]int   // the tap at each place of a square's 3 x 3
	strides [3]int   // of the weights: see problem
	images  int      // of a task; one if an image is cut
	quads   []int64  // bytes from the source's begin to each four squares of a task
	outs    []int64  // and from the destination's
	pitch   int      // squares of a task, rounded up to vectors: floats from channel to channel
	from    int      // floats from one element of the source's squares to the next,
	to      int      // and of the sums
}

// winoSquares is about how many squares a task takes, and winoLen how many
// floats of scratch for their transforms.
const (
	winoSquares = 96
	winoLen     = 112 << 10
)

// newWino plans it, or returns nil if the shape does not suit.
func newWino(g geom, ks *kernels, scatter bool) *wino {
	w := &wino{geom: g, kernels: ks, chans: g.cb, rows: g.cs}
	dst := g.small
	if scatter {
		w.chans, w.rows, dst = g.cs, g.cb, g.big
	}
	three := [3]int{1, 3, 3}
	one := [3]int{1, 1, 1}
	if g.kern != three || g.stride != one || g.dil != one || dst[0] != 1 || dst[1]%2 != 0 || dst[2]%lanes != 0 ||
		w.chans < 12 || w.rows < 12 {
		return nil
	}
	d, h, c := gatherAxis(&g, 0), gatherAxis(&g, 1), gatherAxis(&g, 2)
	if scatter {
		d, h, c = scatterAxes(&g, 0)[0], scatterAxes(&g, 1)[0], scatterAxes(&g, 2)[0]
	}
	taps := g.taps()
	w.strides = [3]int{g.cs * g.cb * taps, g.cb * taps, taps}
	if scatter {
		w.strides[1], w.strides[2] = w.strides[2], w.strides[1]
	}
	for i, oh := range h.off {
		for j, ow := range c.off {
			w.offset[oh*3+ow] = h.tap[i]*3 + c.tap[j]
		}
	}
	w.lay = &problem{ax: [3]axis{d, square(h), square(c)}, groups: g.groups, srcC: w.chans}
	w.cut()
	w.product()
	w.table(dst[2])
	piece := 16 // neighbours among a row's squares that share a vector
	for w.lay.ax[2].n%piece != 0 {
		piece /= 2
	}
	w.squares = ks.squares[piece]
	return w
}

// square is the axis of the squares along a.
func square(a axis) axis {
	a.n /= 2
	a.step, a.off, a.tap, a.reach = 2, []int{0, 1, 2, 3}, []int{0, 1, 2, 3}, 3
	return a
}

// cut chooses the squares of a task: rows of an image, or several images.
func (w *wino) cut() {
	p := w.lay
	for i := range p.ax {
		p.blk[i] = p.ax[i].n
	}
	most := max(16, min(winoSquares, winoLen/(16*(w.chans+w.rows))/16*16))
	rows, blocks := p.blk[1], ceil(p.blk[1], max(1, most/p.blk[2]))
	if n := w.geom.n * w.geom.groups; n*blocks < 4 { // few tasks: four, if they fill a vector
		blocks = max(blocks, min(ceil(4, n), rows*p.blk[2]/32))
	}
	p.blk[1] = ceil(rows, max(1, blocks))
	w.images = 1
	if p.blk[1] == p.ax[1].n {
		w.images = max(1, min(w.geom.n, most/(p.blk[1]*p.blk[2])))
	}
	for i := range p.nblk {
		p.nblk[i] = ceil(p.ax[i].n, p.blk[i])
	}
	p.layout()
	w.pitch = roundUp(w.images*p.blk[1]*p.blk[2], 16)
	w.from, w.to = w.chans*w.pitch+16, w.rows*w.pitch+16 // odd vectors: see productLen
}

// product plans one of the 16 products: weights by the channels' squares.
func (w *wino) product() {
	p := &problem{k: w.chans, rows: w.rows, kern: w.kernels.tile(w.rows)}
	p.panels = ceil(p.rows, p.kern.mr)
	for c := range p.k {
		p.koff = append(p.koff, int64(4*c*w.pitch))
	}
	for s := 0; s <= w.pitch; s += lanes {
		p.seg = append(p.seg, int64(4*s))
	}
	w.gemm = p
}

// table lists the places of each four squares of a task.
func (w *wino) table(width int) {
	p := w.lay
	for i := range w.images {
		for h := range p.blk[1] {
			for c := 0; c < p.blk[2]; c += 4 {
				w.quads = append(w.quads, int64(4*(i*p.sourceLen()+2*h*p.rowPitch+c)))
				w.outs = append(w.outs, int64(4*(i*w.geom.groups*w.rows*p.ax[1].dst*width+2*h*width+2*c)))
			}
		}
	}
	for range 3 { // the last vector reads whole fours, and stores those that exist
		w.quads = append(w.quads, w.quads[len(w.quads)-1])
	}
}

// packedLen is the length of the transformed weights.
func (w *wino) packedLen() int { return 16 * w.geom.groups * w.productLen() }

// productLen is the length of those of one product of a group: whole vectors,
// and one more so that the products do not compete for the same cache lines.
func (w *wino) productLen() int {
	return roundUp(w.gemm.panels*w.gemm.kern.mr*w.chans, 16) + 16
}

// pack writes G·g·Gᵀ of each 3 x 3 weights g, for each product in the order of
// problem.pack. The nine elements of g go to the places of the first nine
// products, and are transformed there.
func (w *wino) pack(dst, src []float32) {
	clear(dst[:w.packedLen()])
	size, mr := w.productLen(), w.gemm.kern.mr
	for gr := range w.geom.groups {
		to := dst[16*gr*size:][:16*size]
		for row := 0; row < w.rows; row += mr {
			rows := min(mr, w.rows-row)
			for c := range w.chans {
				for r := range rows {
					g := src[gr*w.strides[0]+(row+r)*w.strides[1]+c*w.strides[2]:][:9]
					at := row*w.chans + c*mr + r
					for _, tap := range w.offset {
						to[at] = g[tap]
						at += size
					}
				}
			}
		}
		w.kernels.spread(unsafe.Pointer(&to[0]), 4*size, size)
	}
}

// cost is comparable to corr.cost: the products, and the transforms of each
// square, whose loads, sums and stores take about as long as multiply-adds.
func (w *wino) cost() float64 {
	squares := w.lay.ax[1].n * w.lay.ax[2].n
	return float64(squares) * (1.2*float64(16*w.rows*w.chans) + float64(64*w.chans+64*w.rows))
}

func (w *wino) sourceLen() int { return w.images * w.lay.sourceLen() }

// scratch is the length that threads workers need beside the packed weights.
func (w *wino) scratch(threads int) int {
	return threads * (w.sourceLen() + 16*(w.from+w.to))
}

// blocks is the number of blocks of squares.
func (w *wino) blocks() int {
	return ceil(w.geom.n, w.images) * w.geom.groups * w.lay.nblk[1]
}

// parts is how many tasks share the panels of a block, and repeat the transform
// of its source.
func (w *wino) parts(threads int) int {
	if threads > 1 && w.blocks() == 1 {
		return 2
	}
	return 1
}

func (w *wino) tasks(threads int) int { return w.blocks() * w.parts(threads) }

// do computes some panels of one block of squares.
func (w *wino) do(r *call, tile, id int) {
	p, args := w.lay, &r.workers[id]
	parts := w.parts(r.threads)
	share := ceil(w.gemm.panels, parts)
	first := tile % parts * share
	last := min(w.gemm.panels, first+share)
	tile /= parts
	h := tile % p.nblk[1] * p.blk[1]
	rows := min(p.blk[1], p.ax[1].n-h)
	group := tile / p.nblk[1] % w.geom.groups
	image := tile / p.nblk[1] / w.geom.groups * w.images
	images := min(w.images, w.geom.n-image)
	own := r.scratch[id*w.scratch(1):][:w.scratch(1)]
	source, own := own[:w.sourceLen()], own[w.sourceLen():]
	squares, sums := own[:16*w.from], own[16*w.from:]

	plane := p.ax[1].src * p.ax[2].src
	for i := range images {
		src := r.src[((image+i)*w.geom.groups+group)*w.chans*plane:][:w.chans*plane]
		p.fill(source[i*p.sourceLen():][:p.sourceLen()], src, w.kernels, &args.copy, [3]int{0, h, 0}, w.chans)
	}
	quads := images * rows * p.blk[2] / 4
	args.square = squareArgs{
		src: unsafe.Pointer(&source[0]), quads: unsafe.Pointer(&w.quads[0]), dst: unsafe.Pointer(&squares[0]),
		chans: w.chans, vecs: ceil(quads, 4), chanPitch: 4 * p.chanPitch, rowPitch: 4 * p.rowPitch, odd: 4 * p.wq,
		pitch: 4 * w.pitch, elemPitch: 4 * w.from,
	}
	w.squares(&args.square)
	packed := r.packed[16*group*w.productLen():][:16*w.productLen()]
	w.products(args, sums, squares, packed, first, last, 2*ceil(quads, 4))
	row := first * w.gemm.kern.mr
	w.back(r, args, sums[row*w.pitch:], (image*w.geom.groups+group)*w.rows+row, min(w.rows, last*w.gemm.kern.mr)-row, 2*h, quads)
}

// products does the 16 products of segs segments of squares, for panels first to
// last.
func (w *wino) products(args *worker, sums, squares, packed []float32, first, last, segs int) {
	p, size := w.gemm, w.productLen()
	a := &args.tile
	a.pitch = 4 * w.pitch
	for e := range 16 {
		a.src = unsafe.Pointer(&squares[e*w.from])
		for i := first; i < last; i++ {
			row := i * p.kern.mr
			a.rows = min(p.kern.mr, p.rows-row)
			a.out = unsafe.Pointer(&sums[e*w.to+row*w.pitch])
			p.chain(args, packed[e*size+row*p.k:], segs, open)
		}
	}
}

// back transforms the sums of quads fours of squares to the rows that begin at
// row h, of chans channels from c on.
func (w *wino) back(r *call, args *worker, sums []float32, c, chans, h, quads int) {
	height, width := w.lay.ax[1].dst, w.lay.ax[2].dst
	at := (c*height + h) * width
	args.unsquare = unsquareArgs{
		src: unsafe.Pointer(&sums[0]), outs: unsafe.Pointer(&w.outs[0]), dst: unsafe.Pointer(&r.dst[at]),
		bias: unsafe.Pointer(&zeros[0]), chans: chans, quads: quads,
		pitch: 4 * w.pitch, elemPitch: 4 * w.to, chanPitch: 4 * height * width, rowPitch: 4 * width,
		lo: r.end.lo, hi: r.end.hi,
	}
	if r.end.bias != nil {
		args.unsquare.bias, args.unsquare.biasStep = unsafe.Pointer(&r.end.bias[c%(w.geom.groups*w.rows)]), 4
	}
	if r.end.residual != nil {
		args.unsquare.res = unsafe.Pointer(&r.end.residual[at])
	}
	w.kernels.unsquare(&args.unsquare)
}

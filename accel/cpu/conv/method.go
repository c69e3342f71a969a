package conv

import (
	"github.com/millrace-go/millrace/accel/cpu/par"
)

// method is a way to compute one side of a convolution from the other.
type method interface {
	cost() float64                // of an image, in multiply-adds: a comparison of methods
	packedLen() int               // length of the packed weights
	pack(dst, w []float32)        // writes them
	scratch(threads int) int      // length of the memory that threads workers need besides
	tasks(threads int) int        // parts that may be computed at once
	do(c *call, tile, worker int) // computes one
}

// methods picks the cheapest way to compute big from small, if scatter, or
// small from big. The shape alone decides, and not the number of images.
func methods(g geom, ks *kernels, scatter bool) method {
	var best method = newCorr(g, ks, scatter)
	if c := newCols(g, ks); scatter && c != nil && c.cost() < best.cost() {
		best = c
	}
	if w := newWino(g, ks, scatter); w != nil && w.cost() < best.cost() {
		best = w
	}
	return best
}

// call is one use of a method: a par.Body.
type call struct {
	method                    method
	dst, src, packed, scratch []float32
	end                       ending
	threads                   int
	workers                   []worker
}

// Do computes one part.
func (c *call) Do(tile, worker int) { c.method.do(c, tile, worker) }

// run computes dst from src.
func (p *Plan) run(pool *par.Pool, m method, dst, src, packed, scratch []float32, end ending) {
	c := p.calls.Take()
	defer p.calls.Give(c)
	c.threads = pool.Threads()
	if len(c.workers) < c.threads {
		c.workers = make([]worker, c.threads)
	}
	c.method, c.dst, c.src, c.packed, c.scratch, c.end = m, dst, src, packed, scratch, end
	pool.For(m.tasks(c.threads), c)
	clear(c.workers) // they point to the caller's memory
	*c = call{workers: c.workers}
}

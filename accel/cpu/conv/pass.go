package conv

import (
	"fmt"

	"github.com/millrace-go/millrace/accel/cpu/par"
)

// forward and backward are the methods for y from x and for dx from dy.
func (p *Plan) forward() method {
	if p.spec.Transposed {
		return p.scatter
	}
	return p.gather
}

func (p *Plan) backward() method {
	if p.spec.Transposed {
		return p.gather
	}
	return p.scatter
}

// PackedLen is the length of weights packed for ForwardPacked.
func (p *Plan) PackedLen() int { return p.forward().packedLen() }

// PackWeights writes w as the kernels read it to dst, of PackedLen floats. The
// order depends on the CPU: it is not for storage.
func (p *Plan) PackWeights(dst, w []float32) {
	need("PackWeights: dst", len(dst), p.PackedLen())
	need("PackWeights: w", len(w), p.WLen())
	p.forward().pack(dst, w)
}

// ForwardScratch is the length of the scratch memory of Forward in a pool of
// threads threads; PackedScratch that of ForwardPacked.
func (p *Plan) ForwardScratch(threads int) int {
	return p.PackedScratch(threads) + p.PackedLen()
}

// PackedScratch is the length of ForwardPacked's scratch: see ForwardScratch.
func (p *Plan) PackedScratch(threads int) int { return p.forward().scratch(threads) }

// DataScratch is the length of the scratch memory of BackwardData.
func (p *Plan) DataScratch(threads int) int {
	return p.backward().scratch(threads) + p.backward().packedLen()
}

// WeightsScratch is the length of the scratch memory of BackwardWeights.
func (p *Plan) WeightsScratch(threads int) int { return p.weights.scratch(threads) }

// Forward computes y from x and the weights w. bias and residual, of the length
// of y, may be nil; y may be the residual itself. Forward panics if a length is
// not that of the plan, or scratch is shorter than ForwardScratch.
func (p *Plan) Forward(pool *par.Pool, y, x, w, bias, residual, scratch []float32) {
	need("Forward: w", len(w), p.WLen())
	atLeast("Forward: scratch", len(scratch), p.ForwardScratch(pool.Threads()))
	n := p.PackedLen()
	p.forward().pack(scratch[:n], w)
	p.ForwardPacked(pool, y, x, scratch[:n], bias, residual, scratch[n:])
}

// ForwardPacked is Forward with weights packed by PackWeights.
func (p *Plan) ForwardPacked(pool *par.Pool, y, x, packed, bias, residual, scratch []float32) {
	need("Forward: y", len(y), p.YLen())
	need("Forward: x", len(x), p.XLen())
	need("Forward: packed weights", len(packed), p.PackedLen())
	if bias != nil {
		need("Forward: bias", len(bias), p.BiasLen())
	}
	if residual != nil {
		need("Forward: residual", len(residual), p.YLen())
	}
	atLeast("Forward: scratch", len(scratch), p.PackedScratch(pool.Threads()))
	end := ending{bias: bias, residual: residual}
	end.lo, end.hi = p.epilogue.bounds()
	end.open = bias == nil && residual == nil && p.epilogue.Act == None
	p.run(pool, p.forward(), y, x, packed, scratch, end)
}

// BackwardData computes dx, the gradient of x, from that of y before the
// epilogue. Lengths are checked as in Forward.
func (p *Plan) BackwardData(pool *par.Pool, dx, dy, w, scratch []float32) {
	need("BackwardData: dx", len(dx), p.XLen())
	need("BackwardData: dy", len(dy), p.YLen())
	need("BackwardData: w", len(w), p.WLen())
	atLeast("BackwardData: scratch", len(scratch), p.DataScratch(pool.Threads()))
	n := p.backward().packedLen()
	p.backward().pack(scratch[:n], w)
	p.run(pool, p.backward(), dx, dy, scratch[:n], scratch[n:], open)
}

// BackwardWeights computes dw, the gradient of w, from x and the gradient of y
// before the epilogue. A sum runs over images and positions in 16 lanes, a few
// images at a time, in an order that the shapes alone fix. Where rows are not
// of a multiple of eight positions, x besides a row's end is multiplied by
// zeros, so that infinite and NaN elements may show in more of dw than they
// reach.
func (p *Plan) BackwardWeights(pool *par.Pool, dw, dy, x, scratch []float32) {
	need("BackwardWeights: dw", len(dw), p.WLen())
	need("BackwardWeights: dy", len(dy), p.YLen())
	need("BackwardWeights: x", len(x), p.XLen())
	atLeast("BackwardWeights: scratch", len(scratch), p.WeightsScratch(pool.Threads()))
	r := p.grads.Take()
	defer p.grads.Give(r)
	if n := pool.Threads(); len(r.workers) < n {
		r.workers = make([]worker, n)
	}
	r.wgrad, r.dw, r.dy, r.x, r.scratch = p.weights, dw, dy, x, scratch
	if p.spec.Transposed {
		r.dy, r.x = x, dy
	}
	pool.For(r.tasks(), r)
	clear(r.workers) // they point to the caller's memory
	*r = gradRun{workers: r.workers}
}

func need(what string, got, want int) {
	if got != want {
		panic(fmt.Sprintf("conv: %s has %d elements, want %d", what, got, want))
	}
}

func atLeast(what string, got, want int) {
	if got < want {
		panic(fmt.Sprintf("conv: %s has %d elements, want at least %d", what, got, want))
	}
}

package conv

import (
	"math"
	"unsafe"
)

// worker holds the arguments of kernels, which may not be on the stack since
// kernels are called through variables.
type worker struct {
	tile     tileArgs
	flush    flushArgs
	copy     copyArgs
	add      addArgs
	grad     gradArgs
	square   squareArgs
	unsquare unsquareArgs
	seg      [8]int64 // a tile's segments, or a tile's offsets, where the plan's list ends
	_        [64]byte // workers do not share a cache line
}

// ending is what is done to a sum before it is stored.
type ending struct {
	bias, residual []float32 // may be nil
	lo, hi         float32
	open           bool // it changes nothing
}

// open is the ending that changes nothing.
var open = ending{open: true, lo: float32(math.Inf(-1)), hi: float32(math.Inf(1))}

// zeros is the bias of sums that have none.
var zeros [32]float32

// chain computes segs segments of a panel's rows from w.tile, block after block
// of the k taps; the last block stores with the given ending.
func (p *problem) chain(w *worker, packed []float32, segs int, end ending) {
	a := &w.tile
	out := a.out
	for k := 0; k == 0 || k < p.k; k += kBlock {
		a.k = min(kBlock, p.k-k)
		if a.k > 0 {
			a.w, a.koff = unsafe.Pointer(&packed[k*p.kern.mr]), unsafe.Pointer(&p.koff[k])
		}
		a.out, a.prev, a.res = out, nil, nil
		if k > 0 {
			a.prev = out
		}
		a.bias, a.lo, a.hi, a.plain = unsafe.Pointer(&zeros[0]), open.lo, open.hi, 0
		if k == 0 && (end.open || k+kBlock < p.k) {
			a.plain = 1
		}
		if k+kBlock >= p.k {
			a.lo, a.hi = end.lo, end.hi
			if end.bias != nil {
				a.bias = unsafe.Pointer(&end.bias[0])
			}
			if end.residual != nil {
				a.res = unsafe.Pointer(&end.residual[0])
			}
		}
		p.tiles(w, segs)
	}
}

// tiles runs the kernel on segs segments: as many tiles of the greatest width
// as leave no single vector at the end.
func (p *problem) tiles(w *worker, segs int) {
	w.tile.seg = unsafe.Pointer(&p.seg[0])
	perVec := p.kern.vec / lanes
	vecs, wide := ceil(segs, perVec), len(p.kern.run)
	full := vecs / wide
	if vecs%wide == 1 && wide == 3 && full > 0 {
		full--
	}
	done := full * wide
	half := segs%perVec != 0
	if half && done == vecs {
		full, done = full-1, done-wide
	}
	if full > 0 {
		w.tile.tiles, w.tile.tail = full, p.kern.vec
		p.kern.run[wide-1](&w.tile)
		if done < vecs {
			w.tile.skip(done, p.kern.vec)
		}
	}
	for done < vecs {
		n := vecs - done
		if n == 4 {
			n = 2
		}
		done += n
		w.tile.tiles, w.tile.tail = 1, p.kern.vec
		if half && done == vecs {
			w.tile.tail = p.kern.vec / 2
			left := p.seg[segs+1-n*perVec : segs]
			w.seg[copy(w.seg[:], left)] = left[len(left)-1]
			w.tile.seg = unsafe.Pointer(&w.seg[0])
		}
		p.kern.run[n-1](&w.tile)
		if done < vecs {
			w.tile.skip(n, p.kern.vec)
		}
	}
}

// skip moves on by n vectors of vec positions.
func (a *tileArgs) skip(n, vec int) {
	a.seg = unsafe.Add(a.seg, n*vec/lanes*8)
	a.out = unsafe.Add(a.out, 4*n*vec)
	if a.prev != nil {
		a.prev = unsafe.Add(a.prev, 4*n*vec)
	}
	if a.res != nil {
		a.res = unsafe.Add(a.res, 4*n*vec)
	}
}

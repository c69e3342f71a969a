package conv

import (
	"unsafe"

	"github.com/millrace-go/millrace/accel/cpu/isa"
)

// kernels are the inner loops of one instruction set.
type kernels struct {
	tiles     []*tileKernel   // by falling mr
	grads     [][]*gradKernel // by falling mr, one list for each kr
	copyRows  func(*copyArgs) // may be nil
	copyRows2 func(*copyArgs)
	flush     func(*flushArgs) // step 1
	flush2    func(*flushArgs) // step 2
	addTaps   func(*addArgs)
	squares   map[int]func(*squareArgs) // by the number of neighbours: 16, 8 or 4
	unsquare  func(*unsquareArgs)
	spread    func(g unsafe.Pointer, step, n int)
}

// tileKernel multiplies mr rows of weights with 1 to len(run) vectors of vec
// positions.
type tileKernel struct {
	mr, vec int
	run     []func(*tileArgs)
}

// tileArgs are the arguments of a tileKernel, which works on tiles tiles that
// follow each other. Offsets and pitches are in bytes.
//
//	out[r·pitch + 4j] = clamp(Σ_i w[i][r] · src[seg[j/8] + koff[i] + 4(j mod 8)] + prev[…] + bias[r] + res[…])
type tileArgs struct {
	w      unsafe.Pointer // k rows of mr floats
	koff   unsafe.Pointer // k int64
	k      int
	src    unsafe.Pointer
	seg    unsafe.Pointer // int64, one for each 8 positions
	out    unsafe.Pointer
	prev   unsafe.Pointer // laid out as out; nil means zeros
	res    unsafe.Pointer // the same
	pitch  int
	bias   unsafe.Pointer // rows floats
	lo, hi float32
	plain  int // not 0: prev and res are nil, and bias, lo and hi are not used
	rows   int // at most mr
	tiles  int
	tail   int // positions of the last vector of a tile: vec, or vec/2
}

// gradKernel adds to mr rows of kr columns of the weights' gradient.
type gradKernel struct {
	mr, kr int
	run    func(*gradArgs)
}

// gradArgs are the arguments of a gradKernel. Position i of the table is of 16
// lanes: two segments of x and 16 neighbours of dy.
//
//	dst[r·dstPitch + 4j] += Σ_i Σ_lane dy[tab[i].y + r·dyPitch + 4 lane] · x[tab[i].x[lane/8] + koff[j] + 4(lane mod 8)]
type gradArgs struct {
	x        unsafe.Pointer
	koff     unsafe.Pointer // kr int64
	tab      unsafe.Pointer // gradStep
	n        int            // at least 1
	dy       unsafe.Pointer
	dyPitch  int
	dst      unsafe.Pointer
	dstPitch int
	cols     int // columns to add to, at most kr
}

// gradStep is 16 positions: two segments of x and the place of dy, in bytes.
type gradStep struct {
	x0, x1, dy int64
}

// copyArgs copy channels, each of top rows of zeros, rows rows and bottom rows
// of zeros, of vecs vectors of 8 floats; lanes whose mask is 0 become zero and
// are not read. copyRows2 reads 16 floats for each vector and writes those at
// even places to dst and those at odd places odd bytes behind.
type copyArgs struct {
	dst, src, mask           unsafe.Pointer
	first                    int // bytes from src to the first column, which may be outside
	chans, top, rows, bottom int
	vecs                     int
	dstPitch, srcPitch       int
	dstChan, srcChan         int
	odd                      int
}

// flushArgs move rows of n floats: dst[r·dstPitch + 4i·step] = clamp(src[r·srcPitch + 4i] + bias + res[as dst]).
type flushArgs struct {
	dst, src, res      unsafe.Pointer // res may be nil
	rows, n            int
	dstPitch, srcPitch int
	bias, lo, hi       float32
}

// addArgs sum the columns of one channel to rows of vecs vectors of 16 floats.
// For each row, rowOff lists the places in src of the rows to add, with -1 at
// the end; tap j of kw lies j·tapPitch bytes behind, and lanes whose
// mask[(vector·kw + j)·16 + lane] is 0 are not read.
type addArgs struct {
	dst, src, rowOff, mask unsafe.Pointer
	rows, vecs, kw         int
	tapPitch, dstPitch     int
}

// choose returns the kernels of the best instruction set.
func choose() *kernels { return byLevel(isa.Best()) }

// tile is the kernel that wastes least on m rows.
func (ks *kernels) tile(m int) *tileKernel {
	best, least := ks.tiles[0], 0.0
	for i, t := range ks.tiles {
		cost := float64(ceil(m, t.mr)*t.mr) + 2*float64(ceil(m, t.mr)) // loads of the source cost like two rows
		if i == 0 || cost < least {
			best, least = t, cost
		}
	}
	return best
}

// gradsFor returns the kernels of one kr, by falling mr, that waste least on
// rows rows of cols columns.
func (ks *kernels) gradsFor(rows, cols int) []*gradKernel {
	var best []*gradKernel
	least := 0
	for _, list := range ks.grads {
		cost := 0
		for left := rows; left > 0; {
			for _, k := range list {
				if k.mr <= left {
					cost += (k.mr*k.kr + 2*(k.mr+k.kr)) * ceil(cols, k.kr) // and its loads
					left -= k.mr
					break
				}
			}
		}
		if best == nil || cost < least {
			best, least = list, cost
		}
	}
	return best
}

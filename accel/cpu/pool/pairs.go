package pool

import "unsafe"

// pairArgs are the arguments of the kernels for windows of 2 x 2 side by side,
// for planes planes of rows rows of n outputs. Pitches are in bytes; base is the
// index of the first element of each plane.
type pairArgs struct {
	x, y, idx         unsafe.Pointer // idx may be nil for the forward pass; dx and dy for the backward
	planes, rows, n   int
	pitch, planePitch int // of x
	base              int
}

// doPairs calls kernel for planes i to end, at once if they have no depth.
func (r *run) doPairs(kernel func(*pairArgs), i, end, worker int, x, y []float32) {
	a := &r.args[worker]
	slice, outSlice := r.in[1]*r.in[2], r.out[1]*r.out[2]
	*a = pairArgs{planes: end - i, rows: r.out[1], n: r.out[2], pitch: 4 * r.in[2], planePitch: 4 * slice}
	if r.in[0] > 1 {
		a.planes, end = 1, end*r.out[0]
	} else {
		end = i + 1
	}
	for i *= r.out[0]; i < end; i++ {
		from, d := i/r.out[0]*r.inLen, i%r.out[0]
		a.base = d * slice
		a.x, a.y = unsafe.Pointer(&x[from+a.base]), unsafe.Pointer(&y[i*outSlice])
		if r.idx != nil {
			a.idx = unsafe.Pointer(&r.idx[i*outSlice])
		}
		kernel(a)
	}
}

// maxPairs is maxPlane for windows of 2 x 2 and several planes.
func (r *run) maxPairs(i, end, worker int) {
	r.doPairs(r.kernels.maxPairs, i, end, worker, r.x, r.y)
}

// maxPairsGrad is maxGradPlane for windows of 2 x 2 and several planes.
func (r *run) maxPairsGrad(i, end, worker int) {
	if 2*r.out[1] != r.in[1] || 2*r.out[2] != r.in[2] || r.out[0] != r.in[0] {
		clear(r.dx[i*r.inLen : end*r.inLen]) // of what no window covers
	}
	r.doPairs(r.kernels.maxPairsGrad, i, end, worker, r.dx, r.dy)
}

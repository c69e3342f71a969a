package pool

import "unsafe"

// pairArgs are the arguments of the kernels for windows of 2 x 2 side by side,
// for rows rows of n outputs. Pitches are in bytes; base is the index of the
// first element of x.
type pairArgs struct {
	x, y, idx unsafe.Pointer // idx may be nil for the forward pass; dx and dy for the backward
	rows, n   int
	pitch     int // of x
	base      int
}

// pairArgs returns the arguments for slice d of plane i of x and y.
func (r *run) pairArgs(i, d int, x, y []float32) pairArgs {
	from, to := i*r.inLen+d*r.in[1]*r.in[2], i*r.outLen+d*r.out[1]*r.out[2]
	a := pairArgs{
		x: unsafe.Pointer(&x[from]), y: unsafe.Pointer(&y[to]),
		rows: r.out[1], n: r.out[2], pitch: 4 * r.in[2], base: d * r.in[1] * r.in[2],
	}
	if r.idx != nil {
		a.idx = unsafe.Pointer(&r.idx[to])
	}
	return a
}

// maxPairs is maxPlane for windows of 2 x 2.
func (r *run) maxPairs(i, worker int) {
	for d := range r.out[0] {
		r.args[worker] = r.pairArgs(i, d, r.x, r.y)
		r.kernels.maxPairs(&r.args[worker])
	}
}

// maxPairsGrad is maxGradPlane for windows of 2 x 2.
func (r *run) maxPairsGrad(i, worker int) {
	if 2*r.out[1] != r.in[1] || 2*r.out[2] != r.in[2] || r.out[0] != r.in[0] {
		clear(r.planeIn(r.dx, i)) // of what no window covers
	}
	for d := range r.out[0] {
		r.args[worker] = r.pairArgs(i, d, r.dx, r.dy)
		r.kernels.maxPairsGrad(&r.args[worker])
	}
}

package cpu

import "math"

// Batch normalisation of a matrix has runs of one element each. Its kernels take
// some columns at a time and go through them row by row.

// normColumns is how many columns are taken at a time.
const normColumns = 64

// matrixNormJob is channelJob for matrices.
type matrixNormJob[T float32 | float64] struct{ channelJob[T] }

// Do normalises the columns of a tile.
func (j *matrixNormJob[T]) Do(tile, _ int) {
	lo := tile * normColumns
	n := min(normColumns, j.channels-lo)
	var mean, variance, a, b [normColumns]float64
	if j.training {
		j.columns(lo, n, &mean, &variance)
	}
	for i := range n {
		if !j.training {
			mean[i], variance[i] = float64(j.given[0][lo+i]), float64(j.given[1][lo+i])
		}
		inv := 1 / math.Sqrt(variance[i]+j.eps)
		j.keep(lo+i, mean[i], variance[i], inv)
		a[i] = inv * float64(j.scale[lo+i])
		b[i] = float64(j.bias[lo+i]) - mean[i]*a[i]
	}
	for r := range j.images {
		x, y := j.x[r*j.channels+lo:][:n], j.y[r*j.channels+lo:][:n]
		for i, v := range x {
			y[i] = T(T(a[i])*v) + T(b[i])
		}
	}
}

// columns computes the statistics of columns lo to lo+n.
func (j *matrixNormJob[T]) columns(lo, n int, mean, variance *[normColumns]float64) {
	for r := range j.images {
		for i, v := range j.x[r*j.channels+lo:][:n] {
			mean[i] += float64(v)
		}
	}
	for i := range n {
		mean[i] /= j.count()
	}
	for r := range j.images {
		for i, v := range j.x[r*j.channels+lo:][:n] {
			d := float64(v) - mean[i]
			variance[i] += float64(d * d)
		}
	}
	for i := range n {
		variance[i] /= j.count()
	}
}

// matrixGradJob is channelGradJob for matrices: dscale and dbias are complete.
type matrixGradJob[T float32 | float64] struct {
	channelGradJob[T]
	dscale, dbias []T
}

// Do computes the gradients of the columns of a tile.
func (j *matrixGradJob[T]) Do(tile, _ int) {
	lo := tile * normColumns
	n := min(normColumns, j.channels-lo)
	var sum, dot, a, b, c [normColumns]float64
	for r := range j.images {
		x := j.x[r*j.channels+lo:][:n]
		for i, d := range j.dy[r*j.channels+lo:][:n] {
			sum[i] += float64(d)
			dot[i] += float64(float64(d) * (float64(x[i]) - float64(j.mean[lo+i])))
		}
	}
	for i := range n {
		inv, scale := float64(j.inv[lo+i]), float64(j.scale[lo+i])
		h := inv * dot[i]
		j.dscale[lo+i], j.dbias[lo+i] = T(h), T(sum[i])
		a[i] = inv * scale
		b[i] = -inv * inv * scale * h / j.count()
		c[i] = -inv*scale*sum[i]/j.count() - b[i]*float64(j.mean[lo+i])
	}
	for r := range j.images {
		at := r*j.channels + lo
		dy, x, dx := j.dy[at:][:n], j.x[at:][:n], j.dx[at:][:n]
		for i, d := range dy {
			dx[i] = T(T(a[i])*d) + T(T(b[i])*x[i]) + T(c[i])
		}
	}
}

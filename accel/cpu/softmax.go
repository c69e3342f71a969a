package cpu

import (
	"math"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/vec"
	"github.com/millrace-go/millrace/accel/fmath"
)

var softmaxKernels = map[string]builder{
	"Softmax":        {in: 1, out: 1, make: rowwise(vec.SoftmaxRows, softmaxRow)},
	"LogSoftmax":     {in: 1, out: 1, make: rowwise(vec.LogSoftmaxRows, logSoftmaxRow)},
	"SoftmaxGrad":    {in: 2, out: 1, make: rowwiseGrad(vec.SoftmaxGradRows, softmaxGradRow)},
	"LogSoftmaxGrad": {in: 2, out: 1, make: rowwiseGrad(vec.LogSoftmaxGradRows, logSoftmaxGradRow)},
}

// rowsOf is a tensor as a matrix: its last dimension, and all others together.
func rowsOf(t *tensor) (rows, cols int) {
	if len(t.Shape) == 0 {
		return 1, 1
	}
	cols = t.Shape[len(t.Shape)-1]
	if t.n == 0 {
		return 0, 1
	}
	return t.n / cols, cols
}

// rowTile is how many elements a thread takes at a time, at least one row.
const rowTile = 32 << 10

func tilesOf(rows, cols int) (perTile, tiles int) {
	perTile = max(1, rowTile/max(1, cols))
	return perTile, (rows + perTile - 1) / perTile
}

// rowwise builds y = f(x) for functions of a row of the last axis.
func rowwise(f func(y, x []float32, rows, cols int), row func(y, x []float64)) func(*call) (kernel, error) {
	return func(c *call) (kernel, error) {
		x, y := c.in[0], c.out[0]
		if err := sameLen(x, y); err != nil {
			return nil, err
		}
		rows, cols := rowsOf(x)
		switch x.DType {
		case accel.Float32:
			perTile, tiles := tilesOf(rows, cols)
			job := addJob[rowsJob](c)
			return func(fr *frame) error {
				j := job(fr)
				*j = rowsJob{f: f, y: data[float32](fr, y), x: data[float32](fr, x), rows: rows, cols: cols, perTile: perTile}
				fr.pool.For(tiles, j)
				return nil
			}, nil
		case accel.Float64:
			return func(fr *frame) error {
				ya, xa := data[float64](fr, y), data[float64](fr, x)
				for i := 0; i < rows*cols; i += cols {
					row(ya[i:i+cols], xa[i:i+cols])
				}
				return nil
			}, nil
		}
		return nil, unsupported(c.Op, x)
	}
}

type rowsJob struct {
	f                   func(y, x []float32, rows, cols int)
	g                   func(dx, dy, y []float32, rows, cols int)
	y, x, dy            []float32
	rows, cols, perTile int
}

func (j *rowsJob) Do(tile, _ int) {
	from := tile * j.perTile
	rows := min(j.perTile, j.rows-from)
	lo, hi := from*j.cols, (from+rows)*j.cols
	if j.g != nil {
		j.g(j.y[lo:hi], j.dy[lo:hi], j.x[lo:hi], rows, j.cols)
		return
	}
	j.f(j.y[lo:hi], j.x[lo:hi], rows, j.cols)
}

// rowwiseGrad builds dx = f(dy, y) for functions of rows of the last axis.
func rowwiseGrad(f func(dx, dy, y []float32, rows, cols int), row func(dx, dy, y []float64)) func(*call) (kernel, error) {
	return func(c *call) (kernel, error) {
		dy, y, dx := c.in[0], c.in[1], c.out[0]
		if err := sameLen(dy, y, dx); err != nil {
			return nil, err
		}
		rows, cols := rowsOf(y)
		switch y.DType {
		case accel.Float32:
			perTile, tiles := tilesOf(rows, cols)
			job := addJob[rowsJob](c)
			return func(fr *frame) error {
				j := job(fr)
				*j = rowsJob{g: f, y: data[float32](fr, dx), dy: data[float32](fr, dy), x: data[float32](fr, y), rows: rows, cols: cols, perTile: perTile}
				fr.pool.For(tiles, j)
				return nil
			}, nil
		case accel.Float64:
			return func(fr *frame) error {
				o, d, v := data[float64](fr, dx), data[float64](fr, dy), data[float64](fr, y)
				for i := 0; i < rows*cols; i += cols {
					row(o[i:i+cols], d[i:i+cols], v[i:i+cols])
				}
				return nil
			}, nil
		}
		return nil, unsupported(c.Op, y)
	}
}

// The float64 twins, by the definitions. The largest element is taken off first.

func softmaxRow(y, x []float64) {
	top := largest(x)
	sum := 0.0
	for i, v := range x {
		y[i] = fmath.Exp(v - top)
		sum += y[i]
	}
	for i := range y {
		y[i] /= sum
	}
}

func logSoftmaxRow(y, x []float64) {
	top := largest(x)
	sum := 0.0
	for _, v := range x {
		sum += fmath.Exp(v - top)
	}
	lse := top + fmath.Log(sum)
	for i, v := range x {
		y[i] = v - lse
	}
}

func largest(x []float64) float64 {
	top := math.Inf(-1)
	for _, v := range x {
		top = max(top, v)
	}
	return top
}

func softmaxGradRow(dx, dy, y []float64) {
	dot := 0.0
	for i, d := range dy {
		dot += float64(d * y[i])
	}
	for i, d := range dy {
		dx[i] = y[i] * (d - dot)
	}
}

func logSoftmaxGradRow(dx, dy, y []float64) {
	sum := 0.0
	for _, d := range dy {
		sum += d
	}
	for i, d := range dy {
		dx[i] = d - float64(fmath.Exp(y[i])*sum)
	}
}

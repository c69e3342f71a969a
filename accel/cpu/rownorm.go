package cpu

import (
	"fmt"
	"math"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/vec"
)

var rowNormKernels = map[string]builder{
	"LayerNormalization":     {in: 3, out: 1, make: rowNorm},
	"SkipLayerNormalization": {in: 4, out: 1, make: rowNorm},
	"RMSNormalization":       {in: 2, out: 1, make: rowNorm},
	"LayerNormGrad":          {in: 5, out: 1, make: rowNormGrad},
	"RMSNormGrad":            {in: 4, out: 1, make: rowNormGrad},
}

// rowNormCall is one normalisation of rows: its tensors by their part in it, nil
// where the operator has none.
type rowNormCall struct {
	rms                        bool
	x, skip, bias, gamma, beta *tensor
	y, mean, invstd, sum       *tensor
	rows, cols                 int
	eps                        float64
}

func newRowNorm(c *call) (*rowNormCall, error) {
	n := &rowNormCall{x: c.in[0], gamma: c.in[1], beta: c.input(2), y: c.out[0], mean: c.output(1), invstd: c.output(2), eps: c.Float("epsilon", 1e-5)}
	a := c.Int("axis", -1)
	switch c.Op {
	case "RMSNormalization":
		n.rms, n.mean, n.invstd = true, nil, c.output(1)
	case "SkipLayerNormalization":
		n.skip, n.gamma, n.beta, n.bias, n.sum, a = c.in[1], c.in[2], c.in[3], c.input(4), c.output(3), -1
	}
	var err error
	if n.rows, n.cols, err = rowsFrom(n.x, a); err != nil {
		return nil, err
	}
	if err := want(c.Op, append(slices.Clone(c.in), c.out...), n.x.DType); err != nil {
		return nil, err
	}
	if n.cols == 0 {
		return nil, fmt.Errorf("rows of no elements: %w", accel.ErrUnsupported)
	}
	for _, t := range []*tensor{n.gamma, n.beta, n.bias} {
		if t != nil && t.n != n.cols {
			return nil, shapeErr(n.x, t)
		}
	}
	for _, t := range []*tensor{n.skip, n.y, n.sum} {
		if t != nil && t.n != n.x.n {
			return nil, shapeErr(n.x, t)
		}
	}
	for _, t := range []*tensor{n.mean, n.invstd} {
		if t != nil && t.n != n.rows {
			return nil, shapeErr(n.x, t)
		}
	}
	return n, nil
}

// rowsFrom is a tensor as a matrix, whose rows are the dimensions from axis on.
func rowsFrom(t *tensor, a int) (rows, cols int, err error) {
	if a, err = axis(a, len(t.Shape)); err != nil {
		return 0, 0, err
	}
	return accel.Size(t.Shape[:a]), accel.Size(t.Shape[a:]), nil
}

func rowNorm(c *call) (kernel, error) {
	n, err := newRowNorm(c)
	if err != nil {
		return nil, err
	}
	switch n.x.DType {
	case accel.Float32:
		return n.float32(c), nil
	case accel.Float64:
		return n.float64, nil
	}
	return nil, unsupported(c.Op, n.x)
}

// float32 gives each thread some rows at a time.
func (n *rowNormCall) float32(c *call) kernel {
	perTile, tiles := tilesOf(n.rows, n.cols)
	job := addJob[rowNormJob](c)
	stats := c.floats(2 * n.rows)
	optional := func(f *frame, t *tensor, instead []float32) []float32 {
		if t == nil {
			return instead
		}
		return data[float32](f, t)
	}
	return func(f *frame) error {
		j, s := job(f), stats.f32(f)
		*j = rowNormJob{
			rms: n.rms, rows: n.rows, cols: n.cols, perTile: perTile, eps: float32(n.eps),
			y: data[float32](f, n.y), x: data[float32](f, n.x), gamma: data[float32](f, n.gamma),
			beta: optional(f, n.beta, nil), skip: optional(f, n.skip, nil), bias: optional(f, n.bias, nil),
			mean: optional(f, n.mean, s[:n.rows]), invstd: optional(f, n.invstd, s[n.rows:]),
		}
		j.sum = optional(f, n.sum, j.y)
		f.pool.For(tiles, j)
		return nil
	}
}

type rowNormJob struct {
	rms                       bool
	rows, cols, perTile       int
	eps                       float32
	y, sum, x, skip, bias     []float32
	gamma, beta, mean, invstd []float32
}

// Do normalises the rows of a tile. A sum is made where it is wanted, or in y.
func (j *rowNormJob) Do(tile, _ int) {
	from := tile * j.perTile
	rows := min(j.perTile, j.rows-from)
	lo, hi := from*j.cols, (from+rows)*j.cols
	x := j.x[lo:hi]
	if j.skip != nil {
		sum := j.sum[lo:hi]
		vec.Add(sum, x, j.skip[lo:hi])
		for r := 0; j.bias != nil && r < len(sum); r += j.cols {
			vec.Add(sum[r:r+j.cols], sum[r:r+j.cols], j.bias)
		}
		x = sum
	}
	invstd := j.invstd[from : from+rows]
	if j.rms {
		vec.RMSNormRows(j.y[lo:hi], invstd, x, j.gamma, j.eps, rows, j.cols)
		return
	}
	vec.LayerNormRows(j.y[lo:hi], j.mean[from:from+rows], invstd, x, j.gamma, j.beta, j.eps, rows, j.cols)
}

// float64 is the definition.
func (n *rowNormCall) float64(f *frame) error {
	y, gamma := data[float64](f, n.y), data[float64](f, n.gamma)
	copyTo := func(t *tensor, at int, v float64) {
		if t != nil {
			data[float64](f, t)[at] = v
		}
	}
	x := data[float64](f, n.x)
	for r := range n.rows {
		row := y[r*n.cols : (r+1)*n.cols]
		copy(row, x[r*n.cols:])
		addRow(row, f, n.skip, r*n.cols)
		addRow(row, f, n.bias, 0)
		for i, v := range row {
			copyTo(n.sum, r*n.cols+i, v)
		}
		mean, square := 0.0, 0.0
		if !n.rms {
			for _, v := range row {
				mean += v
			}
			mean /= float64(n.cols)
		}
		for _, v := range row {
			square += (v - mean) * (v - mean)
		}
		inv := 1 / math.Sqrt(square/float64(n.cols)+n.eps)
		for i, v := range row {
			row[i] = (v - mean) * inv * gamma[i]
		}
		addRow(row, f, n.beta, 0)
		copyTo(n.mean, r, mean)
		copyTo(n.invstd, r, inv)
	}
	return nil
}

// addRow adds what follows an offset of a tensor, if there is one.
func addRow(row []float64, f *frame, t *tensor, at int) {
	if t == nil {
		return
	}
	for i, v := range data[float64](f, t)[at : at+len(row)] {
		row[i] += v
	}
}

// rowNormGrad computes dx, dgamma and dbeta. The latter are summed over blocks
// of rows, whose sizes depend on the shape alone, and then over the blocks.
func rowNormGrad(c *call) (kernel, error) {
	dy, x, gamma, dx := c.in[0], c.in[1], c.in[2], c.out[0]
	rms := c.Op == "RMSNormGrad"
	mean, invstd := c.in[3], c.in[len(c.in)-1]
	rows, cols, err := rowsFrom(x, c.Int("axis", -1))
	if err != nil {
		return nil, err
	}
	if err := want(c.Op, append(slices.Clone(c.in), c.out...), x.DType); err != nil {
		return nil, err
	}
	if cols == 0 {
		return nil, fmt.Errorf("rows of no elements: %w", accel.ErrUnsupported)
	}
	if dy.n != x.n || dx.n != x.n || gamma.n != cols || mean.n != rows || invstd.n != rows {
		return nil, shapeErr(dy, x, gamma, mean, invstd)
	}
	if x.DType == accel.Float64 {
		return rowNormGrad64(c, rms, rows, cols), nil
	}
	if x.DType != accel.Float32 {
		return nil, unsupported(c.Op, x)
	}
	perBlock := max(8, (rows+gradBlocks-1)/gradBlocks)
	blocks := (rows + perBlock - 1) / perBlock
	parts, job := c.floats(2*cols*max(1, blocks)), addJob[rowNormGradJob](c)
	return func(f *frame) error {
		j := job(f)
		*j = rowNormGradJob{
			rms: rms, rows: rows, cols: cols, perBlock: perBlock, parts: parts.f32(f),
			dx: data[float32](f, dx), dy: data[float32](f, dy), x: data[float32](f, x),
			gamma: data[float32](f, gamma), mean: data[float32](f, mean), invstd: data[float32](f, invstd),
		}
		clear(j.parts)
		f.pool.For(blocks, j)
		total := j.parts[:2*cols]
		for i := 1; i < blocks; i++ {
			vec.Add(total, total, j.parts[i*2*cols:(i+1)*2*cols])
		}
		for i := range 2 {
			if t := c.output(1 + i); t != nil {
				copy(data[float32](f, t), total[i*cols:(i+1)*cols])
			}
		}
		return nil
	}, nil
}

// gradBlocks is how many blocks of rows a gradient is summed in, at most.
const gradBlocks = 64

type rowNormGradJob struct {
	rms                            bool
	rows, cols, perBlock           int
	dx, dy, x, gamma, mean, invstd []float32
	parts                          []float32 // (blocks, 2, cols)
}

func (j *rowNormGradJob) Do(block, _ int) {
	from := block * j.perBlock
	rows := min(j.perBlock, j.rows-from)
	lo, hi := from*j.cols, (from+rows)*j.cols
	dgamma := j.parts[2*block*j.cols : (2*block+1)*j.cols]
	dbeta := j.parts[(2*block+1)*j.cols : (2*block+2)*j.cols]
	invstd := j.invstd[from : from+rows]
	if j.rms {
		vec.RMSNormGradRows(j.dx[lo:hi], dgamma, j.dy[lo:hi], j.x[lo:hi], j.gamma, invstd, rows, j.cols)
		return
	}
	vec.LayerNormGradRows(j.dx[lo:hi], dgamma, dbeta, j.dy[lo:hi], j.x[lo:hi], j.gamma, j.mean[from:from+rows], invstd, rows, j.cols)
}

// rowNormGrad64 is the definition: see vec.LayerNormGradRows.
func rowNormGrad64(c *call, rms bool, rows, cols int) kernel {
	sums := c.scratch(8 * 2 * cols)
	return func(f *frame) error {
		dy, x, gamma := data[float64](f, c.in[0]), data[float64](f, c.in[1]), data[float64](f, c.in[2])
		means, invs, dx := data[float64](f, c.in[3]), data[float64](f, c.in[len(c.in)-1]), data[float64](f, c.out[0])
		total := accel.View[float64](sums.raw(f))
		clear(total)
		for r := range rows {
			mean, inv, sum, dot := means[r], invs[r], 0.0, 0.0
			if rms {
				mean = 0
			}
			for i := range cols {
				d, h := dy[r*cols+i], (x[r*cols+i]-mean)*inv
				total[i] += d * h
				total[cols+i] += d
				sum += d * gamma[i]
				dot += d * gamma[i] * h
			}
			if rms {
				sum = 0
			}
			for i := range cols {
				h := (x[r*cols+i] - mean) * inv
				dx[r*cols+i] = inv * (dy[r*cols+i]*gamma[i] - (sum+h*dot)/float64(cols))
			}
		}
		for i := range 2 {
			if t := c.output(1 + i); t != nil {
				copy(data[float64](f, t), total[i*cols:])
			}
		}
		return nil
	}
}

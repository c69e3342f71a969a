package cpu

import "github.com/millrace-go/millrace/accel"

// ArgMax and ArgMin give the place of the largest or smallest element along an
// axis, as int64: the first of equal ones, or with select_last_index the last.
// A NaN counts as the largest and the smallest, as in numpy.
var argKernels = map[string]builder{
	"ArgMax": {in: 1, out: 1, make: arg},
	"ArgMin": {in: 1, out: 1, make: arg},
}

func arg(c *call) (kernel, error) {
	if err := want(c.Op, c.out[:1], accel.Int64); err != nil {
		return nil, err
	}
	return byType(c, c.in[0], map[accel.DType]func(*call) (kernel, error){
		accel.Float32: argOf[float32], accel.Float64: argOf[float64],
		accel.Int8: argOf[int8], accel.Int16: argOf[int16], accel.Int32: argOf[int32], accel.Int64: argOf[int64],
		accel.Uint8: argOf[uint8], accel.Uint16: argOf[uint16], accel.Uint32: argOf[uint32], accel.Uint64: argOf[uint64],
	})
}

func argOf[T accel.Number](c *call) (kernel, error) {
	x, y := c.in[0], c.out[0]
	ax, err := axis(c.Int("axis", 0), len(x.Shape))
	if err != nil {
		return nil, err
	}
	job := argJob[T]{last: c.Bool("select_last_index", false), smallest: c.Op == "ArgMin"}
	job.outer, job.n, job.inner = around(x.Shape, ax)
	if y.n != job.outer*job.inner || job.n == 0 && y.n > 0 {
		return nil, shapeErr(x, y)
	}
	job.per = max(1, grain/max(1, job.n*job.inner))
	newJob := addJob[argJob[T]](c)
	return func(f *frame) error {
		j := newJob(f)
		*j = job
		j.x, j.y = data[T](f, x), data[int64](f, y)
		f.pool.For((j.outer+j.per-1)/j.per, j)
		return nil
	}, nil
}

// argJob sees x as (outer, n, inner).
type argJob[T accel.Number] struct {
	outer, n, inner, per int
	last, smallest       bool
	x                    []T
	y                    []int64
}

// Do does the lanes of some outer indices.
func (j *argJob[T]) Do(tile, _ int) {
	for o := tile * j.per; o < min((tile+1)*j.per, j.outer); o++ {
		for i := range j.inner {
			j.y[o*j.inner+i] = int64(j.find(j.x[o*j.n*j.inner+i:]))
		}
	}
}

// find goes along one lane, whose elements are inner apart.
func (j *argJob[T]) find(x []T) int {
	at, best := 0, x[0]
	for k := 1; k < j.n; k++ {
		v := x[k*j.inner]
		better := v > best
		if j.smallest {
			better = v < best
		}
		if better && best == best || v != v && best == best || j.last && (v == best || v != v) {
			at, best = k, v
		}
	}
	return at
}

package cpu

import (
	"github.com/millrace-go/millrace/accel"
)

// TopK gives the k largest elements along an axis, or with largest=0 the
// smallest, in that order, and their places. Of equal elements the lower place
// comes first; NaN counts as greater than every number. The order is the same
// with sorted=0, which leaves it open.
var topKKernels = map[string]builder{"TopK": {in: 2, out: 2, make: topK}}

func topK(c *call) (kernel, error) {
	if err := want(c.Op, c.out[:1], c.in[0].DType); err != nil {
		return nil, err
	}
	if err := want(c.Op, c.out[1:2], accel.Int64); err != nil {
		return nil, err
	}
	return byType(c, c.in[0], map[accel.DType]func(*call) (kernel, error){
		accel.Float32: topKOf[float32], accel.Float64: topKOf[float64],
		accel.Int8: topKOf[int8], accel.Int16: topKOf[int16], accel.Int32: topKOf[int32], accel.Int64: topKOf[int64],
		accel.Uint8: topKOf[uint8], accel.Uint16: topKOf[uint16], accel.Uint32: topKOf[uint32], accel.Uint64: topKOf[uint64],
	})
}

func topKOf[T accel.Number](c *call) (kernel, error) {
	x, y, places := c.in[0], c.out[0], c.out[1]
	ax, err := axis(c.Int("axis", -1), len(x.Shape))
	if err != nil {
		return nil, err
	}
	if len(y.Shape) != len(x.Shape) || places.n != y.n || y.Shape[ax] > x.Shape[ax] {
		return nil, shapeErr(x, y, places)
	}
	job := topKJob[T]{k: y.Shape[ax], smallest: !c.Bool("largest", true)}
	job.outer, job.n, job.inner = around(x.Shape, ax)
	if y.n != job.outer*job.k*job.inner {
		return nil, shapeErr(x, y)
	}
	scratch := c.scratch(c.threads * job.k * 8)
	newJob := addJob[topKJob[T]](c)
	return func(f *frame) error {
		j := newJob(f)
		*j = job
		j.x, j.y, j.places = data[T](f, x), data[T](f, y), data[int64](f, places)
		j.heaps = accel.View[int64](scratch.raw(f))
		if y.n > 0 {
			f.pool.For(j.outer*j.inner, j)
		}
		return nil
	}, nil
}

// topKJob sees x as (outer, n, inner). A tile is one lane.
type topKJob[T accel.Number] struct {
	outer, n, inner, k int
	smallest           bool
	x, y               []T
	places, heaps      []int64
}

// Do keeps the best k of a lane in a heap whose root is the worst of them, and
// then takes the heap apart from the back.
func (j *topKJob[T]) Do(tile, worker int) {
	o, i := tile/j.inner, tile%j.inner
	x := j.x[o*j.n*j.inner+i:]
	heap := j.heaps[worker*j.k : (worker+1)*j.k]
	for p := range heap {
		heap[p] = int64(p)
	}
	for p := j.k/2 - 1; p >= 0; p-- {
		j.sink(x, heap, p)
	}
	for p := int64(j.k); p < int64(j.n); p++ {
		if j.before(x, p, heap[0]) {
			heap[0] = p
			j.sink(x, heap, 0)
		}
	}
	to := o*j.k*j.inner + i
	for p := j.k - 1; p >= 0; p-- {
		at := heap[0]
		j.y[to+p*j.inner], j.places[to+p*j.inner] = x[int(at)*j.inner], at
		heap[0] = heap[p]
		j.sink(x, heap[:p], 0)
	}
}

// sink moves the element at p down to where none below it is worse.
func (j *topKJob[T]) sink(x []T, heap []int64, p int) {
	for {
		child := 2*p + 1
		if child >= len(heap) {
			return
		}
		if child+1 < len(heap) && j.before(x, heap[child], heap[child+1]) {
			child++
		}
		if !j.before(x, heap[p], heap[child]) {
			return
		}
		heap[p], heap[child] = heap[child], heap[p]
		p = child
	}
}

// before says that the element at a comes before that at b.
func (j *topKJob[T]) before(x []T, a, b int64) bool {
	v, w := x[int(a)*j.inner], x[int(b)*j.inner]
	switch {
	case v == w || v != v && w != w:
		return a < b
	case v != v || w != w:
		return (v != v) != j.smallest
	}
	return (v > w) != j.smallest
}

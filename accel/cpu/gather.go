package cpu

import (
	"errors"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/vec"
)

// The kernels that take or put runs of elements at places that indices tell.
var gatherKernels = map[string]builder{
	"Gather":         {in: 2, out: 1, make: gather, half: true},
	"GatherGrad":     {in: 2, out: 1, make: gatherGrad},
	"GatherElements": {in: 2, out: 1, make: gatherElements, half: true},
	"GatherND":       {in: 2, out: 1, make: gatherND, half: true},
}

// takeJob copies runs: for each outer block o, run k of y is at place[k] of block o of x.
type takeJob struct {
	y, x         []byte
	places       []int
	run, block   int // bytes of a run, and of a block of x
	size         int // bytes of an element; places count elements
	tiles, total int
}

// Do copies the tile's share of the runs.
func (j *takeJob) Do(tile, _ int) {
	from, to := share(j.total, j.tiles, tile)
	n := len(j.places)
	o, k := from/n, from%n
	for i := from; i < to; i++ {
		at := o*j.block + j.places[k]*j.size
		copy(j.y[i*j.run:(i+1)*j.run], j.x[at:at+j.run])
		if k++; k == n {
			o, k = o+1, 0
		}
	}
}

// takeOf copies single elements of one block; copy is slow for those.
func takeOf[T accel.Number](y, x []byte, places []int) {
	to, from := as[T](y), as[T](x)
	for i, at := range places {
		to[i] = from[at]
	}
}

// take is the kernel that gathers runs of run elements of x, outer times.
func take(c *call, x, y *tensor, at *indices, outer, run int) (kernel, error) {
	if err := want(c.Op, []*tensor{y}, x.DType); err != nil {
		return nil, err
	}
	if outer*at.count()*run != y.n {
		return nil, shapeErr(append(c.in, y)...)
	}
	size := x.DType.Size()
	job := addJob[takeJob](c)
	total := outer * at.count()
	tiles := max(1, min(y.n*size/tileBytes, 4*c.threads, total))
	single := bySize(size, takeOf[uint8], takeOf[uint16], takeOf[uint32], takeOf[uint64])
	return func(f *frame) error {
		places, err := at.read(f)
		if err != nil || y.n == 0 {
			return err
		}
		if run == 1 && outer == 1 {
			single(raw(f, y), raw(f, x), places)
			return nil
		}
		j := job(f)
		*j = takeJob{raw(f, y), raw(f, x), places, run * size, x.n / outer * size, size, tiles, total}
		f.pool.For(tiles, j)
		*j = takeJob{}
		return nil
	}, nil
}

// gather copies rows along one axis.
func gather(c *call) (kernel, error) {
	x, ids, y := c.in[0], c.in[1], c.out[0]
	a, err := axis(c.Int("axis", 0), len(x.Shape))
	if err != nil {
		return nil, err
	}
	outer, n, inner := around(x.Shape, a)
	at, err := newIndices(c, ids, []int{n}, []int{inner}, nil)
	if err != nil {
		return nil, err
	}
	return take(c, x, y, at, outer, inner)
}

// gatherElements takes one element for each index.
func gatherElements(c *call) (kernel, error) {
	at, err := elementPlaces(c, c.in[0], c.in[1])
	if err != nil {
		return nil, err
	}
	return take(c, c.in[0], c.out[0], at, 1, 1)
}

// elementPlaces reads the indices of GatherElements and ScatterElements: each is
// along one axis, at its own place in the other dimensions.
func elementPlaces(c *call, x, ids *tensor) (*indices, error) {
	a, err := axis(c.Int("axis", 0), len(x.Shape))
	if err != nil {
		return nil, err
	}
	if len(ids.Shape) != len(x.Shape) {
		return nil, shapeErr(x, ids)
	}
	strides := contiguous(x.Shape)
	own := slices.Clone(strides)
	own[a] = 0
	for d, n := range ids.Shape {
		if d != a && n > x.Shape[d] {
			return nil, shapeErr(x, ids)
		}
	}
	base := func(i int) int {
		at := 0
		for d := len(own) - 1; d >= 0; d-- {
			at += i % ids.Shape[d] * own[d]
			i /= ids.Shape[d]
		}
		return at
	}
	return newIndices(c, ids, []int{x.Shape[a]}, []int{strides[a]}, base)
}

// gatherND takes a run for each tuple of indices.
func gatherND(c *call) (kernel, error) {
	at, run, err := tuplePlaces(c, c.in[0], c.in[1], c.Int("batch_dims", 0))
	if err != nil {
		return nil, err
	}
	return take(c, c.in[0], c.out[0], at, 1, run)
}

// tuplePlaces reads the indices of GatherND and ScatterND, of which the last
// dimension holds tuples: an index for each dimension of x after the first
// batch, which x and the indices share. A tuple's run is what is left of x.
func tuplePlaces(c *call, x, ids *tensor, batch int) (at *indices, run int, err error) {
	last := len(ids.Shape) - 1
	if last < 0 || batch < 0 || batch > last || batch+ids.Shape[last] > len(x.Shape) || !slices.Equal(ids.Shape[:batch], x.Shape[:batch]) {
		return nil, 0, shapeErr(x, ids)
	}
	width := ids.Shape[last]
	end := batch + width
	if width == 0 {
		return nil, 0, errors.New("tuples of no index")
	}
	strides := contiguous(x.Shape)
	each := accel.Size(ids.Shape[batch:last]) // tuples of one batch
	block := accel.Size(x.Shape[batch:])
	base := func(i int) int { return i / each * block }
	at, err = newIndices(c, ids, x.Shape[batch:end], strides[batch:end], base)
	return at, accel.Size(x.Shape[end:]), err
}

// gatherGrad adds rows up where they were taken from, in the order of the
// indices. Threads share blocks and columns, so that order is the same for each element.
func gatherGrad(c *call) (kernel, error) {
	return byType(c, c.in[0], map[accel.DType]func(*call) (kernel, error){
		accel.Float32: gatherGradOf[float32], accel.Float64: gatherGradOf[float64],
	})
}

// putJob is the work of gatherGrad on an outer block of dx, and some of its columns.
type putJob[T float32 | float64] struct {
	dx, dy           []T
	places           []int
	rows, cols, cuts int
}

// Do clears and sums up the columns of one tile.
func (j *putJob[T]) Do(tile, _ int) {
	o := tile / j.cuts
	from, to := share(j.cols, j.cuts, tile%j.cuts)
	dx, dy := j.dx[o*j.rows*j.cols:(o+1)*j.rows*j.cols], j.dy[o*len(j.places)*j.cols:]
	for r := range j.rows {
		clear(dx[r*j.cols+from : r*j.cols+to])
	}
	for i, at := range j.places {
		addTo(dx[at+from:at+to], dy[i*j.cols+from:i*j.cols+to])
	}
}

// addTo is y += x.
func addTo[T accel.Number](y, x []T) {
	if y32, ok := any(y).([]float32); ok && len(y) >= 16 {
		vec.Add(y32, y32, any(x).([]float32)[:len(y)])
		return
	}
	for i, v := range x[:len(y)] {
		y[i] += v
	}
}

func gatherGradOf[T float32 | float64](c *call) (kernel, error) {
	dy, ids, dx := c.in[0], c.in[1], c.out[0]
	a, err := axis(c.Int("axis", 0), len(dx.Shape))
	if err != nil {
		return nil, err
	}
	if err := want(c.Op, []*tensor{dx}, dy.DType); err != nil {
		return nil, err
	}
	outer, rows, cols := around(dx.Shape, a)
	at, err := newIndices(c, ids, []int{rows}, []int{cols}, nil)
	if err != nil {
		return nil, err
	}
	if outer*ids.n*cols != dy.n {
		return nil, shapeErr(dy, ids, dx)
	}
	job := addJob[putJob[T]](c)
	cuts := 1
	if outer < 4*c.threads {
		cuts = max(1, min(c.threads, cols/64))
	}
	return func(f *frame) error {
		places, err := at.read(f)
		if err != nil || dx.n == 0 {
			return err
		}
		j := job(f)
		*j = putJob[T]{data[T](f, dx), data[T](f, dy), places, rows, cols, cuts}
		f.pool.For(outer*cuts, j)
		*j = putJob[T]{}
		return nil
	}, nil
}

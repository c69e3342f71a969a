package cpu

import (
	"unsafe"

	"github.com/millrace-go/millrace/accel"
)

// reducer is what one reducing operator does. T is the type of the elements, A
// that of partial results, which are kept wide until the end so that there is
// one rounding.
type reducer[T, A accel.Number] struct {
	unit A // the result of no elements
	// run reduces contiguous elements, rows n rows of x, stride apart, into acc.
	run  func(x []T) A
	rows func(acc []A, x []T, n, stride int)
	join func(a, b A) A
	// done makes an output of a result of n elements.
	done func(a A, n int) T
}

// fold is the reducer that takes one element after another.
func fold[T, A accel.Number](unit A, step func(A, T) A, join func(A, A) A, done func(A, int) T) *reducer[T, A] {
	return &reducer[T, A]{
		unit: unit,
		run: func(x []T) A {
			a := unit
			for _, v := range x {
				a = step(a, v)
			}
			return a
		},
		rows: func(acc []A, x []T, n, stride int) {
			for i := range n {
				for j, v := range x[i*stride : i*stride+len(acc)] {
					acc[j] = step(acc[j], v)
				}
			}
		},
		join: join, done: done,
	}
}

// A reduction is done in stages, one for each run of neighbouring dimensions to
// reduce, the last run first: each turns a tensor seen as (outer, n, inner)
// into (outer, inner). Long reductions are cut into parts of fixed lengths, whose
// results are joined in order. So neither threads nor vectors change a sum.
type stage struct{ outer, n, inner int }

// The most elements of a contiguous part; and rows and columns of another.
const (
	partLen  = 1 << 14
	partRows = 1 << 10
	partCols = 1 << 10
)

// stages finds the runs of dimensions to reduce, the last first.
func stages(shape []int, reduced []bool) []stage {
	var out []stage
	inner := 1
	for d := len(shape) - 1; d >= 0; {
		if !reduced[d] {
			inner *= shape[d]
			d--
			continue
		}
		n := 1
		for ; d >= 0 && reduced[d]; d-- {
			n *= shape[d]
		}
		out = append(out, stage{accel.Size(shape[:d+1]), n, inner})
	}
	if out == nil { // each element alone
		out = []stage{{1, 1, inner}}
	}
	return out
}

// parts is how many parts a reduction is cut into, and rows the elements or rows of each.
func (s stage) parts() (parts, rows int) {
	rows = partRows
	if s.inner == 1 {
		rows = partLen
	}
	return max(1, (s.n+rows-1)/rows), rows
}

// lanes is how many pieces the inner elements are cut into.
func (s stage) lanes() int { return (s.inner + partCols - 1) / partCols }

// room is the number of partial results.
func (s stage) room() int {
	parts, _ := s.parts()
	return s.outer * parts * s.inner
}

// reduceBy makes the kernel of a reducer, over the dimensions marked in reduced.
func reduceBy[T, A accel.Number](c *call, reduced []bool, r *reducer[T, A]) (kernel, error) {
	x, y := c.in[0], c.out[0]
	list := stages(x.Shape, reduced)
	count, room := 1, 0
	for _, s := range list {
		count *= s.n
		room = max(room, s.room())
	}
	if last := list[len(list)-1]; last.outer*last.inner != y.n {
		return nil, shapeErr(x, y)
	}
	var z A
	scratch := c.scratch(2 * room * int(unsafe.Sizeof(z)))
	first, next := addJob[reduceJob[T, A]](c), addJob[reduceJob[A, A]](c)
	again := fold(r.unit, r.join, r.join, nil)
	return func(f *frame) error {
		buf := accel.View[A](scratch.raw(f))
		acc, other := buf[:room], buf[room:]
		reduceStage(f, first(f), list[0], r, data[T](f, x), acc)
		for _, s := range list[1:] {
			reduceStage(f, next(f), s, again, acc, other)
			acc, other = other, acc
		}
		out := data[T](f, y)
		for i := range out {
			out[i] = r.done(acc[i], count)
		}
		return nil
	}, nil
}

// reduceStage leaves outer·inner results at the beginning of acc.
func reduceStage[T, A accel.Number](f *frame, j *reduceJob[T, A], s stage, r *reducer[T, A], x []T, acc []A) {
	j.stage, j.reducer, j.x, j.acc = s, r, x, acc
	parts, rows := s.parts()
	j.units = s.outer * parts * s.lanes()
	j.per = max(1, grain/max(1, min(s.n, rows)*min(s.inner, partCols)))
	f.pool.For((j.units+j.per-1)/j.per, j)
	if parts == 1 {
		return
	}
	for o := range s.outer {
		from := acc[o*parts*s.inner:]
		for p := 1; p < parts; p++ {
			for i, v := range from[p*s.inner : (p+1)*s.inner] {
				from[i] = r.join(from[i], v)
			}
		}
		copy(acc[o*s.inner:(o+1)*s.inner], from)
	}
}

// reduceJob computes partial results, (outer, parts, inner). A unit is one part
// of one piece of the inner elements.
type reduceJob[T, A accel.Number] struct {
	stage
	*reducer[T, A]
	x          []T
	acc        []A
	units, per int
}

// Do does one tile: some units.
func (j *reduceJob[T, A]) Do(tile, _ int) {
	parts, rows := j.parts()
	lanes := j.lanes()
	for u := tile * j.per; u < min((tile+1)*j.per, j.units); u++ {
		lane, rest := u%lanes, u/lanes
		part, o := rest%parts, rest/parts
		from, to := part*rows, min((part+1)*rows, j.n)
		x := j.x[(o*j.n+from)*j.inner : (o*j.n+to)*j.inner]
		if j.inner == 1 {
			j.acc[rest] = j.run(x)
			continue
		}
		low := lane * partCols
		acc := j.acc[rest*j.inner+low : rest*j.inner+min(low+partCols, j.inner)]
		setAll(acc, j.unit)
		if to > from {
			j.rows(acc, x[low:], to-from, j.inner)
		}
	}
}

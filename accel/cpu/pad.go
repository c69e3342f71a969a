package cpu

import (
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/extent"
)

// Pad and its gradient walk the padded tensor with a table for each dimension
// that tells where its elements come from.
var padKernels = map[string]builder{
	"Pad":     {in: 2, out: 1, make: pad, half: true},
	"PadGrad": {in: 3, out: 1, make: padGrad},
}

// sources tells where each element of a padded tensor comes from.
type sources struct {
	from [][]int // by outer dimension: the offset in the original, or -1 for the constant
	runs []padRun
	each []int // instead of runs, where they are short: the source of each element
	n    int   // elements of the innermost dimension
}

// padRun is a part of the innermost dimension that is contiguous in the
// original, or constant: source -1.
type padRun struct{ at, source, n int }

// newSources makes the tables of padding an original of some shape.
func newSources(c *call, shape []int, pads, axes int) (*sources, error) {
	p, err := c.ints(pads)
	if err != nil {
		return nil, err
	}
	a, err := c.ints(axes)
	if err != nil {
		return nil, err
	}
	before, after, err := extent.Pads(len(shape), p, a)
	if err != nil {
		return nil, err
	}
	last := len(shape) - 1
	for last > 0 && before[last] == 0 && after[last] == 0 {
		last--
	}
	s, block := &sources{}, accel.Size(shape[last+1:])
	for d, stride := range contiguous(shape)[:last+1] {
		from, err := extent.PadSource(c.Str("mode", "constant"), shape[d], before[d], after[d])
		if err != nil {
			return nil, err
		}
		for i, v := range from {
			if v >= 0 {
				from[i] = v * stride
			}
		}
		s.from = append(s.from, from)
	}
	s.finish(block)
	return s, nil
}

// finish turns the last of the tables into runs; each of its elements stands
// for a block of them.
func (s *sources) finish(block int) {
	last := len(s.from) - 1
	if last < 0 {
		s.runs, s.n = []padRun{{0, 0, 1}}, 1
		return
	}
	s.inner(s.from[last], block)
	s.from = s.from[:last]
}

// inner joins the blocks of the innermost dimension into runs.
func (s *sources) inner(from []int, block int) {
	s.n = len(from) * block
	for i, v := range from {
		if k := len(s.runs) - 1; k >= 0 {
			r := &s.runs[k]
			if v < 0 && r.source < 0 || v >= 0 && r.source >= 0 && v == r.source+r.n {
				r.n += block
				continue
			}
		}
		s.runs = append(s.runs, padRun{i * block, v, block})
	}
	if 8*len(s.runs) > s.n {
		s.each = make([]int, s.n)
		for i, v := range from {
			for k := range block {
				s.each[i*block+k] = -1
				if v >= 0 {
					s.each[i*block+k] = v + k
				}
			}
		}
	}
}

// rows is the number of innermost rows.
func (s *sources) rows() int {
	n := 1
	for _, f := range s.from {
		n *= len(f)
	}
	return n
}

// last is the table of the last of the outer dimensions.
func (s *sources) last() []int {
	if k := len(s.from) - 1; k >= 0 {
		return s.from[k]
	}
	return single
}

// single is the table of no dimension.
var single = []int{0}

// base is where the i-th position of the outer dimensions before the last comes
// from, or -1 if it is constant.
func (s *sources) base(i int) int {
	at := 0
	for d := len(s.from) - 2; d >= 0; d-- {
		k := len(s.from[d])
		v := s.from[d][i%k]
		if v < 0 {
			return -1
		}
		at += v
		i /= k
	}
	return at
}

// padJob is Pad for one run.
type padJob[T accel.Number] struct {
	s           *sources
	y, x        []T
	value       T
	rows, tiles int
}

// Do pads the rows of one tile. Those that come from the same place as the one
// before are copies of it.
func (j *padJob[T]) Do(tile, _ int) {
	from, to := share(j.rows, j.tiles, tile)
	last := j.s.last()
	for i := from; i < to; {
		base, before := j.s.base(i/len(last)), -2
		for k := i % len(last); k < len(last) && i < to; k++ {
			at := -1
			if base >= 0 && last[k] >= 0 {
				at = base + last[k]
			}
			y := j.y[i*j.s.n : (i+1)*j.s.n]
			if at == before {
				copy(y, j.y[(i-1)*j.s.n:])
			} else {
				j.row(y, at)
			}
			before = at
			i++
		}
	}
}

// row makes one row from what begins at a place of x, or of the constant.
func (j *padJob[T]) row(y []T, at int) {
	switch {
	case at < 0:
		fill(y, j.value)
	case j.s.each != nil:
		for i, v := range j.s.each {
			if v < 0 {
				y[i] = j.value
				continue
			}
			y[i] = j.x[at+v]
		}
	default:
		for _, r := range j.s.runs {
			if r.source < 0 {
				fill(y[r.at:r.at+r.n], j.value)
				continue
			}
			copy(y[r.at:r.at+r.n], j.x[at+r.source:])
		}
	}
}

func pad(c *call) (kernel, error) {
	return bySize(c.in[0].DType.Size(), padOf[uint8], padOf[uint16], padOf[uint32], padOf[uint64])(c)
}

func padOf[T accel.Number](c *call) (kernel, error) {
	x, value, y := c.in[0], c.input(2), c.out[0]
	if err := want(c.Op, []*tensor{y, value}, x.DType); err != nil {
		return nil, err
	}
	s, err := newSources(c, x.Shape, 1, 3)
	if err != nil {
		return nil, err
	}
	if value != nil && value.n != 1 {
		return nil, shapeErr(x, value, y)
	}
	return padded(c, s, x, y, func(f *frame) (v T) {
		if value != nil {
			v = data[T](f, value)[0]
		}
		return v
	})
}

// padded is the kernel that copies by tables.
func padded[T accel.Number](c *call, s *sources, x, y *tensor, value func(*frame) T) (kernel, error) {
	rows := s.rows()
	if rows*s.n != y.n {
		return nil, shapeErr(x, y)
	}
	job := addJob[padJob[T]](c)
	tiles := max(1, min(y.n*x.DType.Size()/tileBytes, 4*c.threads, rows))
	return func(f *frame) error {
		if y.n == 0 {
			return nil
		}
		j := job(f)
		*j = padJob[T]{s: s, y: data[T](f, y), x: data[T](f, x), value: value(f), rows: rows, tiles: tiles}
		f.pool.For(tiles, j)
		*j = padJob[T]{}
		return nil
	}, nil
}

// padGrad adds dy up where it came from.
func padGrad(c *call) (kernel, error) {
	return byType(c, c.in[0], map[accel.DType]func(*call) (kernel, error){
		accel.Float32: padGradOf[float32], accel.Float64: padGradOf[float64],
	})
}

func padGradOf[T accel.Number](c *call) (kernel, error) {
	dy, dx := c.in[0], c.out[0]
	if err := want(c.Op, []*tensor{dx}, dy.DType); err != nil {
		return nil, err
	}
	s, err := newSources(c, dx.Shape, 2, 3)
	if err != nil {
		return nil, err
	}
	rows := s.rows()
	if rows*s.n != dy.n {
		return nil, shapeErr(dy, dx)
	}
	s.runs = slices.DeleteFunc(s.runs, func(r padRun) bool { return r.source < 0 })
	return func(f *frame) error {
		from, to := data[T](f, dy), data[T](f, dx)
		clear(to)
		last := s.last()
		for i := range rows {
			base, k := s.base(i/len(last)), i%len(last)
			if base < 0 || last[k] < 0 {
				continue
			}
			at, row := base+last[k], from[i*s.n:(i+1)*s.n]
			for _, r := range s.runs {
				addTo(to[at+r.source:at+r.source+r.n], row[r.at:r.at+r.n])
			}
		}
		return nil
	}, nil
}

package cpu

import "github.com/millrace-go/millrace/accel"

// Where takes x where the condition holds and y elsewhere: a movement of
// elements, by their size.
var whereKernels = map[string]builder{
	"Where": {in: 3, out: 1, make: where, half: true},
}

func where(c *call) (kernel, error) {
	if err := want(c.Op, c.in[:1], accel.Bool); err != nil {
		return nil, err
	}
	if err := want(c.Op, []*tensor{c.in[2], c.out[0]}, c.in[1].DType); err != nil {
		return nil, err
	}
	switch c.in[1].DType.Size() {
	case 1:
		return whereOf[uint8](c)
	case 2:
		return whereOf[uint16](c)
	case 4:
		return whereOf[uint32](c)
	}
	return whereOf[uint64](c)
}

func whereOf[T integer](c *call) (kernel, error) {
	cond, a, b, y := c.in[0], c.in[1], c.in[2], c.out[0]
	w, err := newWalk(y, cond, a, b)
	if err != nil {
		return nil, err
	}
	newJob := addJob[whereJob[T]](c)
	return func(f *frame) error {
		j := newJob(f)
		j.walk, j.cond = w, data[bool](f, cond)
		j.a, j.b, j.y = data[T](f, a), data[T](f, b), data[T](f, y)
		f.pool.For(w.tiles, j)
		return nil
	}, nil
}

type whereJob[T integer] struct {
	*walk
	cond    []bool
	a, b, y []T
}

// Do does one tile.
func (j *whereJob[T]) Do(tile, _ int) {
	from, to, lo, hi := j.tile(tile)
	if lo == hi {
		return
	}
	c := j.seek(from)
	for range to - from {
		y := j.y[c.at[0]+lo : c.at[0]+hi]
		choose(y, part(j.walk, 1, j.cond, &c, lo, hi), part(j.walk, 2, j.a, &c, lo, hi), part(j.walk, 3, j.b, &c, lo, hi))
		j.next(&c)
	}
}

// choose does one inner loop; each input may be one element that is repeated.
func choose[T integer](y []T, cond []bool, a, b []T) {
	n := len(y)
	switch {
	case len(cond) < n && cond[0]:
		spread(y, a)
	case len(cond) < n:
		spread(y, b)
	case len(a) == n && len(b) == n:
		a, b = a[:len(cond)], b[:len(cond)]
		for i, c := range cond {
			y[i] = pick(c, a[i], b[i])
		}
	case len(a) == n:
		other := b[0]
		for i, c := range cond {
			y[i] = pick(c, a[i], other)
		}
	case len(b) == n:
		one := a[0]
		for i, c := range cond {
			y[i] = pick(c, one, b[i])
		}
	default:
		for i, c := range cond {
			y[i] = pick(c, a[0], b[0])
		}
	}
}

// spread copies x, or repeats its one element.
func spread[T any](y, x []T) {
	if len(x) < len(y) {
		setAll(y, x[0])
		return
	}
	copy(y, x)
}

// pick compiles to a conditional move.
func pick[T integer](c bool, a, b T) T {
	if c {
		return a
	}
	return b
}

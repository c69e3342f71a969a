package cpu

import (
	"unsafe"

	"github.com/millrace-go/millrace/accel"
)

// pairs is an element-wise function of two inputs. The slices of a call have
// one length; y may be a or b.
type pairs[T, R accel.Number | ~bool] struct {
	both func(y []R, a, b []T)
	// right and left are the forms in which b or a is one number; without
	// them, both is called with blocks of copies.
	right func(y []R, a []T, b T)
	left  func(y []R, a T, b []T)
}

// broadcast makes the kernel of a function of inputs 0 and 1, which broadcast to
// the output's shape.
func broadcast[T, R accel.Number | ~bool](c *call, p pairs[T, R]) (kernel, error) {
	a, b, y := c.in[0], c.in[1], c.out[0]
	if err := want(c.Op, []*tensor{b}, a.DType); err != nil {
		return nil, err
	}
	w, err := newWalk(y, a, b)
	if err != nil {
		return nil, err
	}
	var z T
	fill := c.scratch(c.threads * blockLen * int(unsafe.Sizeof(z)))
	newJob := addJob[pairJob[T, R]](c)
	return func(f *frame) error {
		j := newJob(f)
		j.walk, j.pairs = w, &p
		j.y, j.a, j.b = data[R](f, y), data[T](f, a), data[T](f, b)
		j.fill = accel.View[T](fill.raw(f))
		f.pool.For(w.tiles, j)
		return nil
	}, nil
}

type pairJob[T, R accel.Number | ~bool] struct {
	*walk
	*pairs[T, R]
	y    []R
	a, b []T
	fill []T // blockLen for each worker
}

// Do does one tile.
func (j *pairJob[T, R]) Do(tile, worker int) {
	from, to, lo, hi := j.tile(tile)
	if lo == hi {
		return
	}
	fill := j.fill[worker*blockLen : (worker+1)*blockLen]
	c := j.seek(from)
	for range to - from {
		y := j.y[c.at[0]+lo : c.at[0]+hi]
		j.run(y, part(j.walk, 1, j.a, &c, lo, hi), part(j.walk, 2, j.b, &c, lo, hi), fill)
		j.next(&c)
	}
}

// run does one inner loop; a or b may be one element that is repeated.
func (j *pairJob[T, R]) run(y []R, a, b, fill []T) {
	n := len(y)
	switch {
	case len(a) == n && len(b) == n:
		j.both(y, a, b)
	case len(a) == n && j.right != nil:
		j.right(y, a, b[0])
	case len(b) == n && j.left != nil:
		j.left(y, a[0], b)
	case len(a) == n:
		setAll(fill[:min(n, blockLen)], b[0])
		for i := 0; i < n; i += blockLen {
			k := min(i+blockLen, n)
			j.both(y[i:k], a[i:k], fill[:k-i])
		}
	default:
		setAll(fill[:min(n, blockLen)], a[0])
		for i := 0; i < n; i += blockLen {
			k := min(i+blockLen, n)
			j.both(y[i:k], fill[:k-i], b[i:k])
		}
	}
}

package cpu

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// loops walks the elements of a shape in row-major order for several operands,
// each with its own strides: 0 where an operand is broadcast or summed. The
// innermost dimension is left to the body, so it stays a plain loop.
type loops struct {
	dims    []int   // outer dimensions
	inner   int     // length of the innermost one
	strides [][]int // [operand][outer dimension], in elements
	step    []int   // [operand] stride of the innermost dimension
}

// maxRank bounds the ranks that kernels walk: ONNX sets no limit, and no
// model comes near it.
const maxRank = 12

// maxOperands is the most that one walk has.
const maxOperands = 4

// newLoops merges neighbouring dimensions that every operand strides alike.
func newLoops(shape []int, strides ...[]int) (*loops, error) {
	dims, merged := mergeDims(shape, strides)
	last := len(dims) - 1
	if last > maxRank || len(strides) > maxOperands {
		return nil, fmt.Errorf("rank %d of %d operands, the most is %d of %d: %w", len(shape), len(strides), maxRank, maxOperands, accel.ErrUnsupported)
	}
	l := &loops{dims: dims[:last], inner: dims[last]}
	for _, s := range merged {
		l.strides = append(l.strides, s[:last])
		l.step = append(l.step, s[last])
	}
	return l, nil
}

// mergeDims drops dimensions of size 1 and joins d, d+1 where for every operand
// stride[d] = stride[d+1]·shape[d+1]. The result has at least one dimension.
func mergeDims(shape []int, strides [][]int) ([]int, [][]int) {
	dims, out := []int{}, make([][]int, len(strides))
	if accel.Size(shape) == 0 {
		shape = []int{0} // nothing to walk, whatever the strides
	}
	for d, size := range shape {
		if size == 1 {
			continue
		}
		last := len(dims) - 1
		join := last >= 0
		for o := range strides {
			join = join && out[o][last] == strides[o][d]*size
		}
		if join {
			dims[last] *= size
			for o := range strides {
				out[o][last] = strides[o][d]
			}
			continue
		}
		dims = append(dims, size)
		for o := range strides {
			out[o] = append(out[o], strides[o][d])
		}
	}
	if len(dims) == 0 {
		dims = append(dims, 1)
		for o := range out {
			out[o] = append(out[o], 0)
		}
	}
	return dims, out
}

// count is the number of inner loops.
func (l *loops) count() int { return accel.Size(l.dims) }

// cursor is a place in the outer loops, with the operands' offsets there.
type cursor struct {
	index [maxRank]int
	at    [maxOperands]int
}

// seek goes to outer iteration i.
func (l *loops) seek(i int) (c cursor) {
	for d := len(l.dims) - 1; d >= 0; d-- {
		c.index[d] = i % l.dims[d]
		i /= l.dims[d]
		for o, s := range l.strides {
			c.at[o] += c.index[d] * s[d]
		}
	}
	return c
}

// next goes to the following outer iteration; behind the last comes the first.
func (l *loops) next(c *cursor) {
	for d := len(l.dims) - 1; d >= 0; d-- {
		c.index[d]++
		for o, s := range l.strides {
			c.at[o] += s[d]
		}
		if c.index[d] < l.dims[d] {
			return
		}
		c.index[d] = 0
		for o, s := range l.strides {
			c.at[o] -= s[d] * l.dims[d]
		}
	}
}

// each calls body for the inner loops from ≤ i < to, with the operands' offsets.
// The cursor is allocated: kernels that run use seek and next.
func (l *loops) each(from, to int, body func(at *[maxOperands]int)) {
	c := l.seek(from)
	for range to - from {
		body(&c.at)
		l.next(&c)
	}
}

// contiguous returns row-major strides of a shape.
func contiguous(shape []int) []int {
	s := make([]int, len(shape))
	n := 1
	for d := len(shape) - 1; d >= 0; d-- {
		s[d] = n
		n *= shape[d]
	}
	return s
}

// broadcastStrides returns strides with which an operand of shape from is read
// as shape to, by numpy's rule: align right, repeat where a size is 1 or
// missing. ok is false if it cannot be.
func broadcastStrides(from, to []int) (strides []int, ok bool) {
	pad := len(to) - len(from)
	if pad < 0 {
		return nil, false
	}
	own := contiguous(from)
	strides = make([]int, len(to))
	for d := range from {
		switch {
		case from[d] == to[pad+d]:
			strides[pad+d] = own[d]
		case from[d] != 1:
			return nil, false
		}
	}
	return strides, true
}

package cpu

import (
	"fmt"
	"unsafe"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/transpose"
)

// move copies the elements of one strided view of memory to another of the same
// shape: what Transpose, Slice, Concat, Expand and their like come down to. It
// knows the size of the elements, not their type.
type move struct {
	dims       []int // the outer dimensions
	d, s       []int // their strides in the destination and the source, in elements
	n, dn, sn  int   // the innermost dimension and its strides
	dOff, sOff int   // where the views begin
	rows       int   // a dimension along which the source is contiguous, if the innermost is not: see swap
	dRow       int   // its stride in the destination
	size       int   // bytes of an element
	total      int   // units of work: elements, or blocks of rows
	tiles      int   // that the pool gets
	do         func(m *move, dst, src []byte, from, to int)
}

// view is one operand of a move.
type view struct {
	offset  int
	strides []int
}

// smallest number of bytes that are worth a tile of their own.
const tileBytes = 1 << 16

// share is the tile's part of total units.
func share(total, tiles, tile int) (from, to int) {
	each, rest := total/tiles, total%tiles
	return each*tile + min(tile, rest), each*(tile+1) + min(tile+1, rest)
}

// newMove plans the copy of src to dst, two views of the given shape with
// elements of size bytes.
func newMove(c *call, size int, shape []int, dst, src view) (*move, error) {
	dims, merged := mergeDims(shape, [][]int{dst.strides, src.strides})
	last := len(dims) - 1
	if last > maxRank {
		return nil, fmt.Errorf("a copy of %d dimensions, the most is %d: %w", last+1, maxRank, accel.ErrUnsupported)
	}
	m := &move{
		dims: dims[:last], d: merged[0][:last], s: merged[1][:last], n: dims[last], dn: merged[0][last], sn: merged[1][last],
		dOff: dst.offset, sOff: src.offset, size: size, total: accel.Size(dims),
	}
	m.tiles = max(1, min(m.total*size/tileBytes, 4*c.threads))
	switch {
	case m.dn == 1 && m.sn == 1 && m.n*size >= 32:
		m.do = moveRuns
	case m.dn == 1 && m.sn > 1 && m.findRows():
		m.total = accel.Size(m.dims) * ((m.rows + swapBlock - 1) / swapBlock)
		m.tiles = min(m.tiles, m.total)
		m.do = bySize(size, moveSwap(swapTiles[uint8]), moveSwap(swapTiles[uint16]), moveSwap(transpose.Words), moveSwap(swapTiles[uint64]))
	default:
		m.do = bySize(size, moveStrided[uint8], moveStrided[uint16], moveStrided[uint32], moveStrided[uint64])
	}
	return m, nil
}

// bySize picks the instance for elements of 1, 2, 4 or 8 bytes.
func bySize[F any](size int, of1, of2, of4, of8 F) F {
	switch size {
	case 1:
		return of1
	case 2:
		return of2
	case 4:
		return of4
	}
	return of8
}

// as views bytes as elements of their size.
func as[T accel.Number](b []byte) []T {
	var z T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(z)))
}

// moveJob is a move of one run.
type moveJob struct {
	m        *move
	dst, src []byte
}

// Do copies the tile's share.
func (j *moveJob) Do(tile, _ int) {
	m := j.m
	from, to := share(m.total, m.tiles, tile)
	m.do(m, j.dst, j.src, from, to)
}

// run copies everything.
func (m *move) run(f *frame, j *moveJob, dst, src []byte) {
	if m.total == 0 {
		return
	}
	j.m, j.dst, j.src = m, dst, src
	f.pool.For(m.tiles, j)
	j.dst, j.src = nil, nil
}

// place is a position of the outer dimensions.
type place struct {
	index [maxRank]int
	d, s  int
}

// at is the i-th position in row-major order.
func (m *move) at(i int) place {
	p := place{d: m.dOff, s: m.sOff}
	for k := len(m.dims) - 1; k >= 0; k-- {
		p.index[k] = i % m.dims[k]
		i /= m.dims[k]
		p.d += p.index[k] * m.d[k]
		p.s += p.index[k] * m.s[k]
	}
	return p
}

// next goes to the position after.
func (p *place) next(m *move) {
	for k := len(m.dims) - 1; k >= 0; k-- {
		p.index[k]++
		p.d += m.d[k]
		p.s += m.s[k]
		if p.index[k] < m.dims[k] {
			return
		}
		p.index[k] = 0
		p.d -= m.d[k] * m.dims[k]
		p.s -= m.s[k] * m.dims[k]
	}
}

// moveRuns copies where the innermost dimension is contiguous on both sides.
func moveRuns(m *move, dst, src []byte, from, to int) {
	p, col := m.at(from/m.n), from%m.n
	for from < to {
		k := min(m.n-col, to-from)
		d, s := (p.d+col)*m.size, (p.s+col)*m.size
		copy(dst[d:d+k*m.size], src[s:s+k*m.size])
		from += k
		col = 0
		p.next(m)
		if n := p.runs(m, (to-from)/m.n); n > 0 { // along the next dimension, without looking at the others
			m.copyRuns(dst, src, &p, n)
			from += n * m.n
		}
	}
}

// runs is how many positions are left along the last of the outer dimensions
// before its last, at most limit.
func (p *place) runs(m *move, limit int) int {
	last := len(m.dims) - 1
	if last < 0 {
		return 0
	}
	return min(m.dims[last]-1-p.index[last], limit)
}

// copyRuns copies n runs along the last of the outer dimensions.
func (m *move) copyRuns(dst, src []byte, p *place, n int) {
	last, bytes := len(m.dims)-1, m.n*m.size
	d, s, stepD, stepS := p.d*m.size, p.s*m.size, m.d[last]*m.size, m.s[last]*m.size
	for range n {
		copy(dst[d:d+bytes], src[s:s+bytes])
		d += stepD
		s += stepS
	}
	p.index[last] += n
	p.d += n * m.d[last]
	p.s += n * m.s[last]
}

// moveStrided copies element by element, or one element many times.
func moveStrided[T accel.Number](m *move, dst, src []byte, from, to int) {
	x, y := as[T](src), as[T](dst)
	p, col := m.at(from/m.n), from%m.n
	for from < to {
		k := min(m.n-col, to-from)
		d, s := p.d+col*m.dn, p.s+col*m.sn
		switch {
		case m.dn == 1 && m.sn == 0:
			fill(y[d:d+k], x[s])
		case m.dn == 1:
			for i := range y[d : d+k] {
				y[d+i] = x[s]
				s += m.sn
			}
		default:
			for range k {
				y[d] = x[s]
				d += m.dn
				s += m.sn
			}
		}
		from += k
		col = 0
		p.next(m)
	}
}

// fill sets all elements, doubling what is already set.
func fill[T accel.Number](y []T, v T) {
	first := min(len(y), 16)
	for i := range y[:first] {
		y[i] = v
	}
	for n := first; n < len(y); n *= 2 {
		copy(y[n:], y[:n])
	}
}

// swapBlock is the side of the squares that a transposition is done in: one
// cache line of float32.
const swapBlock = 16

// findRows takes the dimension that the source is contiguous along out of the
// outer ones.
func (m *move) findRows() bool {
	for k, s := range m.s {
		if s != 1 || m.d[k] < m.n {
			continue
		}
		m.rows, m.dRow = m.dims[k], m.d[k]
		drop := func(x []int) []int { return append(append([]int{}, x[:k]...), x[k+1:]...) }
		m.dims, m.d, m.s = drop(m.dims), drop(m.d), drop(m.s)
		return true
	}
	return false
}

// moveSwap transposes matrices, by blocks of rows of the destination.
func moveSwap[T accel.Number](swap func(y, x []T, rows, cols, dy, dx int)) func(m *move, dst, src []byte, from, to int) {
	return func(m *move, dst, src []byte, from, to int) {
		x, y := as[T](src), as[T](dst)
		blocks := (m.rows + swapBlock - 1) / swapBlock
		p := m.at(from / blocks)
		for i := from; i < to; {
			first := i % blocks * swapBlock
			n := min(blocks-i%blocks, to-i)
			rows := min(n*swapBlock, m.rows-first)
			swap(y[p.d+first*m.dRow:], x[p.s+first:], rows, m.n, m.dRow, m.sn)
			i += n
			p.next(m)
		}
	}
}

// swapTiles is y[i·dy + j] = x[j·dx + i] for i < rows, j < cols, in squares.
func swapTiles[T accel.Number](y, x []T, rows, cols, dy, dx int) {
	for first := 0; first < rows; first += swapBlock {
		for col := 0; col < cols; col += swapBlock {
			n := min(swapBlock, cols-col)
			for i := first; i < min(first+swapBlock, rows); i++ {
				row, at := y[i*dy+col:i*dy+col+n], col*dx+i
				for j := range row {
					row[j] = x[at]
					at += dx
				}
			}
		}
	}
}

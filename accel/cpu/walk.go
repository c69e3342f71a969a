package cpu

// grain is the number of elements in a tile of an element-wise kernel. It is a
// multiple of every vector's length.
const grain = 1 << 15

// blockLen is the length of the blocks in which kernels copy what they repeat
// or convert.
const blockLen = 512

// walk is the loops of an element-wise kernel cut into tiles: several inner
// loops, or a piece of one. Operand 0 is the output. The innermost stride of
// an input is 1, or 0 where it is repeated.
type walk struct {
	*loops
	outer  int // inner loops of a tile
	piece  int // elements of an inner loop in a tile
	pieces int // tiles that share an inner loop
	tiles  int
}

// newWalk broadcasts the inputs to the output's shape.
func newWalk(y *tensor, in ...*tensor) (*walk, error) {
	strides := [][]int{contiguous(y.Shape)}
	for _, x := range in {
		s, ok := broadcastStrides(x.Shape, y.Shape)
		if !ok {
			return nil, shapeErr(append([]*tensor{y}, in...)...)
		}
		strides = append(strides, s)
	}
	for d, size := range y.Shape {
		found := size < 2 || y.n == 0
		for _, s := range strides[1:] {
			found = found || s[d] > 0
		}
		if !found { // no input has that dimension
			return nil, shapeErr(append([]*tensor{y}, in...)...)
		}
	}
	l, err := newLoops(y.Shape, strides...)
	if err != nil {
		return nil, err
	}
	w := &walk{loops: l, outer: 1, piece: l.inner, pieces: 1}
	if l.inner >= 2*grain {
		w.piece, w.pieces = grain, (l.inner+grain-1)/grain
		w.tiles = l.count() * w.pieces
		return w, nil
	}
	w.outer = max(1, grain/max(1, l.inner))
	w.tiles = (l.count() + w.outer - 1) / w.outer
	return w, nil
}

// tile gives the inner loops from ≤ i < to, and of each the elements lo ≤ j < hi.
func (w *walk) tile(t int) (from, to, lo, hi int) {
	if w.pieces > 1 {
		i, lo := t/w.pieces, t%w.pieces*w.piece
		return i, i + 1, lo, min(lo+w.piece, w.inner)
	}
	from = t * w.outer
	return from, min(from+w.outer, w.count()), 0, w.inner
}

// part is the elements lo to hi of operand o: of a repeated one, the one element.
func part[T any](w *walk, o int, of []T, c *cursor, lo, hi int) []T {
	if w.step[o] == 0 {
		return of[c.at[o] : c.at[o]+1]
	}
	return of[c.at[o]+lo : c.at[o]+hi]
}

// setAll fills s with v.
func setAll[T any](s []T, v T) {
	for i := range s {
		s[i] = v
	}
}

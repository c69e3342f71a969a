package graph

import "slices"

// headsFirst is the permutation from (B, S, H, D) to (B, H, S, D), and back.
var headsFirst = []int{0, 2, 1, 3}

// heads are the rows of an operand, in a layout.
type heads struct {
	*Value
	layout headLayout
}

type headLayout uint8

const (
	rowsLast       headLayout = iota // (B, H, S, D), or (B, S, D), or (S, D)
	rowsTransposed                   // (…, D, S)
	rowsSwapped                      // (B, S, H, D)
	rowsRepeated                     // (B, H, 1, S, D)
)

// dims is the shape as (…, S, D).
func (h heads) dims() []int {
	s := h.Type.Shape
	r := len(s)
	switch h.layout {
	case rowsTransposed:
		return append(slices.Clone(s[:r-2]), s[r-1], s[r-2])
	case rowsSwapped:
		return []int{s[0], s[2], s[1], s[3]}
	case rowsRepeated:
		return []int{s[0], s[1], s[3], s[4]}
	}
	return s
}

// cut is (B, S, H, D), if the heads were made of that; else nil.
func (h heads) cut() *Value {
	v := h.Value
	switch h.layout {
	case rowsSwapped:
		return v
	case rowsTransposed:
		return nil
	case rowsRepeated:
		v = argument(v, "Reshape") // as simplify leaves Unsqueeze
		if v == nil || !slices.Equal(v.Type.Shape, h.dims()) {
			return nil
		}
	}
	if v.Producer == nil || v.Producer.Op != "Transpose" || !slices.Equal(v.Producer.Attrs.Ints("perm"), headsFirst) {
		return nil
	}
	return v.Producer.Inputs[0]
}

// flat is what was cut as (B, S, H·D).
func (h heads) flat(b *B) *Value {
	x := h.cut()
	s := x.Type.Shape
	to := Shape{s[0], s[1], s[2] * s[3]}
	if from := argument(x, "Reshape"); from != nil && from.Type.Shape.Equal(to) {
		return from
	}
	return b.Reshape(x, to...)
}

// apart is (B, H, S, D). Batches without heads have one each.
func (h heads) apart(b *B) *Value {
	v, s := h.Value, h.dims()
	switch h.layout {
	case rowsSwapped:
		return b.Transpose(v, headsFirst...)
	case rowsTransposed:
		v = b.SwapLast(v)
	}
	switch len(s) {
	case 2:
		s = []int{1, 1, s[0], s[1]}
	case 3:
		s = []int{s[0], 1, s[1], s[2]}
	}
	if b.err != nil {
		return nil
	}
	return b.Reshape(v, s...)
}

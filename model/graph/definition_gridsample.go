package graph

import (
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// spellGridSample writes GridSample as the sum, over the elements around each
// place, of the element times its weight, which is a product over the dimensions.
func spellGridSample(b *B, n *Node) []*Value {
	x, grid := n.Inputs[0], n.Inputs[1]
	s, out := x.Type.Shape, grid.Type.Shape
	rank := len(s) - 2
	points := accel.Size(out[1 : rank+1])
	g := b.Reshape(grid, s[0], points, rank)
	taps := make([][]sampleTap, rank)
	for d := range rank { // a grid counts dimensions from the last
		v := b.Reshape(b.Slice(g, 2, rank-1-d, rank-d), s[0], points)
		taps[d] = sampleAxis{b, n, s[2+d]}.taps(v)
	}
	if b.err != nil {
		return nil
	}
	image := b.Reshape(x, s[0], s[1], accel.Size(s[2:]))
	var y *Value
	for pick := range product(taps) {
		place, w := pick[0].place, pick[0].weight
		for d, t := range pick[1:] {
			place = b.Add(b.Mul(place, b.Ints(s[3+d])), t.place)
			w = b.Mul(w, t.weight)
		}
		at := b.Expand(b.Reshape(place, s[0], 1, points), s[0], s[1], points)
		part := b.Mul(b.Op("GatherElements", accel.Attrs{accel.Int("axis", 2)}, image, at), b.Reshape(w, s[0], 1, points))
		if y == nil {
			y = part
		} else {
			y = b.Add(y, part)
		}
	}
	return []*Value{b.Reshape(y, slices.Concat(s[:2], out[1:rank+1])...)}
}

// sampleTap is one element of a dimension near a place: both values are
// (N, points), the place in int64.
type sampleTap struct{ place, weight *Value }

// product yields a tap of every dimension, in all combinations. The slice is
// reused.
func product(taps [][]sampleTap) func(func([]sampleTap) bool) {
	return func(yield func([]sampleTap) bool) {
		pick := make([]sampleTap, len(taps))
		var at func(d int) bool
		at = func(d int) bool {
			if d == len(taps) {
				return yield(pick)
			}
			for _, t := range taps[d] {
				if pick[d] = t; !at(d + 1) {
					return false
				}
			}
			return true
		}
		at(0)
	}
}

// sampleAxis is a dimension of size elements of a GridSample.
type sampleAxis struct {
	*B
	n    *Node
	size int
}

// bounds are the ends that places beyond are mirrored at.
func (a sampleAxis) bounds() (low, high float64) {
	if a.n.Attrs.Bool("align_corners", false) {
		return 0, float64(a.size - 1)
	}
	return -0.5, float64(a.size) - 0.5
}

// taps are the elements near v, from -1 to 1, and their weights.
func (a sampleAxis) taps(v *Value) []sampleTap {
	if a.err != nil {
		return nil
	}
	low, high := a.bounds()
	at := func(x float64) *Value { return a.Like(v, x) }
	x := a.Add(a.Mul(a.Add(v, at(1)), at((high-low)/2)), at(low))
	mode := a.n.Attrs.Str("mode", "linear")
	if mode == "nearest" {
		x = a.Op("Round", nil, x)
	}
	outside := a.Op("Or", nil, a.Op("Less", nil, x, at(low)), a.Op("Greater", nil, x, at(high)))
	switch a.n.Attrs.Str("padding_mode", "zeros") {
	case "border":
		x = a.Op("Where", nil, outside, a.Op("Clip", nil, x, at(0), at(float64(a.size-1))), x)
	case "reflection":
		x = a.Op("Where", nil, outside, a.mirrored(x), x)
	}
	base := a.Op("Floor", nil, x)
	r := a.Sub(x, base)
	switch mode {
	case "nearest":
		return []sampleTap{a.tap(base, 0, a.Expand(at(1), v.Type.Shape...))}
	case "linear":
		return []sampleTap{a.tap(base, 0, a.Sub(at(1), r)), a.tap(base, 1, r)}
	}
	var out []sampleTap
	for k := -1; k <= 2; k++ {
		out = append(out, a.tap(base, k, a.cubic(a.Op("Abs", nil, a.Sub(at(float64(k)), r)), k == 0 || k == 1)))
	}
	return out
}

// tap is the element k behind base, where the padding puts it; a place outside, in
// mode zeros, gets the weight 0.
func (a sampleAxis) tap(base *Value, k int, w *Value) sampleTap {
	if a.err != nil {
		return sampleTap{}
	}
	at := func(x float64) *Value { return a.Like(base, x) }
	i := a.Add(base, at(float64(k)))
	last := at(float64(a.size - 1))
	switch a.n.Attrs.Str("padding_mode", "zeros") {
	case "zeros":
		inside := a.Op("And", nil, a.Op("GreaterOrEqual", nil, i, at(0)), a.Op("LessOrEqual", nil, i, last))
		w = a.Op("Where", nil, inside, w, at(0))
	case "reflection":
		i = a.mirrored(i)
	}
	return sampleTap{a.Cast(a.Op("Clip", nil, i, at(0), last), accel.Int64), w}
}

// mirrored reflects x at the bounds, as often as it takes.
func (a sampleAxis) mirrored(x *Value) *Value {
	low, high := a.bounds()
	if a.err != nil || high <= low {
		return a.Mul(x, a.Like(x, 0))
	}
	length := high - low
	far := a.Op("Abs", nil, a.Sub(x, a.Like(x, low)))
	d := a.Op("Mod", accel.Attrs{accel.Int("fmod", 1)}, far, a.Like(x, 2*length))
	return a.Add(a.Like(x, low), a.Op("Min", nil, d, a.Sub(a.Like(x, 2*length), d)))
}

// cubic is the weight of an element at distance t, with a of -0.75: Keys,
// "Cubic convolution interpolation for digital image processing", 1981.
func (a sampleAxis) cubic(t *Value, near bool) *Value {
	const c = -0.75
	poly := []float64{-4 * c, 8 * c, -5 * c, c} // from the constant on
	if near {
		poly = []float64{1, 0, -(c + 3), c + 2}
	}
	if a.err != nil {
		return nil
	}
	y := a.Like(t, poly[3])
	for _, p := range []float64{poly[2], poly[1], poly[0]} {
		y = a.Add(a.Mul(y, t), a.Like(t, p))
	}
	return y
}

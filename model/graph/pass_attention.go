package graph

import (
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/extent"
)

// fuseAttention makes one FusedAttention of softmax(scale·q·kᵀ + mask)·v, so that
// the scores are never all in memory. The scale may stand at the scores, at q or at
// k; the mask is added, or chosen by Where with a number that leaves nothing; one that is
// constant and causal becomes an attribute. Heads that were repeated for several
// queries are read where they are. Where q, k and v are heads that were cut out of
// (B, S, H·D) by reshape and transpose, and the result is put together again, those
// go too. A query that the mask leaves no key gives zeros, not NaN. Masks are added, and
// what causality hides is not looked at: so where a mask chose, a NaN or +Inf among the
// scores that it hid gives NaN, and where one that became an attribute was added, it is hidden.
func fuseAttention(g *Graph) error {
	r := newRewriter(g)
	err := r.each("Softmax", func(n *Node) error {
		if a := r.attentionAt(n); a != nil {
			return r.fuse(a)
		}
		return nil
	})
	g.Prune()
	return err
}

// attentionMatch is the parts of an attention. q, k and v have one rank.
type attentionMatch struct {
	q, k, v heads
	scale   float64
	mask    *Value // added, or with where the condition
	where   *Node  // that chooses by the mask
	last    *Node  // the product with v
}

// attentionAt matches the pattern around a softmax, or returns nil.
func (r *rewriter) attentionAt(n *Node) *attentionMatch {
	x := n.Inputs[0]
	rank := len(x.Type.Shape)
	axis, _ := softmaxAxis(n, rank) // the shape rule has checked it
	if rank < 2 || rank > 4 || axis != rank-1 || !x.Type.DType.IsFloat() || accel.Size(x.Type.Shape) == 0 {
		return nil
	}
	p := r.withoutNaN(n.Outputs[0])
	a := &attentionMatch{scale: 1, last: r.reader(p)}
	if a.last == nil || a.last.Op != "MatMul" || a.last.Inputs[0] != p || a.last.Inputs[1] == p {
		return nil
	}
	a.v.Value = a.last.Inputs[1]
	product := r.scores(a, x)
	if product == nil || !product.Outputs[0].Type.Shape.Equal(x.Type.Shape) {
		return nil
	}
	a.q.Value = r.unscaled(a, product.Inputs[0])
	r.keys(a, product.Inputs[1])
	if rank == 4 {
		a.unrepeat()
	}
	if !a.fits(x.Type.Shape) {
		return nil
	}
	return a
}

// withoutNaN is p, or what exporters make of it to be safe: Where(IsNaN(p), 0, p).
func (r *rewriter) withoutNaN(p *Value) *Value {
	readers := r.readers[p]
	if len(readers) != 2 || r.output[p] {
		return p
	}
	for i := range 2 {
		test, choice := readers[i], readers[1-i]
		if test.Op == "IsNaN" && choice.Op == "Where" && r.reader(test.Outputs[0]) == choice && choice.Inputs[0] == test.Outputs[0] &&
			isScalar(choice.Inputs[1], 0) && choice.Inputs[2] == p && choice.Outputs[0].Type.Shape.Equal(p.Type.Shape) {
			return choice.Outputs[0]
		}
	}
	return p
}

// nothing is below any score that counts: its exponential is 0.
const nothing = -1e30

// scores peels mask and scale off, down to the product of q and k.
func (r *rewriter) scores(a *attentionMatch, x *Value) *Node {
	if p := r.producer(x, "Add"); p != nil {
		for i := range 2 {
			rest := *a
			rest.mask = p.Inputs[1-i]
			if m := r.producer(r.unscaled(&rest, p.Inputs[i]), "MatMul"); m != nil {
				*a = rest
				return m
			}
		}
		return nil
	}
	if p := r.producer(x, "Where"); p != nil {
		for i := 1; i < 3; i++ {
			if s, ok := scalarOf(p.Inputs[3-i]); ok && s <= nothing {
				a.mask, a.where = p.Inputs[0], p
				return r.producer(r.unscaled(a, p.Inputs[i]), "MatMul")
			}
		}
		return nil
	}
	return r.producer(r.unscaled(a, x), "MatMul")
}

// unscaled takes constant factors of x into the scale.
func (r *rewriter) unscaled(a *attentionMatch, x *Value) *Value {
	for {
		if p := r.producer(x, "Div"); p != nil {
			if s, ok := scalarOf(p.Inputs[1]); ok && s != 0 && p.Inputs[0].Type.Shape.Equal(x.Type.Shape) {
				a.scale, x = a.scale/s, p.Inputs[0]
				continue
			}
		}
		if p := r.producer(x, "Mul"); p != nil {
			if s, y, ok := other(p); ok && y.Type.Shape.Equal(x.Type.Shape) {
				a.scale, x = a.scale*s, y
				continue
			}
		}
		return x
	}
}

// keys finds k behind its transpose, if there is one.
func (r *rewriter) keys(a *attentionMatch, t *Value) {
	a.k = heads{r.unscaled(a, t), rowsTransposed}
	p := a.k.Producer
	if p == nil || p.Op != "Transpose" {
		return
	}
	switch {
	case swapsLastTwo(p):
		a.k.layout = rowsLast
	case slices.Equal(p.Attrs.Ints("perm"), []int{0, 2, 3, 1}):
		a.k.layout = rowsSwapped
	default:
		return
	}
	if a.k.Value = p.Inputs[0]; r.reader(p.Outputs[0]) != nil {
		a.k.Value = r.unscaled(a, a.k.Value)
	}
}

// unrepeat finds the heads that k and v repeat for several heads of q.
func (a *attentionMatch) unrepeat() {
	if a.k.layout != rowsLast {
		return
	}
	k, times := repeatedHeads(a.k.Value)
	v, same := repeatedHeads(a.v.Value)
	if k != nil && v != nil && times == same {
		a.k, a.v = heads{k, rowsRepeated}, heads{v, rowsRepeated}
	}
}

// repeatedHeads is what v (B, G·times, T, D) repeats: (B, G, 1, T, D), or nil.
func repeatedHeads(v *Value) (x *Value, times int) {
	wide := argument(v, "Reshape")
	if x = argument(wide, "Expand"); x == nil {
		return nil, 0
	}
	from, to, s := x.Type.Shape, wide.Type.Shape, v.Type.Shape
	if len(from) != 5 || len(to) != 5 || from[2] != 1 || !slices.Equal(s, []int{to[0], to[1] * to[2], to[3], to[4]}) ||
		!slices.Equal(from, []int{to[0], to[1], 1, to[3], to[4]}) {
		return nil, 0
	}
	return x, to[2]
}

// fits checks that the shapes are those of an attention whose scores have the shape x.
func (a *attentionMatch) fits(x Shape) bool {
	q, k, v := a.q.dims(), a.k.dims(), a.v.dims()
	rank := len(x)
	if len(q) != rank || len(k) != rank || len(v) != rank || accel.Size(q) == 0 || accel.Size(v) == 0 {
		return false
	}
	lead := rank - 2
	if !slices.Equal(q[:lead], x[:lead]) || !slices.Equal(k[:lead], v[:lead]) {
		return false
	}
	if rank == 4 {
		return k[0] == q[0] && q[1]%k[1] == 0
	}
	return slices.Equal(k[:lead], q[:lead])
}

// fuse replaces what was matched.
func (r *rewriter) fuse(a *attentionMatch) error {
	back := r.reader(a.last.Outputs[0])
	if back != nil && back.Op == "Transpose" && slices.Equal(back.Attrs.Ints("perm"), headsFirst) && a.q.cut() != nil && a.k.cut() != nil && a.v.cut() != nil {
		return r.swap(back, func(b *B) *Value {
			attrs, mask := a.attrs(b)
			attrs = append(attrs, accel.Int("q_num_heads", a.q.dims()[1]), accel.Int("kv_num_heads", a.k.dims()[1]))
			y := b.Op("FusedAttention", attrs, a.q.flat(b), a.k.flat(b), a.v.flat(b), mask)
			return b.Reshape(y, back.Outputs[0].Type.Shape...)
		})
	}
	return r.swap(a.last, func(b *B) *Value {
		attrs, mask := a.attrs(b)
		y := b.Op("FusedAttention", attrs, a.q.apart(b), a.k.apart(b), a.v.apart(b), mask)
		return b.Reshape(y, a.last.Outputs[0].Type.Shape...)
	})
}

// attrs are those that both layouts share, with what is left of the mask.
func (a *attentionMatch) attrs(b *B) (accel.Attrs, *Value) {
	attrs := accel.Attrs{accel.Float("scale", a.scale)}
	q, k := a.q.dims(), a.k.dims()
	rank := len(q)
	s, t := q[rank-2], k[rank-2]
	if a.where != nil {
		b.addedMask(a)
	}
	if a.mask != nil && isCausal(a.mask, s, t) {
		return append(attrs, accel.Int("is_causal", 1), accel.Int("causal_offset", t-s)), nil
	}
	if a.mask != nil && rank == 3 && b.err == nil {
		if m := a.mask.Type.Shape; len(m) == 3 {
			return attrs, b.Reshape(a.mask, m[0], 1, m[1], m[2])
		}
	}
	return attrs, a.mask
}

// addedMask makes a mask to add of one to choose by.
func (b *B) addedMask(a *attentionMatch) {
	fill := a.where.Inputs[2]
	zero := b.Like(fill, 0)
	if _, ok := scalarOf(fill); ok && isBelow(fill) {
		a.mask = b.maskOf(a.mask, zero, fill)
	} else {
		a.mask = b.maskOf(a.mask, a.where.Inputs[1], zero)
	}
	a.where = nil
}

func isBelow(v *Value) bool {
	s, ok := scalarOf(v)
	return ok && s <= nothing
}

// maskOf is Where(cond, x, y), evaluated if it is constant.
func (b *B) maskOf(cond, x, y *Value) *Value {
	if b.err != nil || cond.Kind != Const {
		return b.Op("Where", nil, cond, x, y)
	}
	m, err := b.G.evaluate("Where", nil, cond.Data, x.Data, y.Data)
	if err != nil {
		b.Fail(err)
		return nil
	}
	return b.Const(m)
}

// isCausal reports whether v is a constant (s, t), or with ones before, that leaves
// query i the keys up to i + t - s.
func isCausal(v *Value, s, t int) bool {
	shape := v.Type.Shape
	r := len(shape)
	if v.Kind != Const || s < 2 || s > t || r < 2 || shape[r-2] != s || shape[r-1] != t || accel.Size(shape) != s*t {
		return false
	}
	for i := range s {
		for j := range t {
			m, seen := extent.Float(v.Data, i*t+j), j <= i+t-s
			if seen && m != 0 || !seen && !(m <= nothing) {
				return false
			}
		}
	}
	return true
}

package graph

import (
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// fuseAttention makes one FusedAttention of softmax(scale·q·kᵀ + mask)·v, so that
// the scores are never all in memory. Where q, k and v are heads that were cut
// out of (B, S, H·D) by reshape and transpose, and the result is put together again,
// those go too. A query whose mask is -Inf everywhere gives zeros, not NaN.
func fuseAttention(g *Graph) error {
	r := newRewriter(g)
	err := r.each("Softmax", func(n *Node) error {
		a := r.attentionAt(n)
		if a == nil {
			return nil
		}
		return r.fuse(a)
	})
	g.Prune()
	return err
}

// attentionMatch is the parts of an attention, with q, k and v as (B, H, S, D).
type attentionMatch struct {
	q, k, v, mask *Value
	kSwapped      bool // k is (B, T, H, D)
	scale         float64
	last          *Node // the product with v
}

// attentionAt matches the pattern around a softmax, or returns nil.
func (r *rewriter) attentionAt(n *Node) *attentionMatch {
	x := n.Inputs[0]
	rank := len(x.Type.Shape)
	if rank != 4 || n.Attrs.Int("axis", -1) != -1 && n.Attrs.Int("axis", -1) != 3 || x.Type.DType != accel.Float32 {
		return nil
	}
	a := &attentionMatch{scale: 1, last: r.reader(n.Outputs[0])}
	if a.last == nil || a.last.Op != "MatMul" || a.last.Inputs[0] != n.Outputs[0] || len(a.last.Inputs[1].Type.Shape) != 4 {
		return nil
	}
	a.v = a.last.Inputs[1]
	product := r.scores(a, x)
	if product == nil || !product.Outputs[0].Type.Shape.Equal(x.Type.Shape) {
		return nil
	}
	a.q = product.Inputs[0]
	if !r.keys(a, product.Inputs[1]) || len(a.q.Type.Shape) != 4 {
		return nil
	}
	if p := r.producer(a.q, "Mul"); p != nil {
		if s, q, ok := other(p); ok {
			a.q, a.scale = q, a.scale*s
		}
	}
	return a
}

// scores peels mask and scale off, down to the product of q and k.
func (r *rewriter) scores(a *attentionMatch, x *Value) *Node {
	if p := r.producer(x, "Add"); p != nil {
		for i := range 2 {
			rest := *a
			rest.mask = p.Inputs[1-i]
			if m := r.scaled(&rest, p.Inputs[i]); m != nil {
				*a = rest
				return m
			}
		}
		return nil
	}
	return r.scaled(a, x)
}

func (r *rewriter) scaled(a *attentionMatch, x *Value) *Node {
	if p := r.producer(x, "MatMul"); p != nil {
		return p
	}
	if p := r.producer(x, "Div"); p != nil {
		if s, ok := scalarOf(p.Inputs[1]); ok && s != 0 {
			a.scale /= s
			return r.producer(p.Inputs[0], "MatMul")
		}
	}
	if p := r.producer(x, "Mul"); p != nil {
		if s, y, ok := other(p); ok {
			a.scale *= s
			return r.producer(y, "MatMul")
		}
	}
	return nil
}

// keys finds k behind its transpose.
func (r *rewriter) keys(a *attentionMatch, t *Value) bool {
	if p := r.producer(t, "Mul"); p != nil {
		if s, k, ok := other(p); ok {
			a.scale, t = a.scale*s, k
		}
	}
	p := t.Producer
	if p == nil || p.Op != "Transpose" || len(t.Type.Shape) != 4 {
		return false
	}
	a.k = p.Inputs[0]
	switch perm := p.Attrs.Ints("perm"); {
	case slices.Equal(perm, []int{0, 1, 3, 2}):
		return true
	case slices.Equal(perm, []int{0, 2, 3, 1}):
		a.kSwapped = true
		return true
	}
	return false
}

// headsFirst is the permutation from (B, S, H, D) to (B, H, S, D), and back.
var headsFirst = []int{0, 2, 1, 3}

// sideBySide is x (B, H, S, D) as (B, S, H·D), if that is how it was made.
func sideBySide(b *B, x *Value, swapped bool) *Value {
	if !swapped {
		if x.Producer == nil || x.Producer.Op != "Transpose" || !slices.Equal(x.Producer.Attrs.Ints("perm"), headsFirst) {
			return nil
		}
		x = x.Producer.Inputs[0]
	}
	s := x.Type.Shape
	flat := Shape{s[0], s[1], s[2] * s[3]}
	if p := x.Producer; p != nil && p.Op == "Reshape" && p.Inputs[0].Type.Shape.Equal(flat) {
		return p.Inputs[0]
	}
	return b.Reshape(x, flat...)
}

func (r *rewriter) fuse(a *attentionMatch) error {
	back := r.reader(a.last.Outputs[0])
	if back != nil && (back.Op != "Transpose" || !slices.Equal(back.Attrs.Ints("perm"), headsFirst)) {
		back = nil
	}
	attrs := accel.Attrs{accel.Float("scale", a.scale)}
	if back != nil {
		heads := a.q.Type.Shape[1]
		flat := attrs.With(accel.Int("q_num_heads", heads)).With(accel.Int("kv_num_heads", a.v.Type.Shape[1]))
		shape := back.Outputs[0].Type.Shape
		fits := false
		v, err := r.before(back, func(b *B) *Value {
			q, k, v := sideBySide(b, a.q, false), sideBySide(b, a.k, a.kSwapped), sideBySide(b, a.v, false)
			if q == nil || k == nil || v == nil {
				return nil
			}
			fits = true
			return b.Reshape(b.Op("FusedAttention", flat, q, k, v, a.mask), shape...)
		})
		if err != nil {
			return err
		}
		if fits {
			r.unread(back)
			r.replace(back.Outputs[0], v)
			return nil
		}
	}
	return r.swap(a.last, func(b *B) *Value {
		k := a.k
		if a.kSwapped {
			k = b.Transpose(k, headsFirst...)
		}
		return b.Op("FusedAttention", attrs, a.q, k, a.v, a.mask)
	})
}

package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opRotaryEmbedding turns pairs of elements of each head by angles that grow with
// the position (Su et al., https://arxiv.org/abs/2104.09864):
//
//	RotaryEmbedding(x, cos, sin, [position_ids]) -> y
//
// x is (B, H, S, D), or (B, S, H·D) with the attribute num_heads. The caches are
// tables (positions, R/2), of which position_ids (B, S) picks rows, or (B, S, R/2)
// without these; R is rotary_embedding_dim, or D if that is 0 (the default). The
// elements from R on stay. A pair is elements i and i + R/2, or with interleaved
// 2i and 2i+1.
var opRotaryEmbedding = operator{
	name: "RotaryEmbedding", min: 3, max: 4,
	shapes: func(c *Context) ([]Type, error) {
		if err := c.IsA(0, floatTypes...); err != nil {
			return nil, err
		}
		if err := c.Same(0, 1, 2); err != nil {
			return nil, err
		}
		if err := c.IsA(3, accel.Int64, accel.Int32); err != nil {
			return nil, err
		}
		r, err := rotaryOf(c.Attrs, c.Shape(0))
		if err != nil {
			return nil, err
		}
		want := []int{r.batch, r.seq, r.turned / 2}
		if c.Has(3) {
			if want = []int{0, r.turned / 2}; c.Rank(1) == 2 {
				want[0] = c.Shape(1)[0]
			}
			if !slices.Equal(c.Shape(3), []int{r.batch, r.seq}) {
				return nil, fmt.Errorf("position_ids %v, want [%d %d]", c.Shape(3), r.batch, r.seq)
			}
		}
		if !slices.Equal(c.Shape(1), want) || !slices.Equal(c.Shape(2), want) {
			return nil, fmt.Errorf("caches %v and %v, want %v", c.Shape(1), c.Shape(2), want)
		}
		return like(c)
	},
	expand: expandRotary,
}

// rotary is the sizes of a RotaryEmbedding.
type rotary struct{ batch, seq, heads, width, turned int }

func rotaryOf(at accel.Attrs, x []int) (rotary, error) {
	var r rotary
	switch h := at.Int("num_heads", 0); {
	case len(x) == 4:
		r = rotary{batch: x[0], heads: x[1], seq: x[2], width: x[3]}
	case len(x) == 3 && h > 0 && x[2]%h == 0:
		r = rotary{batch: x[0], seq: x[1], heads: h, width: x[2] / h}
	default:
		return r, fmt.Errorf("x is %v with num_heads %d, want (B, H, S, D) or (B, S, H·D)", x, h)
	}
	if r.turned = at.Int("rotary_embedding_dim", 0); r.turned == 0 {
		r.turned = r.width
	}
	if r.turned < 0 || r.turned > r.width || r.turned%2 != 0 {
		return r, fmt.Errorf("%d of %d elements to be turned in pairs", r.turned, r.width)
	}
	return r, nil
}

func expandRotary(b *B, n *Node) []*Value {
	x := n.Inputs[0]
	r, err := rotaryOf(n.Attrs, x.Type.Shape)
	b.Fail(err)
	caches := n.Inputs[1:3]
	if ids := n.Input(3); ids != nil {
		caches = []*Value{b.Op("Gather", nil, caches[0], ids), b.Op("Gather", nil, caches[1], ids)}
	}
	half := r.turned / 2
	place := []int{r.batch, 1, r.seq, half}
	if len(x.Type.Shape) == 3 {
		x, place = b.Reshape(x, r.batch, r.seq, r.heads, r.width), []int{r.batch, r.seq, 1, half}
	}
	cos, sin := b.Reshape(caches[0], place...), b.Reshape(caches[1], place...)
	parts := []*Value{x, nil}
	if r.turned < r.width {
		parts = b.Split(x, 3, r.turned, r.width-r.turned)
	}
	if b.err != nil {
		return nil
	}
	turned := b.turn(parts[0], cos, sin, n.Attrs.Bool("interleaved", false))
	if parts[1] != nil {
		turned = b.Concat(3, turned, parts[1])
	}
	return []*Value{b.Reshape(turned, n.Inputs[0].Type.Shape...)}
}

// turn turns the pairs of the last dimension.
func (b *B) turn(x, cos, sin *Value, interleaved bool) *Value {
	s := x.Type.Shape
	half := s[3] / 2
	var first, second *Value
	if interleaved {
		pairs := b.Split(b.Reshape(x, s[0], s[1], s[2], half, 2), 4, 1, 1)
		first, second = b.Reshape(pairs[0], s[0], s[1], s[2], half), b.Reshape(pairs[1], s[0], s[1], s[2], half)
	} else {
		pairs := b.Split(x, 3, half, half)
		first, second = pairs[0], pairs[1]
	}
	re := b.Sub(b.Mul(cos, first), b.Mul(sin, second))
	im := b.Add(b.Mul(sin, first), b.Mul(cos, second))
	if !interleaved {
		return b.Concat(3, re, im)
	}
	re, im = b.Reshape(re, s[0], s[1], s[2], half, 1), b.Reshape(im, s[0], s[1], s[2], half, 1)
	return b.Reshape(b.Concat(4, re, im), s...)
}

package graph

import (
	"math"

	"github.com/millrace-go/millrace/accel"
)

// cutHeads is a new input (2, rows, heads·2), cut into heads and transposed.
func (b *B) cutHeads(name string, rows, heads int, perm ...int) *Value {
	return b.Transpose(b.Reshape(b.fed(name, 2, rows, 2*heads), 2, rows, heads, 2), perm...)
}

func (b *B) softmax(x *Value) *Value { return b.Op("Softmax", nil, x) }

// joinHeads undoes cutHeads.
func (b *B) joinHeads(y *Value) *Value {
	y = b.Transpose(y, 0, 2, 1, 3)
	if b.err != nil {
		return nil
	}
	s := y.Type.Shape
	return b.Reshape(y, s[0], s[1], s[2]*s[3])
}

// qkv are three heads of 5 queries, and of 7 keys, transposed, and values.
func (b *B) qkv() (q, kT, v *Value) {
	return b.cutHeads("q", 5, 3, 0, 2, 1, 3), b.cutHeads("k", 7, 3, 0, 2, 3, 1), b.cutHeads("v", 7, 3, 0, 2, 1, 3)
}

// causal is what query i of 5 may add to key j of 7.
func (b *B) causal(fill float64) *Value {
	a := accel.NewArray(accel.Float32, 1, 5, 7)
	for i := range 5 {
		for j := i + 3; j < 7; j++ {
			accel.Values[float32](a)[i*7+j] = float32(fill)
		}
	}
	return b.Const(a)
}

// manyHeads are 2 heads of keys or values, each for 2 of 4.
func (b *B) manyHeads(name string) *Value {
	x := b.Reshape(b.cutHeads(name, 7, 2, 0, 2, 1, 3), 2, 2, 1, 7, 2)
	return b.Reshape(b.Expand(x, 2, 2, 2, 7, 2), 2, 4, 7, 2)
}

var fuseAttentionCases = []passCase{
	{"heads, scale and mask", func(b *B) *Value {
		q, kT, v := b.qkv()
		s := b.Add(b.Div(b.MatMul(q, kT), b.number(1.5)), b.fed("mask", 2, 1, 1, 7))
		return b.joinHeads(b.MatMul(b.softmax(s), v))
	}, "FusedAttention 1 Reshape 2"},
	{"no mask, keys transposed twice", func(b *B) *Value {
		q, _, v := b.qkv()
		kT := b.SwapLast(b.cutHeads("k2", 7, 3, 0, 2, 1, 3))
		return b.joinHeads(b.MatMul(b.softmax(b.MatMul(q, kT)), v))
	}, "FusedAttention 1 Reshape 2"},
	{"scale at q and k", func(b *B) *Value {
		q, kT, v := b.qkv()
		return b.joinHeads(b.MatMul(b.softmax(b.MatMul(b.times(q, 0.8), b.times(kT, 0.8))), v))
	}, "FusedAttention 1 Reshape 2"},
	{"scale at k before it is transposed", func(b *B) *Value {
		q, _, v := b.qkv()
		kT := b.SwapLast(b.times(b.cutHeads("k2", 7, 3, 0, 2, 1, 3), 0.8))
		return b.joinHeads(b.MatMul(b.softmax(b.MatMul(b.Div(q, b.number(2)), kT)), v))
	}, "FusedAttention 1 Reshape 2"},
	{"the heads stay apart", func(b *B) *Value {
		q, kT, v := b.qkv()
		return b.MatMul(b.softmax(b.MatMul(q, kT)), v)
	}, "FusedAttention 1 Reshape 3 Transpose 3"},
	{"k as it is multiplied", func(b *B) *Value {
		return b.MatMul(b.softmax(b.MatMul(b.fed("q", 2, 3, 5, 4), b.fed("k", 2, 3, 4, 7))), b.fed("v", 2, 3, 7, 6))
	}, "FusedAttention 1 Transpose 1"},
	{"keys that are queries", func(b *B) *Value {
		x := b.fed("x", 2, 3, 3, 4)
		return b.MatMul(b.softmax(b.MatMul(b.Transpose(x, 0, 2, 1, 3), b.Transpose(x, 0, 2, 3, 1))), x)
	}, "FusedAttention 1 Transpose 2"},
	{"three dimensions", func(b *B) *Value {
		s := b.Add(b.fed("mask", 6, 5, 7), b.times(b.MatMul(b.fed("q", 6, 5, 4), b.Transpose(b.fed("k", 6, 7, 4), 0, 2, 1)), 0.5))
		return b.MatMul(b.softmax(s), b.fed("v", 6, 7, 3))
	}, "FusedAttention 1 Reshape 5"},
	{"two dimensions", func(b *B) *Value {
		return b.MatMul(b.softmax(b.MatMul(b.fed("q", 5, 4), b.Transpose(b.fed("k", 7, 4), 1, 0))), b.fed("v", 7, 3))
	}, "FusedAttention 1 Reshape 4"},
	{"a constant causal mask", func(b *B) *Value {
		q, kT, v := b.qkv()
		return b.joinHeads(b.MatMul(b.softmax(b.Add(b.MatMul(q, kT), b.causal(math.Inf(-1)))), v))
	}, "FusedAttention 1 Reshape 2"},
	{"a mask to choose by", func(b *B) *Value {
		q, kT, v := b.qkv()
		cond := b.Op("Greater", nil, b.fed("mask", 2, 1, 5, 7), b.number(-0.5))
		s := b.Op("Where", nil, cond, b.times(b.MatMul(q, kT), 0.5), b.number(-math.MaxFloat32))
		return b.joinHeads(b.MatMul(b.softmax(s), v))
	}, "FusedAttention 1 Greater 1 Reshape 2 Where 1"},
	{"a mask to choose against", func(b *B) *Value {
		q, kT, v := b.qkv()
		cond := b.Op("Greater", nil, b.fed("mask", 5, 7), b.number(0.5))
		return b.joinHeads(b.MatMul(b.softmax(b.Op("Where", nil, cond, b.number(math.Inf(-1)), b.MatMul(q, kT))), v))
	}, "FusedAttention 1 Greater 1 Reshape 2 Where 1"},
	{"a constant causal choice", func(b *B) *Value {
		q, kT, v := b.qkv()
		m := accel.NewArray(accel.Bool, 5, 7)
		for i := range m.Data {
			if i%7 <= i/7+2 {
				m.Data[i] = 1
			}
		}
		return b.joinHeads(b.MatMul(b.softmax(b.Op("Where", nil, b.Const(m), b.MatMul(q, kT), b.number(-1e38))), v))
	}, "FusedAttention 1 Reshape 2"},
	{"safe against rows of nothing", func(b *B) *Value {
		q, kT, v := b.qkv()
		p := b.softmax(b.Add(b.MatMul(q, kT), b.fed("mask", 5, 7)))
		p = b.Op("Where", nil, b.Op("IsNaN", nil, p), b.number(0), p)
		return b.joinHeads(b.MatMul(p, v))
	}, "FusedAttention 1 Reshape 2"},
	{"heads for several queries", func(b *B) *Value {
		q := b.cutHeads("q", 5, 4, 0, 2, 1, 3)
		return b.joinHeads(b.MatMul(b.softmax(b.MatMul(q, b.SwapLast(b.manyHeads("k")))), b.manyHeads("v")))
	}, "FusedAttention 1 Reshape 2"},
	{"one head of keys for all, by broadcasting", func(b *B) *Value {
		return b.MatMul(b.softmax(b.MatMul(b.fed("q", 2, 3, 5, 4), b.fed("k", 2, 1, 4, 7))), b.fed("v", 2, 1, 7, 6))
	}, "FusedAttention 1 Transpose 1"},
	{"of float64", func(b *B) *Value {
		q, k, v := b.fedAs(accel.Float64, "q", 5, 4), b.fedAs(accel.Float64, "k", 4, 7), b.fedAs(accel.Float64, "v", 7, 3)
		return b.MatMul(b.softmax(b.MatMul(q, k)), v)
	}, "FusedAttention 1 Reshape 4 Transpose 1"},
	{"keys for all images", func(b *B) *Value {
		return b.MatMul(b.softmax(b.MatMul(b.fed("q", 2, 3, 5, 4), b.fed("k", 1, 3, 4, 7))), b.fed("v", 1, 3, 7, 6))
	}, "MatMul 2 Softmax 1"},
	{"a mask that makes another shape", func(b *B) *Value {
		s := b.Add(b.MatMul(b.fed("q", 1, 3, 5, 4), b.fed("k", 1, 3, 4, 7)), b.fed("mask", 2, 1, 1, 7))
		return b.MatMul(b.softmax(s), b.fed("v", 1, 3, 7, 6))
	}, "Add 1 MatMul 2 Softmax 1"},
	{"probabilities that others read", func(b *B) *Value {
		q, kT, v := b.qkv()
		p := b.softmax(b.MatMul(q, kT))
		b.G.Outputs = append(b.G.Outputs, p)
		return b.MatMul(p, v)
	}, "MatMul 2 Reshape 3 Softmax 1 Transpose 3"},
	{"a scale behind the mask", func(b *B) *Value {
		s := b.times(b.Add(b.MatMul(b.fed("q", 5, 4), b.fed("k", 4, 7)), b.fed("mask", 5, 7)), 0.5)
		return b.MatMul(b.softmax(s), b.fed("v", 7, 3))
	}, "Add 1 MatMul 2 Mul 1 Softmax 1"},
	{"a number that still counts", func(b *B) *Value {
		cond := b.Op("Greater", nil, b.fed("mask", 5, 7), b.number(0))
		s := b.Op("Where", nil, cond, b.MatMul(b.fed("q", 5, 4), b.fed("k", 4, 7)), b.number(-10000))
		return b.MatMul(b.softmax(s), b.fed("v", 7, 3))
	}, "Greater 1 MatMul 2 Softmax 1 Where 1"},
	{"probabilities on the right", func(b *B) *Value {
		return b.MatMul(b.fed("v", 3, 5), b.softmax(b.MatMul(b.fed("q", 5, 4), b.fed("k", 4, 7))))
	}, "MatMul 2 Softmax 1"},
}

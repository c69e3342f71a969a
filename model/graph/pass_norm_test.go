package graph

import "github.com/millrace-go/millrace/accel"

// centre is x less its mean.
func (b *B) centre(x *Value, axes ...int) *Value { return b.Sub(x, b.ReduceMean(x, true, axes...)) }

// variance is mean(d²) + eps.
func (b *B) variance(d *Value, eps float64, axes ...int) *Value {
	return b.Add(b.ReduceMean(b.Mul(d, d), true, axes...), b.Like(d, eps))
}

func (b *B) root(x *Value) *Value { return b.Op("Sqrt", nil, x) }

var fuseNormCases = []passCase{
	{"gain and bias", func(b *B) *Value {
		d := b.centre(b.fed("x", 3, 4, 5), -1)
		return b.Add(b.Mul(b.Div(d, b.root(b.variance(d, 1e-5, -1))), b.fixed(3, 5)), b.fixed(4, 5))
	}, "LayerNormalization 1"},
	{"gain and bias on the left", func(b *B) *Value {
		d := b.centre(b.fed("x", 3, 4, 5), 2)
		return b.Add(b.fed("bias", 5), b.Mul(b.fed("gain", 1, 5), b.Div(d, b.root(b.variance(d, 1e-5, 2)))))
	}, "LayerNormalization 1 Reshape 1"},
	{"plain", func(b *B) *Value {
		d := b.centre(b.fed("x", 3, 4, 5), 2)
		return b.Div(d, b.root(b.variance(d, 1e-5, 2)))
	}, "LayerNormalization 1"},
	{"two dimensions", func(b *B) *Value {
		d := b.centre(b.fed("x", 3, 4, 5), 2, -2)
		return b.Mul(b.Div(d, b.root(b.variance(d, 1e-5, 1, 2))), b.fixed(3, 4, 5))
	}, "LayerNormalization 1"},
	{"inverse root", func(b *B) *Value {
		d := b.centre(b.fed("x", 3, 5), 1)
		return b.Mul(b.Op("Reciprocal", nil, b.root(b.variance(d, 1e-5, 1))), d)
	}, "LayerNormalization 1"},
	{"one over the root", func(b *B) *Value {
		d := b.centre(b.fed("x", 3, 5), 1)
		return b.Mul(d, b.Div(b.number(1), b.root(b.variance(d, 1e-5, 1))))
	}, "LayerNormalization 1"},
	{"powers", func(b *B) *Value {
		d := b.centre(b.fed("x", 3, 5), 1)
		v := b.Add(b.ReduceMean(b.Op("Pow", nil, d, b.number(2)), true, 1), b.number(1e-5))
		return b.Mul(d, b.Op("Pow", nil, v, b.number(-0.5)))
	}, "LayerNormalization 1"},
	{"of float64", func(b *B) *Value {
		d := b.centre(b.fedAs(accel.Float64, "x", 3, 5), 1)
		return b.Div(d, b.root(b.variance(d, 1e-5, 1)))
	}, "LayerNormalization 1"},
	{"root mean square", func(b *B) *Value {
		x := b.fed("x", 3, 5)
		return b.Mul(b.fixed(3, 5), b.Div(x, b.root(b.variance(x, 1e-5, 1))))
	}, "RMSNormalization 1"},
	{"a bias behind the root mean square stays", func(b *B) *Value {
		x := b.fed("x", 3, 5)
		return b.Add(b.Mul(x, b.Op("Reciprocal", nil, b.root(b.variance(x, 1e-5, 1)))), b.fixed(3, 5))
	}, "Add 1 RMSNormalization 1"},
	{"a centred value that others read stays", func(b *B) *Value {
		d := b.centre(b.fed("x", 3, 5), 1)
		b.G.Outputs = append(b.G.Outputs, d)
		return b.Div(d, b.root(b.variance(d, 1e-5, 1)))
	}, "RMSNormalization 1 ReduceMean 1 Sub 1"},
	{"a variance that others read", func(b *B) *Value {
		d := b.centre(b.fed("x", 3, 5), 1)
		v := b.variance(d, 1e-5, 1)
		b.G.Outputs = append(b.G.Outputs, v)
		return b.Div(d, b.root(v))
	}, "Add 1 Div 1 Mul 1 ReduceMean 2 Sqrt 1 Sub 1"},
	{"another axis", func(b *B) *Value {
		d := b.centre(b.fed("x", 3, 4, 5), 1)
		return b.Div(d, b.root(b.variance(d, 1e-5, 1)))
	}, "Add 1 Div 1 Mul 1 ReduceMean 2 Sqrt 1 Sub 1"},
	{"means of different axes", func(b *B) *Value {
		d := b.centre(b.fed("x", 3, 4, 5), 1)
		return b.Div(d, b.root(b.variance(d, 1e-5, 2)))
	}, "RMSNormalization 1 ReduceMean 1 Sub 1"},
	{"a gain that makes another shape", func(b *B) *Value {
		d := b.centre(b.fed("x", 3, 5), 1)
		return b.Mul(b.Div(d, b.root(b.variance(d, 1e-5, 1))), b.fixed(3, 2, 3, 5))
	}, "LayerNormalization 1 Mul 1"},
}

var fuseSkipNormCases = []passCase{
	{"a sum", func(b *B) *Value {
		return b.Op("LayerNormalization", nil, b.Add(b.fed("x", 3, 4), b.fed("y", 3, 4)), b.fixed(1, 4), b.fixed(2, 4))
	}, "SkipLayerNormalization 1"},
	{"a sum that others read, before and after", func(b *B) *Value {
		s := b.Add(b.fed("x", 3, 4), b.fed("y", 3, 4))
		e := b.Op("Exp", nil, s)
		return b.Add(b.Add(b.Op("LayerNormalization", accel.Attrs{accel.Int("axis", 1)}, s, b.fixed(1, 4), b.fixed(2, 4)), e), s)
	}, "Add 2 Exp 1 SkipLayerNormalization 1"},
	{"statistics", func(b *B) *Value {
		s := b.Add(b.fed("x", 3, 4), b.fed("y", 3, 4))
		v := b.Ops("LayerNormalization", 3, nil, s, b.fixed(1, 4), b.fixed(2, 4))
		b.G.Outputs = append(b.G.Outputs, v[1], v[2])
		return v[0]
	}, "SkipLayerNormalization 1"},
	{"a sum that broadcasts", func(b *B) *Value {
		return b.Op("LayerNormalization", nil, b.Add(b.fed("x", 3, 4), b.fed("y", 4)), b.fixed(1, 4), b.fixed(2, 4))
	}, "Add 1 LayerNormalization 1"},
	{"another axis", func(b *B) *Value {
		return b.Op("LayerNormalization", accel.Attrs{accel.Int("axis", 0)}, b.Add(b.fed("x", 3, 4), b.fed("y", 3, 4)), b.fixed(1, 3, 4), b.fixed(2, 3, 4))
	}, "Add 1 LayerNormalization 1"},
	{"a sum that is an output", func(b *B) *Value {
		s := b.Add(b.fed("x", 3, 4), b.fed("y", 3, 4))
		b.G.Outputs = append(b.G.Outputs, s)
		return b.Op("LayerNormalization", nil, s, b.fixed(1, 4), b.fixed(2, 4))
	}, "Add 1 LayerNormalization 1"},
}

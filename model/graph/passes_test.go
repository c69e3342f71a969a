package graph

import (
	"fmt"
	"math"
	"testing"

	"github.com/millrace-go/millrace/accel"
)

// counted is how often each operator occurs.
func counted(g *Graph) map[string]int {
	n := map[string]int{}
	for _, k := range g.Nodes {
		n[k.Op]++
	}
	return n
}

// passCase builds a graph and says what a pass makes of it.
type passCase struct {
	name  string
	pass  string
	build func(b *B) *Value
	want  string // operators and how often, in the order of their names
}

func passCases() []passCase {
	at := func(as ...accel.Attr) accel.Attrs { return as }
	x := func(b *B, name string, shape ...int) *Value {
		v, err := b.G.Input(name, accel.Float32, shape...)
		b.Fail(err)
		return v
	}
	erf := func(b *B, v *Value, root float64) *Value {
		return b.Add(b.Op("Erf", nil, b.Div(v, b.Like(v, root))), b.Like(v, 1))
	}
	conv := func(b *B, v *Value) *Value {
		return b.Op("Conv", at(accel.Ints("kernel_shape", 3, 3), accel.Ints("pads", 1, 1, 1, 1), accel.Ints("strides", 1, 1), accel.Ints("dilations", 1, 1)), v, b.Const(uniform32(1, 2, 2, 3, 3)), b.Const(uniform32(2, 2)))
	}
	attention := func(b *B, keyPerm []int, mask bool, last bool) *Value {
		head := func(name string, perm ...int) *Value {
			return b.Transpose(b.Reshape(x(b, name, 2, 5, 6), 2, 5, 3, 2), perm...)
		}
		s := b.Div(b.MatMul(head("q", 0, 2, 1, 3), head("k", keyPerm...)), b.Scalar(accel.Float32, 1.5))
		if mask {
			s = b.Add(s, x(b, "mask", 2, 1, 1, 5))
		}
		y := b.MatMul(b.Op("Softmax", nil, s), head("v", 0, 2, 1, 3))
		if last {
			y = b.Reshape(b.Transpose(y, 0, 2, 1, 3), 2, 5, 6)
		}
		return y
	}
	norm := func(b *B, eps float64, axis int) *Value {
		v := x(b, "x", 3, 4, 5)
		d := b.Sub(v, b.ReduceMean(v, true, axis))
		return b.Div(d, b.Op("Sqrt", nil, b.Add(b.ReduceMean(b.Mul(d, d), true, axis), b.Like(v, eps))))
	}
	return []passCase{
		{"one and nothing", "simplify", func(b *B) *Value {
			return b.Op("Neg", nil, b.Div(b.Mul(x(b, "x", 3), b.Scalar(accel.Float32, 1)), b.Scalar(accel.Float32, 1)))
		}, "Neg 1"},
		{"a product that broadcasts stays", "simplify", func(b *B) *Value {
			return b.Op("Neg", nil, b.Mul(x(b, "x", 3), b.Const(ones(2, 1))))
		}, "Mul 1 Neg 1"},
		{"transposes cancel", "simplify", func(b *B) *Value {
			return b.Op("Neg", nil, b.Transpose(b.Transpose(x(b, "x", 2, 3, 4), 1, 2, 0), 2, 0, 1))
		}, "Neg 1 Transpose 1"},
		{"equal nodes", "merge-equal", func(b *B) *Value {
			v := x(b, "x", 3)
			return b.Add(b.Op("Exp", nil, v), b.Op("Exp", nil, v))
		}, "Add 1 Exp 1"},
		{"unequal attributes stay", "merge-equal", func(b *B) *Value {
			v := x(b, "x", 3)
			return b.Add(b.Op("Elu", at(accel.Float("alpha", 1)), v), b.Op("Elu", at(accel.Float("alpha", 2)), v))
		}, "Add 1 Elu 2"},
		{"half first", "fuse-gelu", func(b *B) *Value {
			v := x(b, "x", 3, 4)
			return b.Mul(b.Mul(v, b.Like(v, 0.5)), erf(b, v, math.Sqrt2))
		}, "Gelu 1"},
		{"half last", "fuse-gelu", func(b *B) *Value {
			v := x(b, "x", 3, 4)
			return b.Mul(b.Mul(v, erf(b, v, math.Sqrt2)), b.Like(v, 0.5))
		}, "Gelu 1"},
		{"another root is no Gelu", "fuse-gelu", func(b *B) *Value {
			v := x(b, "x", 3, 4)
			return b.Mul(b.Mul(v, erf(b, v, 1.5)), b.Like(v, 0.5))
		}, "Add 1 Div 1 Erf 1 Mul 2"},
		{"tanh form", "fuse-gelu", func(b *B) *Value {
			v := x(b, "x", 3, 4)
			inner := b.Add(v, b.Mul(b.Like(v, 0.044715), b.Mul(b.Mul(v, v), v)))
			t := b.Op("Tanh", nil, b.Mul(b.Like(v, math.Sqrt(2/math.Pi)), inner))
			return b.Mul(b.Mul(b.Like(v, 0.5), v), b.Add(b.Like(v, 1), t))
		}, "Gelu 1"},
		{"silu", "fuse-gelu", func(b *B) *Value {
			v := x(b, "x", 3, 4)
			return b.Mul(v, b.Op("Sigmoid", nil, v))
		}, "Swish 1"},
		{"layer norm", "fuse-layernorm", func(b *B) *Value {
			return b.Add(b.Mul(norm(b, 1e-5, -1), b.Const(uniform32(3, 5))), b.Const(uniform32(4, 5)))
		}, "LayerNormalization 1"},
		{"layer norm, plain", "fuse-layernorm", func(b *B) *Value { return norm(b, 1e-5, 2) }, "LayerNormalization 1"},
		{"another axis is no layer norm", "fuse-layernorm", func(b *B) *Value { return norm(b, 1e-5, 1) }, "Add 1 Div 1 Mul 1 ReduceMean 2 Sqrt 1 Sub 1"},
		{"heads and all", "fuse-attention", func(b *B) *Value { return attention(b, []int{0, 2, 3, 1}, true, true) }, "FusedAttention 1 Reshape 2"},
		{"no mask", "fuse-attention", func(b *B) *Value { return attention(b, []int{0, 2, 3, 1}, false, true) }, "FusedAttention 1 Reshape 2"},
		{"the heads stay apart", "fuse-attention", func(b *B) *Value { return attention(b, []int{0, 2, 3, 1}, true, false) }, "FusedAttention 1 Reshape 3 Transpose 3"},
		{"bias, residual, activation", "fuse-matmul", func(b *B) *Value {
			y := b.Add(b.MatMul(x(b, "x", 2, 3, 4), b.Const(uniform32(5, 4, 6))), b.Const(uniform32(6, 6)))
			return b.Op("Relu", nil, b.Add(y, x(b, "z", 2, 3, 6)))
		}, "FusedMatMul 1"},
		{"transposed right operand", "fuse-matmul", func(b *B) *Value {
			return b.MatMul(x(b, "x", 3, 4), b.Transpose(x(b, "y", 6, 4), 1, 0))
		}, "FusedMatMul 1"},
		{"transposed product", "fuse-matmul", func(b *B) *Value {
			return b.Op("Neg", nil, b.Transpose(b.MatMul(b.Transpose(x(b, "x", 3, 4), 1, 0), x(b, "y", 3, 5)), 1, 0))
		}, "FusedMatMul 1 Neg 1"},
		{"a bias of rows stays", "fuse-matmul", func(b *B) *Value {
			return b.Add(b.MatMul(x(b, "x", 3, 4), b.Const(uniform32(5, 4, 6))), b.Const(uniform32(6, 3, 1)))
		}, "Add 1 FusedMatMul 1"},
		{"convolution, residual, relu", "fuse-conv", func(b *B) *Value {
			v := x(b, "x", 1, 2, 5, 5)
			return b.Op("Relu", nil, b.Add(conv(b, v), v))
		}, "FusedConv 1"},
		{"a sum that broadcasts stays", "fuse-conv", func(b *B) *Value {
			return b.Add(conv(b, x(b, "x", 1, 2, 5, 5)), b.Const(uniform32(7, 1, 2, 1, 1)))
		}, "Add 1 Conv 1"},
		{"batch norm", "fold-batchnorm", func(b *B) *Value {
			return b.Op("BatchNormalization", nil, conv(b, x(b, "x", 1, 2, 5, 5)), b.Const(uniform32(8, 2)), b.Const(uniform32(9, 2)), b.Const(uniform32(10, 2)), b.Const(ones(2)))
		}, "Conv 1"},
	}
}

func ones(shape ...int) *accel.Array {
	a := accel.NewArray(accel.Float32, shape...)
	for i := range accel.Values[float32](a) {
		accel.Values[float32](a)[i] = 1
	}
	return a
}

// uniform32 is numbers between -1 and 1 that look random.
func uniform32(seed int, shape ...int) *accel.Array {
	a := accel.NewArray(accel.Float32, shape...)
	for i := range accel.Values[float32](a) {
		accel.Values[float32](a)[i] = float32(math.Sin(float64(seed*1000 + i*i + 7*i)))
	}
	return a
}

// results compiles a concrete graph and runs it on made-up inputs.
func results(t *testing.T, g *Graph) *accel.Array {
	t.Helper()
	code, err := Compile(g, nil)
	if err != nil {
		t.Fatal(err)
	}
	program, err := host.Compile(code)
	if err != nil {
		t.Fatal(err)
	}
	var args []accel.Buffer
	for i, v := range g.Inputs {
		args = append(args, wrapped(t, uniform32(20+i, v.Type.Shape...)))
	}
	out := accel.NewArray(accel.Float32, g.Outputs[0].Type.Shape...)
	args = append(args, wrapped(t, out))
	q := host.NewQueue()
	if err := q.Run(program, args); err != nil {
		t.Fatal(err)
	}
	return out
}

func wrapped(t *testing.T, a *accel.Array) accel.Buffer {
	t.Helper()
	b, err := host.Alloc(len(a.Data))
	if err != nil {
		t.Fatal(err)
	}
	b.(accel.HostMemory).Wrap(a.Data)
	return b
}

// TestPasses runs each pass alone: it finds its pattern, leaves near misses as
// they are, and the result is that of the graph as it was, within the roundings
// that the pass's comment admits.
func TestPasses(t *testing.T) {
	ran := map[string]bool{}
	for _, c := range passCases() {
		ran[c.pass] = true
		g := New("g")
		b := g.Build("")
		y := c.build(b)
		if b.Err() != nil {
			t.Fatalf("%s: %v", c.name, b.Err())
		}
		g.Outputs = []*Value{y}
		plain, _, err := g.Bind(Binding{})
		if err != nil {
			t.Fatal(err)
		}
		fused, _, err := g.Bind(Binding{})
		if err != nil {
			t.Fatal(err)
		}
		if err := fused.Optimize(allBut(c.pass)...); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := operators(fused); got != c.want {
			t.Errorf("%s after %s: %s, want %s\n%s", c.name, c.pass, got, c.want, fused)
			continue
		}
		got, want := accel.Values[float32](results(t, fused)), accel.Values[float32](results(t, plain))
		for i := range want {
			if !(math.Abs(float64(got[i]-want[i])) <= 1e-6*math.Max(1, math.Abs(float64(want[i])))*8) {
				t.Errorf("%s: element %d is %g after %s, %g before", c.name, i, got[i], c.pass, want[i])
				break
			}
		}
		skipped, _, err := g.Bind(Binding{})
		if err != nil {
			t.Fatal(err)
		}
		if err := skipped.Optimize("all"); err != nil {
			t.Fatal(err)
		}
		if got, want := operators(skipped), operators(plain); got != want {
			t.Errorf("%s, all passes skipped: %s, want %s", c.name, got, want)
		}
	}
	for _, p := range Passes() {
		if !ran[p.Name] && p.Name != "dead-code" && p.Name != "fuse-qdq" {
			t.Errorf("pass %s has no case", p.Name)
		}
	}
}

func allBut(pass string) []string {
	var skip []string
	for _, p := range Passes() {
		if p.Name != pass {
			skip = append(skip, p.Name)
		}
	}
	return skip
}

// operators prints what a graph is made of.
func operators(g *Graph) string {
	text := ""
	n := counted(g)
	for _, op := range Ops() {
		if n[op] > 0 {
			text += fmt.Sprintf(" %s %d", op, n[op])
		}
	}
	if text == "" {
		return ""
	}
	return text[1:]
}

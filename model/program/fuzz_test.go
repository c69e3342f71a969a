package program_test

import (
	"math"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu"
	"github.com/millrace-go/millrace/model/graph"
	"github.com/millrace-go/millrace/model/program"
)

// choices reads decisions from fuzzed bytes; when they run out all are 0.
type choices struct{ data []byte }

func (c *choices) next(n int) int {
	if len(c.data) == 0 || n < 1 {
		return 0
	}
	v := int(c.data[0]) % n
	c.data = c.data[1:]
	return v
}

func (c *choices) shape(most int) []int {
	s := make([]int, c.next(most+1))
	for i := range s {
		s[i] = c.next(5)
	}
	return s
}

// fill gives an array values that depend on seed alone, small and of both signs.
func fill(a *accel.Array, seed int) {
	for i := range a.Data {
		a.Data[i] = byte(seed*31 + i*7)
	}
	if a.DType == accel.Float32 {
		for i := range accel.Values[float32](a) {
			accel.Values[float32](a)[i] = float32(math.Sin(float64(seed + i*i)))
		}
	}
	if a.DType == accel.Bool {
		for i := range a.Data {
			a.Data[i] &= 1
		}
	}
	if a.DType == accel.Int64 {
		for i := range accel.Values[int64](a) {
			accel.Values[int64](a)[i] = int64((seed+i)%5 - 2)
		}
	}
}

var fuzzTypes = []accel.DType{accel.Float32, accel.Int64, accel.Float32, accel.Bool, accel.Float64, accel.Uint8, accel.Float16, accel.Int32}

var fuzzAttrs = []string{"axis", "axes", "keepdims", "perm", "kernel_shape", "strides", "pads", "dilations", "group", "transA", "alpha", "to", "mode", "k", "num_outputs", "hidden_size", "blocksize", "batch_dims", "equation", "epsilon", "reduction"}

func (c *choices) attrs() accel.Attrs {
	var at accel.Attrs
	for range c.next(4) {
		name := fuzzAttrs[c.next(len(fuzzAttrs))]
		switch c.next(4) {
		case 0:
			at = append(at, accel.Int(name, c.next(9)-3))
		case 1:
			at = append(at, accel.Ints(name, c.next(4)-1, c.next(4)-1))
		case 2:
			at = append(at, accel.Float(name, float64(c.next(9))-4))
		default:
			at = append(at, accel.String(name, []string{"", "float32", "mean", "linear", "reflect", "ij,jk->ik"}[c.next(6)]))
		}
	}
	return at
}

// FuzzOperator applies any operator to inputs of any types and shapes, with any
// attributes: it computes, or says why not.
func FuzzOperator(f *testing.F) {
	ops := graph.Ops()
	for i := range ops {
		f.Add([]byte{byte(i), byte(i >> 8), 2, 0, 2, 3, 4, 0, 2, 3, 4, 0})
		f.Add([]byte{byte(i), byte(i >> 8), 1, 0, 4, 1, 2, 4, 4, 1, 4, 1, 2, 2})
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &choices{data}
		op := ops[(c.next(256)+256*c.next(256))%len(ops)]
		g := graph.New("fuzz")
		var in []*graph.Value
		var arrays []*accel.Array
		for i := range c.next(5) {
			a := accel.NewArray(fuzzTypes[c.next(len(fuzzTypes))], c.shape(4)...)
			fill(a, i)
			if a.DType == accel.Int64 && c.next(2) == 0 {
				in = append(in, g.Const("", a))
				continue
			}
			v, err := g.Input(string(rune('a'+i)), a.DType, a.Shape...)
			if err != nil {
				t.Fatal(err)
			}
			in, arrays = append(in, v), append(arrays, a)
		}
		n, err := g.ApplyNode(op, "", c.attrs(), in...)
		if err != nil || tooLarge(n) {
			return
		}
		for _, v := range n.Outputs {
			if v != nil {
				g.Outputs = append(g.Outputs, v)
			}
		}
		if len(g.Outputs) > 0 {
			_, _ = program.New(g, cpu.New(), program.Options{}).Run(arrays...) // an error is as good as a result
		}
	})
}

func tooLarge(n *graph.Node) bool {
	for _, v := range n.Outputs {
		if v != nil && accel.Size(v.Type.Shape) > 1<<14 {
			return true
		}
	}
	return false
}

// FuzzGraph builds a network of random operators; what the passes make of it
// gives the same result, within the roundings that fusing changes.
func FuzzGraph(f *testing.F) {
	f.Add([]byte{2, 3, 4, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14})
	f.Add([]byte{4, 4, 4, 9, 9, 9, 1, 2, 2, 2, 5, 5, 12, 11, 10})
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &choices{data}
		g := graph.New("fuzz")
		b := g.Build("")
		x, err := g.Input("x", accel.Float32, 1+c.next(3), 1+c.next(4), 4)
		if err != nil {
			t.Fatal(err)
		}
		values := []*graph.Value{x}
		for range 4 + c.next(24) {
			if v := grow(c, g, values); v != nil {
				values = append(values, v)
			}
		}
		if b.Err() != nil {
			t.Fatal(b.Err())
		}
		g.Outputs = values[len(values)-1:]
		a := accel.NewArray(accel.Float32, x.Type.Shape...)
		fill(a, 1)
		want, err := program.New(g, cpu.New(), program.Options{SkipPasses: []string{"all"}}).Run(a)
		if err != nil {
			t.Fatalf("without passes: %v\n%s", err, g)
		}
		got, err := program.New(g, cpu.New(), program.Options{}).Run(a)
		if err != nil {
			t.Fatalf("with passes: %v\n%s", err, g)
		}
		same(t, g, accel.Values[float32](got[0]), accel.Values[float32](want[0]))
	})
}

// grow applies a random operator to random values; nil where it does not fit.
func grow(c *choices, g *graph.Graph, values []*graph.Value) *graph.Value {
	pick := func() *graph.Value { return values[c.next(len(values))] }
	x := pick()
	constant := func(shape ...int) *graph.Value {
		a := accel.NewArray(accel.Float32, shape...)
		fill(a, len(values))
		return g.Const("", a)
	}
	apply := func(op string, at accel.Attrs, in ...*graph.Value) *graph.Value {
		v, err := g.Apply(op, "", at, in...)
		if err != nil || accel.Size(v.Type.Shape) > 1<<12 {
			return nil
		}
		return v
	}
	last := 1
	if s := x.Type.Shape; len(s) > 0 {
		last = s[len(s)-1]
	}
	switch c.next(13) {
	case 0, 1:
		return apply([]string{"Add", "Sub", "Mul"}[c.next(3)], nil, x, pick())
	case 2:
		return apply([]string{"Relu", "Tanh", "Sigmoid", "Neg", "Erf", "Gelu", "Swish"}[c.next(7)], nil, x)
	case 3:
		return apply("MatMul", nil, x, constant(last, 1+c.next(5)))
	case 4:
		return apply("Add", nil, x, constant(last))
	case 5:
		return apply("Mul", nil, x, constant())
	case 6:
		return apply("Softmax", accel.Attrs{accel.Int("axis", c.next(3)-1)}, x)
	case 7:
		return apply("Transpose", accel.Attrs{accel.Ints("perm", [][]int{{0, 2, 1}, {1, 0, 2}, {2, 1, 0}, {1, 0}, {0, 2, 1, 3}}[c.next(5)]...)}, x)
	case 8:
		return apply("Reshape", nil, x, g.Const("", accel.Ints64([][]int{{-1}, {1, -1}, {-1, last}, {1, 1, -1, last}}[c.next(4)]...)))
	case 9:
		return apply("LayerNormalization", accel.Attrs{accel.Int("axis", -1)}, x, constant(last), constant(last))
	case 10:
		return apply("MatMul", nil, x, pick())
	case 11:
		return apply([]string{"ReduceSum", "ReduceMean", "ReduceMax"}[c.next(3)], nil, x, g.Const("", accel.Ints64(-1)))
	}
	return apply("Concat", accel.Attrs{accel.Int("axis", -1)}, x, pick())
}

func same(t *testing.T, g *graph.Graph, got, want []float32) {
	t.Helper()
	top := 1.0
	for _, w := range want {
		if v := math.Abs(float64(w)); v-v == 0 {
			top = max(top, v)
		}
	}
	for i, w := range want {
		v := float64(got[i])
		switch w := float64(w); {
		case w-w != 0 || math.Abs(w) > 1e30:
			// Sums that overflow do so a little sooner or later.
		case !(math.Abs(v-w) <= 1e-3*top):
			t.Fatalf("element %d is %g after the passes, %g before\n%s", i, v, w, g)
		}
	}
}

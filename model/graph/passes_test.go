package graph

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/extent"
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
	build func(b *B) *Value
	want  string // operators and how often, in the order of their names
}

// passCases lists the cases of each pass: patterns, and near misses that stay.
func passCases() map[string][]passCase {
	return map[string][]passCase{
		"merge-equal": fuseMergeCases, "simplify": fuseSimplifyCases, "fold-batchnorm": fuseBatchNormCases, "fuse-layernorm": fuseNormCases,
		"fuse-skip-norm": fuseSkipNormCases, "fuse-gelu": fuseGeluCases, "fuse-attention": fuseAttentionCases, "fuse-conv": fuseConvCases, "fuse-matmul": fuseMatmulCases,
	}
}

// exactPasses change no bit.
var exactPasses = []string{"merge-equal", "simplify"}

// fed adds a float32 input.
func (b *B) fed(name string, shape ...int) *Value { return b.fedAs(accel.Float32, name, shape...) }

func (b *B) fedAs(t accel.DType, name string, shape ...int) *Value {
	v, err := b.G.Input(name, t, shape...)
	b.Fail(err)
	return v
}

// fixed adds a constant of numbers that look random.
func (b *B) fixed(seed int, shape ...int) *Value { return b.Const(uniform32(seed, shape...)) }

// number is a float32 scalar.
func (b *B) number(v float64) *Value { return b.Scalar(accel.Float32, v) }

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
func results(t *testing.T, g *Graph) []*accel.Array {
	t.Helper()
	code, err := Compile(g, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, g)
	}
	program, err := host.Compile(code)
	if err != nil {
		t.Fatalf("%v\n%s", err, g)
	}
	var args []accel.Buffer
	for i, v := range g.Inputs {
		a := uniform32(20+i, v.Type.Shape...)
		if v.Type.DType != accel.Float32 {
			if a, err = g.evaluate("Cast", accel.Attrs{accel.String("to", v.Type.DType.String())}, a); err != nil {
				t.Fatal(err)
			}
		}
		args = append(args, wrapped(t, a))
	}
	var out []*accel.Array
	for _, v := range g.Outputs {
		a := accel.NewArray(v.Type.DType, v.Type.Shape...)
		out, args = append(out, a), append(args, wrapped(t, a))
	}
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

// bound builds a case and makes it concrete.
func (c passCase) bound(t *testing.T) *Graph {
	t.Helper()
	g := New("g")
	b := g.Build("")
	y := c.build(b)
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	g.Outputs = append([]*Value{y}, g.Outputs...) // build may have added some
	out, _, err := g.Bind(Binding{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestPasses runs each pass alone: it finds its pattern, leaves near misses as
// they are, and the result is that of the graph as it was, within the roundings
// that the pass's comment admits. A second run changes nothing.
func TestPasses(t *testing.T) {
	all := passCases()
	for _, p := range Passes() {
		if all[p.Name] == nil && p.Name != "dead-code" && p.Name != "fuse-qdq" {
			t.Errorf("pass %s has no case", p.Name)
		}
		for _, c := range all[p.Name] {
			t.Run(p.Name+"/"+c.name, func(t *testing.T) { checkPass(t, p.Name, c) })
		}
	}
}

func checkPass(t *testing.T, pass string, c passCase) {
	plain, fused := c.bound(t), c.bound(t)
	if err := fused.Optimize(allBut(pass)...); err != nil {
		t.Fatal(err)
	}
	if got := operators(fused); got != c.want {
		t.Fatalf("%s, want %s\n%s", got, c.want, fused)
	}
	if got, want := fused.Outputs[0].Name, plain.Outputs[0].Name; got != want {
		t.Errorf("the output is called %s, want %s", got, want)
	}
	all, wants := results(t, fused), results(t, plain)
	for k := range wants {
		sameResults(t, all[k], wants[k], slices.Contains(exactPasses, pass))
	}
	once := fused.String()
	if err := fused.Optimize(allBut(pass)...); err != nil {
		t.Fatal(err)
	}
	if again := fused.String(); again != once {
		t.Errorf("a second run makes\n%s\nof\n%s", again, once)
	}
	skipped := c.bound(t)
	if err := skipped.Optimize("all"); err != nil {
		t.Fatal(err)
	}
	if got, want := operators(skipped), operators(plain); got != want {
		t.Errorf("all passes skipped: %s, want %s", got, want)
	}
}

// sameResults allows for a few roundings to the elements' type, of numbers up to a few units.
func sameResults(t *testing.T, got, want *accel.Array, exact bool) {
	t.Helper()
	if exact {
		if !bytes.Equal(got.Data, want.Data) {
			t.Errorf("the bits of %v changed", got)
		}
		return
	}
	u := map[accel.DType]float64{accel.Float32: 0x1p-24, accel.Float64: 0x1p-24, accel.Float16: 0x1p-11, accel.BFloat16: 0x1p-8}[want.DType]
	for i := range want.Len() {
		v, w := extent.Float(got, i), extent.Float(want, i)
		if math.IsNaN(v) && math.IsNaN(w) || v == w { // infinities too
			continue
		}
		if !(math.Abs(v-w) <= 128*u*math.Max(1, math.Abs(w))) {
			t.Errorf("element %d is %g, want %g", i, v, w)
			return
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

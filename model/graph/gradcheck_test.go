package graph

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/counter"
	"github.com/millrace-go/millrace/accel/cpu"
)

// checkGradients compares the gradients of Σ w·y over all float64 values y that
// build returns, for fixed random w, with central differences: with respect to
// every element of every float64 array of in. Arrays of other types are
// constants; build makes other constants itself. The arrays are x0, x1, ….
func checkGradients(t *testing.T, in []*accel.Array, build func(b *B, x []*Value) []*Value) {
	t.Helper()
	g := New("check")
	x, wrt := make([]*Value, len(in)), []*Value{}
	for i, a := range in {
		if a == nil {
			continue
		}
		if a.DType != accel.Float64 {
			x[i] = g.Const(fmt.Sprintf("x%d", i), a)
			continue
		}
		v, err := g.Input(fmt.Sprintf("x%d", i), a.DType, a.Shape...)
		if err != nil {
			t.Fatal(err)
		}
		x[i] = v
		wrt = append(wrt, v)
	}
	b := g.Build("")
	loss := weightedSum(b, build(b, x))
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	g.Outputs = []*Value{loss}
	bound, to, err := g.Bind(Binding{})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range wrt {
		wrt[i] = to[v]
	}
	objective := compiled(t, bound, bound.Outputs) // before Gradients writes definitions in place of kernels
	grads, err := Gradients(bound, bound.Outputs[0], wrt)
	if err != nil {
		t.Fatal(err)
	}
	args := slices.DeleteFunc(slices.Clone(in), func(a *accel.Array) bool { return a == nil || a.DType != accel.Float64 })
	got := compiled(t, bound, grads)(args)
	for i, a := range args {
		if !slices.Equal(got[i].Shape, a.Shape) {
			t.Fatalf("d/d%s has shape %v, want %v", wrt[i].Name, got[i].Shape, a.Shape)
		}
		compareWithDifferences(t, wrt[i].Name, accel.Values[float64](got[i]), accel.Values[float64](a), func() float64 {
			return accel.Values[float64](objective(args)[0])[0]
		})
	}
}

// compareWithDifferences changes one element of x at a time. With steps of 2⁻¹⁷
// the rounding of an objective of a few units is 2⁻³⁵ of a difference and the
// cubic term 2⁻³⁴ of it, so a tolerance of 2⁻²⁴ leaves room for curved functions.
func compareWithDifferences(t *testing.T, name string, got, x []float64, objective func() float64) {
	t.Helper()
	const h, tol = 0x1p-17, 0x1p-24
	for i, was := range x {
		x[i] = was + h
		up := objective()
		x[i] = was - h
		down := objective()
		x[i] = was
		want := (up - down) / (2 * h)
		if diff := math.Abs(got[i] - want); !(diff <= tol*(4+math.Abs(want))) {
			t.Errorf("d/d%s[%d] at %g: got %.9g, want %.9g", name, i, was, got[i], want)
		}
	}
}

// weightedSum is Σ w·y over the float64 values of ys.
func weightedSum(b *B, ys []*Value) *Value {
	loss := b.Scalar(accel.Float64, 0)
	for i, y := range ys {
		if y == nil || y.Type.DType != accel.Float64 || b.Err() != nil {
			continue
		}
		w := b.Const(uniform(uint64(1000+i), 0.5, 1.5, y.Type.Shape...))
		loss = b.Add(loss, b.Op("ReduceSum", accel.Attrs{accel.Int("keepdims", 0)}, b.Mul(y, w)))
	}
	return loss
}

// compiled returns a function that runs a concrete graph on its inputs, in order.
func compiled(t *testing.T, g *Graph, outputs []*Value) func(in []*accel.Array) []*accel.Array {
	t.Helper()
	code, err := Compile(g, outputs)
	if err != nil {
		t.Fatalf("%v\n%s", err, g)
	}
	dev := cpu.New()
	program, err := dev.Compile(code)
	if err != nil {
		t.Fatalf("%v\n%s", err, g)
	}
	var out []*accel.Array
	var results []accel.Buffer
	for _, v := range outputs {
		a := accel.NewArray(v.Type.DType, v.Type.Shape...)
		out, results = append(out, a), append(results, hostBuffer(t, dev, a))
	}
	return func(in []*accel.Array) []*accel.Array {
		var args []accel.Buffer
		for _, a := range in {
			args = append(args, hostBuffer(t, dev, a))
		}
		q := dev.NewQueue()
		if err := q.Run(program, append(args, results...)); err != nil {
			t.Fatal(err)
		}
		if err := q.Wait(); err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// hostBuffer is a buffer that looks at an array's bytes.
func hostBuffer(t *testing.T, dev accel.Device, a *accel.Array) accel.Buffer {
	t.Helper()
	b, err := dev.Alloc(len(a.Data))
	if err != nil {
		t.Fatal(err)
	}
	b.(accel.HostMemory).Wrap(a.Data)
	return b
}

// uniform is a float64 array of numbers between low and high, fixed by the key.
func uniform(key uint64, low, high float64, shape ...int) *accel.Array {
	a := accel.NewArray(accel.Float64, shape...)
	for i := range accel.Values[float64](a) {
		accel.Values[float64](a)[i] = low + (high-low)*counter.Float64(key, uint64(i))
	}
	return a
}

// distinct is a float64 array of numbers of both signs in a random order, at
// least 0.1 apart and 0.05 from 0 and from other multiples of 0.1: no kink of a
// usual function is within a step of them.
func distinct(key uint64, shape ...int) *accel.Array {
	a := accel.NewArray(accel.Float64, shape...)
	v := accel.Values[float64](a)
	for i := range v {
		v[i] = 0.1*float64(i-len(v)/2) + 0.05
	}
	for i := len(v) - 1; i > 0; i-- {
		j := int(counter.Uint64(key, uint64(i)) % uint64(i+1))
		v[i], v[j] = v[j], v[i]
	}
	return a
}

// float64s is a float64 array of these numbers.
func float64s(shape []int, v ...float64) *accel.Array { return accel.ArrayOf(accel.Float64, shape, v) }

// gradCase is one call of an operator for checkGradients.
type gradCase struct {
	name  string
	op    string
	attrs accel.Attrs
	in    []*accel.Array
	outs  int // how many outputs the loss has; 0 is one
}

// checkGradCases runs cases, and reports the operators of the family that have a
// gradient or a definition, and a case neither here nor in definitionCases.
func checkGradCases(t *testing.T, family []operator, cases []gradCase) {
	t.Helper()
	seen := map[string]bool{}
	for _, c := range cases {
		seen[c.op] = true
		t.Run(c.op+"/"+c.name, func(t *testing.T) {
			checkGradients(t, c.in, func(b *B, x []*Value) []*Value { return b.Ops(c.op, max(1, c.outs), c.attrs, x...) })
		})
	}
	for _, o := range family {
		if differentiable(o) && !seen[o.name] && !inDefinitionCases(o.name) {
			t.Errorf("operator %s has a gradient but no case here", o.name)
		}
	}
}

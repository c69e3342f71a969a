package graph

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu"
)

// torchCase is an operator and its gradients as PyTorch computes them; see
// testdata/torch_grads.py.
type torchCase struct {
	Name  string
	Op    string
	Attrs map[string]any
	In    []*torchInput
	Out   []struct {
		Shape []int
		Data  []float64
	}
	Grad [][]float64 // nil where there is none
}

type torchInput struct {
	DType string
	Shape []int
	Data  []any // numbers or bools
}

// array is the input as PyTorch had it.
func (in *torchInput) array(t *testing.T) *accel.Array {
	t.Helper()
	typ, err := accel.ParseDType(in.DType)
	if err != nil {
		t.Fatal(err)
	}
	a := accel.NewArray(typ, in.Shape...)
	for i, v := range in.Data {
		switch typ {
		case accel.Float32:
			accel.Values[float32](a)[i] = float32(v.(float64))
		case accel.Int64:
			accel.Values[int64](a)[i] = int64(v.(float64))
		case accel.Bool:
			accel.Values[bool](a)[i] = v.(bool)
		default:
			t.Fatalf("input of type %s", typ)
		}
	}
	return a
}

// attributes guesses the kinds as ONNX's: JSON has one kind of number.
func (c *torchCase) attributes(t *testing.T) (out accel.Attrs) {
	t.Helper()
	floats := []string{"alpha", "beta", "epsilon", "bias", "lambd", "scale", "cubic_coeff_a", "spatial_scale"}
	for _, name := range sortedKeys(c.Attrs) {
		switch v := c.Attrs[name].(type) {
		case string:
			out = append(out, accel.String(name, v))
		case []any:
			list := make([]int, len(v))
			for i, n := range v {
				list[i] = int(n.(float64))
			}
			out = append(out, accel.Ints(name, list...))
		case float64:
			if slices.Contains(floats, name) {
				out = append(out, accel.Float(name, v))
			} else {
				out = append(out, accel.Int(name, int(v)))
			}
		default:
			t.Fatalf("attribute %s is %v", name, v)
		}
	}
	return out
}

func sortedKeys(m map[string]any) (out []string) {
	for name := range m {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// TestAgainstTorch compares outputs and gradients.
func TestAgainstTorch(t *testing.T) {
	data, err := os.ReadFile("testdata/torch_grads.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []torchCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Op+"/"+c.Name, func(t *testing.T) {
			outs, grads := c.run(t)
			for i, want := range c.Out {
				if !slices.Equal(outs[i].Shape, want.Shape) {
					t.Fatalf("output %d has shape %v, want %v", i, outs[i].Shape, want.Shape)
				}
				compareWithTorch(t, fmt.Sprintf("output %d", i), outs[i], want.Data)
			}
			for i, want := range c.Grad {
				if want != nil {
					compareWithTorch(t, fmt.Sprintf("gradient of input %d", i), grads[i], want)
				}
			}
		})
	}
}

// run computes the outputs, and the gradients with respect to the inputs that
// have one in the file.
func (c *torchCase) run(t *testing.T) (outs []*accel.Array, grads map[int]*accel.Array) {
	t.Helper()
	g := New("torch")
	x := make([]*Value, len(c.In))
	var args []*accel.Array
	for i, in := range c.In {
		if in == nil {
			continue
		}
		a := in.array(t)
		if a.DType != accel.Float32 {
			x[i] = g.Const(fmt.Sprintf("x%d", i), a)
			continue
		}
		v, err := g.Input(fmt.Sprintf("x%d", i), a.DType, a.Shape...)
		if err != nil {
			t.Fatal(err)
		}
		x[i], args = v, append(args, a)
	}
	b := g.Build("")
	ys := b.Ops(c.Op, len(c.Out), c.attributes(t), x...)
	loss := b.Scalar(accel.Float32, 0)
	for k, y := range ys {
		if b.Err() != nil {
			t.Fatal(b.Err())
		}
		w := accel.NewArray(accel.Float32, y.Type.Shape...)
		for i := range accel.Values[float32](w) {
			accel.Values[float32](w)[i] = float32((7*i+3*k)%13-6) / 8
		}
		loss = b.Add(loss, b.Op("ReduceSum", accel.Attrs{accel.Int("keepdims", 0)}, b.Mul(y, b.Const(w))))
	}
	g.Outputs = append([]*Value{loss}, ys...)
	bound, to, err := g.Bind(Binding{})
	if err != nil {
		t.Fatal(err)
	}
	var wrt []*Value
	var which []int
	for i, v := range x {
		if c.Grad[i] != nil {
			wrt, which = append(wrt, to[v]), append(which, i)
		}
	}
	ds, err := Gradients(bound, bound.Outputs[0], wrt)
	if err != nil {
		t.Fatal(err)
	}
	results := runOn(t, cpu.New(), bound, slices.Concat(bound.Outputs[1:], ds), args)
	grads = map[int]*accel.Array{}
	for i, at := range which {
		grads[at] = results[len(ys)+i]
	}
	return results[:len(ys)], grads
}

// compareWithTorch allows for two implementations in float32, each with its own
// order of sums and its own functions.
func compareWithTorch(t *testing.T, what string, got *accel.Array, want []float64) {
	t.Helper()
	v := accel.Values[float32](got)
	if len(v) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(v), len(want))
	}
	for i, w := range want {
		if diff := math.Abs(float64(v[i]) - w); !(diff <= 1e-5+1e-4*math.Abs(w)) {
			t.Errorf("%s, element %d: got %.8g, want %.8g", what, i, v[i], w)
		}
	}
}

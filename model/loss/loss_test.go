package loss

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu"
	"github.com/millrace-go/millrace/model/graph"
	"github.com/millrace-go/millrace/model/program"
)

// torchCase is a loss as PyTorch computes it; see testdata/torch_losses.py.
type torchCase struct {
	Name    string
	Loss    string
	Options struct {
		Reduction string
		Smoothing float64
		Ignore    *int
		Number    float64 // delta, beta or margin
		LogTarget bool    `json:"log_target"`
	}
	Inputs []struct {
		Shape []int
		Int   bool
		Data  []float64
	}
	Value []float64
	Grads map[int][]float64
}

// arrays are the inputs: float32, and int64 labels.
func (c *torchCase) arrays() []*accel.Array {
	var out []*accel.Array
	for _, in := range c.Inputs {
		if in.Int {
			a := accel.NewArray(accel.Int64, in.Shape...)
			for i, v := range in.Data {
				accel.Values[int64](a)[i] = int64(v)
			}
			out = append(out, a)
			continue
		}
		a := accel.NewArray(accel.Float32, in.Shape...)
		for i, v := range in.Data {
			accel.Values[float32](a)[i] = float32(v)
		}
		out = append(out, a)
	}
	return out
}

func (c *torchCase) reduction(t *testing.T) Reduction {
	i := slices.Index(reductionNames[:], c.Options.Reduction)
	if i < 0 {
		t.Fatalf("reduction %q", c.Options.Reduction)
	}
	return Reduction(i)
}

// build calls the function of the case.
func (c *torchCase) build(t *testing.T, b *graph.B, x []*graph.Value) *graph.Value {
	r, number := c.reduction(t), c.Options.Number
	at := func(i int) *graph.Value {
		if i < len(x) {
			return x[i]
		}
		return nil
	}
	classes := Classes{Weights: at(2), Ignore: c.Options.Ignore, Smoothing: c.Options.Smoothing, Reduction: r}
	switch c.Loss {
	case "CrossEntropy":
		return CrossEntropy(b, x[0], x[1], classes)
	case "NLL":
		return NLL(b, x[0], x[1], classes)
	case "BCEWithLogits":
		return BCEWithLogits(b, x[0], x[1], Binary{Weights: at(2), PosWeight: at(3), Reduction: r})
	case "MSE":
		return MSE(b, x[0], x[1], r)
	case "L1":
		return L1(b, x[0], x[1], r)
	case "Huber":
		return Huber(b, x[0], x[1], number, r)
	case "SmoothL1":
		return SmoothL1(b, x[0], x[1], number, r)
	case "KLDiv":
		return KLDiv(b, x[0], x[1], c.Options.LogTarget, r)
	case "Hinge":
		return Hinge(b, x[0], x[1], number, r)
	case "HingeEmbedding":
		return HingeEmbedding(b, x[0], x[1], number, r)
	case "CosineEmbedding":
		return CosineEmbedding(b, x[0], x[1], x[2], number, r)
	}
	t.Fatalf("no loss %q", c.Loss)
	return nil
}

// TestAgainstTorch compares values and gradients. A float32 loss is a few dozen
// roundings of terms up to a few units.
func TestAgainstTorch(t *testing.T) {
	data, err := os.ReadFile("testdata/torch_losses.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []torchCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Loss+"/"+c.Name, func(t *testing.T) {
			got := c.run(t)
			compare(t, "value", accel.Values[float32](got[0]), c.Value)
			for i, next := 0, 1; i < len(c.Inputs); i++ {
				if want, ok := c.Grads[i]; ok {
					compare(t, fmt.Sprintf("gradient of input %d", i), accel.Values[float32](got[next]), want)
					next++
				}
			}
		})
	}
}

// run gives the value and the gradients of its sum, in the order of the inputs.
func (c *torchCase) run(t *testing.T) []*accel.Array {
	t.Helper()
	g, arrays := graph.New("loss"), c.arrays()
	var x, wrt []*graph.Value
	for i, a := range arrays {
		v, err := g.Input(fmt.Sprintf("x%d", i), a.DType, a.Shape...)
		if err != nil {
			t.Fatal(err)
		}
		x = append(x, v)
		if _, ok := c.Grads[i]; ok {
			wrt = append(wrt, v)
		}
	}
	b := g.Build("")
	value := c.build(t, b, x)
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	grads, err := graph.Gradients(g, reduce(b, value, Sum), wrt)
	if err != nil {
		t.Fatal(err)
	}
	g.Outputs = append([]*graph.Value{value}, grads...)
	exec, err := program.Compile(cpu.New(), g, program.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Run(arrays...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func compare(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	for i, w := range want {
		if diff := math.Abs(float64(got[i]) - w); !(diff <= 1e-6+2e-6*math.Abs(w)) {
			t.Errorf("%s, element %d: got %.9g, want %.9g", what, i, got[i], w)
		}
	}
}

func TestMistakes(t *testing.T) {
	g := graph.New("mistakes")
	x, _ := g.Input("x", accel.Float32, 3, 4)
	y, _ := g.Input("y", accel.Float32, 4)
	labels, _ := g.Input("labels", accel.Int64, 3)
	ignored := 1
	for want, f := range map[string]func(b *graph.B){
		"MSE: x float32[3 4] and y":      func(b *graph.B) { MSE(b, x, y, Mean) },
		"labels int64[3], want floats":   func(b *graph.B) { L1(b, labels, labels, Mean) },
		"delta 0":                        func(b *graph.B) { Huber(b, x, x, 0, Mean) },
		"beta -1":                        func(b *graph.B) { SmoothL1(b, x, x, -1, Mean) },
		"smoothing 1.5":                  func(b *graph.B) { CrossEntropy(b, x, labels, Classes{Smoothing: 1.5}) },
		"belongs to CrossEntropy":        func(b *graph.B) { NLL(b, x, labels, Classes{Smoothing: 0.5}) },
		"y float32[4], want (N, C":       func(b *graph.B) { NLL(b, y, labels, Classes{}) },
		"label 1 is to be ignored":       func(b *graph.B) { CrossEntropy(b, x, x, Classes{Ignore: &ignored}) },
		"reduction batchmean, want mean": func(b *graph.B) { CrossEntropy(b, x, labels, Classes{Reduction: BatchMean}) },
		"reduction Reduction(9)":         func(b *graph.B) { MSE(b, x, x, 9) },
		"want (N, D) and (N)":            func(b *graph.B) { CosineEmbedding(b, x, x, y, 0, Mean) },
	} {
		b := g.Build("")
		f(b)
		if b.Err() == nil || !strings.Contains(b.Err().Error(), want) {
			t.Errorf("got error %v, want one with %q", b.Err(), want)
		}
	}
}

package graph

import (
	"math"
	"slices"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu"
)

// TestHalfPrecisionGradients runs gradients with bfloat16 activations and holds
// them to the float64 ones. A bfloat16 has 8 bits, and a gradient is the sum of
// some products of rounded numbers.
func TestHalfPrecisionGradients(t *testing.T) {
	for _, c := range slices.Concat(nnCases(), definitionCases()) {
		if c.op == "FusedConv" {
			continue
		}
		t.Run(c.op+"/"+c.name, func(t *testing.T) {
			want := halfGradients(t, c, accel.Float64)
			got := halfGradients(t, c, accel.BFloat16)
			for i := range want {
				w, v := accel.Values[float64](want[i]), accel.Values[float64](got[i])
				most := 1.0
				for _, x := range w {
					most = max(most, math.Abs(x))
				}
				for j := range w {
					if diff := math.Abs(v[j] - w[j]); !(diff <= 0x1p-4*most) {
						t.Fatalf("gradient %d, element %d: got %g, want %g", i, j, v[j], w[j])
					}
				}
			}
		})
	}
}

// halfGradients computes the gradients of the weighted sum of a case's first
// output, with its floats cast to typ, as float64.
func halfGradients(t *testing.T, c gradCase, typ accel.DType) []*accel.Array {
	t.Helper()
	g := New("half")
	b := g.Build("")
	var x, wrt []*Value
	var args []*accel.Array
	for _, a := range c.in {
		switch {
		case a == nil:
			x = append(x, nil)
		case a.DType != accel.Float64:
			x = append(x, g.Const("", a))
		default:
			v, err := g.Input(g.free("x"), a.DType, a.Shape...)
			if err != nil {
				t.Fatal(err)
			}
			x, wrt, args = append(x, b.Cast(v, typ)), append(wrt, v), append(args, a)
		}
	}
	y := b.Op(c.op, c.attrs, x...)
	loss := weightedSum(b, []*Value{b.Cast(y, accel.Float64)})
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
	grads, err := Gradients(bound, bound.Outputs[0], wrt)
	if err != nil {
		t.Fatal(err)
	}
	return runOn(t, cpu.New(), bound, grads, args)
}

package cpu

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/millrace-go/millrace/accel"
)

// roundedCase is a product of op(a), which may be several matrices, and op(b).
type roundedCase struct {
	batch, m, k, n          int
	transA, transB          bool
	alpha                   float64
	bias, residual, sharedB bool
	act                     string
}

// value is an element of op(x) of matrix i; op(x) has rows rows and cols columns.
func value(x *accel.Array, i, row, col, rows, cols int, trans bool) float64 {
	if trans {
		row, col, rows, cols = col, row, cols, rows
	}
	return float64(accel.Values[float32](x)[(i*rows+row)*cols+col])
}

func (rc roundedCase) trial() trial {
	sa, sb, sy := []int{rc.batch, rc.m, rc.k}, []int{rc.batch, rc.k, rc.n}, []int{rc.batch, rc.m, rc.n}
	at := accel.Attrs{accel.Float("alpha", rc.alpha)}
	if rc.transA {
		sa[1], sa[2], at = rc.k, rc.m, at.With(accel.Int("transA", 1))
	}
	if rc.transB {
		sb[1], sb[2], at = rc.n, rc.k, at.With(accel.Int("transB", 1))
	}
	if rc.sharedB {
		sb = sb[1:]
	}
	if rc.act != "" {
		at = at.With(accel.String("activation", rc.act))
	}
	tr := trial{op: "FusedMatMul", attrs: at, out: []accel.Tensor{typed(accel.Float32, sy...)}}
	tr.in = []*accel.Array{floats32(1, -1, 1, sa...), floats32(2, -1, 1, sb...), nil, nil}
	if rc.bias {
		tr.in[2] = floats32(3, -1, 1, rc.n)
	}
	if rc.residual {
		tr.in[3] = floats32(4, -1, 1, sy...)
	}
	return tr
}

// want is element (i, r, c) in float64 of the operands as they are, and how far a
// result may be from it: the operands are rounded by u each, the sum and what
// follows at every step. None of the activations is steeper than 1.13, nor errs by
// more than a few units in the last place.
func (rc roundedCase) want(tr trial, i, r, c int, u float64) (want, tol float64) {
	j, size := i, 0.0
	if rc.sharedB {
		j = 0
	}
	for k := range rc.k {
		term := value(tr.in[0], i, r, k, rc.m, rc.k, rc.transA) * value(tr.in[1], j, k, c, rc.k, rc.n, rc.transB)
		want += term
		size += math.Abs(term)
	}
	size *= math.Abs(rc.alpha)
	want *= rc.alpha
	if rc.bias {
		want += float64(accel.Values[float32](tr.in[2])[c])
	}
	if rc.residual {
		want += float64(accel.Values[float32](tr.in[3])[(i*rc.m+r)*rc.n+c])
	}
	tol = size*(2*u+u*u+float64(rc.k+2)*0x1p-24) + 8*0x1p-24*(size+2)
	switch rc.act {
	case "Relu":
		want = max(want, 0)
	case "Gelu":
		want *= normalCDF(want)
	case "Tanh":
		want = math.Tanh(want)
	}
	return want, 1.13 * tol
}

// Shapes around the tiles, and one whose epilogue takes several tiles.
var roundedCases = []roundedCase{
	{batch: 1, m: 1, k: 1, n: 1, alpha: 1},
	{batch: 1, m: 5, k: 33, n: 31, alpha: 1, bias: true, act: "Relu"},
	{batch: 1, m: 15, k: 64, n: 33, alpha: 1, bias: true, transB: true, act: "Gelu"},
	{batch: 1, m: 70, k: 20, n: 300, alpha: 0.5, bias: true, residual: true, act: "Tanh"},
	{batch: 1, m: 17, k: 40, n: 34, alpha: 1, residual: true, transA: true, act: "Relu"},
	{batch: 1, m: 9, k: 7, n: 65, alpha: -2, transA: true, transB: true},
	{batch: 3, m: 6, k: 21, n: 10, alpha: 1, bias: true, sharedB: true},
	{batch: 3, m: 6, k: 21, n: 10, alpha: 1, bias: true, sharedB: true, transA: true},
	{batch: 4, m: 5, k: 12, n: 35, alpha: 0.25, residual: true, transB: true},
	{batch: 2, m: 3, k: 0, n: 4, alpha: 1, bias: true},
	{batch: 1, m: 0, k: 3, n: 4, alpha: 1, act: "Gelu"},
	{batch: 1, m: 3, k: 4, n: 0, alpha: 0.5},
}

// TestRoundedProducts: results of rounded operands are within the bound of the exact
// ones, and the same bits for constant weights and for threads.
func TestRoundedProducts(t *testing.T) {
	for _, rc := range roundedCases {
		for name, u := range map[string]float64{"bfloat16": 0x1p-8, "float16": 0x1p-11} {
			t.Run(fmt.Sprintf("%+v/%s", rc, name), func(t *testing.T) {
				tr := rc.trial()
				tr.attrs = tr.attrs.With(accel.String("compute", name))
				got := accel.Values[float32](tr.runAll(t)[0])
				for at, g := range got {
					want, tol := rc.want(tr, at/rc.n/rc.m, at/rc.n%rc.m, at%rc.n, u)
					if diff := math.Abs(float64(g) - want); !(diff <= tol) {
						t.Fatalf("element %d: %g, want %g within %g", at, g, want, tol)
					}
				}
				tr.known = []int{1}
				if packed := accel.Values[float32](tr.runAll(t)[0]); !slices.Equal(packed, got) {
					t.Error("packed weights give other bits")
				}
			})
		}
	}
}

// TestRoundedProductRounds: the operands are rounded, to the type asked for.
func TestRoundedProductRounds(t *testing.T) {
	const x = 1 + 0x1p-9 // an element of float16, between two of bfloat16
	for compute, want := range map[string]float32{"": x, "bfloat16": 1, "float16": x} {
		a, b := accel.ArrayOf(accel.Float32, []int{1, 1}, []float32{x}), accel.ArrayOf(accel.Float32, []int{1, 1}, []float32{1})
		tr := trial{op: "FusedMatMul", in: []*accel.Array{a, b}, out: []accel.Tensor{typed(accel.Float32, 1, 1)}}
		if compute != "" {
			tr.attrs = accel.Attrs{accel.String("compute", compute)}
		}
		if got := accel.Values[float32](tr.runAll(t)[0])[0]; got != want {
			t.Errorf("compute %q: %g, want %g", compute, got, want)
		}
	}
}

func TestRoundedProductErrors(t *testing.T) {
	single, double := floats32(1, -1, 1, 2, 2), accel.NewArray(accel.Float64, 2, 2)
	for name, tr := range map[string]trial{
		"type":       {attrs: accel.Attrs{accel.String("compute", "int8")}, in: []*accel.Array{single, single}},
		"activation": {attrs: accel.Attrs{accel.String("compute", "float16"), accel.String("activation", "Elu")}, in: []*accel.Array{single, single}},
		"operands":   {attrs: accel.Attrs{accel.String("compute", "float16")}, in: []*accel.Array{double, double}},
	} {
		tr.op, tr.out = "FusedMatMul", []accel.Tensor{typed(tr.in[0].DType, 2, 2)}
		if _, err := tr.run(New()); !errors.Is(err, accel.ErrUnsupported) {
			t.Errorf("%s: error %v, want %v", name, err, accel.ErrUnsupported)
		}
	}
}

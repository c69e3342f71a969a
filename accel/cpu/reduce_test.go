package cpu

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/millrace-go/millrace/accel"
)

// reductions are shapes and axes: each way of cutting into stages, parts, lanes
// and tiles, with lengths on both sides of the limits.
var reductions = []struct{ shape, axes []int }{
	{[]int{}, []int{}}, {[]int{1}, []int{0}}, {[]int{17}, []int{0}}, {[]int{partLen + 1}, []int{0}}, {[]int{5 * partLen}, []int{0}},
	{[]int{7, 33}, []int{1}}, {[]int{7, 33}, []int{0}}, {[]int{7, 33}, []int{0, 1}}, {[]int{3000, 20}, []int{1}}, {[]int{partRows + 1, 5}, []int{0}},
	{[]int{3*partRows + 7, partCols + 9}, []int{0}}, {[]int{4, 9, 6}, []int{1}}, {[]int{4, 9, 6}, []int{0, 2}}, {[]int{2, 3, 4, 5, 6}, []int{0, 2, 4}},
	{[]int{2, 3, 4, 5, 6}, []int{1, 3}}, {[]int{40, 1, 50}, []int{0, 2}}, {[]int{40, 1, 50}, []int{1}}, {[]int{2500, 1, 3, 7}, []int{0, 3}},
	{[]int{3, 0, 4}, []int{1}}, {[]int{3, 0, 4}, []int{0}}, {[]int{0}, []int{0}},
}

// reduceReference is plain loops in float64 over the elements of x.
func reduceReference(x []float32, shape, axes []int, unit float64, step func(a, v float64) float64) (out []float64, kept []int, count int) {
	own, strides := contiguous(shape), make([]int, len(shape))
	count = 1
	for d, size := range shape {
		if slices.Contains(axes, d) {
			count *= size
		} else {
			kept = append(kept, size)
		}
	}
	for d, n := len(shape)-1, 1; d >= 0; d-- {
		if !slices.Contains(axes, d) {
			strides[d] = n
			n *= shape[d]
		}
	}
	out = make([]float64, accel.Size(kept))
	setAll(out, unit)
	for i, v := range x {
		to := 0
		for d := range shape {
			to += i / own[d] % shape[d] * strides[d]
		}
		out[to] = step(out[to], float64(v))
	}
	return out, kept, count
}

func TestReduceFloat32(t *testing.T) {
	type reference struct {
		unit float64
		step func(a, v float64) float64
		done func(a float64, n int) float64
	}
	sum, same := func(a, v float64) float64 { return a + v }, func(a float64, _ int) float64 { return a }
	square := func(a, v float64) float64 { return a + v*v }
	ops := map[string]reference{
		"ReduceSum": {0, sum, same}, "ReduceMean": {0, sum, func(a float64, n int) float64 { return a / float64(n) }},
		"ReduceMax": {math.Inf(-1), math.Max, same}, "ReduceMin": {math.Inf(1), math.Min, same},
		"ReduceL1": {0, func(a, v float64) float64 { return a + math.Abs(v) }, same}, "ReduceSumSquare": {0, square, same},
		"ReduceL2":     {0, square, func(a float64, _ int) float64 { return math.Sqrt(a) }},
		"ReduceLogSum": {0, sum, func(a float64, _ int) float64 { return math.Log(a) }},
	}
	for _, c := range reductions {
		x := floats32(1, 0.5, 1.5, c.shape...)
		for op, r := range ops {
			want, kept, count := reduceReference(accel.Values[float32](x), c.shape, c.axes, r.unit, r.step)
			for i := range want {
				want[i] = r.done(want[i], count)
			}
			y := trial{op: op, in: []*accel.Array{x, accel.Ints64(c.axes...)}, known: []int{1}, out: []accel.Tensor{typed(accel.Float32, kept...)}}.runAll(t)[0]
			// 16 rows are summed in float32, whose error is at most 15·2⁻²⁴ of their
			// sum; the logarithm of a sum near 1 is as far off in absolute terms.
			got := accel.Values[float32](y)
			for i, w := range want {
				if diff := math.Abs(float64(got[i]) - w); !(diff <= 16*0x1p-24*max(1, math.Abs(w))) && !(w == float64(got[i]) || w != w && got[i] != got[i]) {
					t.Fatalf("%s %v over %v: element %d is %g, want %g", op, c.shape, c.axes, i, got[i], w)
				}
			}
		}
	}
}

func TestReduceProdFloat32(t *testing.T) {
	for _, c := range reductions {
		x := floats32(1, 0.9, 1.1, c.shape...)
		if x.Len() > 3000 {
			continue // a product of more leaves the range
		}
		want, kept, _ := reduceReference(accel.Values[float32](x), c.shape, c.axes, 1, func(a, v float64) float64 { return a * v })
		y := trial{op: "ReduceProd", in: []*accel.Array{x, accel.Ints64(c.axes...)}, known: []int{1}, out: []accel.Tensor{typed(accel.Float32, kept...)}}.runAll(t)[0]
		if err := near(accel.Values[float32](y), want, 0.51); err != nil {
			t.Errorf("%v over %v: %v", c.shape, c.axes, err)
		}
	}
}

// TestReduceNaN: a NaN anywhere is the maximum, the minimum and the sum.
func TestReduceNaN(t *testing.T) {
	for _, shape := range [][]int{{1, 100}, {100, 1}, {100, 30}} {
		for _, at := range []int{0, 17, 99} {
			x := floats32(1, 0, 1, shape...)
			accel.Values[float32](x)[at*accel.Size(shape)/100] = float32(math.NaN())
			for _, op := range []string{"ReduceMax", "ReduceMin", "ReduceSum"} {
				for axis := range 2 {
					kept := []int{shape[1-axis]}
					y := trial{op: op, in: []*accel.Array{x, accel.Ints64(axis)}, known: []int{1}, out: []accel.Tensor{typed(accel.Float32, kept...)}}.runAll(t)[0]
					count := 0
					for _, v := range accel.Values[float32](y) {
						if v != v {
							count++
						}
					}
					if count != 1 {
						t.Errorf("%s of %v over %d: %d results are NaN, want 1", op, shape, axis, count)
					}
				}
			}
		}
	}
}

// TestArgAndTopKOrder compares with a full sort, in which NaN is the greatest and
// of equal elements the first comes first.
func TestArgAndTopKOrder(t *testing.T) {
	x := floats32(5, 0, 6, 6, 23, 4)
	v := accel.Values[float32](x)
	for i := range v {
		v[i] = float32(math.Floor(float64(v[i]))) // many equal ones
		if i%37 == 5 {
			v[i] = float32(math.NaN())
		}
	}
	for axis, n := range x.Shape {
		outer, _, inner := around(x.Shape, axis)
		for _, largest := range []int{0, 1} {
			for _, k := range []int{0, 1, 2, n} {
				shape := slices.Clone(x.Shape)
				shape[axis] = k
				attrs := accel.Attrs{accel.Int("axis", axis), accel.Int("largest", largest)}
				out := trial{op: "TopK", attrs: attrs, in: []*accel.Array{x, accel.Ints64(k)}, known: []int{1}, out: []accel.Tensor{typed(accel.Float32, shape...), typed(accel.Int64, shape...)}}.runAll(t)
				for lane := range outer * inner {
					from := lane/inner*n*inner + lane%inner
					order := sortedPlaces(v[from:], n, inner, largest == 1)
					for p := range k {
						at := (lane/inner*k+p)*inner + lane%inner
						place, got := accel.Values[int64](out[1])[at], accel.Values[float32](out[0])[at]
						if want := v[from+order[p]*inner]; int(place) != order[p] || got != want && want == want {
							t.Fatalf("TopK%v k=%d lane %d: place %d is %d (%g), want %d (%g)", attrs, k, lane, p, place, got, order[p], want)
						}
					}
				}
			}
		}
	}
}

func sortedPlaces(x []float32, n, step int, largest bool) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	key := func(i int) float64 {
		v := float64(x[i*step])
		if v != v {
			return math.Inf(1)
		}
		return v
	}
	slices.SortStableFunc(order, func(a, b int) int {
		d := key(a) - key(b)
		switch {
		case key(a) == key(b):
			return 0
		case largest == (d > 0):
			return -1
		}
		return 1
	})
	return order
}

func TestArgNaNAndTies(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		x                              []float32
		first, last, minFirst, minLast int64
	}{
		{[]float32{1, 3, 3, 1}, 1, 2, 0, 3}, {[]float32{2}, 0, 0, 0, 0},
		{[]float32{1, nan, 5, nan, 0}, 1, 3, 1, 3}, {[]float32{nan, 1}, 0, 0, 0, 0}, {[]float32{7, 7, 7}, 0, 2, 0, 2},
	} {
		x := accel.ArrayOf(accel.Float32, []int{len(c.x)}, c.x)
		for i, want := range []int64{c.first, c.last, c.minFirst, c.minLast} {
			tr := trial{op: []string{"ArgMax", "ArgMin"}[i/2], attrs: accel.Attrs{accel.Int("select_last_index", i%2)}, in: []*accel.Array{x}, out: []accel.Tensor{typed(accel.Int64, 1)}}
			if got := accel.Values[int64](tr.runAll(t)[0])[0]; got != want {
				t.Errorf("%s%v of %v: got %d, want %d", tr.op, tr.attrs, c.x, got, want)
			}
		}
	}
}

func TestCumulativeFloat32(t *testing.T) {
	x := floats32(1, 0.5, 1.5, 5, 40, 30)
	for axis, n := range x.Shape {
		outer, _, inner := around(x.Shape, axis)
		for flags := range 8 {
			exclusive, reverse, product := flags&1, flags>>1&1, flags&4 != 0
			op, unit := "CumSum", 0.0
			if product {
				op, unit = "CumProd", 1.0
			}
			attrs := accel.Attrs{accel.Int("exclusive", exclusive), accel.Int("reverse", reverse)}
			y := trial{op: op, attrs: attrs, in: []*accel.Array{x, accel.Ints64(axis)}, known: []int{1}, out: []accel.Tensor{typed(accel.Float32, x.Shape...)}}.runAll(t)[0]
			want := make([]float64, y.Len())
			for lane := range outer * inner {
				acc := unit
				for k := range n {
					if reverse == 1 {
						k = n - 1 - k
					}
					at := (lane/inner*n+k)*inner + lane%inner
					before := acc
					if v := float64(accel.Values[float32](x)[at]); product {
						acc *= v
					} else {
						acc += v
					}
					want[at] = []float64{acc, before}[exclusive]
				}
			}
			if err := near(accel.Values[float32](y), want, 0.51); err != nil {
				t.Errorf("%s%v along %d: %v", op, attrs, axis, err)
			}
		}
	}
}

func BenchmarkElementwise(b *testing.B) {
	x, row, column, wide := floats32(1, 0, 1, 2048, 1024), floats32(2, 0, 1, 1024), floats32(3, 0, 1, 2048, 1), floats32(4, 0, 1, 2048, 1024)
	out := []accel.Tensor{typed(accel.Float32, 2048, 1024)}
	for _, c := range []struct {
		name string
		tr   trial
		move int64 // bytes
	}{
		{"add/same", trial{op: "Add", in: []*accel.Array{x, wide}, out: out}, 3 * 8 << 20},
		{"add/row", trial{op: "Add", in: []*accel.Array{x, row}, out: out}, 2 * 8 << 20},
		{"add/column", trial{op: "Add", in: []*accel.Array{x, column}, out: out}, 2 * 8 << 20},
		{"relu", trial{op: "Relu", in: []*accel.Array{x}, out: out}, 2 * 8 << 20},
		{"sum/rows", trial{op: "ReduceSum", in: []*accel.Array{x, accel.Ints64(1)}, known: []int{1}, out: []accel.Tensor{typed(accel.Float32, 2048)}}, 8 << 20},
		{"sum/columns", trial{op: "ReduceSum", in: []*accel.Array{x, accel.Ints64(0)}, known: []int{1}, out: []accel.Tensor{typed(accel.Float32, 1024)}}, 8 << 20},
		{"sum/all", trial{op: "ReduceSum", in: []*accel.Array{x}, out: []accel.Tensor{typed(accel.Float32)}}, 8 << 20},
		{"max/columns", trial{op: "ReduceMax", in: []*accel.Array{x, accel.Ints64(0)}, known: []int{1}, out: []accel.Tensor{typed(accel.Float32, 1024)}}, 8 << 20},
	} {
		b.Run(fmt.Sprintf("op=%s", c.name), func(b *testing.B) {
			run := c.tr.ready(b)
			b.SetBytes(c.move)
			for b.Loop() {
				run()
			}
		})
	}
}

package graph

import (
	"math"
	"testing"

	"github.com/millrace-go/millrace/accel"
)

func TestReductionsByHand(t *testing.T) {
	inf := math.Inf(1)
	drop, noop := accel.Attrs{accel.Int("keepdims", 0)}, accel.Attrs{accel.Int("noop_with_empty_axes", 1)}
	x := float64s([]int{2, 3}, 1, -2, 3, 4, 5, -6)
	shaped := func(shape []int, v ...float64) []*accel.Array { return ins(float64s(shape, v...)) }
	empty := accel.NewArray(accel.Float64, 2, 0)
	checkValues(t, []valueCase{
		{"ReduceSum", nil, ins(x), shaped([]int{1, 1}, 5)}, {"ReduceSum", drop, ins(x, nil), shaped([]int{}, 5)},
		{"ReduceSum", drop, ins(x, accel.Ints64(1)), shaped([]int{2}, 2, 3)}, {"ReduceSum", nil, ins(x, accel.Ints64(-2)), shaped([]int{1, 3}, 5, 3, -3)},
		{"ReduceSum", noop, ins(x), ins(x)}, {"ReduceSum", noop, ins(x, accel.Ints64()), ins(x)}, {"ReduceSum", nil, ins(x, accel.Ints64()), shaped([]int{1, 1}, 5)},
		{"ReduceMean", drop, ins(x, accel.Ints64(0, 1)), shaped([]int{}, 5./6)}, {"ReduceProd", drop, ins(x, accel.Ints64(1)), shaped([]int{2}, -6, -120)},
		{"ReduceMax", drop, ins(x, accel.Ints64(0)), shaped([]int{3}, 4, 5, 3)}, {"ReduceMin", drop, ins(x, accel.Ints64(0)), shaped([]int{3}, 1, -2, -6)},
		{"ReduceL1", drop, ins(x, accel.Ints64(1)), shaped([]int{2}, 6, 15)}, {"ReduceSumSquare", drop, ins(x, accel.Ints64(1)), shaped([]int{2}, 14, 77)},
		{"ReduceL2", drop, ins(float64s([]int{2}, 3, -4)), shaped([]int{}, 5)}, {"ReduceLogSum", drop, ins(float64s([]int{2}, 0.25, 0.75)), shaped([]int{}, 0)},
		// With no axes only the reduction is left out, not the rest.
		{"ReduceSumSquare", noop, ins(x), shaped([]int{2, 3}, 1, 4, 9, 16, 25, 36)}, {"ReduceL1", noop, ins(x), shaped([]int{2, 3}, 1, 2, 3, 4, 5, 6)},
		// Of nothing.
		{"ReduceSum", drop, ins(empty, accel.Ints64(1)), shaped([]int{2}, 0, 0)}, {"ReduceProd", drop, ins(empty, accel.Ints64(1)), shaped([]int{2}, 1, 1)},
		{"ReduceMax", drop, ins(empty, accel.Ints64(1)), shaped([]int{2}, -inf, -inf)}, {"ReduceMin", drop, ins(empty, accel.Ints64(1)), shaped([]int{2}, inf, inf)},
		{"ReduceLogSum", drop, ins(empty, accel.Ints64(1)), shaped([]int{2}, -inf, -inf)}, {"ReduceLogSumExp", drop, ins(empty, accel.Ints64(1)), shaped([]int{2}, -inf, -inf)},
		{"ReduceMean", drop, ins(empty, accel.Ints64(1)), shaped([]int{2}, math.NaN(), math.NaN())}, {"ReduceSum", nil, ins(empty, accel.Ints64(0)), shaped([]int{1, 0})},
		{"ReduceMax", drop, ins(accel.NewArray(accel.Int8, 0)), ins(accel.ArrayOf(accel.Int8, []int{}, []int8{-128}))},
		{"ReduceMin", drop, ins(accel.NewArray(accel.Uint16, 0)), ins(accel.ArrayOf(accel.Uint16, []int{}, []uint16{65535}))},
		{"ReduceMin", drop, ins(accel.NewArray(accel.Bool, 0)), ins(accel.ArrayOf(accel.Bool, []int{}, []bool{true}))},
		// Extremes of the exponential neither overflow nor vanish.
		{"ReduceLogSumExp", drop, ins(float64s([]int{2}, 1000, -1000)), shaped([]int{}, 1000)}, {"ReduceLogSumExp", drop, ins(float64s([]int{2}, -inf, -inf)), shaped([]int{}, -inf)},
		{"ReduceLogSumExp", drop, ins(float64s([]int{2}, inf, 0)), shaped([]int{}, inf)},
		{"ReduceMax", drop, ins(accel.ArrayOf(accel.Bool, []int{2, 2}, []bool{false, true, false, false}), accel.Ints64(1)), ins(arr(accel.Bool, true, false))},
		{"ReduceMin", drop, ins(accel.ArrayOf(accel.Bool, []int{2, 2}, []bool{true, true, false, true}), accel.Ints64(1)), ins(arr(accel.Bool, true, false))},
	})
}

func TestReductionsOfAllTypes(t *testing.T) {
	drop := accel.Attrs{accel.Int("keepdims", 0)}
	for d := accel.Float32; d <= accel.Uint64; d++ {
		x := of(t, d, 3, 1, 4, 4)
		mean, l2, logSum := of(t, d, 3), of(t, d, math.Sqrt(42)), of(t, d, math.Log(12))
		for op, want := range map[string]*accel.Array{
			"ReduceSum": of(t, d, 12), "ReduceMean": mean, "ReduceMax": of(t, d, 4), "ReduceMin": of(t, d, 1), "ReduceProd": of(t, d, 48),
			"ReduceL1": of(t, d, 12), "ReduceL2": l2, "ReduceLogSum": logSum, "ReduceSumSquare": of(t, d, 42),
		} {
			want.Shape = nil
			checkValues(t, []valueCase{{op, drop, ins(x), ins(want)}})
		}
		most, least := of(t, accel.Int64, 2), of(t, accel.Int64, 1)
		checkValues(t, []valueCase{
			{"ArgMax", nil, ins(x), ins(most)}, {"ArgMin", nil, ins(x), ins(least)},
			{"ArgMax", accel.Attrs{accel.Int("select_last_index", 1)}, ins(x), ins(of(t, accel.Int64, 3))},
			{"TopK", nil, ins(x, accel.Ints64(3)), ins(of(t, d, 4, 4, 3), of(t, accel.Int64, 2, 3, 0))},
			{"TopK", accel.Attrs{accel.Int("largest", 0), accel.Int("sorted", 0)}, ins(x, accel.Ints64(2)), ins(of(t, d, 1, 3), of(t, accel.Int64, 1, 0))},
		})
		if d.IsFloat() || d.Size() >= 4 {
			checkValues(t, []valueCase{
				{"CumSum", nil, ins(x, accel.Ints64(0)), ins(of(t, d, 3, 4, 8, 12))},
				{"CumProd", accel.Attrs{accel.Int("reverse", 1), accel.Int("exclusive", 1)}, ins(x, accel.Ints64(-1)), ins(of(t, d, 16, 16, 4, 1))},
			})
		}
	}
	checkValues(t, []valueCase{
		{"ReduceMean", drop, ins(arr[int32](accel.Int32, -3, -4)), ins(accel.ArrayOf(accel.Int32, []int{}, []int32{-3}))}, // truncated
		{"ReduceL1", drop, ins(arr[int32](accel.Int32, -3, 4)), ins(accel.ArrayOf(accel.Int32, []int{}, []int32{7}))},
		{"ReduceSum", drop, ins(arr[int8](accel.Int8, 127, 1)), ins(accel.ArrayOf(accel.Int8, []int{}, []int8{-128}))}, // wraps around
		{"ReduceLogSumExp", drop, ins(arr[int32](accel.Int32, 5, -100)), ins(accel.ArrayOf(accel.Int32, []int{}, []int32{5}))},
		// 300² is beyond float16, and so are the squares; the root is not.
		{"ReduceL2", drop, ins(of(t, accel.Float16, 300, 400)), ins(&accel.Array{DType: accel.Float16, Data: of(t, accel.Float16, 500).Data})},
		{"ArgMax", accel.Attrs{accel.Int("axis", 1), accel.Int("keepdims", 0)}, ins(float64s([]int{2, 2}, 1, 2, 4, 3)), ins(of(t, accel.Int64, 1, 0))},
	})
}

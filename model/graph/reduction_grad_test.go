package graph

import (
	"testing"

	"github.com/millrace-go/millrace/accel"
)

func TestReductionGradients(t *testing.T) {
	x, some := distinct(1, 3, 2, 5), uniform(2, 0.3, 2, 3, 2, 5)
	drop := accel.Attrs{accel.Int("keepdims", 0)}
	noop := accel.Attrs{accel.Int("noop_with_empty_axes", 1)}
	over := func(x *accel.Array, axes ...int) []*accel.Array { return []*accel.Array{x, accel.Ints64(axes...)} }
	zeros := float64s([]int{2, 4}, 2, 0, 3, -1, 0, 0.5, 0, 4)
	var cases []gradCase
	for _, op := range []string{"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"} {
		cases = append(cases,
			gradCase{"all", op, drop, []*accel.Array{some}, 0},
			gradCase{"last", op, nil, over(some, -1), 0},
			gradCase{"first", op, drop, over(some, 0), 0},
			gradCase{"ends", op, drop, over(some, 0, 2), 0},
			gradCase{"none", op, noop, over(some), 0})
	}
	for _, op := range []string{"ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSumExp"} {
		cases = append(cases, gradCase{"signs", op, nil, over(x, 1), 0})
	}
	axis := func(i int64) *accel.Array { return accel.ArrayOf(accel.Int64, []int{}, []int64{i}) }
	both := func(exclusive, reverse int) accel.Attrs {
		return accel.Attrs{accel.Int("exclusive", exclusive), accel.Int("reverse", reverse)}
	}
	cases = append(cases,
		gradCase{"zeros", "ReduceProd", nil, over(zeros, 1), 0},
		gradCase{"largest", "TopK", nil, over(x, 2), 1},
		gradCase{"smallest", "TopK", accel.Attrs{accel.Int("axis", 0), accel.Int("largest", 0)}, over(x, 2), 1})
	for _, op := range []string{"CumSum", "CumProd"} {
		for _, a := range []accel.Attrs{both(0, 0), both(1, 0), both(0, 1), both(1, 1)} {
			cases = append(cases, gradCase{a.String(), op, a, []*accel.Array{x, axis(1)}, 0}, gradCase{a.String() + " zeros", op, a, []*accel.Array{zeros, axis(-1)}, 0})
		}
	}
	checkGradCases(t, reductionOps(), cases)
}

package graph

import (
	"math"
	"testing"

	"github.com/millrace-go/millrace/accel"
)

func ints32(shape []int, v ...int32) *accel.Array { return accel.ArrayOf(accel.Int32, shape, v) }

func ints64(shape []int, v ...int64) *accel.Array { return accel.ArrayOf(accel.Int64, shape, v) }

func TestGatherAllTypes(t *testing.T) {
	axis := func(a int) accel.Attrs { return accel.Attrs{accel.Int("axis", a)} }
	rows := []int{2, 0, 2}
	checkMoves(t, []moveCase{
		{"rows", "Gather", nil, []int{3, 40}, ins(ints64([]int{3}, 2, -3, -1)), []int{3, 40}, func(i []int) int { return rows[i[0]]*40 + i[1] }},
		{"columns", "Gather", axis(-1), []int{2, 3}, ins(ints32([]int{1, 3}, 2, 0, 2)), []int{2, 1, 3}, func(i []int) int { return i[0]*3 + rows[i[2]] }},
		{"middle", "Gather", axis(1), []int{2, 3, 5}, ins(ints32([]int{3}, 2, 0, -1)), []int{2, 3, 5}, func(i []int) int { return (i[0]*3+rows[i[1]])*5 + i[2] }},
		{"one", "Gather", nil, []int{3}, ins(ints64([]int{}, 1)), []int{}, func([]int) int { return 1 }},
		{"none", "Gather", nil, []int{0, 2}, ins(ints64([]int{0})), []int{0, 2}, func([]int) int { return 0 }},
		{"axis 1", "GatherElements", axis(1), []int{2, 3}, ins(ints64([]int{2, 2}, 0, 2, -1, -2)), []int{2, 2}, func(i []int) int {
			return [][]int{{0, 2}, {5, 4}}[i[0]][i[1]]
		}},
		{"axis 0", "GatherElements", nil, []int{2, 3}, ins(ints32([]int{1, 2}, 1, 0)), []int{1, 2}, func(i []int) int { return []int{3, 1}[i[1]] }},
		{"elements", "GatherND", nil, []int{2, 3}, ins(ints64([]int{2, 2}, 0, 2, -1, -3)), []int{2}, func(i []int) int { return []int{2, 3}[i[0]] }},
		{"rows", "GatherND", nil, []int{2, 3, 4}, ins(ints64([]int{2, 1, 2}, 1, 1, 0, 2)), []int{2, 1, 4}, func(i []int) int { return []int{16, 8}[i[0]] + i[2] }},
		{"batch", "GatherND", accel.Attrs{accel.Int("batch_dims", 1)}, []int{2, 3, 4}, ins(ints64([]int{2, 1}, 2, 0)), []int{2, 4}, func(i []int) int { return []int{8, 12}[i[0]] + i[1] }},
	})
}

func TestScatterAllTypes(t *testing.T) {
	reduce := func(r string) accel.Attrs { return accel.Attrs{accel.String("reduction", r)} }
	for d := accel.Float32; d <= accel.Uint64; d++ {
		x, twice := of(t, d, 6, 7, 8, 9), ints64([]int{3}, 1, -1, 1)
		by, pairs := of(t, d, 2, 12, 3), ints64([]int{3, 1}, 1, -1, 1)
		for _, c := range []struct {
			reduction string
			want      []float64
		}{{"none", []float64{6, 3, 8, 12}}, {"add", []float64{6, 12, 8, 21}}, {"mul", []float64{6, 42, 8, 108}}, {"max", []float64{6, 7, 8, 12}}, {"min", []float64{6, 2, 8, 9}}} {
			want := ins(of(t, d, c.want...))
			checkValues(t, []valueCase{
				{"ScatterElements", reduce(c.reduction), ins(x, twice, by), want},
				{"ScatterND", reduce(c.reduction), ins(x, pairs, by), want},
			})
		}
	}
	b := func(shape []int, v ...bool) *accel.Array { return accel.ArrayOf(accel.Bool, shape, v) }
	f := func(shape []int, v ...float32) *accel.Array { return accel.ArrayOf(accel.Float32, shape, v) }
	nan := float32(math.NaN())
	checkValues(t, []valueCase{
		{"ScatterElements", nil, ins(b([]int{3}, false, false, false), ints64([]int{1}, 1), b([]int{1}, true)), ins(b([]int{3}, false, true, false))},
		{"ScatterElements", accel.Attrs{accel.Int("axis", 1)}, ins(f([]int{2, 2}, 1, 2, 3, 4), ints64([]int{2, 1}, 1, 0), f([]int{2, 1}, 8, 9)), ins(f([]int{2, 2}, 1, 8, 9, 4))},
		{"ScatterElements", reduce("max"), ins(f([]int{2}, nan, 1), ints64([]int{2}, 0, 1), f([]int{2}, 1, nan)), ins(f([]int{2}, nan, nan))},
		{"ScatterND", nil, ins(f([]int{2, 2}, 1, 2, 3, 4), ints64([]int{1, 1}, 1), f([]int{1, 2}, 8, 9)), ins(f([]int{2, 2}, 1, 2, 8, 9))},
		{"ScatterND", nil, ins(f([]int{2}, 1, 2), ints64([]int{0, 1}), f([]int{0})), ins(f([]int{2}, 1, 2))},
		{"GatherGrad", nil, ins(f([]int{3, 2}, 1, 2, 3, 4, 5, 6), ints64([]int{3}, 1, 2, -2), accel.Ints64(3, 2)), ins(f([]int{3, 2}, 0, 0, 6, 8, 3, 4))},
	})
}

func TestIndexMistakes(t *testing.T) {
	x, f := accel.NewArray(accel.Float32, 2, 3), accel.NewArray(accel.Float32, 1, 3)
	bad := ints64([]int{1, 2}, 0, 3)
	checkRefused(t, []refused{
		{"Gather", nil, ins(x, ints64([]int{2}, 1, 2)), "index 2 at position 1"},
		{"Gather", nil, ins(x, ints64([]int{1}, -3)), "index -3 at position 0"},
		{"Gather", nil, ins(accel.NewArray(accel.Float32, 0), ints64([]int{1}, 0)), "index 0 at position 0"},
		{"Gather", nil, ins(x, accel.NewArray(accel.Uint8, 1)), "uint8"},
		{"Gather", accel.Attrs{accel.Int("axis", 2)}, ins(x, bad), "axis 2"},
		{"GatherElements", nil, ins(x, bad), "index 3 at position 1"},
		{"GatherElements", nil, ins(x, ints64([]int{1}, 0)), "[1]"},
		{"GatherElements", nil, ins(x, accel.NewArray(accel.Int64, 1, 4)), "[1 4]"},
		{"GatherND", nil, ins(x, bad), "index 3 at position 1 is out of range for a dimension of 3"},
		{"GatherND", nil, ins(x, accel.NewArray(accel.Int64, 1, 3)), "[1 3]"},
		{"GatherND", accel.Attrs{accel.Int("batch_dims", 1)}, ins(x, accel.NewArray(accel.Int64, 3, 1)), "[3 1]"},
		{"ScatterElements", nil, ins(x, ints64([]int{1, 3}, 0, -4, 0), f), "index -4 at position 1"},
		{"ScatterElements", nil, ins(x, ints64([]int{1, 2}, 0, 0), f), "[1 2]"},
		{"ScatterElements", accel.Attrs{accel.String("reduction", "mean")}, ins(x, ints64([]int{1, 3}, 0, 0, 0), f), "mean"},
		{"ScatterND", nil, ins(x, ints64([]int{1, 1}, 2), f), "index 2 at position 0"},
		{"ScatterND", nil, ins(x, ints64([]int{1, 1}, 1), x), "[2 3]"},
		{"GatherGrad", nil, ins(x, ints64([]int{2}, 1, 2), accel.Ints64(2, 3)), "index 2 at position 1"},
		{"GatherGrad", nil, ins(x, ints64([]int{2}, 1, 2), accel.Ints64(2, 4)), "[2 4]"},
	})
}

func TestIndexingGradients(t *testing.T) {
	x, wide := distinct(1, 3, 4), distinct(2, 2, 3, 70)
	axis := func(a int) accel.Attrs { return accel.Attrs{accel.Int("axis", a)} }
	reduce := func(r string) accel.Attrs { return accel.Attrs{accel.String("reduction", r)} }
	rows, some := ints64([]int{2, 2}, 1, -1, 1, 0), ints64([]int{2, 3}, 1, 0, -1, 1, 2, -1)
	pairs, single := ints64([]int{3, 2}, 0, 1, 2, -1, 0, 1), ints64([]int{2, 1}, 2, 0)
	once := ints64([]int{2, 3}, 1, 0, -1, 0, 2, 1)
	checkGradCases(t, indexingOps(), []gradCase{
		{"rows", "Gather", nil, ins(x, rows), 0}, {"columns", "Gather", axis(1), ins(x, rows), 0}, {"wide", "Gather", axis(1), ins(wide, rows), 0},
		{"columns", "GatherGrad", axis(1), ins(distinct(3, 3, 2, 2), rows, accel.Ints64(3, 4)), 0},
		{"rows", "GatherElements", nil, ins(x, some), 0}, {"columns", "GatherElements", axis(-1), ins(x, some), 0},
		{"", "GatherElementsGrad", nil, ins(distinct(4, 2, 3), some, accel.Ints64(3, 4)), 0},
		{"elements", "GatherND", nil, ins(x, pairs), 0}, {"rows", "GatherND", nil, ins(x, single), 0},
		{"batch", "GatherND", accel.Attrs{accel.Int("batch_dims", 1)}, ins(wide, single), 0},
		{"", "GatherNDGrad", nil, ins(distinct(5, 3), pairs, accel.Ints64(3, 4)), 0},
		{"none", "ScatterElements", nil, ins(x, once, uniform(6, -1, 1, 2, 3)), 0},
		{"add", "ScatterElements", reduce("add"), ins(x, some, uniform(6, -1, 1, 2, 3)), 0},
		{"mul", "ScatterElements", reduce("mul"), ins(x, some, uniform(6, 0.5, 2, 2, 3)), 0},
		{"max", "ScatterElements", reduce("max"), ins(x, some, uniform(6, -1, 1, 2, 3)), 0},
		{"min", "ScatterElements", reduce("min"), ins(x, some, uniform(6, -1, 1, 2, 3)), 0},
		{"none", "ScatterND", nil, ins(x, single, uniform(7, -1, 1, 2, 4)), 0},
		{"add", "ScatterND", reduce("add"), ins(x, pairs, uniform(7, -1, 1, 3)), 0},
		{"mul", "ScatterND", reduce("mul"), ins(x, pairs, uniform(7, 0.5, 2, 3)), 0},
		{"mul zero", "ScatterND", reduce("mul"), ins(x, pairs, float64s([]int{3}, 0, 0, 1.5)), 0},
		{"mul zeros", "ScatterND", reduce("mul"), ins(x, pairs, float64s([]int{3}, 0, 2, 0)), 0},
		{"mul of zeros", "ScatterElements", reduce("mul"), ins(float64s([]int{3, 4}, make([]float64, 12)...), some, float64s([]int{2, 3}, 0, 2, 3, 4, 0, 5)), 0},
		{"max", "ScatterND", reduce("max"), ins(x, pairs, uniform(7, -1, 1, 3)), 0},
	})
}

// TestEqualExtremesShareTheGradient has two updates that equal the element.
func TestEqualExtremesShareTheGradient(t *testing.T) {
	g := New("g")
	x, _ := g.Input("x", accel.Float64, 2)
	u, _ := g.Input("u", accel.Float64, 3)
	b := g.Build("")
	y := b.Op("ScatterElements", accel.Attrs{accel.String("reduction", "max")}, x, b.Ints(1, 1, 1), u)
	loss := b.ReduceSum(y, false, 0)
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	grads, err := Gradients(g, loss, []*Value{x, u})
	if err != nil {
		t.Fatal(err)
	}
	out := compiled(t, g, grads)(ins(float64s([]int{2}, 1, 5), float64s([]int{3}, 5, 4, 5)))
	third := 1.0 / 3
	if got, want := show(out[0])+show(out[1]), show(float64s([]int{2}, 1, third))+show(float64s([]int{3}, third, 0, third)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

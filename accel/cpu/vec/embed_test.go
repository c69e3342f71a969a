package vec

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestGatherAndScatter(t *testing.T) {
	atLevels(t, func(t *testing.T) {
		const vocabulary, n, cols = 7, 50, 19
		r := rand.New(rand.NewPCG(1, 2))
		index, order := make([]int32, n), make([]int32, n)
		for i := range index {
			index[i], order[i] = int32(r.IntN(vocabulary)), int32(i)
		}
		table, src := normals(vocabulary*cols, 1), normals(n*cols, 2)

		got, check := guarded(n * cols)
		GatherRows(got, table, index, cols)
		check(t)
		want := slices.Clone(table)
		for i, v := range index {
			for c := range cols {
				if got[i*cols+c] != table[int(v)*cols+c] {
					t.Fatalf("GatherRows: row %d is not row %d of the table", i, v)
				}
				want[int(v)*cols+c] += src[i*cols+c]
			}
		}

		straight := slices.Clone(table)
		ScatterAddRows(straight, src, index, nil, cols)
		sameBits(t, "ScatterAddRows", straight, want, [][]float32{want})
		slices.SortStableFunc(order, func(a, b int32) int { return int(index[a]) - int(index[b]) })
		sorted := slices.Clone(table)
		ScatterAddRows(sorted, src, index, order[:20], cols)
		ScatterAddRows(sorted, src, index, order[20:], cols)
		sameBits(t, "ScatterAddRows, sorted", sorted, want, [][]float32{want})
	})
}

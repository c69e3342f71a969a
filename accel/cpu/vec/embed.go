package vec

import "fmt"

// GatherRows copies row index[i] of table, a matrix of cols columns, to row i
// of dst. It panics if an index is out of range.
func GatherRows(dst, table []float32, index []int32, cols int) {
	matrix(dst, len(index), cols)
	for i, r := range index {
		copy(dst[i*cols:(i+1)*cols], rowOf(table, r, cols))
	}
}

// ScatterAddRows adds row order[k] of src to row index[order[k]] of dst, for
// k = 0, 1, …; both are matrices of cols columns. A nil order means 0, 1, …, each
// row of src once.
//
// With an order that sorts the indices and keeps equal ones in place, parts of
// it that share no index can run on several threads, and the sums have the
// same bits as those of nil order in one. It panics if an index is out of range.
func ScatterAddRows(dst, src []float32, index, order []int32, cols int) {
	matrix(src, len(index), cols)
	if order == nil {
		for i, r := range index {
			to := rowOf(dst, r, cols)
			add(to, to, src[i*cols:(i+1)*cols])
		}
		return
	}
	for _, i := range order {
		to := rowOf(dst, index[i], cols)
		add(to, to, rowOf(src, i, cols))
	}
}

func rowOf(x []float32, r int32, cols int) []float32 {
	if i := int(r); i >= 0 && (i+1)*cols <= len(x) {
		return x[i*cols : (i+1)*cols]
	}
	panic(fmt.Sprintf("vec: row %d of %d", r, len(x)/cols))
}

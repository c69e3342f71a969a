package normalize

import (
	"math"
	"slices"
)

// eigen gives the eigenvalues of a symmetric matrix, which it overwrites, by
// falling value, and the eigenvector of each, of length 1 and with its first
// entry of the largest absolute value positive. It is Jacobi's method, cyclic by
// rows (Golub and Van Loan, Matrix Computations, 8.5), so the result depends on
// the matrix alone.
func eigen(a [][]float64) (values []float64, vectors [][]float64) {
	n := len(a)
	v := make([][]float64, n) // rows become the vectors
	for i := range v {
		v[i] = make([]float64, n)
		v[i][i] = 1
	}
	const sweeps = 60 // it converges quadratically: ten are rare
	for range sweeps {
		rotated := false
		for p := range n - 1 {
			for q := p + 1; q < n; q++ {
				rotated = rotate(a, v, p, q) || rotated
			}
		}
		if !rotated {
			break
		}
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case a[i][i] > a[j][j]:
			return -1
		case a[i][i] < a[j][j]:
			return 1
		}
		return 0
	})
	for _, i := range order {
		values = append(values, a[i][i])
		vectors = append(vectors, withSign(v[i]))
	}
	return values, vectors
}

// rotate makes a[p][q] zero; false if it is small beyond notice.
func rotate(a, v [][]float64, p, q int) bool {
	apq := a[p][q]
	if math.Abs(apq) <= 0x1p-54*math.Sqrt(math.Abs(a[p][p]))*math.Sqrt(math.Abs(a[q][q])) {
		a[p][q], a[q][p] = 0, 0
		return false
	}
	theta := (a[q][q] - a[p][p]) / (2 * apq)
	t := 1 / (math.Abs(theta) + math.Sqrt(float64(theta*theta)+1))
	if theta < 0 {
		t = -t
	}
	c := 1 / math.Sqrt(float64(t*t)+1)
	s := float64(t * c)
	a[p][p] -= float64(t * apq)
	a[q][q] += float64(t * apq)
	a[p][q], a[q][p] = 0, 0
	for i := range a {
		if i != p && i != q {
			x, y := a[i][p], a[i][q]
			a[i][p] = float64(c*x) - float64(s*y)
			a[i][q] = float64(s*x) + float64(c*y)
			a[p][i], a[q][i] = a[i][p], a[i][q]
		}
		x, y := v[p][i], v[q][i]
		v[p][i] = float64(c*x) - float64(s*y)
		v[q][i] = float64(s*x) + float64(c*y)
	}
	return true
}

// withSign turns a vector so that its largest entry is positive.
func withSign(v []float64) []float64 {
	at := 0
	for i, x := range v {
		if math.Abs(x) > math.Abs(v[at]) {
			at = i
		}
	}
	sign := math.Copysign(1, v[at])
	for i := range v {
		v[i] = v[i]*sign + 0
	}
	return v
}

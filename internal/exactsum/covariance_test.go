package exactsum

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestCovariance: that of x with x is the variance to the bit, with -x minus
// that, and with c*x for a power of two c times it; far from 0 nothing is lost.
func TestCovariance(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, offset := range []float64{0, 1e9} {
		var x, y, xx, xy Sum
		const n = 1000
		for range n {
			v := offset + r.NormFloat64()
			x.Add(v)
			y.Add(-4 * v)
			xx.AddSquare(v)
			xy.AddProduct(v, -4*v)
		}
		if got, want := Covariance(&x, &x, &xx, n), Variance(&x, &xx, n); got != want {
			t.Errorf("offset %g: got %v want the variance %v", offset, got, want)
		}
		if got, want := Covariance(&x, &y, &xy, n), -4*Variance(&x, &xx, n); got != want {
			t.Errorf("offset %g: got %v want %v", offset, got, want)
		}
	}
	// (0,0) (4,1) (2,5): means 2 and 2, products 4 and 10, so 14/3 - 4 = 2/3.
	var x, y, xy, empty, bad Sum
	for _, p := range [][2]float64{{0, 0}, {4, 1}, {2, 5}} {
		x.Add(p[0])
		y.Add(p[1])
		xy.AddProduct(p[0], p[1])
	}
	if got := Covariance(&x, &y, &xy, 3); got != 2./3 {
		t.Errorf("got %v want 2/3", got)
	}
	bad.Add(math.Inf(1))
	if a, b := Covariance(&empty, &empty, &empty, 0), Covariance(&bad, &y, &xy, 3); !math.IsNaN(a) || !math.IsNaN(b) {
		t.Errorf("no pairs, and an infinite one: got %v and %v want NaN", a, b)
	}
}

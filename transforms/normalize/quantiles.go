package normalize

import (
	"math"
	"sort"

	"github.com/millrace-go/millrace/accel/fmath"
)

// FittedQuantiles makes of x its place between the Values, which are evenly
// spaced quantiles, as a share from 0 to 1; among equal Values, the middle of
// theirs. To: normal makes the quantile of the normal distribution of it.
type FittedQuantiles struct {
	To     string    `json:"to"` // uniform or normal
	Values []float64 `json:"values"`
}

// normalEnd is where scikit-learn cuts the normal distribution: the quantile
// of 1e-7 less the spacing of float64 at 1.
const normalEnd = 5.199337582605575

func (q *FittedQuantiles) apply(x float64) float64 {
	v := q.Values
	last := len(v) - 1
	if v[0] == v[last] {
		return 0 // constant in the train split
	}
	share := 0.0
	switch {
	case x <= v[0]:
	case x >= v[last]:
		share = 1
	default:
		// lo is the first value at or above x, hi the last at or below.
		lo := sort.SearchFloat64s(v, x)
		hi := lo - 1
		for hi < last && v[hi+1] == x {
			hi++
		}
		if lo <= hi {
			share = float64(lo+hi) / float64(2*last)
		} else {
			share = (float64(hi) + (x-v[hi])/(v[lo]-v[hi])) / float64(last)
		}
	}
	if q.To == quantileUniform {
		return share
	}
	return max(-normalEnd, min(normalEnd, normalQuantile(share)))
}

// normalQuantile is the x below which a share p of the standard normal
// distribution lies: Wichura's PPND16 (Algorithm AS 241, Applied Statistics 37,
// 1988), of a relative error of about 1e-16.
func normalQuantile(p float64) float64 {
	q := p - 0.5
	if math.Abs(q) <= 0.425 {
		r := 0.180625 - float64(q*q)
		return q * polynomial(r, centralNumerator) / polynomial(r, centralDenominator)
	}
	tail := min(p, 1-p)
	if tail <= 0 {
		return math.Copysign(math.Inf(1), q)
	}
	r := math.Sqrt(-fmath.Log(tail))
	if r <= 5 {
		r -= 1.6
		return math.Copysign(polynomial(r, middleNumerator)/polynomial(r, middleDenominator), q)
	}
	r -= 5
	return math.Copysign(polynomial(r, farNumerator)/polynomial(r, farDenominator), q)
}

// polynomial has its coefficients from the constant one up.
func polynomial(x float64, c []float64) float64 {
	sum := 0.0
	for i := len(c) - 1; i >= 0; i-- {
		sum = float64(sum*x) + c[i]
	}
	return sum
}

// The coefficients of AS 241: |p-1/2| to 0.425, then tails to e^-25, then beyond.
var (
	centralNumerator = []float64{
		3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
		4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3,
	}
	centralDenominator = []float64{
		1, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
		2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4, 5.2264952788528545610e+3,
	}
	middleNumerator = []float64{
		1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
		1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4,
	}
	middleDenominator = []float64{
		1, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
		1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9,
	}
	farNumerator = []float64{
		6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
		2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
	}
	farDenominator = []float64{
		1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
		7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15,
	}
)

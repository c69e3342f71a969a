package normalize

import (
	"math"

	"github.com/millrace-go/millrace/accel/fmath"
)

// FittedPower is the transform of Box and Cox, (x^l-1)/l with the limit log x
// at l = 0, or of Yeo and Johnson: that of x+1 where x >= 0, and minus that of
// 1-x with 2-l for l where x < 0.
type FittedPower struct {
	Method string  `json:"method"` // yeo_johnson or box_cox
	Lambda float64 `json:"lambda"`
}

// takes says whether x can be transformed.
func (p *FittedPower) takes(x float64) bool { return p.Method == powerYeoJohnson || x > 0 }

func (p *FittedPower) apply(x float64) float64 {
	switch {
	case p.Method == powerBoxCox:
		return boxCox(fmath.Log(x), p.Lambda)
	case x >= 0:
		return boxCox(fmath.Log1p(x), p.Lambda)
	}
	return -boxCox(fmath.Log1p(-x), 2-p.Lambda)
}

// boxCox is (e^(log l) - 1)/l.
func boxCox(log, l float64) float64 {
	if math.Abs(l) < 0x1p-52 {
		return log
	}
	return fmath.Expm1(float64(l*log)) / l
}

// largestPower bounds the search. With values over one octave, a factor of 2^16
// lies between the derivatives at its ends.
const largestPower = 16

// likeliestPower is the lambda of the largest likelihood that what the
// transform gives is normally distributed. The negative logarithm of the
// likelihood is convex in lambda for Box and Cox and has one minimum for Yeo
// and Johnson, so a golden-section search finds it, to about 1e-8, which is
// as far as a minimum can be told by its values.
func likeliestPower(method string, seen []weighted) float64 {
	f := newLikelihood(method, seen)
	const ratio = 0.6180339887498949
	a, b := -float64(largestPower), float64(largestPower)
	x1, x2 := b-float64(ratio*(b-a)), a+float64(ratio*(b-a))
	y1, y2 := f.negative(x1), f.negative(x2)
	for b-a > 1e-9 {
		switch {
		case math.IsInf(y1, 1) && math.IsInf(y2, 1): // both beyond what float64 can hold: the minimum is between
			a, b = x1, x2
			x1, x2 = b-float64(ratio*(b-a)), a+float64(ratio*(b-a))
			y1, y2 = f.negative(x1), f.negative(x2)
		case y1 <= y2:
			b, x2, y2 = x2, x1, y1
			x1 = b - float64(ratio*(b-a))
			y1 = f.negative(x1)
		default:
			a, x1, y1 = x1, x2, y2
			x2 = a + float64(ratio*(b-a))
			y2 = f.negative(x2)
		}
	}
	return (a + b) / 2
}

// likelihood holds the logarithms that every lambda needs: of x for Box and
// Cox, else of 1+|x|, with the sign of x.
type likelihood struct {
	logs []float64
	neg  []bool // x below 0, of Yeo and Johnson
	n    []float64

	total    float64 // of n
	jacobian float64 // the sum of n * log, with the sign of x
	centre   float64 // the mean log if all x are on one side, else 0
	side     int     // -1 or 1 if all x are on one side of 0, else 0
}

func newLikelihood(method string, seen []weighted) *likelihood {
	l := &likelihood{}
	negatives := 0
	for _, w := range seen {
		log, neg := 0.0, false
		switch {
		case method == powerBoxCox:
			log = fmath.Log(w.x)
		case w.x >= 0:
			log = fmath.Log1p(w.x)
		default:
			log, neg = fmath.Log1p(-w.x), true
			negatives++
		}
		l.logs, l.neg, l.n = append(l.logs, log), append(l.neg, neg), append(l.n, float64(w.n))
		l.total += float64(w.n)
		if neg {
			log = -log
		}
		l.jacobian += float64(float64(w.n) * log)
	}
	switch negatives {
	case 0:
		l.side, l.centre = 1, l.jacobian/l.total
	case len(seen):
		l.side, l.centre = -1, -l.jacobian/l.total
	}
	return l
}

// negative is minus the logarithm of the likelihood, but for a constant.
// Where all values are on one side, the transform is taken relative to their
// geometric mean, so that its variance is not lost where it is small beside
// its mean.
func (l *likelihood) negative(lambda float64) float64 {
	shift := 0.0
	switch l.side {
	case 1:
		shift = float64(2*lambda) * l.centre
	case -1:
		shift = float64(2*(2-lambda)) * l.centre
	}
	variance := l.variance(lambda)
	if !(variance > 0) || math.IsInf(variance, 1) {
		return math.Inf(1)
	}
	return float64(l.total/2*(fmath.Log(variance)+shift)) - float64((lambda-1)*l.jacobian)
}

// variance is that of the transformed values, in two passes.
func (l *likelihood) variance(lambda float64) float64 {
	var mean, sum float64
	for i := range l.logs {
		mean += float64(l.n[i] * l.at(i, lambda))
	}
	mean /= l.total
	for i := range l.logs {
		d := l.at(i, lambda) - mean
		sum += float64(l.n[i] * float64(d*d))
	}
	return sum / l.total
}

func (l *likelihood) at(i int, lambda float64) float64 {
	if l.neg[i] {
		return -boxCox(l.logs[i]-l.centre, 2-lambda)
	}
	return boxCox(l.logs[i]-l.centre, lambda)
}

package fmath

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// bigLog is ln(x) to about 200 bits: ln x = 2 atanh((x-1)/(x+1)) after taking
// square roots until x is near 1.
func bigLog(x *big.Float) *big.Float {
	const prec = 256
	y := new(big.Float).SetPrec(prec).Set(x)
	one := new(big.Float).SetPrec(prec).SetInt64(1)
	scale := 1
	for range 20 {
		y.Sqrt(y)
		scale *= 2
	}
	num := new(big.Float).SetPrec(prec).Sub(y, one)
	t := num.Quo(num, new(big.Float).SetPrec(prec).Add(y, one))
	sq := new(big.Float).SetPrec(prec).Mul(t, t)
	sum, term := new(big.Float).SetPrec(prec), new(big.Float).SetPrec(prec).Set(t)
	for d := int64(1); d < 40; d += 2 {
		q := new(big.Float).SetPrec(prec).Quo(term, new(big.Float).SetPrec(prec).SetInt64(d))
		sum.Add(sum, q)
		term.Mul(term, sq)
	}
	return sum.Mul(sum, new(big.Float).SetPrec(prec).SetInt64(int64(2*scale)))
}

// ulps is the distance of got from want in units of got's last place.
func logUlps(got float64, want *big.Float) float64 {
	ulp := math.Nextafter(math.Abs(got), math.Inf(1)) - math.Abs(got)
	d := new(big.Float).SetPrec(256).Sub(new(big.Float).SetPrec(256).SetFloat64(got), want)
	f, _ := d.Quo(d, new(big.Float).SetFloat64(ulp)).Float64()
	return math.Abs(f)
}

func TestLogWithinOneUlp(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	worstLog, worst1p := 0.0, 0.0
	for i := range 3000 {
		x := math.Ldexp(1+r.Float64(), r.IntN(2040)-1020)
		if i%2 == 0 {
			x = 0.5 + r.Float64()
		}
		w := logUlps(Log(x), bigLog(new(big.Float).SetFloat64(x)))
		if !(w <= 1) {
			t.Errorf("Log(%g): %.3f ulp", x, w)
		}
		worstLog = max(worstLog, w)

		p := math.Ldexp(r.Float64()-0.5, r.IntN(60)-50)
		if p <= -1 {
			p = -p
		}
		one := new(big.Float).SetPrec(256).SetInt64(1)
		w = logUlps(Log1p(p), bigLog(one.Add(one, new(big.Float).SetFloat64(p))))
		if !(w <= 1) {
			t.Errorf("Log1p(%g): %.3f ulp", p, w)
		}
		worst1p = max(worst1p, w)
	}
	t.Logf("worst: Log %.3f ulp, Log1p %.3f ulp", worstLog, worst1p)
}

func TestLogEdges(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	cases := []struct {
		name      string
		got, want float64
	}{
		{"Log(0)", Log(0), -inf}, {"Log(-1)", Log(-1), nan}, {"Log(NaN)", Log(nan), nan},
		{"Log(Inf)", Log(inf), inf}, {"Log(1)", Log(1), 0}, {"Log(2)", Log(2), math.Ln2},
		{"Log(smallest)", Log(0x1p-1074), -744.4400719213812},
		{"Log(1e-15)", Log(1e-15), -34.538776394910684},
		{"Log1p(-1)", Log1p(-1), -inf}, {"Log1p(-2)", Log1p(-2), nan}, {"Log1p(NaN)", Log1p(nan), nan},
		{"Log1p(Inf)", Log1p(inf), inf}, {"Log1p(0)", Log1p(0), 0}, {"Log1p(1e-300)", Log1p(1e-300), 1e-300},
		{"Log1p(1)", Log1p(1), math.Ln2}, {"Log1p(largest)", Log1p(math.MaxFloat64), 709.782712893384},
	}
	for _, c := range cases {
		if c.got != c.want && !(math.IsNaN(c.got) && math.IsNaN(c.want)) {
			t.Errorf("%s: got %v want %v", c.name, c.got, c.want)
		}
	}
	if got := Log1p(math.Copysign(0, -1)); !math.Signbit(got) || got != 0 {
		t.Errorf("Log1p(-0): got %v want -0", got)
	}
}

func BenchmarkLog1p(b *testing.B) {
	x, sum := 0.0, 0.0
	for b.Loop() {
		sum += Log1p(x)
		x += 0.7
	}
	_ = sum
}

package vec

import (
	"math"
	"testing"

	"github.com/millrace-go/millrace/accel/cpu/isa"
)

// step is an optimizer's step on two state vectors; ref is the same in float64
// on one element.
type step struct {
	name string
	call func(p, g, m, v []float32)
	ref  func(p, g, m, v float64) (p1, m1, v1 float64)
}

func steps() []step {
	adam := &AdamWConfig{Rate: 0.02, Beta1: 0.9, Beta2: 0.99, Eps: 1e-6, WeightDecay: 0.1, Correction1: 1 - 0.9*0.9, Correction2: 1 - 0.99*0.99, GradScale: 0.5}
	sgd := MomentumConfig{Rate: 0.02, Momentum: 0.8, WeightDecay: 0.1, GradScale: 0.5}
	nesterov := sgd
	nesterov.Nesterov = true
	lion := &LionConfig{Rate: 0.02, Beta1: 0.9, Beta2: 0.99, WeightDecay: 0.1}
	return []step{
		{"AdamW", func(p, g, m, v []float32) { AdamW(p, g, m, v, adam) }, func(p, g, m, v float64) (float64, float64, float64) {
			g *= 0.5
			m = 0.9*m + 0.1*g
			v = 0.99*v + 0.01*g*g
			mHat, vHat := m/adam.Correction1, v/adam.Correction2
			return p - 0.02*0.1*p - 0.02*mHat/(math.Sqrt(vHat)+1e-6), m, v
		}},
		{"Momentum", func(p, g, m, _ []float32) { Momentum(p, g, m, &sgd) }, func(p, g, m, v float64) (float64, float64, float64) {
			m = 0.8*m + 0.5*g + 0.1*p
			return p - 0.02*m, m, v
		}},
		{"Nesterov", func(p, g, m, _ []float32) { Momentum(p, g, m, &nesterov) }, func(p, g, m, v float64) (float64, float64, float64) {
			d := 0.5*g + 0.1*p
			m = 0.8*m + d
			return p - 0.02*(d+0.8*m), m, v
		}},
		{"Lion", func(p, g, m, _ []float32) { Lion(p, g, m, lion) }, func(p, g, m, v float64) (float64, float64, float64) {
			c := 0.9*m + 0.1*g
			p -= 0.02 * 0.1 * p
			if c != 0 {
				p -= math.Copysign(0.02, c)
			}
			return p, 0.99*m + 0.01*g, v
		}},
	}
}

func TestSteps(t *testing.T) {
	atLevels(t, func(t *testing.T) {
		for _, s := range steps() {
			for _, n := range lengths {
				p, checkP := guarded(n)
				m, checkM := guarded(n)
				v, checkV := guarded(n)
				g := normals(n, 4)
				copy(p, normals(n, 1))
				copy(m, normals(n, 2))
				Square(v, normals(n, 3))
				if n > 0 { // a parameter that has had no gradient yet
					g[n-1], m[n-1], v[n-1] = 0, 0, 0
				}
				p0, m0, v0 := widen(p), widen(m), widen(v)
				s.call(p, g, m, v)
				checkP(t)
				checkM(t)
				checkV(t)
				for i := range p0 {
					p1, m1, v1 := s.ref(p0[i], float64(g[i]), m0[i], v0[i])
					// A few roundings each, of numbers up to about 4.
					near(t, s.name+" p", n, p[i:], []float64{p1}, 0x1p-21, 4)
					near(t, s.name+" m", n, m[i:], []float64{m1}, 0x1p-21, 4)
					near(t, s.name+" v", n, v[i:], []float64{v1}, 0x1p-21, 4)
				}
			}
		}
	})
}

func TestStepsHaveTheSameBits(t *testing.T) {
	if !isa.Has(isa.AVX512) {
		t.Skip("this process may not use AVX-512")
	}
	const n = 1000
	for _, s := range steps() {
		var results [2][3][]float32
		for i, l := range []isa.Level{isa.AVX2, isa.AVX512} {
			restore := lower(l)
			p, m, v := normals(n, 1), normals(n, 2), normals(n, 3)
			Square(v, v)
			s.call(p, normals(n, 4), m, v)
			results[i] = [3][]float32{p, m, v}
			restore()
		}
		for k, want := range results[0] {
			sameBits(t, s.name, results[1][k], want, [][]float32{want})
		}
	}
}

// The sign of zero is zero, and a NaN gradient is not hidden.
func TestLionEdges(t *testing.T) {
	atLevels(t, func(t *testing.T) {
		p, m := []float32{1, 1, 1}, []float32{0, 0, 0}
		Lion(p, []float32{0, float32(math.NaN()), 2}, m, &LionConfig{Rate: 0.25, Beta1: 0.5, Beta2: 0.5})
		if p[0] != 1 || p[1] == p[1] || p[2] != 0.75 {
			t.Errorf("p is %g, want 1, NaN, 0.75", p)
		}
	})
}

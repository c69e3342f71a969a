package vec

import "math"

func adamWGo(p, g, m, v []float32, s *[8]float32) {
	scale, blend, beta2, less2, decay, step, root, eps := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
	for i, d := range g {
		d *= scale
		m[i] = fma32(blend, d-m[i], m[i])
		v[i] = fma32(d*d, less2, float32(beta2*v[i]))
		denom := fma32(float32(math.Sqrt(float64(v[i]))), root, eps)
		p[i] = fma32(-step, m[i]/denom, float32(decay*p[i]))
	}
}

func momentumGo(p, g, u []float32, s *[4]float32) {
	for i, d := range g {
		d = fma32(s[1], p[i], float32(s[0]*d))
		u[i] = fma32(s[2], u[i], d)
		p[i] = fma32(-s[3], u[i], p[i])
	}
}

func nesterovGo(p, g, u []float32, s *[4]float32) {
	for i, d := range g {
		d = fma32(s[1], p[i], float32(s[0]*d))
		u[i] = fma32(s[2], u[i], d)
		p[i] = fma32(-s[3], fma32(s[2], u[i], d), p[i])
	}
}

func lionGo(p, g, m []float32, s *[7]float32) {
	for i, d := range g {
		d *= s[0]
		c := fma32(s[1], m[i], float32(s[2]*d))
		p[i] *= s[5]
		switch {
		case c > 0:
			p[i] -= s[6]
		case c < 0:
			p[i] += s[6]
		case c != c:
			p[i] = c
		}
		m[i] = fma32(s[3], m[i], float32(s[4]*d))
	}
}

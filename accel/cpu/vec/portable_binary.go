package vec

import "math"

func addGo(dst, a, b []float32) {
	for i, v := range a {
		dst[i] = v + b[i]
	}
}

func subGo(dst, a, b []float32) {
	for i, v := range a {
		dst[i] = v - b[i]
	}
}

func mulGo(dst, a, b []float32) {
	for i, v := range a {
		dst[i] = v * b[i]
	}
}

func divGo(dst, a, b []float32) {
	for i, v := range a {
		dst[i] = v / b[i]
	}
}

func minimumGo(dst, a, b []float32) {
	for i, v := range a {
		dst[i] = min(v, b[i])
	}
}

func maximumGo(dst, a, b []float32) {
	for i, v := range a {
		dst[i] = max(v, b[i])
	}
}

func mulAddGo(dst, a, b, c []float32) {
	for i, v := range a {
		dst[i] = fma32(v, b[i], c[i])
	}
}

func addScalarGo(dst, a []float32, s float32) {
	for i, v := range a {
		dst[i] = v + s
	}
}

func mulScalarGo(dst, a []float32, s float32) {
	for i, v := range a {
		dst[i] = v * s
	}
}

func scalarSubGo(dst, a []float32, s float32) {
	for i, v := range a {
		dst[i] = s - v
	}
}

func divScalarGo(dst, a []float32, s float32) {
	for i, v := range a {
		dst[i] = v / s
	}
}

func scalarDivGo(dst, a []float32, s float32) {
	for i, v := range a {
		dst[i] = s / v
	}
}

func minScalarGo(dst, a []float32, s float32) {
	for i, v := range a {
		dst[i] = min(v, s)
	}
}

func maxScalarGo(dst, a []float32, s float32) {
	for i, v := range a {
		dst[i] = max(v, s)
	}
}

func axpyGo(dst, x []float32, s float32) {
	for i, v := range x {
		dst[i] = fma32(s, v, dst[i])
	}
}

func axpbyGo(dst, x []float32, s, t float32) {
	for i, v := range x {
		dst[i] = fma32(s, v, float32(t*dst[i]))
	}
}

// fma32 is a·b+c: the product is exact in float64; the sum is rounded there
// before it is rounded to float32.
func fma32(a, b, c float32) float32 {
	return float32(math.FMA(float64(a), float64(b), float64(c)))
}

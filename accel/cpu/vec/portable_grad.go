package vec

import "github.com/millrace-go/millrace/accel/fmath"

// eachGrad sets dx to dy·slope(v).
func eachGrad(dx, dy, v []float32, slope func(float64) float64) {
	for i, w := range v {
		dx[i] = float32(float64(dy[i]) * slope(float64(w)))
	}
}

func reluGradGo(dx, dy, y []float32) {
	for i, v := range dy {
		if y[i] <= 0 {
			v = 0
		}
		dx[i] = v
	}
}

func geluGradGo(dx, dy, x []float32) {
	const c = 0.39894228040143267793994605993438187 // 1/√(2π)
	eachGrad(dx, dy, x, func(v float64) float64 {
		return normalCDF(v) + float64(v*float64(c*fmath.Exp(-0.5*float64(v*v))))
	})
}

func geluTanhGradGo(dx, dy, x []float32) {
	eachGrad(dx, dy, x, func(v float64) float64 {
		u := geluArg(v)
		s := fmath.Sigmoid(u)
		slope := geluLinear + float64(3*geluCubic*float64(v*v))
		return s + float64(float64(v*slope)*float64(s*fmath.Sigmoid(-u)))
	})
}

func sigmoidGradGo(dx, dy, y []float32) {
	for i, v := range y {
		dx[i] = float32(dy[i]*v) * (1 - v)
	}
}

func tanhGradGo(dx, dy, y []float32) {
	eachGrad(dx, dy, y, func(v float64) float64 { return 1 - float64(v*v) })
}

func siluGradGo(dx, dy, x []float32) {
	eachGrad(dx, dy, x, func(v float64) float64 {
		return float64(fmath.Sigmoid(v) * (1 + float64(v*fmath.Sigmoid(-v))))
	})
}

func softplusGradGo(dx, dy, x []float32) { eachGrad(dx, dy, x, fmath.Sigmoid) }

func mishGradGo(dx, dy, x []float32) {
	eachGrad(dx, dy, x, func(v float64) float64 {
		t := fmath.Tanh(fmath.Softplus(v))
		return t + float64(float64(v*fmath.Sigmoid(v))*(1-float64(t*t)))
	})
}

func erfGradGo(dx, dy, x []float32) {
	const c = 2 / 1.77245385090551602729816748334114518 // 2/√π
	eachGrad(dx, dy, x, func(v float64) float64 { return c * fmath.Exp(-float64(v*v)) })
}

func eluGradGo(dx, dy, x []float32, alpha float32) {
	eachGrad(dx, dy, x, func(v float64) float64 {
		if v > 0 {
			return 1
		}
		return float64(alpha) * fmath.Exp(v)
	})
}

func leakyReluGradGo(dx, dy, x []float32, alpha float32) {
	for i, v := range dy {
		if !(x[i] >= 0) {
			v *= alpha
		}
		dx[i] = v
	}
}

func hardSigmoidGradGo(dx, dy, x []float32, alpha, beta float32) {
	for i, v := range dy {
		s := float32(float64(alpha)*float64(x[i]) + float64(beta))
		if s > 0 && s < 1 {
			dx[i] = v * alpha
		} else {
			dx[i] = 0
		}
	}
}

func hardSwishGradGo(dx, dy, x []float32) {
	eachGrad(dx, dy, x, func(v float64) float64 {
		switch {
		case v <= -3:
			return 0
		case v >= 3:
			return 1
		}
		return v/3 + 0.5
	})
}

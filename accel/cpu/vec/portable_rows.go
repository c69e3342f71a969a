package vec

import (
	"math"

	"github.com/millrace-go/millrace/accel/fmath"
)

func softmaxRowsGo(dst, x []float32, rows, cols int) {
	for r := range rows {
		softmaxRowGo(dst[r*cols:(r+1)*cols], x[r*cols:(r+1)*cols])
	}
}

// softmaxRowGo keeps the exponentials in dst, as float32, but adds them unrounded.
func softmaxRowGo(dst, x []float32) {
	m, total := float64(maxOfGo(x)), 0.0
	for i, v := range x {
		e := fmath.Exp(float64(v) - m)
		total += e
		dst[i] = float32(e)
	}
	for i, v := range dst {
		dst[i] = float32(float64(v) / total)
	}
}

func logSoftmaxRowsGo(dst, x []float32, rows, cols int) {
	for r := range rows {
		logSoftmaxRowGo(dst[r*cols:(r+1)*cols], x[r*cols:(r+1)*cols])
	}
}

func logSoftmaxRowGo(dst, x []float32) {
	m, total := float64(maxOfGo(x)), 0.0
	for _, v := range x {
		total += fmath.Exp(float64(v) - m)
	}
	m += fmath.Log(total)
	for i, v := range x {
		dst[i] = float32(float64(v) - m)
	}
}

func softmaxGradRowsGo(dx, dy, y []float32, rows, cols int) {
	for r := range rows {
		at := r * cols
		d := dotGo(dy[at:at+cols], y[at:at+cols])
		for i := at; i < at+cols; i++ {
			dx[i] = float32(float64(y[i]) * (float64(dy[i]) - d))
		}
	}
}

func logSoftmaxGradRowsGo(dx, dy, y []float32, rows, cols int) {
	for r := range rows {
		at := r * cols
		s := sumGo(dy[at : at+cols])
		for i := at; i < at+cols; i++ {
			dx[i] = float32(float64(dy[i]) - float64(fmath.Exp(float64(y[i]))*s))
		}
	}
}

func layerNormRowsGo(dst, mean, invstd, x, gamma, beta []float32, rows, cols int, eps float32) {
	n := float64(cols)
	for r := range rows {
		row := x[r*cols : (r+1)*cols]
		mu := sumGo(row) / n
		inv := 1 / math.Sqrt(sumDiffSquaresGo(row, mu)/n+float64(eps))
		mean[r], invstd[r] = float32(mu), float32(inv)
		to := dst[r*cols : (r+1)*cols]
		for i, v := range row {
			h := float64((float64(v) - mu) * inv)
			to[i] = float32(float64(h*float64(gamma[i])) + float64(beta[i]))
		}
	}
}

func layerNormGradRowsGo(dx, dgamma, dbeta, dy, x, gamma, mean, invstd []float32, rows, cols int) {
	n := float64(cols)
	for r := range rows {
		mu, inv := float64(mean[r]), float64(invstd[r])
		xr, dyr, dxr := x[r*cols:(r+1)*cols], dy[r*cols:(r+1)*cols], dx[r*cols:(r+1)*cols]
		var sumG, sumGH float64
		for i, v := range xr {
			h, d := float64((float64(v)-mu)*inv), float64(dyr[i])
			g := d * float64(gamma[i])
			sumG += g
			sumGH += float64(g * h)
			dgamma[i] += float32(d * h)
			dbeta[i] += dyr[i]
		}
		for i, v := range xr {
			h := float64((float64(v) - mu) * inv)
			g := float64(float64(dyr[i]) * float64(gamma[i]))
			dxr[i] = float32(inv * (g - sumG/n - float64(h*sumGH)/n))
		}
	}
}

func rmsNormRowsGo(dst, invrms, x, gamma []float32, rows, cols int, eps float32) {
	for r := range rows {
		row := x[r*cols : (r+1)*cols]
		inv := 1 / math.Sqrt(sumSquaresGo(row)/float64(cols)+float64(eps))
		invrms[r] = float32(inv)
		to := dst[r*cols : (r+1)*cols]
		for i, v := range row {
			to[i] = float32(float64(float64(v)*inv) * float64(gamma[i]))
		}
	}
}

func rmsNormGradRowsGo(dx, dgamma, dy, x, gamma, invrms []float32, rows, cols int) {
	for r := range rows {
		inv, sumGH := float64(invrms[r]), 0.0
		xr, dyr, dxr := x[r*cols:(r+1)*cols], dy[r*cols:(r+1)*cols], dx[r*cols:(r+1)*cols]
		for i, v := range xr {
			h, d := float64(float64(v)*inv), float64(dyr[i])
			sumGH += float64(d * float64(gamma[i]) * h)
			dgamma[i] += float32(d * h)
		}
		sumGH /= float64(cols)
		for i, v := range xr {
			h := float64(float64(v) * inv)
			g := float64(float64(dyr[i]) * float64(gamma[i]))
			dxr[i] = float32(inv * (g - float64(h*sumGH)))
		}
	}
}

package vec

import (
	"math"
	"testing"

	"github.com/millrace-go/millrace/accel/cpu/isa"
)

const testRows = 3

// eachShape runs f on testRows rows of several widths.
func eachShape(t *testing.T, f func(t *testing.T, cols int, x, dy []float32)) {
	atLevels(t, func(t *testing.T) {
		for _, cols := range append(lengths[1:], 1000) {
			f(t, cols, normals(testRows*cols, uint64(cols)), normals(testRows*cols, uint64(cols)+1))
		}
	})
}

// near fails unless got is want, within tol times the larger of |want| and floor.
func near(t *testing.T, what string, cols int, got []float32, want []float64, tol, floor float64) {
	t.Helper()
	for i, w := range want {
		if !(math.Abs(float64(got[i])-w) <= tol*math.Max(math.Abs(w), floor)) {
			t.Fatalf("%s cols=%d element %d: got %g, want %g within %g of it", what, cols, i, got[i], w, tol)
		}
	}
}

// rounding bounds the relative error of a float32 sum over cols/16 terms a
// lane, after a tree of four additions and a few operations more.
func rounding(cols int) float64 { return float64(cols/16+16) * 0x1p-24 }

func softmaxRef(x []float32) (y, logs []float64) {
	top, sum := math.Inf(-1), 0.0
	for _, v := range x {
		top = math.Max(top, float64(v))
	}
	for _, v := range x {
		sum += math.Exp(float64(v) - top)
	}
	for _, v := range x {
		y = append(y, math.Exp(float64(v)-top)/sum)
		logs = append(logs, float64(v)-top-math.Log(sum))
	}
	return y, logs
}

func rowsRef(x []float32, cols int, f func(row []float32) []float64) []float64 {
	var out []float64
	for i := 0; i < len(x); i += cols {
		out = append(out, f(x[i:i+cols])...)
	}
	return out
}

func TestSoftmax(t *testing.T) {
	eachShape(t, func(t *testing.T, cols int, x, dy []float32) {
		y, check := guarded(len(x))
		SoftmaxRows(y, x, testRows, cols)
		check(t)
		near(t, "SoftmaxRows", cols, y, rowsRef(x, cols, func(r []float32) []float64 { s, _ := softmaxRef(r); return s }), rounding(cols), 0)

		logs, check := guarded(len(x))
		LogSoftmaxRows(logs, x, testRows, cols)
		check(t)
		near(t, "LogSoftmaxRows", cols, logs, rowsRef(x, cols, func(r []float32) []float64 { _, l := softmaxRef(r); return l }), rounding(cols), 4)

		// dx is the derivative of Σ dy·y by x, by central differences of the reference.
		dx, check := guarded(len(x))
		SoftmaxGradRows(dx, dy, y, testRows, cols)
		check(t)
		dlogs, check := guarded(len(x))
		LogSoftmaxGradRows(dlogs, dy, logs, testRows, cols)
		check(t)
		if cols > 65 {
			return // the differences are quadratic in cols
		}
		for r := range testRows {
			row := r * cols
			for j := range cols {
				a, b := softmaxSlopes(x[row:row+cols], dy[row:row+cols], j)
				near(t, "SoftmaxGradRows", cols, dx[row+j:], []float64{a}, 2e-5, 1)
				near(t, "LogSoftmaxGradRows", cols, dlogs[row+j:], []float64{b}, 2e-5, 8)
			}
		}
	})
}

// softmaxSlopes are the derivatives of Σ dy·softmax(x) and Σ dy·log softmax(x) by x[j].
func softmaxSlopes(x, dy []float32, j int) (plain, logs float64) {
	const h = 1.0 / 1024 // exact in float32, for numbers of the size of x
	at := func(d float32) (a, b float64) {
		moved := append([]float32(nil), x...)
		moved[j] += d
		y, l := softmaxRef(moved)
		for i, g := range dy {
			a += float64(g) * y[i]
			b += float64(g) * l[i]
		}
		return a, b
	}
	a1, b1 := at(h)
	a0, b0 := at(-h)
	width := float64(x[j]+float32(h)) - float64(x[j]-float32(h))
	return (a1 - a0) / width, (b1 - b0) / width
}

func TestSoftmaxOfSpecialRows(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	atLevels(t, func(t *testing.T) {
		for _, c := range []struct{ x, want []float32 }{
			{[]float32{-inf, 0, 0, -inf}, []float32{0, 0.5, 0.5, 0}},
			{[]float32{1000, 1000, -1000, 1000 - 200}, []float32{0.5, 0.5, 0, 0}},
			{[]float32{-inf, -inf}, []float32{nan, nan}},
			{[]float32{nan, 1}, []float32{nan, nan}},
			{[]float32{1, nan, 3}, []float32{nan, nan, nan}},
			{[]float32{inf, 1}, []float32{nan, nan}},
		} {
			got := nans(len(c.x))
			SoftmaxRow(got, c.x)
			for i, w := range c.want {
				if bitsOf(got[i]) != bitsOf(w) {
					t.Errorf("SoftmaxRow(%g): got %g, want %g", c.x, got, c.want)
					break
				}
			}
			LogSoftmaxRows(got, c.x, 1, len(c.x))
			for i, w := range c.want {
				if (w != w) != (got[i] != got[i]) || w == 0.5 && !(math.Abs(float64(got[i])+math.Ln2) <= 1e-7) {
					t.Errorf("LogSoftmaxRows(%g): got %g", c.x, got)
					break
				}
			}
		}
	})
}

func nans(n int) []float32 {
	x, _ := guarded(n)
	return x
}

// normState is a layer norm's operands.
type normState struct {
	x, dy, gamma, beta []float32
	rows, cols         int
	eps                float64
}

// forward is the reference: of LayerNorm, or of RMSNorm if rms is set.
func (s *normState) forward(x []float64, rms bool) (y, mean, inv []float64) {
	for r := range s.rows {
		row, n := x[r*s.cols:(r+1)*s.cols], float64(s.cols)
		mu, variance := 0.0, 0.0
		for _, v := range row {
			mu += v / n
		}
		if rms {
			mu = 0
		}
		for _, v := range row {
			variance += (v - mu) * (v - mu) / n
		}
		scale := 1 / math.Sqrt(variance+s.eps)
		for c, v := range row {
			h := (v - mu) * scale * float64(s.gamma[c])
			if !rms {
				h += float64(s.beta[c])
			}
			y = append(y, h)
		}
		mean, inv = append(mean, mu), append(inv, scale)
	}
	return y, mean, inv
}

func widen(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// slope is the derivative of Σ dy·forward(x) by x[i].
func (s *normState) slope(i int, rms bool) float64 {
	const h = 1e-4
	at := func(d float64) (sum float64) {
		x := widen(s.x)
		x[i] += d
		y, _, _ := s.forward(x, rms)
		for j, g := range s.dy {
			sum += float64(g) * y[j]
		}
		return sum
	}
	return (at(h) - at(-h)) / (2 * h)
}

func TestLayerNorm(t *testing.T) {
	eachShape(t, func(t *testing.T, cols int, x, dy []float32) {
		s := &normState{x, dy, normals(cols, 11), normals(cols, 12), testRows, cols, float64(float32(1e-3))}
		y, check := guarded(len(x))
		mean, checkMean := guarded(testRows)
		inv, checkInv := guarded(testRows)
		LayerNormRows(y, mean, inv, x, s.gamma, s.beta, 1e-3, testRows, cols)
		check(t)
		checkMean(t)
		checkInv(t)
		wantY, wantMean, wantInv := s.forward(widen(x), false)
		// The smaller the deviation, the more a rounding of x - μ counts.
		tol := rounding(cols) * maxOf64(wantInv)
		near(t, "LayerNormRows mean", cols, mean, wantMean, rounding(cols), 1)
		near(t, "LayerNormRows invstd", cols, inv, wantInv, tol, 1)
		near(t, "LayerNormRows", cols, y, wantY, tol, 8)

		dx, check := guarded(len(x))
		dgamma, dbeta := normals(cols, 13), normals(cols, 14)
		wantGamma, wantBeta := widen(dgamma), widen(dbeta)
		LayerNormGradRows(dx, dgamma, dbeta, dy, x, s.gamma, mean, inv, testRows, cols)
		check(t)
		for i := range x {
			r, c := i/cols, i%cols
			wantGamma[c] += float64(dy[i]) * (float64(x[i]) - wantMean[r]) * wantInv[r]
			wantBeta[c] += float64(dy[i])
		}
		near(t, "LayerNormGradRows dgamma", cols, dgamma, wantGamma, 2*tol, 16)
		near(t, "LayerNormGradRows dbeta", cols, dbeta, wantBeta, 0x1p-21, 4)
		checkSlopes(t, "LayerNormGradRows dx", s, dx, tol*maxOf64(wantInv), false)
	})
}

func TestRMSNorm(t *testing.T) {
	eachShape(t, func(t *testing.T, cols int, x, dy []float32) {
		s := &normState{x, dy, normals(cols, 11), nil, testRows, cols, float64(float32(1e-3))}
		y, check := guarded(len(x))
		inv, checkInv := guarded(testRows)
		RMSNormRows(y, inv, x, s.gamma, 1e-3, testRows, cols)
		check(t)
		checkInv(t)
		wantY, _, wantInv := s.forward(widen(x), true)
		near(t, "RMSNormRows invrms", cols, inv, wantInv, rounding(cols), 0)
		near(t, "RMSNormRows", cols, y, wantY, rounding(cols), 0)

		dx, check := guarded(len(x))
		dgamma := normals(cols, 13)
		wantGamma := widen(dgamma)
		RMSNormGradRows(dx, dgamma, dy, x, s.gamma, inv, testRows, cols)
		check(t)
		for i := range x {
			wantGamma[i%cols] += float64(dy[i]) * float64(x[i]) * wantInv[i/cols]
		}
		tol := rounding(cols) * maxOf64(wantInv)
		near(t, "RMSNormGradRows dgamma", cols, dgamma, wantGamma, tol, 16)
		checkSlopes(t, "RMSNormGradRows dx", s, dx, tol*maxOf64(wantInv), true)
	})
}

func maxOf64(x []float64) float64 {
	m := 1.0
	for _, v := range x {
		m = math.Max(m, v)
	}
	return m
}

// checkSlopes compares some elements of dx, since each costs two forward passes;
// tol is of numbers of the size of 8.
func checkSlopes(t *testing.T, what string, s *normState, dx []float32, tol float64, rms bool) {
	t.Helper()
	for i := 0; i < len(dx); i += 1 + len(dx)/40 {
		near(t, what, s.cols, dx[i:], []float64{s.slope(i, rms)}, tol+1e-5, 8)
	}
}

// TestRowsHaveTheSameBits compares the vector levels, and a row alone with the
// same among others.
func TestRowsHaveTheSameBits(t *testing.T) {
	if !isa.Has(isa.AVX2) {
		t.Skip("this process may use no vector instructions")
	}
	for _, cols := range append(lengths[1:], 1000) {
		n := testRows * cols
		want := rowResults(isa.AVX2, normals(n, 1), normals(n, 2), testRows, cols)
		if isa.Has(isa.AVX512) {
			got := rowResults(isa.AVX512, normals(n, 1), normals(n, 2), testRows, cols)
			for name, w := range want {
				sameBits(t, name+", AVX2 and AVX-512", got[name], w, [][]float32{w})
			}
		}
		alone := rowResults(isa.AVX2, normals(n, 1)[cols:2*cols], normals(n, 2)[cols:2*cols], 1, cols)
		for name, g := range alone {
			if w := want[name]; len(w) == n {
				sameBits(t, name+", a row alone", g, w[cols:2*cols], [][]float32{g})
			}
		}
	}
}

// rowResults are the results of all functions on rows.
func rowResults(l isa.Level, x, dy []float32, rows, cols int) map[string][]float32 {
	defer lower(l)()
	out := map[string][]float32{}
	get := func(name string, n int) []float32 {
		out[name] = make([]float32, n)
		return out[name]
	}
	n := len(x)
	gamma, beta := normals(cols, 3), normals(cols, 4)
	SoftmaxRows(get("SoftmaxRows", n), x, rows, cols)
	LogSoftmaxRows(get("LogSoftmaxRows", n), x, rows, cols)
	SoftmaxGradRows(get("SoftmaxGradRows", n), dy, out["SoftmaxRows"], rows, cols)
	LogSoftmaxGradRows(get("LogSoftmaxGradRows", n), dy, out["LogSoftmaxRows"], rows, cols)
	mean, inv := get("mean", rows), get("invstd", rows)
	LayerNormRows(get("LayerNormRows", n), mean, inv, x, gamma, beta, 1e-5, rows, cols)
	LayerNormGradRows(get("LayerNormGradRows", n), get("dgamma", cols), get("dbeta", cols), dy, x, gamma, mean, inv, rows, cols)
	rms := get("invrms", rows)
	RMSNormRows(get("RMSNormRows", n), rms, x, gamma, 1e-5, rows, cols)
	RMSNormGradRows(get("RMSNormGradRows", n), get("dgammaRMS", cols), dy, x, gamma, rms, rows, cols)

	// In place, for those that allow it.
	inPlace := append([]float32(nil), x...)
	SoftmaxRows(inPlace, inPlace, rows, cols)
	out["SoftmaxRows in place"] = inPlace
	return out
}

func TestInPlaceRows(t *testing.T) {
	atLevels(t, func(t *testing.T) {
		const cols = 37
		got := rowResults(level, normals(2*cols, 1), normals(2*cols, 2), 2, cols)
		sameBits(t, "SoftmaxRows", got["SoftmaxRows in place"], got["SoftmaxRows"], [][]float32{got["SoftmaxRows"]})
		dy := normals(2*cols, 2)
		LayerNormGradRows(dy, make([]float32, cols), make([]float32, cols), dy, normals(2*cols, 1), normals(cols, 3), got["mean"], got["invstd"], 2, cols)
		sameBits(t, "LayerNormGradRows", dy, got["LayerNormGradRows"], [][]float32{dy})
	})
}

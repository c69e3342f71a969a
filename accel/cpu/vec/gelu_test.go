package vec

import (
	"math"
	"testing"
)

func TestGeluBands(t *testing.T) {
	const n = 1 << 16
	x, y := make([]float32, n), make([]float32, n)
	worst := map[int]float64{}
	for b := uint64(0); b < 1<<32; b += n * 37 {
		for i := range x {
			x[i] = math.Float32frombits(uint32(b + uint64(i)*37))
		}
		Gelu(y, x)
		for i, v := range x {
			if v != v || math.Abs(float64(v)) > 15 {
				continue
			}
			w := float64(v) * 0.5 * math.Erfc(-float64(v)/math.Sqrt2)
			k := int(math.Floor(float64(v) * 2))
			if math.Abs(w) > 0x1p-124 {
				worst[k] = max(worst[k], ulpTmp(y[i], w))
			}
		}
	}
	for k := -28; k < 12; k++ {
		t.Logf("%g: %.3f", float64(k)/2, worst[k])
	}
}

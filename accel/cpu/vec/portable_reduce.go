package vec

import "math"

// lanes are the partial sums of a reduction: element i counts in lane i mod 16.
type lanes [16]float64

// sumLanes adds the lanes: i to i+8, the results i to i+4, then i+2, then i+1.
func sumLanes(l *lanes) float64 {
	for half := 8; half > 0; half /= 2 {
		for i := range half {
			l[i] += l[i+half]
		}
	}
	return l[0]
}

func sumGo(x []float32) float64 {
	var l lanes
	for i, v := range x {
		l[i%16] += float64(v)
	}
	return sumLanes(&l)
}

func sumAbsGo(x []float32) float64 {
	var l lanes
	for i, v := range x {
		l[i%16] += math.Abs(float64(v))
	}
	return sumLanes(&l)
}

func sumSquaresGo(x []float32) float64 {
	var l lanes
	for i, v := range x {
		l[i%16] += float64(float64(v) * float64(v))
	}
	return sumLanes(&l)
}

func dotGo(x, y []float32) float64 {
	var l lanes
	for i, v := range x {
		l[i%16] += float64(float64(v) * float64(y[i]))
	}
	return sumLanes(&l)
}

func sumDiffSquaresGo(x []float32, mean float64) float64 {
	var l lanes
	for i, v := range x {
		d := float64(v) - mean
		l[i%16] += float64(d * d)
	}
	return sumLanes(&l)
}

func maxOfGo(x []float32) float32 {
	m := float32(math.Inf(-1))
	for _, v := range x {
		m = max(m, v)
	}
	return m
}

func minOfGo(x []float32) float32 {
	m := float32(math.Inf(1))
	for _, v := range x {
		m = min(m, v)
	}
	return m
}

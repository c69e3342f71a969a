package cpu

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/fmath"
)

// rowWidth checks that an operator works along the last dimension, and returns its size.
func rowWidth(c *call, x *tensor) (int, error) {
	last := len(x.Shape) - 1
	if last < 0 {
		return 0, fmt.Errorf("%s is a scalar", x.Name)
	}
	if a := c.Int("axis", -1); a != -1 && a != last {
		return 0, fmt.Errorf("axis %d of shape %v, only the last is implemented", a, x.Shape)
	}
	return x.Shape[last], nil
}

// maxOf returns the largest element; NaN wins.
func maxOf(row []float32) float32 {
	m := row[0]
	for _, v := range row {
		if v > m || v != v {
			m = v
		}
	}
	return m
}

// softmax is y = exp(x - max) / Σ exp(x - max) along the last dimension, in
// float64 until the division.
func softmax(c *call) (kernel, error) {
	x, y := c.in[0], c.out[0]
	if err := want(accel.Float32, x, y); err != nil {
		return nil, err
	}
	if err := sameLen(x, y); err != nil {
		return nil, err
	}
	w, err := rowWidth(c, x)
	if err != nil {
		return nil, err
	}
	exps := make([]float64, w)
	return func() error {
		for i := 0; i < x.n; i += w {
			softmaxRow(y.f[i:i+w], x.f[i:i+w], exps)
		}
		return nil
	}, nil
}

func softmaxRow(y, x []float32, exps []float64) {
	top, sum := float64(maxOf(x)), 0.0
	for j, v := range x {
		exps[j] = fmath.Exp(float64(v) - top)
		sum += exps[j]
	}
	for j, e := range exps {
		y[j] = float32(e / sum)
	}
}

// softmaxGrad takes dy and y: dx = y·(dy - Σ dy·y).
func softmaxGrad(c *call) (kernel, error) {
	dy, y, dx := c.in[0], c.in[1], c.out[0]
	if err := want(accel.Float32, dy, y, dx); err != nil {
		return nil, err
	}
	if err := sameLen(dx, dy, y); err != nil {
		return nil, err
	}
	w, err := rowWidth(c, y)
	if err != nil {
		return nil, err
	}
	return func() error {
		for i := 0; i < y.n; i += w {
			dot := 0.0
			for j := i; j < i+w; j++ {
				dot += float64(float64(dy.f[j]) * float64(y.f[j]))
			}
			for j := i; j < i+w; j++ {
				dx.f[j] = float32(float64(y.f[j]) * (float64(dy.f[j]) - dot))
			}
		}
		return nil
	}, nil
}

package graph

import (
	"math"
	"testing"

	"github.com/millrace-go/millrace/accel"
)

// numbers fills an array with small whole numbers, so that float32 products of
// them are exact.
func numbers(seed int, shape ...int) *accel.Array {
	a := accel.NewArray(accel.Float32, shape...)
	for i := range accel.Values[float32](a) {
		accel.Values[float32](a)[i] = float32((i*7+seed*5)%11) - 5
	}
	return a
}

func TestMatMulShapesAndValues(t *testing.T) {
	for _, c := range []struct {
		name    string
		a, b, y []int
	}{
		{"matrices", []int{3, 4}, []int{4, 5}, []int{3, 5}},
		{"batch", []int{2, 3, 4}, []int{2, 4, 5}, []int{2, 3, 5}},
		{"shared right", []int{2, 3, 4}, []int{4, 5}, []int{2, 3, 5}},
		{"broadcast", []int{2, 1, 3, 4}, []int{7, 4, 5}, []int{2, 7, 3, 5}},
		{"vector left", []int{4}, []int{2, 4, 5}, []int{2, 5}},
		{"vector right", []int{2, 3, 4}, []int{4}, []int{2, 3}},
		{"vectors", []int{4}, []int{4}, nil},
		{"nothing to sum", []int{3, 0}, []int{0, 5}, []int{3, 5}},
	} {
		a, b := numbers(1, c.a...), numbers(2, c.b...)
		got, err := New("g").evaluate("MatMul", nil, a, b)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !Shape(got.Shape).Equal(c.y) {
			t.Errorf("%s: shape %v, want %v", c.name, got.Shape, c.y)
			continue
		}
		want := matmulRef(a, b, c.y)
		for i, v := range accel.Values[float32](got) {
			if float64(v) != want[i] {
				t.Errorf("%s: element %d is %g, want %g", c.name, i, v, want[i])
				break
			}
		}
	}
}

// matmulRef is numpy.matmul by the definition, in float64.
func matmulRef(a, b *accel.Array, out []int) []float64 {
	as, bs := a.Shape, b.Shape
	if len(as) == 1 {
		as = []int{1, as[0]}
	}
	if len(bs) == 1 {
		bs = []int{bs[0], 1}
	}
	m, k, n := as[len(as)-2], as[len(as)-1], bs[len(bs)-1]
	lead, err := Broadcast(as[:len(as)-2], bs[:len(bs)-2])
	if err != nil {
		panic(err)
	}
	y := make([]float64, accel.Size(out))
	for p := range accel.Size(lead) {
		ai, bi := offset(p, lead, as[:len(as)-2])*m*k, offset(p, lead, bs[:len(bs)-2])*k*n
		for i := range m {
			for j := range n {
				for l := range k {
					y[p*m*n+i*n+j] += float64(accel.Values[float32](a)[ai+i*k+l]) * float64(accel.Values[float32](b)[bi+l*n+j])
				}
			}
		}
	}
	return y
}

// offset is where element p of a shape lies in one that broadcasts to it.
func offset(p int, shape, of []int) int {
	at, stride := 0, 1
	for d := len(shape) - 1; d >= 0; d-- {
		i := p % shape[d]
		p /= shape[d]
		if j := d - (len(shape) - len(of)); j >= 0 {
			if of[j] > 1 {
				at += i * stride
			}
			stride *= of[j]
		}
	}
	return at
}

func TestGemm(t *testing.T) {
	a, b := numbers(1, 4, 3), numbers(2, 5, 4)
	for _, bias := range [][]int{nil, {}, {1}, {5}, {1, 5}, {3, 1}, {3, 5}} {
		in := []*accel.Array{a, b}
		if bias != nil {
			in = append(in, numbers(3, bias...))
		}
		attrs := accel.Attrs{accel.Int("transA", 1), accel.Int("transB", 1), accel.Float("alpha", 2), accel.Float("beta", 3)}
		got, err := New("g").evaluate("Gemm", attrs, in...)
		if err != nil {
			t.Fatalf("bias %v: %v", bias, err)
		}
		for i := range 3 {
			for j := range 5 {
				want := 0.0
				for k := range 4 {
					want += 2 * float64(accel.Values[float32](a)[k*3+i]) * float64(accel.Values[float32](b)[j*4+k])
				}
				if bias != nil {
					want += 3 * float64(accel.Values[float32](in[2])[offset(i*5+j, []int{3, 5}, bias)])
				}
				if v := float64(accel.Values[float32](got)[i*5+j]); math.Abs(v-want) != 0 {
					t.Errorf("bias %v: element %d,%d is %g, want %g", bias, i, j, v, want)
				}
			}
		}
	}
}

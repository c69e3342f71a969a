package codec

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func normals(n int, seed uint64) []float32 {
	rng := rand.New(rand.NewPCG(seed, 1))
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(rng.NormFloat64())
	}
	return out
}

// quantized returns n values on a grid of 1/8, a share of them zero.
func quantized(n int, sparsity float64, seed uint64) []float32 {
	rng := rand.New(rand.NewPCG(seed, 2))
	out := normals(n, seed)
	for i, x := range out {
		out[i] = float32(math.Round(float64(x)*8) / 8)
		if rng.Float64() < sparsity {
			out[i] = 0
		} else if out[i] == 0 {
			out[i] = 0.125
		}
	}
	return out
}

func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

// tensors are round-tripped; layout is what must win.
var tensors = []struct {
	name   string
	data   []float32
	layout string
}{
	{"empty", nil, "empty"},
	{"one zero", []float32{0}, "zeros"},
	{"one value", []float32{1.5}, "dense grid codebook"},
	{"minus zero", []float32{float32(math.Copysign(0, -1))}, "dense float32"},
	{"not finite", []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), math.SmallestNonzeroFloat32, -math.MaxFloat32}, "dense float32"},
	{"all zero", make([]float32, 100000), "zeros"},
	{"constant", slices.Repeat([]float32{math.Pi}, 5000), "dense codebook"},
	{"normals", normals(1000, 1), "dense float32"},
	{"quantized", quantized(20000, 0, 1), "dense grid codebook"},
	{"few fixed point", []float32{1, 2, 3, 4, 5, 6, 7, 8}, "dense grid"},
	{"half zero", quantized(20000, 0.5, 1), "dense grid codebook"},
	{"sparse 90 %", quantized(20000, 0.9, 1), "golomb gaps, grid codebook"},
	{"sparse 99 %", quantized(200000, 0.99, 1), "golomb gaps, grid codebook"},
	{"sparse normals", append(make([]float32, 3000), normals(300, 1)...), "huffman gaps, float32"},
	{"whole rows zero", rowsZero(quantized(40000, 0.5, 3), 100, 4), "huffman gaps, grid codebook"},
	{"far from zero", []float32{1e30, 1e-30, 0, 1e30, 1e-30, 1e30, 1e30, 1e30, 1e30, 1e30}, "golomb gaps, codebook"},
}

// rowsZero keeps one row of cols in every.
func rowsZero(data []float32, cols, every int) []float32 {
	for i := range data {
		if i/cols%every != 0 {
			data[i] = 0
		}
	}
	return data
}

func TestRoundTrip(t *testing.T) {
	for _, tc := range tensors {
		payload, err := Encode(tc.data)
		if err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		got, st, err := Decode(payload, len(tc.data))
		if err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		if !sameBits(got, tc.data) {
			t.Errorf("%s: decoded values differ", tc.name)
		}
		if st.Layout != tc.layout {
			t.Errorf("%s: layout %q, want %q (%d bytes)", tc.name, st.Layout, tc.layout, len(payload))
		}
		if again, _ := Encode(tc.data); !slices.Equal(again, payload) {
			t.Errorf("%s: two encodings differ", tc.name)
		}
	}
}

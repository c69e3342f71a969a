package codec

import (
	"encoding/binary"
	"fmt"
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

func TestEmptyAndErrors(t *testing.T) {
	if payload, err := Encode(nil); err != nil || len(payload) != 0 {
		t.Errorf("no elements: %d bytes, %v", len(payload), err)
	}
	good, err := Encode(quantized(500, 0.9, 1))
	if err != nil {
		t.Fatal(err)
	}
	bad := []struct {
		name    string
		payload []byte
		n       int
	}{
		{"negative", good, -1},
		{"too many", good, MaxElements + 1},
		{"no payload", nil, 3},
		{"payload of nothing", []byte{0}, 0},
		{"fewer elements than values", good, 10},
		{"cut", good[:len(good)-1], 500},
		{"longer", append(slices.Clone(good), 0), 500},
		{"unknown gaps", []byte{0x30, 0}, 1},
		{"unknown values", []byte{0x0f, 0}, 1},
		{"codebook larger than the data", []byte{2, 0x20, 0}, 1}, // gamma 00100 is 4 entries
		{"padding", []byte{0x10, 0xff}, 1},                       // gamma 1: no non-zeros; then ones
	}
	for _, tc := range bad {
		if _, _, err := Decode(tc.payload, tc.n); err == nil {
			t.Errorf("%s: no error", tc.name)
		}
	}
}

// entropyBits is the order-0 entropy of values times their number.
func entropyBits(data []float32) float64 {
	counts := map[uint32]int{}
	for _, x := range data {
		counts[math.Float32bits(x)]++
	}
	bits := 0.0
	for _, c := range counts {
		bits -= float64(c) * math.Log2(float64(c)/float64(len(data)))
	}
	return bits
}

// Huffman codes of one symbol at a time lose at most 0.086 bits a value beyond the
// largest probability (Gallager 1978), for these alphabets about 1 %; tables add the rest.
func TestRate(t *testing.T) {
	for _, tc := range []struct {
		sparsity float64
		n        int
		limit    float64 // bytes over entropy
	}{{0, 50000, 1.015}, {0.9, 50000, 1.02}, {0.9, 5000, 1.09}, {0.99, 50000, 1.07}} {
		data := quantized(tc.n, tc.sparsity, 9)
		payload, err := Encode(data)
		if err != nil {
			t.Fatal(err)
		}
		ratio := float64(8*len(payload)) / entropyBits(data)
		t.Logf("sparsity %v, %d elements: %d bytes, %.3f of the entropy", tc.sparsity, tc.n, len(payload), ratio)
		if !(ratio <= tc.limit) {
			t.Errorf("sparsity %v, %d elements: %.3f times the entropy, want %v", tc.sparsity, tc.n, ratio, tc.limit)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, tc := range tensors {
		if payload, err := Encode(tc.data); err == nil && len(payload) < 1000 {
			f.Add(payload, uint16(len(tc.data)))
		}
	}
	f.Fuzz(func(t *testing.T, payload []byte, n uint16) {
		data, st, err := Decode(payload, int(n))
		if err != nil {
			return
		}
		if len(data) != int(n) || st.NonZeros > int(n) {
			t.Fatalf("%d elements, %d non-zeros, want %d", len(data), st.NonZeros, n)
		}
		again, err := Encode(data)
		if err != nil {
			t.Fatal(err)
		}
		back, _, err := Decode(again, int(n))
		if err != nil || !sameBits(back, data) {
			t.Fatalf("second round trip differs: %v", err)
		}
	})
}

func FuzzEncode(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 128, 63, 0, 0, 0, 128})
	f.Fuzz(func(t *testing.T, raw []byte) {
		data := make([]float32, len(raw)/4)
		for i := range data {
			data[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
		payload, err := Encode(data)
		if err != nil {
			t.Fatal(err)
		}
		if len(payload) > 4*len(data)+1 {
			t.Errorf("%d bytes for %d elements, want no more than raw", len(payload), len(data))
		}
		back, _, err := Decode(payload, len(data))
		if err != nil || !sameBits(back, data) {
			t.Errorf("round trip differs: %v", err)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for _, sparsity := range []float64{0, 0.9} {
		data := quantized(2_300_000, sparsity, 1)
		payload, err := Encode(data)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("sparsity=%v", sparsity), func(b *testing.B) {
			b.SetBytes(4 * int64(len(data)))
			for b.Loop() {
				if _, _, err := Decode(payload, len(data)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, sparsity := range []float64{0, 0.9} {
		data := quantized(2_300_000, sparsity, 1)
		b.Run(fmt.Sprintf("sparsity=%v", sparsity), func(b *testing.B) {
			b.SetBytes(4 * int64(len(data)))
			for b.Loop() {
				if _, err := Encode(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

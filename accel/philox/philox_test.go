package philox

import (
	"fmt"
	"math"
	"testing"
)

// The known answers of Random123 for Philox4x32-10.
func TestKnownAnswers(t *testing.T) {
	const ones = 0xffffffff
	for _, c := range []struct {
		counter [4]uint32
		key     [2]uint32
		want    [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{ones, ones, ones, ones}, [2]uint32{ones, ones}, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0}, [4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := Block(c.counter, c.key); got != c.want {
			t.Errorf("Block(%08x, %08x) = %08x, want %08x", c.counter, c.key, got, c.want)
		}
		s := Stream{Key: uint64(c.key[1])<<32 | uint64(c.key[0]), ID: uint64(c.counter[3])<<32 | uint64(c.counter[2])}
		if got := s.Uint32x4(uint64(c.counter[1])<<32 | uint64(c.counter[0])); got != c.want {
			t.Errorf("%08x of %08x = %08x, want %08x", c.counter, s, got, c.want)
		}
	}
}

var stream = Stream{Key: 0x0123456789abcdef, ID: 0xfedcba9876543210}

// offsets are around a block, a group, the carry into the second counter word,
// and the end of the counter.
var offsets = []uint64{0, 1, 2, 3, 4, 63, 1<<34 - 130, math.MaxUint64 - 3000}

// Every implementation gives the words of the definition, for each cut.
func TestBits(t *testing.T) {
	for i := range impls {
		m := impls[i]
		for _, offset := range offsets {
			for _, n := range []int{0, 1, 2, 3, 4, 5, 63, 64, 65, 127, 128, 129, 200, 257} {
				all := make([]uint32, n+1)
				all[n] = 0xdead
				m.bits(all[:n], stream, offset)
				for i, got := range all[:n] {
					if want := stream.Uint32(offset + uint64(i)); got != want {
						t.Fatalf("%s: word %d of %d from offset %d is %08x, want %08x", m, i, n, offset, got, want)
					}
				}
				if all[n] != 0xdead {
					t.Fatalf("%s: wrote beyond %d words", m, n)
				}
			}
		}
	}
}

// sizes are around a vector and a chunk.
var sizes = []int{0, 1, 15, 16, 17, 33, 1023, 1024, 1025, 2100}

func TestUniform(t *testing.T) {
	for i := range impls {
		for _, n := range sizes {
			got := make([]float32, n+1)
			got[n] = 7
			impls[i].uniforms(got[:n], stream, 5)
			for j, v := range got[:n] {
				if want := float64(stream.Uint32(uint64(5+j))>>8) / (1 << 24); float64(v) != want {
					t.Fatalf("%s: element %d of %d is %g, want %g", impls[i], j, n, v, want)
				}
			}
			if got[n] != 7 {
				t.Fatalf("%s: wrote beyond %d elements", impls[i], n)
			}
		}
	}
}

func TestDropout(t *testing.T) {
	const p, scale = 0.3, 1 / 0.7
	drop := threshold(p)
	for i := range impls {
		m := impls[i]
		for _, n := range sizes {
			mask, src, dst := make([]uint8, n+1), make([]float32, n), make([]float32, n+1)
			for j := range src {
				src[j] = float32(j) - 3
			}
			mask[n], dst[n] = 9, 9
			m.keepMask(mask[:n], stream, drop, 2)
			m.drop(dst[:n], src, stream, drop, scale, 2)
			for j := range src {
				var keep uint8
				var want float32
				if float64(stream.Uint32(uint64(2+j)))/(1<<32) >= p {
					keep, want = 1, src[j]*scale
				}
				if mask[j] != keep || dst[j] != want {
					t.Fatalf("%s: element %d of %d: mask %d, value %g, want %d, %g", m, j, n, mask[j], dst[j], keep, want)
				}
			}
			if mask[n] != 9 || dst[n] != 9 {
				t.Fatalf("%s: wrote beyond %d elements", m, n)
			}
			m.drop(src, src, stream, drop, scale, 2)
			for j := range src {
				if src[j] != dst[j] {
					t.Fatalf("%s: in place, element %d is %g, want %g", m, j, src[j], dst[j])
				}
			}
		}
	}
}

// However a tensor is cut, its elements are the same.
func TestCuts(t *testing.T) {
	const n = 3000
	whole, mask := make([]float32, n), make([]uint8, n)
	wide, even := make([]float64, n), make([]float64, n)
	stream.Normal64(wide, 0)
	stream.Uniform64(even, 0)
	stream.Normal(whole, 0)
	stream.KeepMask(mask, 0.5, 0)
	for _, cut := range []int{1, 3, 1000, 1025} {
		for from := 0; from < n; from += cut {
			to := min(from+cut, n)
			part, bytes := make([]float32, to-from), make([]uint8, to-from)
			stream.Normal(part, uint64(from))
			stream.KeepMask(bytes, 0.5, uint64(from))
			normal, uniform := make([]float64, to-from), make([]float64, to-from)
			stream.Normal64(normal, uint64(from))
			stream.Uniform64(uniform, uint64(from))
			for i := range part {
				if normal[i] != wide[from+i] || uniform[i] != even[from+i] || part[i] != whole[from+i] || bytes[i] != mask[from+i] {
					t.Fatalf("cut of %d from %d: element %d differs", cut, from, i)
				}
			}
		}
	}
}

// quantile inverts the distribution function, which math.Erfc gives within a
// few ulp; the derivative there is the density.
func TestQuantile(t *testing.T) {
	for _, p := range []float64{0x1p-33, 1e-9, 1e-6, 0.001, 0.02, 0.0749, 0.0751, 0.3, 0.5, 0.7, 0.93, 0.999, 1 - 1e-9} {
		z := quantile(p)
		lower := 0.5 * math.Erfc(-z/math.Sqrt2)
		upper := 0.5 * math.Erfc(z/math.Sqrt2)
		diff := math.Min(math.Abs(lower-p)/p, math.Abs(upper-(1-p))/(1-p))
		if !(diff <= 1e-13) { // 1e-15 in z, times z = 6.2, times a few ulp of erfc
			t.Errorf("quantile(%g) = %v: distribution there %g", p, z, lower)
		}
	}
	if z := quantile(0.975); !(math.Abs(z-1.959963984540054) <= 1e-15) {
		t.Errorf("quantile(0.975) = %v", z)
	}
}

func TestMoments(t *testing.T) {
	const n = 1 << 16
	x, mask := make([]float32, n), make([]uint8, n)
	moments := func() (mean, variance float64) {
		for _, v := range x {
			mean += float64(v) / n
			variance += float64(v) * float64(v) / n
		}
		return mean, variance - mean*mean
	}
	stream.Normal(x, 0)
	// The mean's deviation is 1/sqrt(n) = 0.0039, the variance's sqrt(2/n) = 0.0055; four of each.
	if mean, variance := moments(); !(math.Abs(mean) < 0.016 && math.Abs(variance-1) < 0.022) {
		t.Errorf("normal: mean %g, variance %g", mean, variance)
	}
	stream.Uniform(x, 0)
	// Deviations: sqrt(1/12/n) = 0.0011 and sqrt(1/180/n) = 0.0003.
	if mean, variance := moments(); !(math.Abs(mean-0.5) < 0.0045 && math.Abs(variance-1.0/12) < 0.0012) {
		t.Errorf("uniform: mean %g, variance %g", mean, variance)
	}
	stream.KeepMask(mask, 0.25, 0)
	kept := 0
	for _, v := range mask {
		kept += int(v)
	}
	if !(math.Abs(float64(kept)/n-0.75) < 0.0068) { // four times sqrt(0.25*0.75/n)
		t.Errorf("mask: %d of %d kept, want 0.75", kept, n)
	}
}

// TestMoments64 also wants numbers that float32 does not have, and the words that
// the definition names.
func TestMoments64(t *testing.T) {
	const n = 1 << 16
	x := make([]float64, n)
	for _, c := range []struct {
		name                   string
		fill                   func(Stream, []float64, uint64)
		mean, variance         float64
		nearMean, nearVariance float64 // four deviations of each, as in TestMoments
	}{
		{"normal", Stream.Normal64, 0, 1, 0.016, 0.022}, {"uniform", Stream.Uniform64, 0.5, 1.0 / 12, 0.0045, 0.0012},
	} {
		c.fill(stream, x, 0)
		mean, square, fine := 0.0, 0.0, 0
		for _, v := range x {
			mean, square = mean+v/n, square+v*v/n
			if float64(float32(v)) != v {
				fine++
			}
		}
		if variance := square - mean*mean; !(math.Abs(mean-c.mean) < c.nearMean && math.Abs(variance-c.variance) < c.nearVariance) {
			t.Errorf("%s: mean %g, variance %g", c.name, mean, variance)
		}
		if fine < n*9/10 {
			t.Errorf("%s: %d of %d numbers are float32s", c.name, n-fine, n)
		}
	}
	for i, v := range x[:10] { // the uniform ones
		word := uint64(stream.Uint32(uint64(2*i+1)))<<32 | uint64(stream.Uint32(uint64(2*i)))
		if want := float64(word>>11) * 0x1p-53; v != want {
			t.Errorf("element %d: got %g, want %g", i, v, want)
		}
	}
}

func TestProbability(t *testing.T) {
	for _, p := range []float64{-0.1, 1, math.NaN()} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("probability %g: no panic", p)
				}
			}()
			stream.KeepMask(make([]uint8, 1), p, 0)
		}()
	}
	mask := make([]uint8, 100)
	stream.KeepMask(mask, 0, 0)
	for i, v := range mask {
		if v != 1 {
			t.Fatalf("probability 0 dropped element %d", i)
		}
	}
}

func TestNothingEscapes(t *testing.T) {
	x := make([]float32, 100)
	mask, wide := make([]uint8, 100), make([]float64, 100)
	if n := testing.AllocsPerRun(50, func() {
		stream.Uniform64(wide, 1)
		stream.Normal64(wide, 1)
		stream.Uniform(x, 1)
		stream.Normal(x, 1)
		stream.KeepMask(mask, 0.5, 1)
		stream.Dropout(x, x, 0.5, 2, 1)
	}); n != 0 {
		t.Errorf("%g allocations, want none", n)
	}
}

func BenchmarkFill(b *testing.B) {
	const n = 1 << 16
	words, mask, x := make([]uint32, n), make([]uint8, n), make([]float32, n)
	for _, c := range []struct {
		name string
		run  func(m impl)
	}{
		{"bits", func(m impl) { m.bits(words, stream, 0) }},
		{"uniform", func(m impl) { m.uniforms(x, stream, 0) }},
		{"mask", func(m impl) { m.keepMask(mask, stream, 1<<31, 0) }},
		{"dropout", func(m impl) { m.drop(x, x, stream, 1<<31, 1, 0) }},
		{"normal", func(impl) { stream.Normal(x, 0) }},
	} {
		for i := range impls {
			b.Run(fmt.Sprintf("fill=%s/impl=%s", c.name, impls[i]), func(b *testing.B) {
				b.SetBytes(4 * n)
				for b.Loop() {
					c.run(impls[i])
				}
			})
		}
	}
}

package optim

import (
	"bytes"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/model/weights"
)

// By hand, lr 0.5, mu 0.5, powers of two only: d 1 then 2.
//
//	m = 1,   theta = 8    - 0.5*(0.5*1   + 1) = 7.25
//	m = 2.5, theta = 7.25 - 0.5*(0.5*2.5 + 2) = 5.625
func TestNesterov(t *testing.T) {
	o := Nesterov{LR: 0.5, Momentum: 0.5}
	theta, m := []float32{8}, []float32{0}
	for i, want := range []float32{7.25, 5.625} {
		if err := o.Step(theta, m, []float32{float32(i + 1)}); err != nil || theta[0] != want {
			t.Errorf("step %d: %v, want %v (%v)", i, theta[0], want, err)
		}
	}
	if m[0] != 2.5 {
		t.Errorf("momentum %v, want 2.5", m[0])
	}
	if err := o.Step(theta, m, []float32{1, 2}); err == nil {
		t.Error("two deltas for one parameter: no error")
	}
}

// deltas returns 5 workers' pseudo-gradients of 100 elements of very different sizes, and weights.
func deltas() (d [][]float32, w []int64) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 5 {
		x := make([]float32, 100)
		for j := range x {
			x[j] = float32(rng.NormFloat64() * math.Exp2(float64(j%60-48)))
		}
		d = append(d, x)
		w = append(w, 1+rng.Int64N(1<<20))
	}
	return d, w
}

func mean(t *testing.T, a *MeanAccumulator) []float32 {
	t.Helper()
	out := make([]float32, a.Len())
	if err := a.Mean(out); err != nil {
		t.Fatal(err)
	}
	return out
}

func add(t *testing.T, a *MeanAccumulator, d []float32, w int64) {
	t.Helper()
	if err := a.Add(d, w); err != nil {
		t.Fatal(err)
	}
}

// The mean of the rounded deltas, in rational numbers.
func exactMean(d [][]float32, w []int64, j int) float32 {
	sum, weight := new(big.Rat), int64(0)
	for i := range d {
		q := math.RoundToEven(float64(d[i][j]) * 0x1p40)
		sum.Add(sum, new(big.Rat).Mul(new(big.Rat).SetFloat64(q), new(big.Rat).SetInt64(w[i])))
		weight += w[i]
	}
	sum.Quo(sum, new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(weight), 40)))
	f, _ := sum.Float64()
	return float32(f)
}

func TestMeanIsExactInAnyOrder(t *testing.T) {
	d, w := deltas()
	var forward MeanAccumulator
	for i := range d {
		add(t, &forward, d[i], w[i])
	}
	want := mean(t, &forward)
	for j := range want {
		if exact := exactMean(d, w, j); want[j] != exact {
			t.Errorf("element %d: %v, want %v", j, want[j], exact)
		}
	}
	data, err := forward.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(2, 2))
	for range 20 { // random trees, with encoding and decoding between
		var parts []*MeanAccumulator
		for _, i := range rng.Perm(len(d)) {
			a := &MeanAccumulator{}
			add(t, a, d[i], w[i])
			parts = append(parts, a, &MeanAccumulator{})
		}
		for len(parts) > 1 {
			i := rng.IntN(len(parts) - 1)
			text, err := parts[i+1].MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			var b MeanAccumulator
			if err := b.UnmarshalBinary(text); err != nil {
				t.Fatal(err)
			}
			if err := parts[i].Merge(&b); err != nil {
				t.Fatal(err)
			}
			parts = slices.Delete(parts, i+1, i+2)
		}
		if got, _ := parts[0].MarshalBinary(); !bytes.Equal(got, data) {
			t.Fatal("another order gives other bytes")
		}
	}
}

func TestMeanLimits(t *testing.T) {
	for _, bad := range []float32{1 << 15, -1 << 15, float32(math.NaN()), float32(math.Inf(1))} {
		var a MeanAccumulator
		err := a.Add([]float32{0, bad}, 1)
		if err == nil || !strings.Contains(err.Error(), "element 1 is") || a.Len() != 0 || a.Weight() != 0 {
			t.Errorf("%v: %v, and %d elements added", bad, err, a.Len())
		}
	}
	var a MeanAccumulator
	edge := math.Nextafter32(1<<15, 0)
	add(t, &a, []float32{edge, -edge, 0, 0x1p-41, 0x1.8p-40}, math.MaxInt64-1)
	add(t, &a, []float32{edge, -edge, 0, 0x1p-41, 0x1.8p-40}, 1)
	// Half a unit rounds to the even 0, one and a half to 2.
	if got := mean(t, &a); !slices.Equal(got, []float32{edge, -edge, 0, 0, 0x1p-39}) {
		t.Errorf("mean %v", got)
	}
	if err := a.Add(make([]float32, 5), 1); err == nil {
		t.Error("weights beyond 2^63: no error")
	}
	data, err := a.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var b MeanAccumulator
	if err := b.UnmarshalBinary(data); err != nil || !slices.Equal(mean(t, &b), mean(t, &a)) {
		t.Errorf("round trip of the largest sums: %v", err)
	}
	if err := b.Add([]float32{1}, 1); err == nil {
		t.Error("another length: no error")
	}
	if err := b.Add(make([]float32, 5), 0); err == nil {
		t.Error("weight 0: no error")
	}
	if err := new(MeanAccumulator).Mean(nil); err == nil {
		t.Error("mean of nothing: no error")
	}
}

func TestMeanEncodingRejects(t *testing.T) {
	d, w := deltas()
	var a MeanAccumulator
	add(t, &a, d[0][:3], w[0])
	data, err := a.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for n := range data {
		if err := new(MeanAccumulator).UnmarshalBinary(data[:n]); err == nil {
			t.Fatalf("cut to %d of %d bytes: no error", n, len(data))
		}
	}
	for name, bad := range map[string]string{
		"many elements of no bytes": "\x01\xff\xff\xff\x07\x00",
		"more than the weight":      "\x01\x01\x08\x00\x00\x00\x00\x00\x00\x00\x7f",
		"-2^127":                    "\x01\x01\x10" + strings.Repeat("\x00", 15) + "\x80",
		"no weight, a sum":          "\x00\x01\x01\x01",
		"17 bytes":                  "\x01\x01\x11" + strings.Repeat("\x00", 17),
	} {
		if err := new(MeanAccumulator).UnmarshalBinary([]byte(meanMagic + bad)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestBlocks(t *testing.T) {
	params := weights.Set{weights.New("a", 2, 3), weights.New("b"), weights.New("none", 0), weights.New("c", 4)}
	for i, at := 0, 0; i < len(params); i++ {
		for j := range params[i].Data() {
			params[i].Data()[j] = float32(at)
			at++
		}
	}
	for _, elems := range []int{1, 2, 4, 5, 11, 100} {
		got := params.Zeros()
		next := 0
		for i, b := range Blocks(params, elems) {
			if b.Index != i || b.Offset != next || b.Len < 1 || b.Len > elems {
				t.Fatalf("blocks of %d: %+v at %d", elems, b, next)
			}
			next += b.Len
			buf := make([]float32, b.Len)
			if err := Gather(params, b, buf); err != nil {
				t.Fatal(err)
			}
			for j, x := range buf {
				if x != float32(b.Offset+j) {
					t.Errorf("blocks of %d: element %d is %v", elems, b.Offset+j, x)
				}
			}
			if err := Scatter(got, b, buf); err != nil {
				t.Fatal(err)
			}
		}
		if next != 11 {
			t.Errorf("blocks of %d cover %d elements, want 11", elems, next)
		}
		for i := range params {
			if !slices.Equal(got[i].Data(), params[i].Data()) {
				t.Errorf("blocks of %d: %s is %v", elems, params[i].Name, got[i].Data())
			}
		}
	}
	for _, b := range []Block{{0, -1, 2}, {0, 10, 2}, {0, 0, 3}, {0, math.MaxInt, 2}} {
		if err := Gather(params, b, make([]float32, 2)); err == nil {
			t.Errorf("%+v into 2 values: no error", b)
		}
	}
	if got := Blocks(nil, 3); len(got) != 0 {
		t.Errorf("blocks of nothing: %v", got)
	}
}

func FuzzMeanUnmarshal(f *testing.F) {
	var a MeanAccumulator
	if err := a.Add([]float32{1, -2, 0.5}, 3); err != nil {
		f.Fatal(err)
	}
	data, err := a.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		var a MeanAccumulator
		if err := a.UnmarshalBinary(data); err != nil {
			return
		}
		again, err := a.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var b MeanAccumulator
		if err := b.UnmarshalBinary(again); err != nil {
			t.Fatalf("cannot read what was written: %v", err)
		}
		if a.Weight() > 0 {
			mean(t, &a)
		}
	})
}

func BenchmarkMean(b *testing.B) {
	d := make([]float32, 1<<16)
	for i := range d {
		d[i] = float32(i) * 1e-7
	}
	b.SetBytes(4 << 16)
	var a MeanAccumulator
	for b.Loop() {
		if err := a.Add(d, 640); err != nil {
			b.Fatal(err)
		}
	}
}

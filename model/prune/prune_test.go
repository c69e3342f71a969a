package prune

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/model/weights"
)

func normals(seed uint64, shapes ...[]int) weights.Set {
	rng := rand.New(rand.NewPCG(seed, 1))
	var set weights.Set
	for i, shape := range shapes {
		t := weights.New(string(rune('a'+i)), shape...)
		for j := range t.Data() {
			t.Data()[j] = float32(rng.NormFloat64())
		}
		set = append(set, t)
	}
	return set
}

// sorted is the mask by sorting (magnitude, tensor, index), the definition.
func sorted(set weights.Set, prunable func(string) bool, k int) map[[2]int]bool {
	type element struct {
		magnitude float64
		at        [2]int
	}
	var all []element
	for i, t := range set {
		if prunable(t.Name) {
			for j, x := range t.Data() {
				all = append(all, element{math.Abs(float64(x)), [2]int{i, j}})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b element) int {
		switch {
		case a.magnitude < b.magnitude:
			return -1
		case a.magnitude > b.magnitude:
			return 1
		}
		return 0
	})
	out := map[[2]int]bool{}
	for _, e := range all[:k] {
		out[e.at] = true
	}
	return out
}

func TestGlobalIsExact(t *testing.T) {
	plain := normals(1, []int{30, 20}, []int{50}, []int{7, 3, 3, 3})
	ties := plain.Clone()
	for _, tensor := range ties {
		for j, x := range tensor.Data() {
			tensor.Data()[j] = float32(math.Round(float64(x)*2) / 2) // zeros of both signs among them
		}
	}
	near := plain.Clone() // one bucket of the first pass
	for _, tensor := range near {
		for j := range tensor.Data() {
			tensor.Data()[j] = math.Float32frombits(0x3f800000 + uint32(j*7919)%1000)
		}
	}
	for name, set := range map[string]weights.Set{"plain": plain, "ties": ties, "near": near} {
		for _, sparsity := range []float64{0, 0.001, 0.3, 0.5, 0.9, 0.999, 1} {
			mask, err := Global(set, Matrices(set), sparsity)
			if err != nil {
				t.Fatal(err)
			}
			k := int(math.Round(sparsity * 789)) // 600 + 189 prunable
			want := sorted(set, Matrices(set), k)
			got := 0
			for m, i := range []int{0, 2} {
				for j := range set[i].Data() {
					if mask[m].Pruned(j) != want[[2]int{i, j}] {
						t.Fatalf("%s %v: tensor %d element %d: pruned %v, want %v", name, sparsity, i, j, mask[m].Pruned(j), want[[2]int{i, j}])
					}
				}
				got += mask[m].Count()
			}
			if got != k || mask.Sparsity() != float64(k)/789 {
				t.Errorf("%s %v: %d pruned, sparsity %v, want %d", name, sparsity, got, mask.Sparsity(), k)
			}
		}
	}
}

func TestApply(t *testing.T) {
	set := normals(2, []int{20, 10}, []int{10})
	before := set.Clone()
	mask, err := Global(set, Matrices(set), 0.5)
	if err != nil {
		t.Fatal(err)
	}
	if err := mask.Apply(set); err != nil {
		t.Fatal(err)
	}
	for i, tensor := range set {
		for j, x := range tensor.Data() {
			want := before[i].Data()[j]
			if i == 0 && mask[0].Pruned(j) {
				want = 0
			}
			if math.Float32bits(x) != math.Float32bits(want) {
				t.Errorf("tensor %d element %d: %v, want %v", i, j, x, want)
			}
		}
	}
	more, err := Global(set, Matrices(set), 0.8)
	if err != nil {
		t.Fatal(err)
	}
	for j := range set[0].Data() {
		if mask[0].Pruned(j) && !more[0].Pruned(j) {
			t.Fatalf("element %d is pruned at 0.5 but not at 0.8", j)
		}
	}
	if err := mask.Apply(normals(2, []int{20, 11})); err == nil || !strings.Contains(err.Error(), `tensor "a": got 220 elements, want 200`) {
		t.Errorf("another shape: %v", err)
	}
	if err := Mask(nil).Apply(set); err != nil {
		t.Errorf("no mask: %v", err)
	}
}

func TestLocal(t *testing.T) {
	set := normals(3, []int{10, 10}, []int{40, 5})
	for i := range set[1].Data() {
		set[1].Data()[i] *= 1000 // globally, none of these would be pruned
	}
	mask, err := Local(set, Matrices(set), 0.25)
	if err != nil {
		t.Fatal(err)
	}
	if got := []int{mask[0].Count(), mask[1].Count()}; !slices.Equal(got, []int{25, 50}) {
		t.Errorf("pruned %v, want [25 50]", got)
	}
}

func TestGlobalRejects(t *testing.T) {
	set := normals(4, []int{2, 2})
	for _, s := range []float64{-0.1, 1.1, math.NaN()} {
		if _, err := Global(set, Matrices(set), s); err == nil {
			t.Errorf("sparsity %v: no error", s)
		}
	}
	for _, x := range []float64{math.NaN(), math.Inf(-1)} {
		set[0].Data()[3] = float32(x)
		if _, err := Global(set, Matrices(set), 0.5); err == nil || !strings.Contains(err.Error(), `tensor "a": element 3`) {
			t.Errorf("weight %v: %v", x, err)
		}
	}
	if mask, err := Global(nil, Matrices(nil), 0.5); err != nil || mask.Sparsity() != 0 {
		t.Errorf("no tensors: %v, %v", mask, err)
	}
}

// By hand: at half of the steps (1-1/2)³ = 1/8 of the way is left.
func TestCubicSchedule(t *testing.T) {
	for _, tc := range []struct {
		step int
		want float64
	}{{-1, 0.1}, {0, 0.1}, {2, 0.9 - 0.8/8}, {4, 0.9}, {9, 0.9}} {
		if got := CubicSchedule(tc.step, 4, 0.1, 0.9); math.Abs(got-tc.want) > 1e-15 {
			t.Errorf("step %d: %v, want %v", tc.step, got, tc.want)
		}
	}
}

func encoded(t testing.TB) ([]byte, Mask) {
	set := normals(5, []int{9, 7}, []int{8, 8}, []int{0, 3})
	mask, err := Global(set, Matrices(set), 0.4)
	if err != nil {
		t.Fatal(err)
	}
	data, err := mask.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return data, mask
}

func TestEncoding(t *testing.T) {
	data, mask := encoded(t)
	var got Mask
	if err := got.UnmarshalBinary(data); err != nil {
		t.Fatal(err)
	}
	if again, _ := got.MarshalBinary(); !bytes.Equal(again, data) || got.Sparsity() != mask.Sparsity() {
		t.Error("the round trip differs")
	}
	for n := range data {
		if err := new(Mask).UnmarshalBinary(data[:n]); err == nil {
			t.Fatalf("cut to %d of %d bytes: no error", n, len(data))
		}
	}
	if err := new(Mask).UnmarshalBinary(append(data, 0)); err == nil {
		t.Error("one byte more: no error")
	}
	if err := new(Mask).UnmarshalBinary([]byte(maskMagic + "\x02\x01a\x00\x01a\x00")); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("one tensor twice: %v", err)
	}
}

func FuzzUnmarshal(f *testing.F) {
	data, _ := encoded(f)
	f.Add(data)
	f.Add([]byte(maskMagic + "\x01\x01a\x03\x07"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var m Mask
		if err := m.UnmarshalBinary(data); err != nil {
			return
		}
		again, err := m.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var back Mask
		if err := back.UnmarshalBinary(again); err != nil || len(back) != len(m) {
			t.Fatalf("%d tensors, %v; want %d", len(back), err, len(m))
		}
	})
}

func BenchmarkGlobal(b *testing.B) {
	set := normals(1, []int{2500, 4000})
	b.SetBytes(4 * 10_000_000)
	for b.Loop() {
		if _, err := Global(set, Matrices(set), 0.9); err != nil {
			b.Fatal(err)
		}
	}
}

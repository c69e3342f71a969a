package extent

import (
	"math"
	"slices"
	"testing"

	"github.com/millrace-go/millrace/accel"
)

// TestSlice compares ranges with a walk: from the clamped start on, as long as
// the clamped end is not reached.
func TestSlice(t *testing.T) {
	bounds := []int{math.MinInt, -9, -4, -3, -1, 0, 1, 2, 3, 4, 9, math.MaxInt}
	for _, n := range []int{0, 1, 3, 4} {
		for _, start := range bounds {
			for _, end := range bounds {
				for _, step := range []int{math.MinInt, -4, -3, -2, -1, 1, 2, 3, 4, math.MaxInt} {
					r, err := Slice([]int{n}, []int{start}, []int{end}, nil, []int{step})
					if err != nil {
						t.Fatal(err)
					}
					var got []int
					for i := range r[0].N {
						got = append(got, r[0].Start+i*step)
					}
					if want := walk(n, start, end, step); !slices.Equal(got, want) {
						t.Fatalf("%d:%d:%d of %d: got %v, want %v", start, end, step, n, got, want)
					}
				}
			}
		}
	}
}

func walk(n, start, end, step int) []int {
	if start < 0 {
		start += n
	}
	if end < 0 {
		end += n
	}
	var out []int
	if step > 0 {
		for i := max(0, start); i < min(end, n); {
			out = append(out, i)
			if i > n-step {
				break
			}
			i += step
		}
		return out
	}
	for i := min(max(start, 0), n-1); i > max(end, -1); i += max(step, -n-1) {
		out = append(out, i)
	}
	return out
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		n, parts int
		want     []int
	}{{6, 3, []int{2, 2, 2}}, {7, 3, []int{3, 3, 1}}, {5, 4, []int{2, 2, 1, 0}}, {0, 2, []int{0, 0}}, {1, 3, []int{1, 0, 0}}} {
		got, err := Split(c.n, nil, c.parts)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%d in %d parts: %v, %v, want %v", c.n, c.parts, got, err, c.want)
		}
	}
	for _, sizes := range [][]int{{2, 3}, {-1, 5}, {math.MaxInt, math.MaxInt}} {
		if got, err := Split(4, sizes, 0); err == nil {
			t.Errorf("4 in parts %v: %v, want an error", sizes, got)
		}
	}
	if _, err := Split(4, []int{2, 2}, 3); err == nil {
		t.Error("two sizes for three parts: no error")
	}
}

func TestReflect(t *testing.T) {
	for i, want := range []int{2, 1, 0, 1, 2, 3, 2, 1, 0, 1} { // from -2 on, of 4
		if got := Reflect(i-2, 4); got != want {
			t.Errorf("Reflect(%d, 4) = %d, want %d", i-2, got, want)
		}
	}
}

func TestPadded(t *testing.T) {
	for _, c := range [][3]int{{3, -2, -2}, {3, math.MaxInt, 1}, {3, math.MinInt, 0}, {0, -1, 0}} {
		if got, err := Padded(c[0], c[1], c[2]); err == nil {
			t.Errorf("Padded%v = %d, want an error", c, got)
		}
	}
}

// TestFloat16 has every float16, against the sum of its bits.
func TestFloat16(t *testing.T) {
	a := accel.NewArray(accel.Float16, 1)
	for b := range 1 << 16 {
		accel.Values[uint16](a)[0] = uint16(b)
		want := 0.0
		exponent := b >> 10 & 31
		for bit := range 10 {
			if b>>bit&1 != 0 {
				want += math.Ldexp(1, bit-10)
			}
		}
		switch {
		case exponent == 0:
			want = math.Ldexp(want, -14)
		case exponent < 31:
			want = math.Ldexp(1+want, exponent-15)
		case want == 0:
			want = math.Inf(1)
		default:
			want = math.NaN()
		}
		if b>>15 != 0 {
			want = -want
		}
		got := Float(a, 0)
		if got != want && !(got != got && want != want) || math.Signbit(got) != math.Signbit(want) && want == want {
			t.Fatalf("float16 %#04x is %g, want %g", b, got, want)
		}
	}
}

// TestTapsAddUp has weights that keep constants, whatever the mode.
func TestTapsAddUp(t *testing.T) {
	scales := accel.ArrayOf(accel.Float32, []int{1}, []float32{1})
	for _, mode := range []string{"nearest", "linear", "cubic"} {
		for _, coordinates := range []string{"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric"} {
			for _, s := range []float32{0.1, 0.3, 0.77, 1, 1.5, 2, 3.3} {
				for flags := range 4 {
					accel.Values[float32](scales)[0] = s
					r, err := NewResize([]int{11}, accel.Attrs{
						accel.String("mode", mode), accel.String("coordinate_transformation_mode", coordinates),
						accel.Int("antialias", flags&1), accel.Int("exclude_outside", flags>>1),
					}, nil, scales, nil)
					if err != nil {
						t.Fatal(err)
					}
					checkTaps(t, r, mode, coordinates, s)
				}
			}
		}
	}
}

func checkTaps(t *testing.T, r *Resize, mode, coordinates string, scale float32) {
	t.Helper()
	taps, err := r.Taps(0)
	if err != nil {
		t.Fatal(err)
	}
	if n := r.Axes[0].Out * taps.K; len(taps.Index) != n || len(taps.Weight) != n {
		t.Fatalf("%d indices and %d weights, want %d", len(taps.Index), len(taps.Weight), n)
	}
	for i := range r.Axes[0].Out {
		sum := 0.0
		for k := range taps.K {
			sum += taps.Weight[i*taps.K+k]
			if at := taps.Index[i*taps.K+k]; at < 0 || at > 10 {
				t.Fatalf("%s %s ×%g: index %d of 11", mode, coordinates, scale, at)
			}
		}
		if !(math.Abs(sum-1) <= 0x1p-45) { // a few dozen roundings of numbers up to 2
			t.Fatalf("%s %s ×%g: the weights of element %d add up to %g", mode, coordinates, scale, i, sum)
		}
	}
}

func TestUniqueOrders(t *testing.T) {
	a := accel.ArrayOf(accel.Uint64, []int{5}, []uint64{1 << 63, 2, 1 << 63, 1, 2})
	for _, c := range []struct {
		sorted                 bool
		order, inverse, counts []int
	}{{true, []int{3, 1, 0}, []int{2, 1, 2, 0, 1}, []int{1, 2, 2}}, {false, []int{0, 1, 3}, []int{0, 1, 0, 2, 1}, []int{2, 2, 1}}} {
		u := Unique(a, -1, c.sorted)
		if !slices.Equal(u.Order, c.order) || !slices.Equal(u.Inverse, c.inverse) || !slices.Equal(u.Counts, c.counts) {
			t.Errorf("sorted %v: %v, want %v %v %v", c.sorted, u, c.order, c.inverse, c.counts)
		}
	}
}

func TestBlocks(t *testing.T) {
	b, err := NewBlocks([]int{5}, []int{2}, accel.Attrs{accel.Ints("strides", 2), accel.Ints("dilations", 3), accel.Ints("pads", 1, 1)})
	if err != nil {
		t.Fatal(err)
	}
	// Positions -1 and 1 of a block of two elements that lie 3 apart.
	if got, want := b.Table(), []int{-1, 1, 2, 4}; !slices.Equal(got, want) || b.Counts[0] != 2 {
		t.Errorf("table %v at %v positions, want %v", got, b.Counts, want)
	}
	if _, err := NewBlocks([]int{2}, []int{3}, nil); err == nil {
		t.Error("a block larger than the image: no error")
	}
}

func TestBlocksTooLarge(t *testing.T) {
	// 8·2⁶¹ is 0 modulo 2⁶⁴: the block would seem to fit.
	if b, err := NewBlocks([]int{4}, []int{9}, accel.Attrs{accel.Ints("dilations", 1<<61)}); err == nil {
		t.Errorf("nine taps 2⁶¹ apart in an image of 4: %d positions, want an error", b.Counts[0])
	}
}

package cpu

import (
	"math"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/cast"
)

// naiveRoiPool goes over all pixels of the image and asks of each cell whether it
// touches the pixel: cell i of n of a region from pixel a on, s pixels long, is the
// real interval [a+i·s/n, a+(i+1)·s/n), and pixel k is [k, k+1).
func naiveRoiPool(x []float32, shape []int, rois []float32, scale float32, rows, cols int) []float64 {
	channels, height, width := shape[1], shape[2], shape[3]
	touches := func(k, i, n int, first, last float32) bool {
		a, b := math.Floor(math.Abs(float64(first*scale))+0.5), math.Floor(math.Abs(float64(last*scale))+0.5)
		a, b = math.Copysign(a, float64(first)), math.Copysign(b, float64(last))
		s := max(b-a+1, 1)
		return float64(k+1-int(a))*float64(n) > float64(i)*s && float64(k-int(a))*float64(n) < float64(i+1)*s
	}
	var out []float64
	for r := 0; r < len(rois); r += 5 {
		for c := range channels {
			for cell := range rows * cols {
				best := math.Inf(-1)
				for at := range height * width {
					if touches(at/width, cell/cols, rows, rois[r+2], rois[r+4]) && touches(at%width, cell%cols, cols, rois[r+1], rois[r+3]) {
						best = max(best, float64(x[(int(rois[r])*channels+c)*height*width+at]))
					}
				}
				if math.IsInf(best, -1) {
					best = 0
				}
				out = append(out, best)
			}
		}
	}
	return out
}

// TestMaxRoiPool compares all float types with the naive pool, which must agree to
// the bit: a maximum is one of the elements.
func TestMaxRoiPool(t *testing.T) {
	shape := []int{3, 2, 7, 9}
	x := floats32(1, -4, 4, shape...)
	for i, v := range accel.Values[float32](x) {
		accel.Values[float32](x)[i] = float32(math.Round(float64(v*64)) / 64) // a float16 too
	}
	rois := accel.NewArray(accel.Float32, 40, 5)
	corners := accel.Values[float32](floats32(2, -6, 24, 40, 5))
	for i, v := range corners {
		accel.Values[float32](rois)[i] = float32(math.Round(float64(v*4)) / 4)
		if i%5 == 0 {
			accel.Values[float32](rois)[i] = float32(i / 5 % 3)
		}
	}
	for _, cells := range [][]int{{1, 1}, {2, 3}, {7, 5}, {16, 1}} {
		for _, scale := range []float64{1, 0.5, 0.0625} {
			want := naiveRoiPool(accel.Values[float32](x), shape, accel.Values[float32](rois), float32(scale), cells[0], cells[1])
			attrs := accel.Attrs{accel.Ints("pooled_shape", cells...), accel.Float("spatial_scale", scale)}
			for _, typ := range []accel.DType{accel.Float32, accel.Float64, accel.Float16} {
				out := typed(typ, 40, 2, cells[0], cells[1])
				got := trial{op: "MaxRoiPool", attrs: attrs, in: []*accel.Array{as32(x, typ), as32(rois, typ)}, out: []accel.Tensor{out}}.runAll(t)[0]
				for i, v := range accel.Values[float32](to32(got)) {
					if float64(v) != want[i] {
						t.Fatalf("%v, cells %v, scale %g, element %d: got %g, want %g", typ, cells, scale, i, v, want[i])
					}
				}
			}
		}
	}
}

// as32 is the numbers of a float32 array in another float type, to32 the opposite.
func as32(a *accel.Array, to accel.DType) *accel.Array {
	out := accel.NewArray(to, a.Shape...)
	switch from := accel.Values[float32](a); to {
	case accel.Float16:
		cast.F32ToF16(accel.Values[uint16](out), from)
	case accel.Float64:
		for i, v := range from {
			accel.Values[float64](out)[i] = float64(v)
		}
	default:
		copy(accel.Values[float32](out), from)
	}
	return out
}

func to32(a *accel.Array) *accel.Array {
	out := accel.NewArray(accel.Float32, a.Shape...)
	to := accel.Values[float32](out)
	switch a.DType {
	case accel.Float16:
		cast.F16ToF32(to, accel.Values[uint16](a))
	case accel.Float64:
		for i, v := range accel.Values[float64](a) {
			to[i] = float32(v)
		}
	default:
		copy(to, accel.Values[float32](a))
	}
	return out
}

// TestMaxRoiPoolErrors has regions that are none, and a NaN that must not get lost.
func TestMaxRoiPoolErrors(t *testing.T) {
	pool := func(x *accel.Array, roi ...float32) (float32, error) {
		out, err := trial{
			op: "MaxRoiPool", attrs: accel.Attrs{accel.Ints("pooled_shape", 1, 1)},
			in: []*accel.Array{x, accel.ArrayOf(accel.Float32, []int{1, 5}, roi)}, out: []accel.Tensor{typed(accel.Float32, 1, 1, 1, 1)},
		}.run(New())
		if err != nil {
			return 0, err
		}
		return accel.Values[float32](out[0])[0], nil
	}
	x := floats32(1, 0, 1, 2, 1, 3, 3)
	nan := float32(math.NaN())
	for _, c := range []struct {
		roi  []float32
		want string
	}{
		{[]float32{2, 0, 0, 1, 1}, "image 2 of 2"}, {[]float32{-1, 0, 0, 1, 1}, "image -1"}, {[]float32{0.5, 0, 0, 1, 1}, "image 0.5"},
		{[]float32{nan, 0, 0, 1, 1}, "image NaN"}, {[]float32{0, 0, nan, 1, 1}, "edge at NaN"}, {[]float32{0, 0, 0, 1e20, 1}, "edge at"},
	} {
		if _, err := pool(x, c.roi...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("region %v: got error %v, want %q", c.roi, err, c.want)
		}
	}
	accel.Values[float32](x)[4] = nan
	if got, err := pool(x, 0, 0, 0, 2, 2); err != nil || got == got {
		t.Errorf("a region with NaN: got %g, %v", got, err)
	}
}

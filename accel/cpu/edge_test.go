package cpu

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/fmath"
)

// list64 is an array of float64s.
func list64(shape []int, v ...float64) *accel.Array { return accel.ArrayOf(accel.Float64, shape, v) }

// TestOutsideOfAnImage samples points outside of images whose elements are all
// infinite: what lies outside is 0, so infinity times the weight 0 may not show.
func TestOutsideOfAnImage(t *testing.T) {
	inf := math.Inf(1)
	image := list64([]int{1, 1, 2, 2}, inf, inf, inf, inf)
	far := list64([]int{1, 1, 1, 2}, 5, 5)
	roi, first := list64([]int{1, 4}, 9, 9, 11, 11), accel.ArrayOf(accel.Int64, []int{1}, []int64{0})
	roiAttrs := func(mode string) accel.Attrs {
		return accel.Attrs{accel.String("mode", mode), accel.Int("sampling_ratio", 1)}
	}
	one := typed(accel.Float64, 1, 1, 1, 1)
	for _, tr := range []trial{
		{op: "GridSample", attrs: accel.Attrs{accel.String("mode", "nearest")}, in: []*accel.Array{image, far}, out: []accel.Tensor{one}},
		{op: "GridSample", attrs: accel.Attrs{accel.String("mode", "linear")}, in: []*accel.Array{image, far}, out: []accel.Tensor{one}},
		{op: "GridSample", attrs: accel.Attrs{accel.String("mode", "cubic")}, in: []*accel.Array{image, far}, out: []accel.Tensor{one}},
		{op: "RoiAlign", attrs: roiAttrs("avg"), in: []*accel.Array{image, roi, first}, out: []accel.Tensor{one}},
		{op: "RoiAlign", attrs: roiAttrs("max"), in: []*accel.Array{image, roi, first}, out: []accel.Tensor{one}},
		{op: "RoiAlignGrad", attrs: roiAttrs("avg"), in: []*accel.Array{list64([]int{1, 1, 1, 1}, inf), image, roi, first}, out: []accel.Tensor{typed(accel.Float64, 1, 1, 2, 2)}},
		{op: "DeformColumns", attrs: accel.Attrs{accel.Ints("kernel_shape", 1, 1)},
			in: []*accel.Array{image, list64([]int{1, 2, 2, 2}, 9, 9, 9, 9, 9, 9, 9, 9)}, out: []accel.Tensor{typed(accel.Float64, 1, 1, 4)}},
	} {
		got := accel.Values[float64](tr.runAll(t)[0])
		if want := make([]float64, len(got)); !slices.Equal(got, want) {
			t.Errorf("%s%s: got %v, want %v", tr.op, tr.attrs, got, want)
		}
	}
}

// TestRoiAlignMaxBelowZero: a region partly outside of a negative image has the
// maximum 0, that of the outside.
func TestRoiAlignMaxBelowZero(t *testing.T) {
	image := list64([]int{1, 1, 2, 2}, -1, -2, -3, -4)
	first := accel.ArrayOf(accel.Int64, []int{1}, []int64{0})
	for _, c := range []struct {
		roi     []float64
		samples int // a side
		want    float64
	}{{[]float64{0, 0, 1, 1}, 1, -0.25}, {[]float64{0, 0, 6, 6}, 2, 0}} { // -0.25: a quarter of the first element
		attrs := accel.Attrs{accel.String("mode", "max"), accel.Int("sampling_ratio", c.samples), accel.String("coordinate_transformation_mode", "output_half_pixel")}
		tr := trial{op: "RoiAlign", attrs: attrs, in: []*accel.Array{image, list64([]int{1, 4}, c.roi...), first}, out: []accel.Tensor{typed(accel.Float64, 1, 1, 1, 1)}}
		if got := accel.Values[float64](tr.runAll(t)[0])[0]; got != c.want {
			t.Errorf("region %v: got %g, want %g", c.roi, got, c.want)
		}
	}
}

// TestIndicesOfPadding has windows that are all padding, in every type that MaxPool
// takes: they have the index -1.
func TestIndicesOfPadding(t *testing.T) {
	attrs := accel.Attrs{accel.Ints("kernel_shape", 1), accel.Ints("pads", 1, 0), accel.Ints("strides", 1), accel.Ints("dilations", 1)}
	for _, columns := range []int{0, 1} {
		for _, dt := range []accel.DType{accel.Float32, accel.Float64, accel.Int8, accel.Uint8} {
			tr := trial{op: "MaxPool", attrs: attrs.With(accel.Int("storage_order", columns)), in: []*accel.Array{accel.NewArray(dt, 1, 2, 2)},
				out: []accel.Tensor{typed(dt, 1, 2, 3), typed(accel.Int64, 1, 2, 3)}}
			got := accel.Values[int64](tr.runAll(t)[1])
			if want := []int64{-1, 0, 1, -1, 2, 3}; !slices.Equal(got, want) {
				t.Errorf("%s, storage_order %d: got %v, want %v", dt, columns, got, want)
			}
		}
	}
}

// TestFloat64SoftmaxBits: results come from package fmath, whose bits are the
// same everywhere, and not from assembly that package math has on some CPUs.
func TestFloat64SoftmaxBits(t *testing.T) {
	x := accel.NewArray(accel.Float64, 500)
	v := accel.Values[float64](x)
	for i := range v {
		v[i] = -float64(i) / 37
	}
	sum := 0.0
	for _, e := range v {
		sum += fmath.Exp(e)
	}
	y := func(op string) []float64 {
		tr := trial{op: op, in: []*accel.Array{x}, out: []accel.Tensor{typed(accel.Float64, 500)}}
		return accel.Values[float64](tr.runAll(t)[0])
	}
	softmax, logs := y("Softmax"), y("LogSoftmax")
	for i, e := range v {
		if want := fmath.Exp(e) / sum; softmax[i] != want {
			t.Fatalf("Softmax, element %d: got %v, want %v", i, softmax[i], want)
		}
		if want := e - fmath.Log(sum); logs[i] != want {
			t.Fatalf("LogSoftmax, element %d: got %v, want %v", i, logs[i], want)
		}
	}
}

// TestMisfits has shapes that no shape rule would pass: compiling says so.
func TestMisfits(t *testing.T) {
	f := func(shape ...int) *accel.Array { return accel.NewArray(accel.Float32, shape...) }
	o := func(shape ...int) []accel.Tensor { return []accel.Tensor{typed(accel.Float32, shape...)} }
	for name, tr := range map[string]trial{
		"short bias":        {op: "FusedMatMul", in: []*accel.Array{f(2, 3), f(3, 4), f(3)}, out: o(2, 4)},
		"short residual":    {op: "FusedMatMul", in: []*accel.Array{f(2, 3), f(3, 4), nil, f(1, 4)}, out: o(2, 4)},
		"heads of nothing":  {op: "FusedAttention", in: []*accel.Array{f(1, 2, 3, 0), f(1, 2, 3, 0), f(1, 2, 3, 4)}, out: o(1, 2, 3, 4)},
		"no heads of keys":  {op: "FusedAttention", in: []*accel.Array{f(1, 2, 3, 4), f(1, 0, 3, 4), f(1, 0, 3, 4)}, out: o(1, 2, 3, 4)},
		"heads not divided": {op: "FusedAttention", in: []*accel.Array{f(1, 3, 3, 4), f(1, 2, 3, 4), f(1, 2, 3, 4)}, out: o(1, 3, 3, 4)},
		"empty rows": {op: "LayerNormGrad", in: []*accel.Array{f(2, 0), f(2, 0), f(0), f(2), f(2)},
			out: []accel.Tensor{typed(accel.Float32, 2, 0), typed(accel.Float32, 0), typed(accel.Float32, 0)}},
	} {
		code, _ := tr.code()
		if _, err := New().Compile(code); err == nil {
			t.Errorf("%s: compiled", name)
		} else if name == "empty rows" && !errors.Is(err, accel.ErrUnsupported) {
			t.Errorf("%s: %v, want ErrUnsupported", name, err)
		}
	}
}

func TestDetOfNaN(t *testing.T) {
	for _, column := range [][2]float64{{0, math.NaN()}, {math.NaN(), 0}} {
		tr := trial{op: "Det", in: []*accel.Array{list64([]int{2, 2}, column[0], 1, column[1], 1)}, out: []accel.Tensor{typed(accel.Float64)}}
		if got := accel.Values[float64](tr.runAll(t)[0])[0]; got == got {
			t.Errorf("first column %v: got %g, want NaN", column, got)
		}
	}
}

// TestTensorScatterFarPlaces: a circular cache takes any place that is not negative.
func TestTensorScatterFarPlaces(t *testing.T) {
	at := accel.ArrayOf(accel.Int64, []int{1}, []int64{math.MaxInt64}) // 1 modulo 3
	tr := trial{op: "TensorScatter", attrs: accel.Attrs{accel.String("mode", "circular")},
		in: []*accel.Array{list64([]int{1, 3, 1}, 0, 0, 0), list64([]int{1, 3, 1}, 5, 6, 7), at}, out: []accel.Tensor{typed(accel.Float64, 1, 3, 1)}}
	if got, want := accel.Values[float64](tr.runAll(t)[0]), []float64{7, 5, 6}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

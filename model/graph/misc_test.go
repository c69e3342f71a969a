package graph

import (
	"errors"
	"math"
	"testing"

	"github.com/millrace-go/millrace/accel"
)

func TestTriluAllTypes(t *testing.T) {
	var cases []moveCase
	for _, upper := range []int{0, 1} {
		for _, k := range []int{-9, -3, -1, 0, 1, 2, 9} {
			for _, shape := range [][]int{{2, 3, 4}, {4, 3}, {1, 1}, {2, 0}} {
				cases = append(cases, moveCase{
					"", "Trilu", accel.Attrs{accel.Int("upper", upper)}, shape, ins(ints64([]int{}, int64(k))), shape,
					func(i []int) int {
						r := len(i) - 2
						if diagonal := i[r] + k; upper == 1 && i[r+1] < diagonal || upper == 0 && i[r+1] > diagonal {
							return -1
						}
						at := 0
						for d, v := range i {
							at = at*shape[d] + v
						}
						return at
					},
				})
			}
		}
	}
	checkMoves(t, cases)
}

func TestMiscMovesAllTypes(t *testing.T) {
	axes := func(batch, time int) accel.Attrs {
		return accel.Attrs{accel.Int("batch_axis", batch), accel.Int("time_axis", time)}
	}
	block := func(mode string) accel.Attrs {
		return accel.Attrs{accel.Int("blocksize", 2), accel.String("mode", mode)}
	}
	lens := ints64([]int{3}, 0, 2, 4)
	reversed := func(n []int, b, t int) int {
		if t < n[b] {
			return n[b] - 1 - t
		}
		return t
	}
	resize := func(a ...accel.Attr) accel.Attrs { return a }
	checkMoves(t, []moveCase{
		{"time first", "ReverseSequence", nil, []int{4, 3, 2}, ins(lens), []int{4, 3, 2}, func(i []int) int {
			return (reversed([]int{0, 2, 4}, i[1], i[0])*3+i[1])*2 + i[2]
		}},
		{"batch first", "ReverseSequence", axes(0, 1), []int{3, 4}, ins(lens), []int{3, 4}, func(i []int) int {
			return i[0]*4 + reversed([]int{0, 2, 4}, i[0], i[1])
		}},
		{"DCR", "DepthToSpace", block("DCR"), []int{2, 8, 2, 3}, nil, []int{2, 2, 4, 6}, func(i []int) int {
			c := (i[2]%2*2+i[3]%2)*2 + i[1]
			return ((i[0]*8+c)*2+i[2]/2)*3 + i[3]/2
		}},
		{"CRD", "DepthToSpace", block("CRD"), []int{2, 8, 2, 3}, nil, []int{2, 2, 4, 6}, func(i []int) int {
			c := i[1]*4 + i[2]%2*2 + i[3]%2
			return ((i[0]*8+c)*2+i[2]/2)*3 + i[3]/2
		}},
		{"depth last", "SpaceToDepth", block("DCR"), []int{1, 2, 4, 6}, nil, []int{1, 8, 2, 3}, func(i []int) int {
			c, b := i[1]%2, i[1]/2
			return (c*4+i[2]*2+b/2)*6 + i[3]*2 + b%2
		}},
		{"depth first", "SpaceToDepth", block("CRD"), []int{1, 2, 4, 6}, nil, []int{1, 8, 2, 3}, func(i []int) int {
			return (i[1]/4*4+i[2]*2+i[1]%4/2)*6 + i[3]*2 + i[1]%2
		}},
		{"", "CenterCropPad", nil, []int{5, 2}, ins(accel.Ints64(2, 5)), []int{2, 5}, func(i []int) int {
			if i[1] < 1 || i[1] > 2 {
				return -1
			}
			return (1+i[0])*2 + i[1] - 1
		}},
		{"axis", "CenterCropPad", accel.Attrs{accel.Ints("axes", -1)}, []int{2, 5}, ins(accel.Ints64(2)), []int{2, 2}, func(i []int) int { return i[0]*5 + 1 + i[1] }},
		{"vector", "Compress", accel.Attrs{accel.Int("axis", 1)}, []int{2, 3}, ins(arr(accel.Bool, false, true, true, true)), []int{2, 2}, func(i []int) int { return i[0]*3 + 1 + i[1] }},
		{"flat", "Compress", nil, []int{2, 3}, ins(arr(accel.Bool, true, false, false, true)), []int{2}, func(i []int) int { return 3 * i[0] }},
	})
	checkMoves(t, []moveCase{
		{"twice", "Resize", resize(accel.String("coordinate_transformation_mode", "asymmetric"), accel.String("nearest_mode", "floor")),
			[]int{1, 2, 3}, ins(nil, arr[float32](accel.Float32, 1, 2, 2)), []int{1, 4, 6}, func(i []int) int { return i[1]/2*3 + i[2]/2 }},
		{"rows", "Resize", resize(accel.String("coordinate_transformation_mode", "asymmetric"), accel.String("nearest_mode", "floor"), accel.Ints("axes", 0)),
			[]int{2, 40}, ins(nil, nil, accel.Ints64(6)), []int{6, 40}, func(i []int) int { return i[0]/3*40 + i[1] }},
	})
}

func TestNearestModes(t *testing.T) {
	// 4 elements from 8: with half_pixel position i is at 2i + 0.5.
	x := arr[float32](accel.Float32, 0, 1, 2, 3, 4, 5, 6, 7)
	for mode, want := range map[string][]float32{
		"round_prefer_floor": {0, 2, 4, 6}, "round_prefer_ceil": {1, 3, 5, 7}, "floor": {0, 2, 4, 6}, "ceil": {1, 3, 5, 7},
	} {
		checkValues(t, []valueCase{{"Resize", accel.Attrs{accel.String("nearest_mode", mode)}, ins(x, nil, arr[float32](accel.Float32, 0.5)), ins(arr(accel.Float32, want...))}})
	}
}

func TestResizeValues(t *testing.T) {
	f := func(v ...float64) *accel.Array { return arr(accel.Float64, v...) }
	attrs := func(mode, coordinates string, more ...accel.Attr) accel.Attrs {
		return append(accel.Attrs{accel.String("mode", mode), accel.String("coordinate_transformation_mode", coordinates)}, more...)
	}
	scale := func(s float32) *accel.Array { return arr(accel.Float32, s) }
	checkValues(t, []valueCase{
		{"Resize", attrs("linear", "half_pixel"), ins(f(1, 5), nil, scale(2)), ins(f(1, 2, 4, 5))},
		{"Resize", attrs("linear", "asymmetric"), ins(f(1, 5), nil, scale(2)), ins(f(1, 3, 5, 5))},
		{"Resize", attrs("linear", "align_corners"), ins(f(1, 5), nil, nil, accel.Ints64(5)), ins(f(1, 2, 3, 4, 5))},
		{"Resize", attrs("linear", "align_corners"), ins(f(1, 5), nil, nil, accel.Ints64(1)), ins(f(1))},
		{"Resize", attrs("linear", "pytorch_half_pixel"), ins(f(1, 5), nil, nil, accel.Ints64(1)), ins(f(1))},
		{"Resize", attrs("linear", "half_pixel"), ins(f(1, 5), nil, nil, accel.Ints64(1)), ins(f(3))},
		{"Resize", attrs("linear", "half_pixel_symmetric"), ins(f(0, 8, 16, 24), nil, scale(0.625)), ins(f(5.6, 18.4))}, // at 0.7 and 2.3
		{"Resize", attrs("linear", "tf_crop_and_resize", accel.Float("extrapolation_value", -1)), ins(f(0, 4, 8), f(0.5, 1.5), nil, accel.Ints64(5)), ins(f(4, 6, 8, -1, -1))},
		{"Resize", attrs("nearest", "tf_crop_and_resize", accel.Float("extrapolation_value", -1)), ins(of(t, accel.Float16, 0, 4, 8), f(0.5, 1.5), nil, accel.Ints64(3)), ins(of(t, accel.Float16, 4, 8, -1))},
		{"Resize", attrs("nearest", "asymmetric", accel.Int("exclude_outside", 1)), ins(f(1, 5), nil, scale(1.5)), ins(f(1, 5, 5))},
		{"Resize", attrs("linear", "half_pixel", accel.Int("antialias", 1)), ins(f(0, 8, 16, 24), nil, scale(0.5)), ins(f(5, 19))}, // weights 3 3 1 and 1 3 3 1 of 7 and 8
		{"Resize", attrs("cubic", "half_pixel", accel.Float("cubic_coeff_a", -0.5)), ins(f(0, 16), nil, scale(2)), ins(f(-1.125, 3.25, 12.75, 17.125))},
		{"Resize", attrs("linear", "half_pixel", accel.String("keep_aspect_ratio_policy", "not_larger")), ins(accel.NewArray(accel.Float32, 2, 4), nil, nil, accel.Ints64(6, 6)), ins(accel.NewArray(accel.Float32, 3, 6))},
		{"Resize", attrs("linear", "half_pixel", accel.String("keep_aspect_ratio_policy", "not_smaller")), ins(accel.NewArray(accel.Int8, 2, 4), nil, nil, accel.Ints64(6, 6)), ins(accel.NewArray(accel.Int8, 6, 12))},
		{"Resize", attrs("linear", "half_pixel"), ins(arr[uint8](accel.Uint8, 0, 255, 10, 13), nil, scale(2)), ins(arr[uint8](accel.Uint8, 0, 64, 191, 194, 71, 11, 12, 13))},
		{"Resize", attrs("cubic", "half_pixel"), ins(arr[uint8](accel.Uint8, 0, 255), nil, scale(2)), ins(arr[uint8](accel.Uint8, 0, 58, 197, 255))},
		{"Resize", attrs("linear", "half_pixel"), ins(accel.NewArray(accel.Float32, 0, 2), nil, arr[float32](accel.Float32, 1, 2)), ins(accel.NewArray(accel.Float32, 0, 4))},
	})
}

func TestMiscValues(t *testing.T) {
	f := func(shape []int, v ...float32) *accel.Array { return accel.ArrayOf(accel.Float32, shape, v) }
	d := func(v ...float64) *accel.Array { return arr(accel.Float64, v...) }
	s64 := func(v int64) *accel.Array { return ints64([]int{}, v) }
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	checkValues(t, []valueCase{
		{"Range", nil, ins(s64(3), s64(10), s64(3)), ins(accel.Ints64(3, 6, 9))},
		{"Range", nil, ins(s64(3), s64(-3), s64(-2)), ins(accel.Ints64(3, 1, -1))},
		{"Range", nil, ins(s64(3), s64(3), s64(1)), ins(accel.Ints64())},
		{"Range", nil, ins(f([]int{}, 0), f([]int{}, 1), f([]int{}, 0.25)), ins(f([]int{4}, 0, 0.25, 0.5, 0.75))},
		{"EyeLike", accel.Attrs{accel.Int("k", -1), accel.String("dtype", "int64")}, ins(f([]int{3, 2}, 0, 0, 0, 0, 0, 0)), ins(ints64([]int{3, 2}, 0, 0, 1, 0, 0, 1))},
		{"OneHot", nil, ins(accel.Ints64(1, -1, 7), s64(3), f([]int{2}, 2, 5)), ins(f([]int{3, 3}, 2, 5, 2, 2, 2, 5, 2, 2, 2))},
		{"OneHot", accel.Attrs{accel.Int("axis", 0)}, ins(f([]int{2}, 1, 0), f([]int{1}, 2), arr[int8](accel.Int8, 0, 1)), ins(accel.ArrayOf(accel.Int8, []int{2, 2}, []int8{0, 1, 1, 0}))},
		{"NonZero", nil, ins(f([]int{2, 2}, 1, float32(math.Copysign(0, -1)), 0, nan)), ins(ints64([]int{2, 2}, 0, 1, 0, 1))},
		{"NonZero", nil, ins(f([]int{}, 3)), ins(ints64([]int{0, 1}))},
		{"Unique", nil, ins(d(2, 1, 1, 3, 4, 3)), ins(d(1, 2, 3, 4), accel.Ints64(1, 0, 3, 4), accel.Ints64(1, 0, 0, 2, 3, 2), accel.Ints64(2, 1, 2, 1))},
		{"Unique", accel.Attrs{accel.Int("sorted", 0)}, ins(d(2, 1, 1, 3, 2)), ins(d(2, 1, 3), accel.Ints64(0, 1, 3), accel.Ints64(0, 1, 1, 2, 0), accel.Ints64(2, 2, 1))},
		{"Unique", accel.Attrs{accel.Int("axis", 1)}, ins(f([]int{2, 3}, 2, 1, 2, 0, 5, 0)), ins(f([]int{2, 2}, 1, 2, 5, 0), accel.Ints64(1, 0), accel.Ints64(1, 0, 1), accel.Ints64(1, 2))},
		{"Unique", nil, ins(f([]int{4}, nan, inf, nan, -inf)), ins(f([]int{3}, -inf, inf, nan))},
		{"TensorScatter", nil, ins(f([]int{2, 3, 1}, 1, 2, 3, 4, 5, 6), f([]int{2, 1, 1}, 8, 9), accel.Ints64(2, 0)), ins(f([]int{2, 3, 1}, 1, 2, 8, 9, 5, 6))},
		{"TensorScatter", accel.Attrs{accel.String("mode", "circular")}, ins(f([]int{1, 3, 1}, 1, 2, 3), f([]int{1, 2, 1}, 8, 9), accel.Ints64(5)), ins(f([]int{1, 3, 1}, 9, 2, 8))},
		{"ai.onnx.ml.Binarizer", accel.Attrs{accel.Float("threshold", 1)}, ins(f([]int{3}, 0, 1, 2)), ins(f([]int{3}, 0, 0, 1))},
		{"ai.onnx.ml.LabelEncoder", accel.Attrs{accel.Ints("keys_int64s", 4, 5), accel.Floats("values_floats", 0.5, 2), accel.Float("default_float", -3)}, ins(accel.Ints64(5, 4, 6)), ins(f([]int{3}, 2, 0.5, -3))},
		{"ai.onnx.ml.LabelEncoder", nil, ins(f([]int{3}, nan, 2, 0), f([]int{2}, nan, float32(math.Copysign(0, -1))), arr[int16](accel.Int16, 7, 8), arr[int16](accel.Int16, 42)), ins(arr[int16](accel.Int16, 7, 42, 8))},
		{"MaxUnpool", accel.Attrs{accel.Ints("kernel_shape", 2), accel.Ints("strides", 2)}, ins(f([]int{1, 1, 2}, 5, 6), ints64([]int{1, 1, 2}, 1, 2), accel.Ints64(1, 1, 5)), ins(f([]int{1, 1, 5}, 0, 5, 6, 0, 0))},
		{"Det", nil, ins(f([]int{2, 2, 2}, 1, 2, 3, 4, 0, 2, 3, 0)), ins(f([]int{2}, -2, -6))},
		{"Col2Im", nil, ins(f([]int{1, 2, 2}, 1, 2, 3, 4), accel.Ints64(3), accel.Ints64(2)), ins(f([]int{1, 1, 3}, 1, 5, 4))},
		{"Im2Col", accel.Attrs{accel.Ints("pads", 1, 0)}, ins(f([]int{1, 1, 2}, 1, 2), accel.Ints64(2)), ins(f([]int{1, 2, 2}, 0, 1, 1, 2))},
		{"HannWindow", accel.Attrs{accel.String("output_datatype", "float64")}, ins(s64(2)), ins(d(0, 1))},
	})
}

func TestGridSampleValues(t *testing.T) {
	x := accel.ArrayOf(accel.Float64, []int{1, 1, 4}, []float64{1, 2, 3, 4})
	// With align_corners place v is element (v+1)·3/2.
	grid := accel.ArrayOf(accel.Float64, []int{1, 5, 1}, []float64{-1, -1.0 / 3, 0, 1, 2})
	bad := accel.ArrayOf(accel.Float64, []int{1, 2, 1}, []float64{math.NaN(), 1e300})
	attrs := func(mode, padding string) accel.Attrs {
		return accel.Attrs{accel.String("mode", mode), accel.String("padding_mode", padding), accel.Int("align_corners", 1)}
	}
	y := func(v ...float64) []*accel.Array { return ins(accel.ArrayOf(accel.Float64, []int{1, 1, len(v)}, v)) }
	checkValues(t, []valueCase{
		{"GridSample", attrs("linear", "zeros"), ins(x, grid), y(1, 2, 2.5, 4, 0)},
		{"GridSample", attrs("nearest", "zeros"), ins(x, grid), y(1, 2, 3, 4, 0)}, // 1.5 is rounded to 2
		{"GridSample", attrs("linear", "border"), ins(x, grid), y(1, 2, 2.5, 4, 4)},
		{"GridSample", attrs("linear", "reflection"), ins(x, grid), y(1, 2, 2.5, 4, 2.5)},
		{"GridSample", attrs("cubic", "border"), ins(x, grid), y(1, 2, 2.5, 4, 4)},
		{"GridSample", attrs("linear", "zeros"), ins(x, bad), y(0, 0)},
	})
}

// TestNeedsValue has operators whose output's size depends on an input.
func TestNeedsValue(t *testing.T) {
	for _, op := range []string{"NonZero", "Unique"} {
		g := New("g")
		x, err := g.Input("x", accel.Float32, 3)
		if err != nil {
			t.Fatal(err)
		}
		_, err = g.Apply(op, "", nil, x)
		var needs *NeedsValue
		if !errors.As(err, &needs) || needs.Value != x {
			t.Errorf("%s of an input: error %v, want one that names x", op, err)
		}
	}
}

func TestMiscMistakes(t *testing.T) {
	x, image := accel.NewArray(accel.Float32, 2, 3), accel.NewArray(accel.Float32, 1, 2, 4, 4)
	n := func(v ...int) *accel.Array { return accel.Ints64(v...) }
	scales := arr[float32](accel.Float32, 2, 2)
	mode := func(name, value string) accel.Attrs { return accel.Attrs{accel.String(name, value)} }
	checkRefused(t, []refused{
		{"Range", nil, ins(n(1), n(5), n(0)), "step of 0"},
		{"Range", nil, ins(arr(accel.Float64, 0.0), arr(accel.Float64, 1.0), arr(accel.Float64, 0.0)), "steps of 0"},
		{"Range", nil, ins(n(0), n(1<<62), n(1)), "elements"},
		{"EyeLike", nil, ins(n(3)), "matrix"},
		{"EyeLike", mode("dtype", "float31"), ins(x), "float31"},
		{"Trilu", nil, ins(n(3)), "matrix"},
		{"OneHot", nil, ins(n(1), n(-1), scales), "depth -1"},
		{"ReverseSequence", nil, ins(x, n(1, 2, 3)), "length 3 of sequence 2"},
		{"ReverseSequence", nil, ins(x, n(1, 2)), "3 sequences"},
		{"TensorScatter", nil, ins(image, image, n(1)), "place 1"},
		{"DepthToSpace", accel.Attrs{accel.Int("blocksize", 2)}, ins(image), "blocks of 2"},
		{"SpaceToDepth", nil, ins(image), "blocks of 0"},
		{"CenterCropPad", nil, ins(x, n(1)), "1] of 2 axes"},
		{"Compress", nil, ins(x, n(1)), "bool"},
		{"Resize", nil, ins(x), "one of them"},
		{"Resize", nil, ins(x, nil, scales, n(2, 2)), "one of them"},
		{"Resize", nil, ins(x, nil, arr[float32](accel.Float32, 2)), "2 axes"},
		{"Resize", nil, ins(x, nil, arr[float32](accel.Float32, 0, 1)), "scale 0"},
		{"Resize", mode("mode", "area"), ins(x, nil, scales), "area"},
		{"Resize", mode("nearest_mode", "up"), ins(x, nil, scales), "up"},
		{"Resize", mode("coordinate_transformation_mode", "corner"), ins(x, nil, scales), "corner"},
		{"Resize", mode("coordinate_transformation_mode", "tf_crop_and_resize"), ins(x, nil, scales), "region"},
		{"Resize", mode("keep_aspect_ratio_policy", "x"), ins(x, nil, nil, n(2, 2)), "policy"},
		{"GridSample", nil, ins(image, accel.NewArray(accel.Float32, 1, 2, 2, 3)), "grid"},
		{"GridSample", mode("mode", "area"), ins(image, accel.NewArray(accel.Float32, 1, 2, 2, 2)), "area"},
		{"RoiAlign", nil, ins(image, accel.NewArray(accel.Float32, 1, 4), n(1)), "image 1 of 1"},
		{"RoiAlign", nil, ins(image, accel.ArrayOf(accel.Float32, []int{1, 4}, []float32{0, 0, 1e30, 1e30}), n(0)), "cells"},
		{"Col2Im", nil, ins(accel.NewArray(accel.Float32, 1, 2, 3), n(3), n(2)), "positions"},
		{"DFT", nil, ins(x), "last dimension"},
		{"DFT", nil, ins(image), "last dimension"},
		{"STFT", nil, ins(accel.NewArray(accel.Float32, 1, 8, 1), n(2)), "neither"},
		{"HannWindow", nil, ins(n(-1)), "-1"},
		{"MelWeightMatrix", nil, ins(n(8), n(16), n(0), arr[float32](accel.Float32, 0), arr[float32](accel.Float32, 1)), "0 Hz"},
		{"Det", nil, ins(x), "square"},
		{"Multinomial", nil, ins(image), "matrix"},
		{"Multinomial", nil, ins(accel.ArrayOf(accel.Float32, []int{1, 2}, []float32{float32(math.NaN()), 0})), "no probabilities"},
		{"RandomNormal", mode("dtype", "int8"), nil, "int8"},
		{"ai.onnx.ml.LabelEncoder", accel.Attrs{accel.Strings("keys_strings", "a")}, ins(x), "strings"},
		{"ai.onnx.ml.LabelEncoder", nil, ins(x), "no keys"},
	})
}

func TestMiscGradients(t *testing.T) {
	x, cube, image := distinct(1, 3, 4), distinct(2, 2, 3, 4), distinct(3, 1, 2, 5, 6)
	mode := func(name string, more ...accel.Attr) accel.Attrs {
		return append(accel.Attrs{accel.String("mode", name)}, more...)
	}
	crop, wide := accel.String("coordinate_transformation_mode", "tf_crop_and_resize"), accel.Int("antialias", 1)
	scales := float32s(1.7, 0.6)
	window, blocks := uniform(5, 0.2, 1, 4), accel.Attrs{accel.Ints("strides", 2, 1), accel.Ints("pads", 1, 0, 1, 1), accel.Ints("dilations", 1, 2)}
	one := func(name string, v int) accel.Attr { return accel.Int(name, v) }
	rois := accel.ArrayOf(accel.Float32, []int{2, 4}, []float32{0.5, 0.3, 4, 3, 1, 2, 6, 5})
	spots := accel.ArrayOf(accel.Float32, []int{3, 5}, []float32{1, 0.3, 2, 7, 9, 0, 3, 3, 3, 3, 1, -4, 2, 4, 30})
	deform := accel.Attrs{accel.Ints("strides", 2, 1), accel.Ints("pads", 1, 0, 1, 1), accel.Int("group", 2), accel.Int("offset_group", 2)}
	lens, region := accel.Ints64(3, 0, 2, 1), float32s(0.1, 0.2, 0.9, 1.3)
	signal := distinct(6, 2, 9, 1)
	cases := []gradCase{
		{"upper", "Trilu", accel.Attrs{one("upper", 1)}, ins(cube, accel.Ints64(1)), 0}, {"lower", "Trilu", accel.Attrs{one("upper", 0)}, ins(cube), 0},
		{"", "DepthToSpace", accel.Attrs{one("blocksize", 2)}, ins(distinct(4, 1, 4, 2, 3)), 0},
		{"", "SpaceToDepth", accel.Attrs{one("blocksize", 2)}, ins(distinct(4, 1, 2, 2, 4)), 0},
		{"", "CenterCropPad", nil, ins(x, accel.Ints64(1, 7)), 0}, {"", "ReverseSequence", nil, ins(x, lens), 0},
		{"", "Compress", accel.Attrs{one("axis", 1)}, ins(x, arr(accel.Bool, true, false, true)), 0},
		{"nearest", "Resize", nil, ins(x, nil, scales), 0}, {"linear", "Resize", mode("linear"), ins(x, nil, scales), 0},
		{"antialias", "Resize", mode("linear", wide), ins(x, nil, scales), 0}, {"cubic", "Resize", mode("cubic", wide), ins(x, nil, scales), 0},
		{"sizes", "Resize", mode("cubic", one("exclude_outside", 1)), ins(x, nil, nil, accel.Ints64(3, 6)), 0},
		{"crop", "Resize", mode("linear", crop, accel.Float("extrapolation_value", 3)), ins(x, region, nil, accel.Ints64(5, 3)), 0},
		{"linear", "ResizeGrad", mode("linear"), ins(distinct(7, 5, 2), accel.Ints64(3, 4), nil, scales), 0},
		{"one", "DFT", accel.Attrs{one("onesided", 1)}, ins(signal), 0}, {"complex", "DFT", nil, ins(distinct(8, 2, 6, 2), accel.Ints64(5)), 0},
		{"longer", "DFT", nil, ins(signal, accel.Ints64(12), accel.Ints64(1)), 0}, {"first axis", "DFT", nil, ins(distinct(8, 3, 2, 2), nil, accel.Ints64(0)), 0},
		{"inverse", "DFT", accel.Attrs{one("inverse", 1)}, ins(distinct(9, 6, 2)), 0},
		{"real inverse", "DFT", accel.Attrs{one("inverse", 1), one("onesided", 1)}, ins(distinct(9, 4, 2)), 0},
		{"real inverse of 5", "DFT", accel.Attrs{one("inverse", 1), one("onesided", 1)}, ins(distinct(9, 4, 2), accel.Ints64(5)), 0},
		{"", "STFT", nil, ins(signal, ints64([]int{}, 2), window), 0},
		{"", "AffineGrid", nil, ins(distinct(10, 1, 2, 3), accel.Ints64(1, 1, 2, 3)), 0},
		{"", "MaxUnpool", accel.Attrs{accel.Ints("kernel_shape", 2), accel.Ints("strides", 2)}, ins(distinct(11, 1, 1, 3), ints64([]int{1, 1, 3}, 1, 3, 4)), 0},
		{"", "RoiAlign", accel.Attrs{one("output_height", 2), one("output_width", 3)}, ins(image, rois, accel.Ints64(0, 0)), 0},
		{"", "RoiAlignGrad", accel.Attrs{one("output_height", 2), one("output_width", 3)}, ins(distinct(15, 2, 2, 2, 3), accel.Ints64(1, 2, 5, 6), rois, accel.Ints64(0, 0)), 0},
		{"max", "RoiAlign", mode("max", one("output_height", 2), one("output_width", 3), one("sampling_ratio", 2)), ins(image, rois, accel.Ints64(0, 0)), 0},
		{"", "MaxRoiPool", accel.Attrs{accel.Ints("pooled_shape", 2, 3), accel.Float("spatial_scale", 0.5)}, ins(distinct(22, 2, 2, 5, 6), spots), 0},
		{"", "DeformConv", deform, ins(distinct(23, 2, 4, 5, 4), uniform(24, -1, 1, 6, 2, 3, 2), uniform(25, -1.5, 1.5, 2, 24, 3, 4), uniform(26, -1, 1, 6), uniform(27, 0, 1, 2, 12, 3, 4)), 0},
		{"plain", "DeformConv", nil, ins(distinct(23, 1, 2, 4, 3), uniform(24, -1, 1, 1, 2, 2, 2), uniform(25, -2.5, 2.5, 1, 8, 3, 2)), 0},
		{"", "DeformColumns", deform.With(accel.Ints("kernel_shape", 3, 2)), ins(distinct(23, 2, 4, 5, 4), uniform(25, -1.5, 1.5, 2, 24, 3, 4)), 0},
		{"", "DeformImageGrad", deform.With(accel.Ints("kernel_shape", 3, 2)),
			ins(uniform(28, -1, 1, 2, 24, 12), accel.Ints64(2, 4, 5, 4), uniform(25, -1.5, 1.5, 2, 24, 3, 4), uniform(27, 0, 1, 2, 12, 3, 4)), 0},
		{"", "Col2Im", blocks, ins(distinct(12, 1, 8, 15), accel.Ints64(4, 6), accel.Ints64(2, 2)), 0},
		{"", "Im2Col", blocks, ins(image, accel.Ints64(2, 2)), 0},
		{"", "Det", nil, ins(distinct(13, 2, 3, 3)), 0}, {"singular", "Det", nil, ins(float64s([]int{2, 2}, 1, 2, 2, 4)), 0}, {"1", "Det", nil, ins(distinct(14, 1, 1)), 0},
	}
	for _, padding := range []string{"zeros", "border", "reflection"} {
		for _, m := range []string{"nearest", "linear", "cubic"} {
			for corners := range 2 {
				at := accel.Attrs{accel.String("mode", m), accel.String("padding_mode", padding), one("align_corners", corners)}
				cases = append(cases, gradCase{m + " " + padding, "GridSample", at, ins(image, uniform(17, -1.4, 1.4, 1, 3, 2, 2)), 0})
			}
		}
	}
	cases = append(cases,
		gradCase{"volume", "GridSample", nil, ins(distinct(18, 1, 2, 3, 2, 3), uniform(19, -0.9, 0.9, 1, 2, 1, 2, 3)), 0},
		gradCase{"", "TensorScatter", nil, ins(distinct(20, 2, 5, 3), uniform(21, -1, 1, 2, 2, 3), accel.Ints64(3, 1)), 0},
		gradCase{"around", "TensorScatter", accel.Attrs{accel.String("mode", "circular"), one("axis", 1)}, ins(distinct(20, 2, 5, 3), uniform(21, -1, 1, 2, 4, 3), accel.Ints64(3, 0)), 0},
		gradCase{"", "OneHot", accel.Attrs{one("axis", 0)}, ins(ints64([]int{3}, 0, -1, 7), ints64([]int{}, 4), float64s([]int{2}, 0.3, -2)), 0},
		gradCase{"start", "TensorScatter", nil, ins(distinct(20, 2, 5, 3), uniform(21, -1, 1, 2, 2, 3)), 0})
	seen := map[string]bool{}
	for _, c := range cases {
		seen[c.op] = true
		t.Run(c.op+"/"+c.name, func(t *testing.T) {
			checkGradients(t, c.in, func(b *B, x []*Value) []*Value {
				switch c.op {
				case "RoiAlign", "MaxRoiPool":
					x[1] = b.Cast(x[1], accel.Float64)
				case "RoiAlignGrad":
					x[2] = b.Cast(x[2], accel.Float64)
				}
				return b.Ops(c.op, 1, c.attrs, x...)
			})
		})
	}
	for _, o := range miscOps() {
		if differentiable(o) && !seen[o.name] && !inDefinitionCases(o.name) {
			t.Errorf("operator %s has a gradient but no case here", o.name)
		}
	}
}

func float32s(v ...float32) *accel.Array { return arr(accel.Float32, v...) }

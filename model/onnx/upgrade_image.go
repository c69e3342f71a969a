package onnx

import (
	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
)

// upsampleToResize writes Upsample as Resize: pixel i of the result is at
// i/scale of the input, rounded down or interpolated.
func upsampleToResize(c *call) {
	scales := c.input(1)
	if v := c.attrs.Floats("scales"); scales == nil && v != nil {
		scales = c.constant(accel.ArrayOf(accel.Float32, []int{len(v)}, convert[float32](v)))
	}
	mode := c.attrs.Str("mode", "nearest")
	if mode == "bilinear" {
		mode = "linear"
	}
	c.op = "Resize"
	c.in = []*graph.Value{c.input(0), nil, scales}
	c.attrs = asymmetric(mode, "floor")
}

func asymmetric(mode, nearest string) accel.Attrs {
	return accel.Attrs{accel.String("mode", mode), accel.String("coordinate_transformation_mode", "asymmetric"), accel.String("nearest_mode", nearest)}
}

// oldResize is Resize of operator set 10, which had the scales second, and said
// nothing of pixels between others: as ONNX Runtime does, nearest rounds
// down where the result is larger and up where it is smaller.
func oldResize(c *call) {
	x, scales, mode := c.input(0), c.input(1), c.attrs.Str("mode", "nearest")
	c.attrs = asymmetric(mode, "floor")
	if mode != "nearest" || scales == nil || scales.Kind != graph.Const || scales.Data.DType != accel.Float32 {
		c.in = []*graph.Value{x, nil, scales}
		return
	}
	larger, smaller, shrinks := []float32{}, []float32{}, false
	for _, v := range accel.Values[float32](scales.Data) {
		larger, smaller = append(larger, max(v, 1)), append(smaller, min(v, 1))
		shrinks = shrinks || v < 1
	}
	if !shrinks {
		c.in = []*graph.Value{x, nil, scales}
		return
	}
	shape := []int{len(larger)}
	grown := c.node("Resize", c.attrs, x, nil, c.constant(accel.ArrayOf(accel.Float32, shape, larger)))
	c.attrs = asymmetric(mode, "ceil")
	c.in = []*graph.Value{grown, nil, c.constant(accel.ArrayOf(accel.Float32, shape, smaller))}
}

// halfPixelForNN replaces a coordinate mode that was dropped, which is half_pixel
// moved by half a pixel: rounding it down is rounding half_pixel to the nearest.
func halfPixelForNN(c *call) {
	if c.attrs.Str("coordinate_transformation_mode", "") != "tf_half_pixel_for_nn" {
		return
	}
	mode, nearest := c.attrs.Str("mode", "nearest"), c.attrs.Str("nearest_mode", "round_prefer_floor")
	if mode != "nearest" || nearest != "floor" {
		c.unsupported("Resize with tf_half_pixel_for_nn, mode %s and nearest_mode %s", mode, nearest)
	}
	c.attrs = c.attrs.With(accel.String("coordinate_transformation_mode", "half_pixel")).With(accel.String("nearest_mode", "round_prefer_ceil"))
}

// dropEmptyInputs leaves out the regions, scales and sizes that writers give as
// constants without elements.
func dropEmptyInputs(c *call) {
	for i := 1; i < len(c.in); i++ {
		if v := c.in[i]; v != nil && v.Kind == graph.Const && v.Data.Len() == 0 {
			c.setInput(i, nil)
		}
	}
}

// gridSampleModes renames the modes.
func gridSampleModes(c *call) {
	names := map[string]string{"bilinear": "linear", "bicubic": "cubic"}
	mode := c.attrs.Str("mode", "bilinear")
	if name, ok := names[mode]; ok {
		mode = name
	}
	c.attrs = c.attrs.With(accel.String("mode", mode))
}

// roiAlignPixels keeps the meaning of coordinates: pixels' corners, not centres.
func roiAlignPixels(c *call) {
	c.set(accel.String("coordinate_transformation_mode", "output_half_pixel"))
}

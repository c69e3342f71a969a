package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opRoiAlign cuts regions of x, (N, C, H, W), into output_height × output_width
// cells and takes the mean (mode avg, the default) or the maximum of samples of each,
// interpolated; the result is (regions, C, output_height, output_width). The
// further inputs are the regions, (regions, 4): x, y, x, y, and the image of each.
// The attributes are also sampling_ratio (0: a sample a pixel), spatial_scale (1)
// and coordinate_transformation_mode (half_pixel, or output_half_pixel). See He et
// al., "Mask R-CNN", https://arxiv.org/abs/1703.06870.
var opRoiAlign = operator{
	name: "RoiAlign", min: 3, shapes: roiAlignRule,
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		switch {
		case b.needs(n.Inputs[1]):
			b.Fail(fmt.Errorf("the gradient of RoiAlign with respect to regions: %w", accel.ErrUnsupported))
			return nil
		case n.Attrs.Str("mode", "avg") == "max":
			return []*Value{b.fromPeaks("RoiAlignPeaks", n, dy[0])}
		}
		return []*Value{b.Op("RoiAlignGrad", n.Attrs, dy[0], b.Ints(n.Inputs[0].Type.Shape...), n.Inputs[1], n.Inputs[2])}
	},
}

func roiAlignRule(c *Context) ([]Type, error) {
	if err := c.Same(0, 1); err != nil {
		return nil, err
	}
	if err := c.IsA(2, accel.Int64); err != nil {
		return nil, err
	}
	x, rois := c.Shape(0), c.Shape(1)
	h, w := c.Attrs.Int("output_height", 1), c.Attrs.Int("output_width", 1)
	if len(x) != 4 || len(rois) != 2 || rois[1] != 4 || !slices.Equal(c.Shape(2), rois[:1]) || h < 1 || w < 1 {
		return nil, fmt.Errorf("regions %v of images %v in an image of %v, %d × %d cells", rois, c.Shape(2), x, h, w)
	}
	if m := c.Attrs.Str("mode", "avg"); m != "avg" && m != "max" {
		return nil, fmt.Errorf("mode %q, want avg or max", m)
	}
	return one(c.DType(0), []int{rois[0], x[1], h, w})
}

// opRoiAlignGrad is the gradient of RoiAlign in mode avg with respect to x, whose
// shape is the second input; the others are dy, the regions and their images.
var opRoiAlignGrad = operator{
	name: "RoiAlignGrad", min: 4, static: []int{1}, grad: roiAlignGradGrad,
	shapes: func(c *Context) ([]Type, error) {
		shape, err := c.Ints(1)
		if err != nil {
			return nil, err
		}
		return one(c.DType(0), shape)
	},
}

// opRoiAlignPeaks says where RoiAlign in mode max takes its results from: an element
// of x, counted through all of x, and the weight that it is multiplied by.
var opRoiAlignPeaks = operator{name: "RoiAlignPeaks", min: 3, outs: 2, flat: true, shapes: peaksRule(roiAlignRule)}

// opMaxRoiPool cuts regions of x, (N, C, H, W), into the cells that the attribute
// pooled_shape counts, (rows, columns), and takes the maximum of each: the result is
// (regions, C, rows, columns). The second input is the regions, (regions, 5): an
// image's number, x, y, x, y. The corners are multiplied by the attribute
// spatial_scale (1), rounded to whole pixels, halves away from zero, and belong to
// the region. Cells take all pixels that they touch; a cell outside of the image
// gives 0. Regions have no gradient. See Girshick, "Fast R-CNN",
// https://arxiv.org/abs/1504.08083.
var opMaxRoiPool = operator{
	name: "MaxRoiPool", min: 2, shapes: maxRoiPoolRule,
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		return []*Value{b.fromPeaks("MaxRoiPoolPeaks", n, dy[0]), nil}
	},
}

func maxRoiPoolRule(c *Context) ([]Type, error) {
	if err := c.IsA(0, floatTypes...); err != nil {
		return nil, err
	}
	if err := c.Same(0, 1); err != nil {
		return nil, err
	}
	x, rois, cells := c.Shape(0), c.Shape(1), c.Attrs.Ints("pooled_shape")
	if len(x) != 4 || len(rois) != 2 || rois[1] != 5 || len(cells) != 2 || min(cells[0], cells[1]) < 1 {
		return nil, fmt.Errorf("regions %v in an image of %v, cells %v", rois, x, cells)
	}
	return one(c.DType(0), []int{rois[0], x[1], cells[0], cells[1]})
}

// opMaxRoiPoolPeaks says where MaxRoiPool takes its results from, as RoiAlignPeaks
// does: the weights are 1, or 0 where a cell is empty.
var opMaxRoiPoolPeaks = operator{name: "MaxRoiPoolPeaks", min: 2, outs: 2, flat: true, shapes: peaksRule(maxRoiPoolRule)}

// peaksRule gives the places and the weights of an operator with one result.
func peaksRule(rule func(*Context) ([]Type, error)) func(*Context) ([]Type, error) {
	return func(c *Context) ([]Type, error) {
		t, err := rule(c)
		if err != nil {
			return nil, err
		}
		return []Type{{DType: accel.Int64, Shape: t[0].Shape}, t[0]}, nil
	}
}

// fromPeaks is the gradient with respect to the first input of an operator that
// multiplies elements of it by weights, as the operator peaks says.
func (b *backward) fromPeaks(peaks string, n *Node, dy *Value) *Value {
	shape := n.Inputs[0].Type.Shape
	if accel.Size(shape) == 0 {
		return b.Zeros(dy.Type.DType, shape...)
	}
	at := b.Ops(peaks, 2, n.Attrs, n.Inputs...)
	dx := b.Op("GatherGrad", nil, b.Mul(dy, at[1]), at[0], b.Ints(accel.Size(shape)))
	return b.Reshape(dx, shape...)
}

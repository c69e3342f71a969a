package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opGridSample reads an image x, (N, C, D…), at the places of a grid, (N, O…, r)
// for an image of r dimensions, by interpolation: y is (N, C, O…). A place is x, y,
// z, from -1 to 1. The attributes are mode (linear, nearest, cubic), padding_mode
// (zeros, border, reflection) and align_corners (0).
var opGridSample = operator{
	name: "GridSample", min: 2, definition: spellGridSample,
	shapes: func(c *Context) ([]Type, error) {
		if err := c.Same(0, 1); err != nil {
			return nil, err
		}
		x, grid := c.Shape(0), c.Shape(1)
		rank := len(x) - 2
		if rank < 1 || len(grid) != rank+2 || grid[0] != x[0] || grid[rank+1] != rank {
			return nil, fmt.Errorf("a grid of shape %v for an image of %v", grid, x)
		}
		if m := c.Attrs.Str("mode", "linear"); !slices.Contains([]string{"linear", "nearest", "cubic"}, m) {
			return nil, fmt.Errorf("mode %q, want linear, nearest or cubic", m)
		}
		if m := c.Attrs.Str("padding_mode", "zeros"); !slices.Contains([]string{"zeros", "border", "reflection"}, m) {
			return nil, fmt.Errorf("padding_mode %q, want zeros, border or reflection", m)
		}
		return one(c.DType(0), slices.Concat(x[:2], grid[1:rank+1]))
	},
}

// opRoiAlign cuts regions of x, (N, C, H, W), into output_height × output_width
// cells and takes the mean (mode avg, the default) or the maximum of samples of each,
// interpolated; the result is (regions, C, output_height, output_width). The
// further inputs are the regions, (regions, 4): x, y, x, y, and the image of each.
// The attributes are also sampling_ratio (0: a sample a pixel), spatial_scale (1)
// and coordinate_transformation_mode (half_pixel, or output_half_pixel). See He et
// al., "Mask R-CNN", https://arxiv.org/abs/1703.06870.
var opRoiAlign = operator{
	name: "RoiAlign", min: 3,
	shapes: func(c *Context) ([]Type, error) {
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
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		if n.Attrs.Str("mode", "avg") != "avg" || b.needs(n.Inputs[1]) {
			b.Fail(fmt.Errorf("the gradient of RoiAlign in mode max, or with respect to regions: %w", accel.ErrUnsupported))
			return nil
		}
		return []*Value{b.Op("RoiAlignGrad", n.Attrs, dy[0], b.Ints(n.Inputs[0].Type.Shape...), n.Inputs[1], n.Inputs[2])}
	},
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

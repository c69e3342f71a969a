package graph

import (
	"fmt"
	"slices"
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

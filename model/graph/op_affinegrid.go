package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opAffineGrid is the grid for GridSample of an affine map theta, (N, 2, 3) or
// (N, 3, 4), of the points of an image of the size that the second input gives,
// (N, C, H, W) or (N, C, D, H, W). With the attribute align_corners (0) -1 and 1 are
// the centres of the outermost pixels, without it their outer edges. A dimension
// of one pixel then lies at 0.
var opAffineGrid = operator{
	name: "AffineGrid", min: 2, static: []int{1},
	shapes: func(c *Context) ([]Type, error) {
		size, err := c.Ints(1)
		if err != nil {
			return nil, err
		}
		rank, s := len(size)-2, c.Shape(0)
		if accel.Size(size) < 0 || rank < 2 || rank > 3 || !c.DType(0).IsFloat() || !Shape(s).Equal(Shape{size[0], rank, rank + 1}) {
			return nil, fmt.Errorf("theta %s%v for an image of %v", c.DType(0), s, size)
		}
		return one(c.DType(0), append(append([]int{size[0]}, size[2:]...), rank))
	},
	expand: func(b *B, n *Node) []*Value {
		size, err := (&Context{Node: n}).Ints(1)
		b.Fail(err)
		theta, image := n.Inputs[0], size[2:]
		points := b.Cast(b.Const(pixels(image, n.Attrs.Bool("align_corners", false))), theta.Type.DType)
		grid := b.MatMul(points, b.SwapLast(theta))
		return []*Value{b.Reshape(grid, append(append([]int{size[0]}, image...), len(image))...)}
	},
}

// pixels lists the places of an image's pixels, a row each: x, y, (z,) 1.
func pixels(image []int, corners bool) *accel.Array {
	rank := len(image)
	out := accel.NewArray(accel.Float64, accel.Size(image), rank+1)
	v := accel.Values[float64](out)
	for i := range out.Shape[0] {
		row, rest := v[i*(rank+1):(i+1)*(rank+1)], i
		row[rank] = 1
		for d := rank - 1; d >= 0; d-- {
			n := float64(image[d])
			at := float64(rest % image[d])
			rest /= image[d]
			switch {
			case !corners:
				row[rank-1-d] = (2*at+1)/n - 1
			case n > 1:
				row[rank-1-d] = 2*at/(n-1) - 1
			}
		}
	}
	return out
}

package cpu

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/accel"
)

// roiPool makes MaxRoiPool, or with two outputs MaxRoiPoolPeaks.
func roiPool(c *call) (kernel, error) {
	switch c.in[0].DType {
	case accel.Float32:
		return roiPoolOf[float32](c)
	case accel.Float64:
		return roiPoolOf[float64](c)
	}
	return nil, unsupported(c.Op, c.in[0])
}

// roiPoolJob does one region in all channels: it writes the maxima, or where they
// lie in x and 1, in an empty cell 0 for both.
type roiPoolJob[T float32 | float64] struct {
	images, channels, height, width int
	rows, cols                      int // cells
	scale                           T
	x, rois, y, ones                []T
	places                          []int64
}

// pixels is a region of interest in whole pixels of one image.
type pixels struct{ image, y, x, height, width int }

// mostPixels bounds coordinates: integers of this size multiply without overflow.
const mostPixels = 1 << 30

// region reads region i, five numbers, and checks it. Coordinates are scaled and
// rounded in the type of the tensor, halves away from zero; the last pixel belongs
// to the region, which has at least one.
func (j *roiPoolJob[T]) region(i int) (pixels, error) {
	r := j.rois[5*i:][:5]
	if at := float64(r[0]); !(at >= 0 && at < float64(j.images) && at == math.Trunc(at)) {
		return pixels{}, fmt.Errorf("region %d is of image %g of %d", i, at, j.images)
	}
	var edge [4]int
	for k := range edge {
		v := math.Round(float64(r[1+k] * j.scale))
		if !(math.Abs(v) <= mostPixels) {
			return pixels{}, fmt.Errorf("region %d has an edge at %g", i, v)
		}
		edge[k] = int(v)
	}
	return pixels{int(r[0]), edge[1], edge[0], max(edge[3]-edge[1]+1, 1), max(edge[2]-edge[0]+1, 1)}, nil
}

// span is cell i of count in a region from start on, size long, within a dimension
// of limit elements: all that it touches, so neighbours may share one.
func span(i, count, start, size, limit int) (from, to int) {
	from, to = start+i*size/count, start+((i+1)*size+count-1)/count
	return min(max(from, 0), limit), min(max(to, 0), limit)
}

// Do works on region i.
func (j *roiPoolJob[T]) Do(i, _ int) {
	r, _ := j.region(i) // checked before
	plane := j.height * j.width
	for c := range j.channels {
		base := (r.image*j.channels + c) * plane
		x := j.x[base:][:plane]
		for cell := range j.rows * j.cols {
			top, bottom := span(cell/j.cols, j.rows, r.y, r.height, j.height)
			left, right := span(cell%j.cols, j.cols, r.x, r.width, j.width)
			best, where := T(0), -1
			for row := top; row < bottom; row++ {
				for at := row*j.width + left; at < row*j.width+right; at++ {
					if v := x[at]; where < 0 || v > best || v != v {
						best, where = v, at
					}
				}
			}
			to := (i*j.channels+c)*j.rows*j.cols + cell
			switch {
			case j.y != nil:
				j.y[to] = best
			case where < 0:
				j.places[to], j.ones[to] = 0, 0
			default:
				j.places[to], j.ones[to] = int64(base+where), 1
			}
		}
	}
}

func roiPoolOf[T float32 | float64](c *call) (kernel, error) {
	x, rois, cells := c.in[0], c.in[1], c.out[0].Shape
	if err := want(c.Op, []*tensor{rois, c.out[len(c.out)-1]}, x.DType); err != nil {
		return nil, err
	}
	if len(x.Shape) != 4 || len(cells) != 4 || cells[1] != x.Shape[1] || rois.n != 5*cells[0] {
		return nil, shapeErr(append(c.in, c.out...)...)
	}
	p := roiPoolJob[T]{
		images: x.Shape[0], channels: x.Shape[1], height: x.Shape[2], width: x.Shape[3], rows: cells[2], cols: cells[3],
		scale: T(c.Float("spatial_scale", 1)),
	}
	job := addJob[roiPoolJob[T]](c)
	return func(f *frame) error {
		j := job(f)
		*j = p
		j.x, j.rois = data[T](f, x), data[T](f, rois)
		if len(c.out) == 1 {
			j.y = data[T](f, c.out[0])
		} else {
			j.places, j.ones = data[int64](f, c.out[0]), data[T](f, c.out[1])
		}
		for i := range cells[0] {
			if _, err := j.region(i); err != nil {
				return err
			}
		}
		f.pool.For(cells[0], j)
		*j = roiPoolJob[T]{}
		return nil
	}, nil
}

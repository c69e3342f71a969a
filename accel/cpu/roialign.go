package cpu

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/accel"
)

func roiAlign(c *call) (kernel, error) {
	switch c.in[0].DType {
	case accel.Float32:
		return roiAlignOf[float32](c)
	case accel.Float64:
		return roiAlignOf[float64](c)
	}
	return nil, unsupported(c.Op, c.in[0])
}

func roiAlignPeaks(c *call) (kernel, error) {
	switch c.in[0].DType {
	case accel.Float32:
		return roiAlignPeaksOf[float32](c)
	case accel.Float64:
		return roiAlignPeaksOf[float64](c)
	}
	return nil, unsupported(c.Op, c.in[0])
}

func roiAlignGrad(c *call) (kernel, error) {
	switch c.in[0].DType {
	case accel.Float32:
		return roiAlignGradOf[float32](c)
	case accel.Float64:
		return roiAlignGradOf[float64](c)
	}
	return nil, unsupported(c.Op, c.in[0])
}

// roiPlan is what RoiAlign does to one region: it cuts it into cells and samples
// each of them at a grid of points.
type roiPlan struct {
	images, channels, height, width int
	rows, cols                      int // cells
	samples                         int // a cell and a side, 0 for one a pixel
	scale, offset                   float64
	max                             bool
}

func newRoiPlan(c *call, image, cells []int, rois, at *tensor) (*roiPlan, error) {
	if len(image) != 4 || len(cells) != 4 || cells[1] != image[1] || rois.n != 4*cells[0] || at.n != cells[0] {
		return nil, shapeErr(append(c.in, c.out...)...)
	}
	if err := want(c.Op, []*tensor{at}, accel.Int64); err != nil {
		return nil, err
	}
	p := &roiPlan{
		images: image[0], channels: image[1], height: image[2], width: image[3], rows: cells[2], cols: cells[3],
		samples: c.Int("sampling_ratio", 0), scale: c.Float("spatial_scale", 1), max: c.Str("mode", "avg") == "max",
	}
	if c.Str("coordinate_transformation_mode", "half_pixel") == "half_pixel" {
		p.offset = 0.5
	}
	return p, nil
}

// region is one region of interest, in pixels.
type region struct {
	image         int
	y, x          float64 // where it begins
	height, width float64 // of a cell
	rows, cols    int     // samples of a cell
}

// mostSamples bounds the samples of one cell: a region that is not far larger
// than any image stays below.
const mostSamples = 1 << 22

// regionOf reads region i and checks it.
func regionOf[T float32 | float64](p *roiPlan, rois []T, at []int64, i int) (region, error) {
	if at[i] < 0 || at[i] >= int64(p.images) {
		return region{}, fmt.Errorf("region %d is of image %d of %d", i, at[i], p.images)
	}
	edge := func(k int) float64 { return float64(rois[4*i+k])*p.scale - p.offset }
	r := region{image: int(at[i]), x: edge(0), y: edge(1)}
	width, height := edge(2)-r.x, edge(3)-r.y
	if p.offset == 0 { // as the first version had it
		width, height = max(width, 1), max(height, 1)
	}
	r.height, r.width = height/float64(p.rows), width/float64(p.cols)
	rows, cols := float64(p.samples), float64(p.samples)
	if p.samples <= 0 {
		rows, cols = math.Ceil(r.height), math.Ceil(r.width)
	}
	if !(rows*cols <= mostSamples && rows <= mostSamples && cols <= mostSamples) {
		return region{}, fmt.Errorf("region %d has cells of %g × %g pixels", i, r.height, r.width)
	}
	r.rows, r.cols = max(0, int(rows)), max(0, int(cols))
	return r, nil
}

// each calls f with the four neighbours of each sample of a cell.
func (p *roiPlan) each(r *region, row, col int, f func(at []int, w [4]float64)) {
	for i := range r.rows {
		y := r.y + float64(row)*r.height + (float64(i)+0.5)*r.height/float64(r.rows)
		for k := range r.cols {
			x := r.x + float64(col)*r.width + (float64(k)+0.5)*r.width/float64(r.cols)
			at, w, inside := p.around(y, x)
			if inside {
				f(at[:], w)
			} else {
				f(nil, w)
			}
		}
	}
}

// around gives the neighbours of a point and their weights: none, if it is more
// than a pixel outside, which counts as a pixel of 0.
func (p *roiPlan) around(y, x float64) (at [4]int, w [4]float64, inside bool) {
	if !(y >= -1 && y <= float64(p.height) && x >= -1 && x <= float64(p.width)) {
		return at, w, false
	}
	y0, y1, fy := neighbours(y, p.height)
	x0, x1, fx := neighbours(x, p.width)
	at = [4]int{y0*p.width + x0, y0*p.width + x1, y1*p.width + x0, y1*p.width + x1}
	w = [4]float64{(1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx}
	return at, w, true
}

// neighbours are the elements around a place, and the part that the second has.
func neighbours(x float64, n int) (low, high int, part float64) {
	x = max(x, 0)
	low = int(x)
	if low >= n-1 {
		return n - 1, n - 1, 0
	}
	return low, low + 1, x - float64(low)
}

// roiJob does one region, or for a gradient one channel of all regions. With
// places it writes no y, but what y is in mode max: one pixel times a weight.
type roiJob[T float32 | float64] struct {
	p                   *roiPlan
	x, y, rois, weights []T
	at, places          []int64
	back                bool
}

// Do works on region i, or channel i.
func (j *roiJob[T]) Do(i, _ int) {
	p := j.p
	if !j.back {
		r, _ := regionOf(p, j.rois, j.at, i) // checked before
		for c := range p.channels {
			j.channel(&r, i, c)
		}
		return
	}
	for image := range p.images {
		clear(j.x[(image*p.channels+i)*p.height*p.width:][:p.height*p.width])
	}
	for k := range j.at {
		r, _ := regionOf(p, j.rois, j.at, k)
		j.channel(&r, k, i)
	}
}

// channel does one channel of a region.
func (j *roiJob[T]) channel(r *region, i, c int) {
	p, base := j.p, (r.image*j.p.channels+c)*j.p.height*j.p.width
	x := j.x[base:][:p.height*p.width]
	first := (i*p.channels + c) * p.rows * p.cols
	if j.places != nil {
		for cell := range p.rows * p.cols {
			_, at, w := p.highest(r, cell, func(at int) float64 { return float64(x[at]) })
			j.places[first+cell], j.weights[first+cell] = int64(base+at), T(w)
		}
		return
	}
	y := j.y[first:][:p.rows*p.cols]
	count := float64(max(1, r.rows*r.cols))
	for cell := range y {
		switch {
		case j.back:
			d := float64(y[cell]) / count
			p.each(r, cell/p.cols, cell%p.cols, func(at []int, w [4]float64) {
				for k, place := range at {
					x[place] += T(w[k] * d)
				}
			})
		case p.max:
			top, _, _ := p.highest(r, cell, func(at int) float64 { return float64(x[at]) })
			y[cell] = T(top)
		default:
			sum := 0.0
			p.each(r, cell/p.cols, cell%p.cols, func(at []int, w [4]float64) {
				for k, place := range at {
					sum += w[k] * float64(x[place])
				}
			})
			y[cell] = T(sum / count)
		}
	}
}

// highest is the greatest of the samples' weighted neighbours, which is what
// ONNX takes for the maximum, with the neighbour and its weight; all are 0 if there
// is no sample. A sample outside of the image is 0.
func (p *roiPlan) highest(r *region, cell int, x func(at int) float64) (top float64, place int, weight float64) {
	none := true
	p.each(r, cell/p.cols, cell%p.cols, func(at []int, w [4]float64) {
		if at == nil && (none || top < 0) {
			top, place, weight, none = 0, 0, 0, false
		}
		for k, pixel := range at {
			if s := w[k] * x(pixel); none || s > top {
				top, place, weight, none = s, pixel, w[k], false
			}
		}
	})
	return top, place, weight
}

func roiAlignOf[T float32 | float64](c *call) (kernel, error) {
	x, rois, at, y := c.in[0], c.in[1], c.in[2], c.out[0]
	return roiKernel[T](c, x, rois, at, y, nil, false)
}

func roiAlignPeaksOf[T float32 | float64](c *call) (kernel, error) {
	x, rois, at, places, weights := c.in[0], c.in[1], c.in[2], c.out[0], c.out[1]
	if err := want(c.Op, []*tensor{places}, accel.Int64); err != nil {
		return nil, err
	}
	if err := sameLen(places, weights); err != nil {
		return nil, err
	}
	return roiKernel[T](c, x, rois, at, weights, places, false)
}

func roiAlignGradOf[T float32 | float64](c *call) (kernel, error) {
	dy, rois, at, dx := c.in[0], c.in[2], c.in[3], c.out[0]
	return roiKernel[T](c, dx, rois, at, dy, nil, true)
}

// roiKernel has the weights in the place of y if there are places.
func roiKernel[T float32 | float64](c *call, x, rois, at, y, places *tensor, back bool) (kernel, error) {
	if err := want(c.Op, []*tensor{rois, y}, x.DType); err != nil {
		return nil, err
	}
	p, err := newRoiPlan(c, x.Shape, y.Shape, rois, at)
	if err != nil {
		return nil, err
	}
	job := addJob[roiJob[T]](c)
	return func(f *frame) error {
		for i := range at.n {
			if _, err := regionOf(p, data[T](f, rois), data[int64](f, at), i); err != nil {
				return err
			}
		}
		j := job(f)
		*j = roiJob[T]{p: p, x: data[T](f, x), y: data[T](f, y), rois: data[T](f, rois), at: data[int64](f, at), back: back}
		if places != nil {
			j.places, j.weights, j.y = data[int64](f, places), j.y, nil
		}
		switch {
		case back:
			f.pool.For(p.channels, j)
		case x.n > 0:
			f.pool.For(at.n, j)
		default:
			clear(data[T](f, y))
			clear(j.places)
		}
		*j = roiJob[T]{}
		return nil
	}, nil
}

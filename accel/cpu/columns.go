package cpu

import (
	"math"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/extent"
)

// The kernels that turn images into columns of the blocks that slide over them, or
// columns into images.
var columnKernels = map[string]builder{
	"Col2Im":        {in: 3, out: 1, make: col2im},
	"Im2Col":        {in: 2, out: 1, make: im2col},
	"DeformColumns": {in: 2, out: 1, make: deformColumns},
}

// columnJob does one channel: it adds columns up into an image, or fills
// columns from it.
type columnJob[T accel.Number] struct {
	image, columns []T
	table          []int
	pixels         int
	back           bool
}

// Do works on channel i of all images.
func (j *columnJob[T]) Do(i, _ int) {
	image, columns := j.image[i*j.pixels:(i+1)*j.pixels], j.columns[i*len(j.table):(i+1)*len(j.table)]
	if j.back {
		for k, at := range j.table {
			columns[k] = 0
			if at >= 0 {
				columns[k] = image[at]
			}
		}
		return
	}
	clear(image)
	for k, at := range j.table {
		if at >= 0 {
			image[at] += columns[k]
		}
	}
}

func col2im(c *call) (kernel, error) {
	return columnKernel(c, c.out[0], c.in[0], 2, false)
}

func im2col(c *call) (kernel, error) {
	return columnKernel(c, c.in[0], c.out[0], 1, true)
}

func columnKernel(c *call, image, columns *tensor, block int, back bool) (kernel, error) {
	switch image.DType {
	case accel.Float32:
		return columnKernelOf[float32](c, image, columns, block, back)
	case accel.Float64:
		return columnKernelOf[float64](c, image, columns, block, back)
	}
	return nil, unsupported(c.Op, image)
}

func columnKernelOf[T accel.Number](c *call, image, columns *tensor, block int, back bool) (kernel, error) {
	if err := want(c.Op, []*tensor{columns}, image.DType); err != nil {
		return nil, err
	}
	size, err := c.ints(block)
	if err != nil {
		return nil, err
	}
	if len(image.Shape) < 3 {
		return nil, shapeErr(image, columns)
	}
	b, err := extent.NewBlocks(image.Shape[2:], size, c.Attrs)
	if err != nil {
		return nil, err
	}
	table, planes := b.Table(), image.Shape[0]*image.Shape[1]
	if planes*len(table) != columns.n {
		return nil, shapeErr(image, columns)
	}
	pixels := accel.Size(image.Shape[2:])
	job := addJob[columnJob[T]](c)
	return func(f *frame) error {
		j := job(f)
		*j = columnJob[T]{data[T](f, image), data[T](f, columns), table, pixels, back}
		f.pool.For(planes, j)
		*j = columnJob[T]{}
		return nil
	}, nil
}

// deformColumns samples x where the offsets say: see the operator.
func deformColumns(c *call) (kernel, error) {
	switch c.in[0].DType {
	case accel.Float32:
		return deformColumnsOf[float32](c)
	case accel.Float64:
		return deformColumnsOf[float64](c)
	}
	return nil, unsupported(c.Op, c.in[0])
}

// deformJob fills the columns of one image and one tap of the kernel.
type deformJob[T float32 | float64] struct {
	x, offset, mask, y      []T
	channels, height, width int
	groups, taps, points    int
	places                  []float64 // of each tap at each point, before the offset: y, x
}

// Do works on tap i % taps of image i / taps.
func (j *deformJob[T]) Do(i, _ int) {
	n, tap := i/j.taps, i%j.taps
	each := j.channels / j.groups
	plane := j.height * j.width
	for g := range j.groups {
		of := (n*j.groups+g)*j.taps + tap
		dy, dx := j.offset[2*of*j.points:][:j.points], j.offset[(2*of+1)*j.points:][:j.points]
		for p := range j.points {
			at := j.places[2*(tap*j.points+p):]
			places, w := bilinear(at[0]+float64(dy[p]), at[1]+float64(dx[p]), j.height, j.width)
			scale := 1.0
			if j.mask != nil {
				scale = float64(j.mask[of*j.points+p])
			}
			for c := g * each; c < (g+1)*each; c++ {
				x, sum := j.x[(n*j.channels+c)*plane:], 0.0
				for k, v := range w {
					sum += v * float64(x[places[k]])
				}
				j.y[((n*j.channels+c)*j.taps+tap)*j.points+p] = T(sum * scale)
			}
		}
	}
}

// bilinear gives the pixels around a place and their weights, 0 for those outside.
func bilinear(y, x float64, height, width int) (at [4]int, w [4]float64) {
	if !(y > -1 && x > -1 && y < float64(height) && x < float64(width)) {
		return at, w
	}
	y0, x0 := math.Floor(y), math.Floor(x)
	fy, fx := y-y0, x-x0
	for k := range at {
		row, col, v := int(y0), int(x0), (1-fy)*(1-fx)
		switch k {
		case 1:
			col, v = col+1, (1-fy)*fx
		case 2:
			row, v = row+1, fy*(1-fx)
		case 3:
			row, col, v = row+1, col+1, fy*fx
		}
		if row >= 0 && row < height && col >= 0 && col < width {
			at[k], w[k] = row*width+col, v
		}
	}
	return at, w
}

func deformColumnsOf[T float32 | float64](c *call) (kernel, error) {
	x, offset, mask, y := c.in[0], c.in[1], c.input(2), c.out[0]
	if err := want(c.Op, []*tensor{offset, mask, y}, x.DType); err != nil {
		return nil, err
	}
	if len(x.Shape) != 4 {
		return nil, shapeErr(x, offset, mask, y)
	}
	b, err := extent.NewBlocks(x.Shape[2:], c.Ints("kernel_shape"), c.Attrs)
	if err != nil {
		return nil, err
	}
	p := deformJob[T]{channels: x.Shape[1], height: x.Shape[2], width: x.Shape[3], groups: c.Int("offset_group", 1), places: b.Places()}
	p.points = accel.Size(b.Counts)
	p.taps = len(p.places) / max(1, 2*p.points)
	groups := x.Shape[0] * p.groups * p.taps * p.points
	if p.groups < 1 || p.channels%p.groups != 0 || offset.n != 2*groups || mask != nil && mask.n != groups || y.n != x.Shape[0]*p.channels*p.taps*p.points {
		return nil, shapeErr(x, offset, mask, y)
	}
	job := addJob[deformJob[T]](c)
	return func(f *frame) error {
		j := job(f)
		*j = p
		j.x, j.offset, j.y = data[T](f, x), data[T](f, offset), data[T](f, y)
		if mask != nil {
			j.mask = data[T](f, mask)
		}
		if x.n > 0 {
			f.pool.For(x.Shape[0]*p.taps, j)
		}
		*j = deformJob[T]{}
		return nil
	}, nil
}

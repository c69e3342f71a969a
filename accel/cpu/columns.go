package cpu

import (
	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/extent"
)

// The kernels that turn images into columns of the blocks that slide over them, or
// columns into images.
var columnKernels = map[string]builder{
	"Col2Im":           {in: 3, out: 1, make: col2im},
	"Im2Col":           {in: 2, out: 1, make: im2col},
	"DeformColumns":    {in: 2, out: 1, make: deformColumns},
	"DeformImageGrad":  {in: 3, out: 1, make: deformImageGrad},
	"DeformPlacesGrad": {in: 3, out: 2, make: deformPlacesGrad},
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

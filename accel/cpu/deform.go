package cpu

import (
	"math"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/extent"
)

// deformColumns samples x where the offsets say: see the operator.
func deformColumns(c *call) (kernel, error) {
	return deformKernel(c, deformation{x: c.in[0], offset: c.in[1], mask: c.input(2), columns: c.out[0]})
}

// deformImageGrad adds the gradient of the columns up where they came from in x.
func deformImageGrad(c *call) (kernel, error) {
	return deformKernel(c, deformation{columns: c.in[0], offset: c.in[2], mask: c.input(3), x: c.out[0], image: true})
}

// deformPlacesGrad gives the gradient of the offsets, and of the factors or of ones.
func deformPlacesGrad(c *call) (kernel, error) {
	return deformKernel(c, deformation{
		columns: c.in[0], x: c.in[1], offset: c.in[2], mask: c.input(3), doffset: c.out[0], dmask: c.out[1],
	})
}

// deformation is the tensors of a kernel: that of the gradient of the places has
// doffset, that of the image has image set.
type deformation struct {
	x, offset, mask, columns, doffset, dmask *tensor
	image                                    bool
}

func deformKernel(c *call, d deformation) (kernel, error) {
	switch d.x.DType {
	case accel.Float32:
		return deformKernelOf[float32](c, d)
	case accel.Float64:
		return deformKernelOf[float64](c, d)
	}
	return nil, unsupported(c.Op, d.x)
}

// deformJob does one tap of the kernel in one image or, adding up into x, one part
// of the channels of one group in one image.
type deformJob[T float32 | float64] struct {
	x, offset, mask, columns, doffset, dmask []T
	image                                    bool
	channels, height, width                  int
	groups, taps, points, parts              int
	places                                   []float64 // of each tap at each point, before the offset: y, x
}

// deformPart is the channels that share one look at the places.
const deformPart = 16

// Do works on tile i.
func (j *deformJob[T]) Do(i, _ int) {
	each := j.channels / j.groups
	if j.image {
		n, g, part := i/j.parts/j.groups, i/j.parts%j.groups, i%j.parts
		from := g*each + part*deformPart
		to := min(from+deformPart, (g+1)*each)
		plane := j.height * j.width
		clear(j.x[(n*j.channels+from)*plane : (n*j.channels+to)*plane])
		for tap := range j.taps {
			j.spread(n, tap, g, from, to)
		}
		return
	}
	n, tap := i/j.taps, i%j.taps
	for g := range j.groups {
		if j.doffset != nil {
			j.slopes(n, tap, g, g*each, (g+1)*each)
		} else {
			j.sample(n, tap, g, g*each, (g+1)*each)
		}
	}
}

// at is where the tap of image n and group g is at point p, and its factor.
func (j *deformJob[T]) at(n, tap, g, p int) (t bilinearTap, scale float64) {
	of := (n*j.groups+g)*j.taps + tap
	place := j.places[2*(tap*j.points+p):]
	y := place[0] + float64(j.offset[2*of*j.points+p])
	x := place[1] + float64(j.offset[(2*of+1)*j.points+p])
	scale = 1
	if j.mask != nil {
		scale = float64(j.mask[of*j.points+p])
	}
	return bilinear(y, x, j.height, j.width), scale
}

// planes are channel c of image n, and its column of a tap.
func (j *deformJob[T]) planes(n, tap, c int) (x, column []T) {
	x = j.x[(n*j.channels+c)*j.height*j.width:][:j.height*j.width]
	return x, j.columns[((n*j.channels+c)*j.taps+tap)*j.points:][:j.points]
}

// sample fills the columns of a tap.
func (j *deformJob[T]) sample(n, tap, g, from, to int) {
	for p := range j.points {
		t, scale := j.at(n, tap, g, p)
		for c := from; c < to; c++ {
			x, column := j.planes(n, tap, c)
			sum := 0.0
			for k, at := range t.at[:t.n] {
				sum += t.w[k] * float64(x[at])
			}
			column[p] = T(sum * scale)
		}
	}
}

// spread is the opposite: it adds the columns up into x.
func (j *deformJob[T]) spread(n, tap, g, from, to int) {
	for p := range j.points {
		t, scale := j.at(n, tap, g, p)
		for c := from; c < to; c++ {
			x, column := j.planes(n, tap, c)
			d := float64(column[p]) * scale
			for k, at := range t.at[:t.n] {
				x[at] += T(t.w[k] * d)
			}
		}
	}
}

// slopes gives the gradients of the offsets and the factors of a tap.
func (j *deformJob[T]) slopes(n, tap, g, from, to int) {
	of := (n*j.groups+g)*j.taps + tap
	for p := range j.points {
		t, scale := j.at(n, tap, g, p)
		var dy, dx, dm float64
		for c := from; c < to; c++ {
			x, column := j.planes(n, tap, c)
			var sy, sx, s float64
			for k, at := range t.at[:t.n] {
				v := float64(x[at])
				sy, sx, s = sy+t.wy[k]*v, sx+t.wx[k]*v, s+t.w[k]*v
			}
			d := float64(column[p])
			dy, dx, dm = dy+d*sy, dx+d*sx, dm+d*s
		}
		j.doffset[2*of*j.points+p], j.doffset[(2*of+1)*j.points+p] = T(dy*scale), T(dx*scale)
		j.dmask[of*j.points+p] = T(dm)
	}
}

// bilinearTap is the pixels around a place that lie inside, their weights, and
// how these change with y and with x.
type bilinearTap struct {
	n         int
	at        [4]int
	w, wy, wx [4]float64
}

// bilinear has no pixels for a place that is a pixel or more outside.
func bilinear(y, x float64, height, width int) (t bilinearTap) {
	if !(y > -1 && x > -1 && y < float64(height) && x < float64(width)) {
		return t
	}
	y0, x0 := math.Floor(y), math.Floor(x)
	fy, fx := [2]float64{1 - (y - y0), y - y0}, [2]float64{1 - (x - x0), x - x0}
	slope := [2]float64{-1, 1}
	for k := range 4 {
		down, right := k/2, k%2
		row, col := int(y0)+down, int(x0)+right
		if row >= 0 && row < height && col >= 0 && col < width {
			t.at[t.n], t.w[t.n] = row*width+col, fy[down]*fx[right]
			t.wy[t.n], t.wx[t.n] = slope[down]*fx[right], fy[down]*slope[right]
			t.n++
		}
	}
	return t
}

func deformKernelOf[T float32 | float64](c *call, d deformation) (kernel, error) {
	x := d.x
	if err := want(c.Op, []*tensor{d.offset, d.mask, d.columns, d.doffset, d.dmask}, x.DType); err != nil {
		return nil, err
	}
	if len(x.Shape) != 4 {
		return nil, shapeErr(x, d.offset, d.mask, d.columns)
	}
	b, err := extent.NewBlocks(x.Shape[2:], c.Ints("kernel_shape"), c.Attrs)
	if err != nil {
		return nil, err
	}
	p := deformJob[T]{
		image: d.image, channels: x.Shape[1], height: x.Shape[2], width: x.Shape[3], groups: c.Int("offset_group", 1), places: b.Places(),
	}
	p.points = accel.Size(b.Counts)
	p.taps = len(p.places) / max(1, 2*p.points)
	if p.groups < 1 || p.channels%p.groups != 0 || !d.fits(x.Shape[0]*p.taps*p.points, p.groups, p.channels) {
		return nil, shapeErr(x, d.offset, d.mask, d.columns)
	}
	tiles := x.Shape[0] * p.taps
	if p.image {
		p.parts = (p.channels/p.groups + deformPart - 1) / deformPart
		tiles = x.Shape[0] * p.groups * p.parts
	}
	job := addJob[deformJob[T]](c)
	return func(f *frame) error {
		j := job(f)
		*j = p
		j.x, j.offset, j.columns = data[T](f, x), data[T](f, d.offset), data[T](f, d.columns)
		if d.mask != nil {
			j.mask = data[T](f, d.mask)
		}
		if d.doffset != nil {
			j.doffset, j.dmask = data[T](f, d.doffset), data[T](f, d.dmask)
		}
		f.pool.For(tiles, j)
		*j = deformJob[T]{}
		return nil
	}, nil
}

// fits says whether the sizes go together; each is of an offset and group.
func (d *deformation) fits(each, groups, channels int) bool {
	return d.offset.n == 2*each*groups && d.columns.n == each*channels && (d.mask == nil || d.mask.n == each*groups) &&
		(d.doffset == nil || d.doffset.n == d.offset.n && d.dmask.n == each*groups)
}

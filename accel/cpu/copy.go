package cpu

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/extent"
)

// The operators that only move elements take every type: they copy by size.
var copyKernels = map[string]builder{
	"Identity":        {in: 1, out: 1, make: copyOp, half: true},
	"Reshape":         {in: 1, out: 1, make: copyOp, half: true},
	"Flatten":         {in: 1, out: 1, make: copyOp, half: true},
	"Squeeze":         {in: 1, out: 1, make: copyOp, half: true},
	"Unsqueeze":       {in: 1, out: 1, make: copyOp, half: true},
	"Transpose":       {in: 1, out: 1, make: permute, half: true},
	"Expand":          {in: 1, out: 1, make: expand, half: true},
	"Tile":            {in: 1, out: 1, make: tile, half: true},
	"Slice":           {in: 3, out: 1, make: slice, half: true},
	"SliceGrad":       {in: 4, out: 1, make: sliceGrad, half: true},
	"Concat":          {in: 1, out: 1, make: concat, half: true},
	"Split":           {in: 1, out: 0, make: split, half: true},
	"ConstantOfShape": {in: 1, out: 1, make: constantOfShape, half: true},
}

// copyOp copies the elements: Identity, Reshape and its like where the memory
// plan could not make the output a view of the input.
func copyOp(c *call) (kernel, error) {
	x, y := c.in[0], c.out[0]
	if err := want(c.Op, []*tensor{y}, x.DType); err != nil {
		return nil, err
	}
	if err := sameLen(x, y); err != nil {
		return nil, err
	}
	return moved(c, x, y, []int{x.n}, packed([]int{x.n}), packed([]int{x.n}))
}

// byType picks one of a kernel's instances by element type; nil ones are unsupported.
func byType(c *call, t *tensor, of map[accel.DType]func(*call) (kernel, error)) (kernel, error) {
	if make := of[t.DType]; make != nil {
		return make(c)
	}
	return nil, unsupported(c.Op, t)
}

// moved is the kernel of one move from x to y.
func moved(c *call, x, y *tensor, shape []int, dst, src view) (kernel, error) {
	if err := want(c.Op, []*tensor{y}, x.DType); err != nil {
		return nil, err
	}
	m, err := newMove(c, x.DType.Size(), shape, dst, src)
	if err != nil {
		return nil, err
	}
	job := addJob[moveJob](c)
	return func(f *frame) error {
		m.run(f, job(f), raw(f, y), raw(f, x))
		return nil
	}, nil
}

// packed is the view of a whole tensor.
func packed(shape []int) view { return view{0, contiguous(shape)} }

func permute(c *call) (kernel, error) {
	x, y := c.in[0], c.out[0]
	perm, rank := c.Ints("perm"), len(x.Shape)
	from := contiguous(x.Shape)
	if len(y.Shape) != rank || len(perm) != 0 && len(perm) != rank {
		return nil, shapeErr(x, y)
	}
	src := view{strides: make([]int, rank)}
	for d := range rank {
		p := rank - 1 - d
		if len(perm) > 0 {
			p = perm[d]
		}
		if p < 0 || p >= rank || x.Shape[p] != y.Shape[d] {
			return nil, shapeErr(x, y)
		}
		src.strides[d] = from[p]
	}
	return moved(c, x, y, y.Shape, packed(y.Shape), src)
}

func expand(c *call) (kernel, error) {
	x, y := c.in[0], c.out[0]
	strides, ok := broadcastStrides(x.Shape, y.Shape)
	if !ok {
		return nil, shapeErr(x, y)
	}
	return moved(c, x, y, y.Shape, packed(y.Shape), view{0, strides})
}

// constantOfShape fills the output with one element, or with zeros.
func constantOfShape(c *call) (kernel, error) {
	v, y := c.input(1), c.out[0]
	if v == nil {
		return func(f *frame) error { clear(raw(f, y)); return nil }, nil
	}
	if v.n != 1 {
		return nil, shapeErr(v, y)
	}
	return moved(c, v, y, y.Shape, packed(y.Shape), view{0, make([]int, len(y.Shape))})
}

// tile sees dimension d of y as repeats of dimension d of x.
func tile(c *call) (kernel, error) {
	x, y := c.in[0], c.out[0]
	if len(x.Shape) != len(y.Shape) {
		return nil, shapeErr(x, y)
	}
	var shape, src []int
	for d, stride := range contiguous(x.Shape) {
		repeat := 0
		if n := x.Shape[d]; n > 0 {
			repeat = y.Shape[d] / n
		}
		if repeat*x.Shape[d] != y.Shape[d] {
			return nil, shapeErr(x, y)
		}
		shape = append(shape, repeat, x.Shape[d])
		src = append(src, 0, stride)
	}
	return moved(c, x, y, shape, packed(shape), view{0, src})
}

// sliceView is the part of a tensor of some shape that the inputs of Slice,
// which begin at input first, name.
func sliceView(c *call, shape []int, first int) ([]int, view, error) {
	var in [4][]int
	for i := range in {
		var err error
		if in[i], err = c.ints(first + i); err != nil {
			return nil, view{}, err
		}
	}
	r, err := extent.Slice(shape, in[0], in[1], in[2], in[3])
	if err != nil {
		return nil, view{}, err
	}
	out, v := make([]int, len(r)), packed(shape)
	for d := range r {
		out[d] = r[d].N
		v.offset += r[d].Start * v.strides[d]
		v.strides[d] *= r[d].Step
	}
	return out, v, nil
}

func slice(c *call) (kernel, error) {
	x, y := c.in[0], c.out[0]
	shape, src, err := sliceView(c, x.Shape, 1)
	if err != nil {
		return nil, err
	}
	if accel.Size(shape) != y.n {
		return nil, shapeErr(x, y)
	}
	return moved(c, x, y, shape, packed(shape), src)
}

// sliceGrad puts dy into zeros.
func sliceGrad(c *call) (kernel, error) {
	dy, dx := c.in[0], c.out[0]
	shape, dst, err := sliceView(c, dx.Shape, 2)
	if err != nil {
		return nil, err
	}
	if accel.Size(shape) != dy.n {
		return nil, shapeErr(dy, dx)
	}
	put, err := moved(c, dy, dx, shape, dst, packed(shape))
	if err != nil {
		return nil, err
	}
	return func(f *frame) error {
		clear(raw(f, dx))
		return put(f)
	}, nil
}

func concat(c *call) (kernel, error) {
	y := c.out[0]
	sizes := make([]int, len(c.in))
	a, err := axis(c.Int("axis", 0), len(y.Shape))
	if err != nil {
		return nil, err
	}
	for i, x := range c.in {
		if x == nil || len(x.Shape) != len(y.Shape) {
			return nil, shapeErr(append(c.in, y)...)
		}
		sizes[i] = x.Shape[a]
	}
	return joint(c, y, a, c.in, sizes, true)
}

func split(c *call) (kernel, error) {
	x := c.in[0]
	a, err := axis(c.Int("axis", 0), len(x.Shape))
	if err != nil {
		return nil, err
	}
	sizes, err := c.ints(1)
	if err != nil {
		return nil, err
	}
	sizes, err = extent.Split(x.Shape[a], sizes, c.Int("num_outputs", 0))
	if err != nil {
		return nil, err
	}
	if len(sizes) < len(c.out) {
		return nil, fmt.Errorf("%d outputs for %d parts", len(c.out), len(sizes))
	}
	return joint(c, x, a, c.out, sizes, false)
}

// joint copies between a tensor and the parts that lie in it one after the other
// along an axis: to it if join is true, from it otherwise. A nil part is skipped.
func joint(c *call, whole *tensor, a int, parts []*tensor, sizes []int, join bool) (kernel, error) {
	outer, n, inner := around(whole.Shape, a)
	at := 0
	var list []kernel
	for i, p := range parts {
		size := sizes[i] * inner
		place := view{at, []int{n * inner, 1}}
		at += size
		if p == nil {
			continue
		}
		if p.n != outer*size || at > n*inner {
			return nil, shapeErr(append(parts, whole)...)
		}
		own := view{0, []int{size, 1}}
		var k kernel
		var err error
		if join {
			k, err = moved(c, p, whole, []int{outer, size}, place, own)
		} else {
			k, err = moved(c, whole, p, []int{outer, size}, own, place)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, k)
	}
	return inOrder(list), nil
}

// inOrder is several kernels as one.
func inOrder(list []kernel) kernel {
	return func(f *frame) error {
		for _, k := range list {
			if err := k(f); err != nil {
				return err
			}
		}
		return nil
	}
}

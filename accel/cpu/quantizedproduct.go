package cpu

import (
	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/qgemm"
)

var quantizedKernels = map[string]builder{
	"MatMulInteger": {in: 2, out: 1, make: matmulInteger},
	"ConvInteger":   {in: 2, out: 1, make: convInteger},
}

// bytesOf is the memory of an optional tensor of 8-bit integers, nil if it is absent.
func bytesOf(f *frame, t *tensor) []uint8 {
	if t == nil {
		return nil
	}
	return raw(f, t)
}

// matmulInteger multiplies the matrices of each batch by package qgemm. A right
// operand that is a constant is packed once.
func matmulInteger(c *call) (kernel, error) {
	a, b, az, bz, y := c.in[0], c.in[1], c.input(2), c.input(3), c.out[0]
	if err := wantBytes(c, y); err != nil {
		return nil, err
	}
	p, err := newProduct(c)
	if err != nil {
		return nil, err
	}
	if az != nil && az.n != 1 && az.n != a.Shape[len(a.Shape)-2] || bz != nil && bz.n != 1 && bz.n != p.n {
		return nil, shapeErr(c.in...)
	}
	if az != nil && az.n != 1 { // joined rows would need joined zero points
		p.splitRows(a.Shape[len(a.Shape)-2])
	}
	plan, err := qgemm.New(qgemm.Spec{M: p.m, N: p.n, K: p.k, ASigned: a.DType == accel.Int8, BSigned: b.DType == accel.Int8, Out: qgemm.Int32})
	if err != nil {
		return nil, err
	}
	packed := make([]int32, plan.PackedLen())
	constant := b.Const() && len(p.batches) == 1 && (p.count == 1 || p.strideB == 0)
	if constant {
		plan.PackB(packed, b.Data)
	}
	room := c.scratch(4 * (plan.ScratchLen() + plan.PackedLen()))
	return func(f *frame) error {
		work := accel.View[int32](room.raw(f))
		o := qgemm.Operands{AZero: bytesOf(f, az), BZero: bytesOf(f, bz), Packed: packed, Scratch: work[:plan.ScratchLen()]}
		if !constant {
			o.Packed = work[plan.ScratchLen():]
		}
		last := -1
		for _, at := range p.batches {
			for i := range p.count {
				o.A, o.C = raw(f, a)[at.a+i*p.strideA:], data[int32](f, y)[at.c+i*p.m*p.n:]
				if from := at.b + i*p.strideB; !constant && from != last {
					plan.PackB(o.Packed, raw(f, b)[from:from+p.k*p.n])
					last = from
				}
				plan.Run(f.pool, o)
			}
		}
		return nil
	}, nil
}

// splitRows undoes joinRows: products of m rows each.
func (p *product) splitRows(m int) {
	if p.m != m {
		p.count, p.m, p.strideA = p.m/m, m, m*p.k
	}
}

// wantBytes checks that operands and zero points have 8 bits, and the sums 32.
func wantBytes(c *call, y *tensor) error {
	if err := want(c.Op, c.in, accel.Int8, accel.Uint8); err != nil {
		return err
	}
	return want(c.Op, []*tensor{y}, accel.Int32)
}

// convInteger multiplies the filters of each group with the matrix of patches of
// an image, in which padding is x's zero point.
func convInteger(c *call) (kernel, error) {
	x, w, xz, wz, y := c.in[0], c.in[1], c.input(2), c.input(3), c.out[0]
	if err := wantBytes(c, y); err != nil {
		return nil, err
	}
	if y.n == 0 {
		return nothing, nil
	}
	s, err := convSpec(c, x.Shape, w.Shape, false)
	if err != nil {
		return nil, err
	}
	if xz != nil && xz.n != 1 || wz != nil && wz.n != 1 && wz.n != s.M {
		return nil, shapeErr(c.in...)
	}
	t := newTaps[int32](s, x.Shape, y.Shape)
	pixels, patch := accel.Size(t.small), accel.Size(w.Shape[1:])
	plan, err := qgemm.New(qgemm.Spec{M: s.M / s.Groups, N: pixels, K: patch, ASigned: w.DType == accel.Int8, BSigned: x.DType == accel.Int8, Out: qgemm.Int32})
	if err != nil {
		return nil, err
	}
	job := addJob[patchJob](c)
	places := t.places()
	ints, packed := plan.ScratchLen(), plan.PackedLen()
	room := c.scratch(4*(ints+packed) + patch*pixels)
	return func(f *frame) error {
		mem := room.raw(f)
		work := accel.View[int32](mem[:4*(ints+packed)])
		j := job(f)
		*j = patchJob{patches: mem[4*(ints+packed):], places: places, pixels: pixels, plane: accel.Size(t.big)}
		if xz != nil {
			j.pad = raw(f, xz)[0]
		}
		o := qgemm.Operands{BZero: bytesOf(f, xz), Scratch: work[:ints], Packed: work[ints:]}
		for i := range s.N * s.Groups {
			group, filters := i%s.Groups, s.M/s.Groups
			j.x = raw(f, x)[i*(s.C/s.Groups)*j.plane:]
			f.pool.For(s.C/s.Groups, j)
			plan.PackB(o.Packed, j.patches)
			o.A, o.C = raw(f, w)[group*filters*patch:(group+1)*filters*patch], data[int32](f, y)[i*filters*pixels:(i+1)*filters*pixels]
			if o.AZero = bytesOf(f, wz); len(o.AZero) > 1 {
				o.AZero = o.AZero[group*filters : (group+1)*filters]
			}
			plan.Run(f.pool, o)
		}
		return nil
	}, nil
}

// places is where each tap of each output lies in a plane, -1 for padding:
// (taps, outputs).
func (t taps[T]) places() []int32 {
	outputs := accel.Size(t.small)
	list := make([]int32, accel.Size(t.Kernel)*outputs)
	for i := range list {
		if p, ok := t.place(i%outputs, i/outputs); ok {
			list[i] = int32(p)
		} else {
			list[i] = -1
		}
	}
	return list
}

// patchJob copies the patches of one channel a tile.
type patchJob struct {
	patches, x    []uint8
	places        []int32
	pixels, plane int
	pad           uint8
}

func (j *patchJob) Do(channel, _ int) {
	plane := j.x[channel*j.plane : (channel+1)*j.plane]
	for i, out := 0, j.patches[channel*len(j.places):(channel+1)*len(j.places)]; i < len(out); i++ {
		if p := j.places[i]; p >= 0 {
			out[i] = plane[p]
		} else {
			out[i] = j.pad
		}
	}
}

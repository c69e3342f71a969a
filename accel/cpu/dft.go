package cpu

import (
	"unsafe"

	"github.com/millrace-go/millrace/accel"
)

var dftKernels = map[string]builder{"DFT": {in: 1, out: 1, make: dft}}

// dft transforms lines along an axis. A spectrum spans many orders of magnitude,
// and float32 would drown its small parts in the rounding of the large ones: so
// the transform works in float64 whatever the type. The inverse, whose
// results are alike in size, works in the type of its elements, but for lengths with
// prime factors above 5, which take a detour that costs precision.
func dft(c *call) (kernel, error) {
	t := c.in[0].DType
	if t != accel.Float32 && t != accel.Float64 {
		return nil, unsupported(c.Op, c.in[0])
	}
	if err := want(c.Op, c.out[:1], t); err != nil {
		return nil, err
	}
	p, err := newDFT(c)
	if err != nil {
		return nil, err
	}
	radices := radicesOf(p.n)
	if p.inverse && radices != nil && t == accel.Float32 {
		return dftOf[float32, float32](c, p, newMixed[float32](p.n, radices))
	}
	var fft transformer[float64]
	if radices != nil {
		fft = newMixed[float64](p.n, radices)
	} else {
		fft = newBluestein(p.n)
	}
	if t == accel.Float32 {
		return dftOf[float32, float64](c, p, fft)
	}
	return dftOf[float64, float64](c, p, fft)
}

// dftPlan sees x as (outer, in, inner, parts) and y as (outer, out, inner,
// parts), where parts is 1 for real and 2 for complex numbers.
type dftPlan struct {
	outer, inner      int
	in, out           int
	inParts, outParts int
	n                 int // length of the transform
	inverse, real     bool
}

func dftOf[T, W float32 | float64](c *call, p *dftPlan, fft transformer[W]) (kernel, error) {
	x, y := c.in[0], c.out[0]
	line := p.n + fft.room()
	var w W
	mem := c.scratch(2 * int(unsafe.Sizeof(w)) * line * c.threads)
	job := addJob[dftJob[T, W]](c)
	return func(f *frame) error {
		if y.n == 0 {
			return nil
		}
		j := job(f)
		parts := accel.View[W](mem.raw(f))
		work := unsafe.Slice((*cplx[W])(unsafe.Pointer(unsafe.SliceData(parts))), len(parts)/2)
		*j = dftJob[T, W]{p: p, fft: fft, x: data[T](f, x), y: data[T](f, y), work: work, line: line}
		f.pool.For(p.outer*p.inner, j)
		*j = dftJob[T, W]{}
		return nil
	}, nil
}

// newDFT resolves axis and length; what it cannot see in the inputs it takes
// from the output's shape.
func newDFT(c *call) (*dftPlan, error) {
	x, y := c.in[0], c.out[0]
	rank := len(x.Shape)
	at, err := c.ints(2)
	if err != nil {
		return nil, err
	}
	if len(at) == 0 {
		at = []int{-2}
	}
	a, err := axis(at[0], rank)
	if err != nil {
		return nil, err
	}
	if a == rank-1 || len(y.Shape) != rank {
		return nil, shapeErr(x, y)
	}
	p := &dftPlan{in: x.Shape[a], out: y.Shape[a], inParts: x.Shape[rank-1], outParts: y.Shape[rank-1], inverse: c.Bool("inverse", false)}
	p.outer, p.inner = accel.Size(x.Shape[:a]), accel.Size(x.Shape[a+1:rank-1])
	p.real = p.inverse && c.Bool("onesided", false)
	length, err := c.ints(1)
	if err != nil {
		return nil, err
	}
	switch {
	case len(length) > 0:
		p.n = length[0]
	case p.real:
		p.n = 2 * (p.in - 1)
	default:
		p.n = p.in
	}
	if p.out > max(p.n, 1) || p.outer*p.out*p.inner*p.outParts != y.n || p.outer*p.in*p.inner*p.inParts != x.n {
		return nil, shapeErr(x, y)
	}
	return p, nil
}

// dftJob transforms one line a tile.
type dftJob[T, W float32 | float64] struct {
	p    *dftPlan
	fft  transformer[W]
	x, y []T
	work []cplx[W]
	line int
}

// Do reads, transforms and writes line i. The inverse is the conjugate of the
// transform of the conjugate, divided by n.
func (j *dftJob[T, W]) Do(i, worker int) {
	p := j.p
	work := j.work[worker*j.line:][:j.line]
	z := work[:p.n]
	o, k := i/p.inner, i%p.inner
	j.read(z, o, k)
	sign, scale := W(1), W(1)
	if p.inverse {
		sign, scale = -1, W(1/float64(p.n))
	}
	for t := range z {
		z[t].im *= sign
	}
	j.fft.transform(z, work[p.n:])
	for t := range p.out {
		at := ((o*p.out+t)*p.inner + k) * p.outParts
		j.y[at] = T(z[t].re * scale)
		if p.outParts == 2 {
			j.y[at+1] = T(z[t].im * sign * scale)
		}
	}
}

// read fills z with the line.
func (j *dftJob[T, W]) read(z []cplx[W], o, k int) {
	p := j.p
	used := min(p.in, p.n)
	if p.real {
		used = min(p.in, p.n/2+1)
	}
	clear(z)
	for t := range used {
		at := ((o*p.in+t)*p.inner + k) * p.inParts
		z[t].re = W(j.x[at])
		if p.inParts == 2 {
			z[t].im = W(j.x[at+1])
		}
	}
	if !p.real {
		return
	}
	for t := used; t < p.n; t++ { // the other half is the mirror image
		z[t] = z[p.n-t].conj()
	}
	z[0].im = 0
	if p.n%2 == 0 {
		z[p.n/2].im = 0
	}
}

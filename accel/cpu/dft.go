package cpu

import (
	"math"
	"math/bits"
	"unsafe"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/fmath"
)

var dftKernels = map[string]builder{"DFT": {in: 1, out: 1, make: dft}}

// dft transforms lines along an axis in float64, whatever the type.
func dft(c *call) (kernel, error) {
	switch c.in[0].DType {
	case accel.Float32:
		return dftOf[float32](c)
	case accel.Float64:
		return dftOf[float64](c)
	}
	return nil, unsupported(c.Op, c.in[0])
}

// dftPlan sees x as (outer, in, inner, parts) and y as (outer, out, inner,
// parts), where parts is 1 for real and 2 for complex numbers.
type dftPlan struct {
	outer, inner      int
	in, out           int
	inParts, outParts int
	n                 int // length of the transform
	inverse, real     bool
	fft               *fourier
}

func dftOf[T float32 | float64](c *call) (kernel, error) {
	x, y := c.in[0], c.out[0]
	if err := want(c.Op, []*tensor{y}, x.DType); err != nil {
		return nil, err
	}
	p, err := newDFT(c)
	if err != nil {
		return nil, err
	}
	line := p.n + p.fft.work()
	mem := c.scratch(16 * line * c.threads)
	job := addJob[dftJob[T]](c)
	return func(f *frame) error {
		if y.n == 0 {
			return nil
		}
		j := job(f)
		*j = dftJob[T]{p: p, x: data[T](f, x), y: data[T](f, y), work: complexes(mem.raw(f)), line: line}
		f.pool.For(p.outer*p.inner, j)
		*j = dftJob[T]{}
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
	p.fft = newFourier(p.n)
	return p, nil
}

// dftJob transforms one line a tile.
type dftJob[T float32 | float64] struct {
	p    *dftPlan
	x, y []T
	work []complex128
	line int
}

// Do reads, transforms and writes line i.
func (j *dftJob[T]) Do(i, worker int) {
	p := j.p
	work := j.work[worker*j.line:][:j.line]
	z := work[:p.n]
	o, k := i/p.inner, i%p.inner
	used := min(p.in, p.n)
	if p.real {
		used = min(p.in, p.n/2+1)
	}
	clear(z)
	for t := range used {
		at := ((o*p.in+t)*p.inner + k) * p.inParts
		re, im := float64(j.x[at]), 0.0
		if p.inParts == 2 {
			im = float64(j.x[at+1])
		}
		z[t] = complex(re, im)
	}
	if p.real { // the other half is the mirror image
		for t := used; t < p.n; t++ {
			z[t] = conj(z[p.n-t])
		}
		z[0] = complex(real(z[0]), 0)
		if p.n%2 == 0 {
			z[p.n/2] = complex(real(z[p.n/2]), 0)
		}
	}
	if p.inverse {
		conjugate(z)
	}
	p.fft.transform(z, work[p.n:])
	scale := 1.0
	if p.inverse {
		conjugate(z)
		scale = 1 / float64(p.n)
	}
	for t := range p.out {
		at := ((o*p.out+t)*p.inner + k) * p.outParts
		j.y[at] = T(real(z[t]) * scale)
		if p.outParts == 2 {
			j.y[at+1] = T(imag(z[t]) * scale)
		}
	}
}

// complexes views scratch memory, which is aligned.
func complexes(b []byte) []complex128 {
	return unsafe.Slice((*complex128)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/16)
}

func conj(z complex128) complex128 { return complex(real(z), -imag(z)) }

func conjugate(z []complex128) {
	for i, v := range z {
		z[i] = conj(v)
	}
}

// fourier is a discrete Fourier transform of some length: of powers of two by
// Cooley & Tukey (Mathematics of Computation 19, 1965), of others as a
// convolution of such a length by Bluestein (Northeast Electronics Research and
// Engineering Meeting Record 10, 1968).
type fourier struct {
	n     int
	roots []complex128 // exp(-2πi·k/m), k < m/2, of the power of two m
	m     int
	chirp []complex128 // exp(-πi·k²/n), nil for powers of two
	wave  []complex128 // the transform of the conjugate chirp
}

func newFourier(n int) *fourier {
	p := &fourier{n: n, m: 1}
	if n < 2 {
		return p
	}
	p.m = n
	if n&(n-1) != 0 {
		p.m = 1 << bits.Len(uint(2*n-2))
		p.chirp = make([]complex128, n)
		for k := range p.chirp {
			p.chirp[k] = root(k*k%(2*n), 2*n)
		}
	}
	for k := range p.m / 2 {
		p.roots = append(p.roots, root(k, p.m))
	}
	if p.chirp != nil {
		p.wave = make([]complex128, p.m)
		for k, v := range p.chirp {
			p.wave[k] = conj(v)
			p.wave[(p.m-k)%p.m] = conj(v)
		}
		p.power(p.wave)
	}
	return p
}

// root is exp(-2πi·k/n).
func root(k, n int) complex128 {
	x := 2 * math.Pi * float64(k) / float64(n)
	return complex(fmath.Cos(x), -fmath.Sin(x))
}

// work is the scratch memory that transform needs.
func (p *fourier) work() int {
	if p.chirp == nil {
		return 0
	}
	return p.m
}

// transform replaces z, of length n, by its transform.
func (p *fourier) transform(z, work []complex128) {
	if p.chirp == nil {
		p.power(z)
		return
	}
	clear(work)
	for k, v := range z {
		work[k] = v * p.chirp[k]
	}
	p.power(work)
	for k, v := range work {
		work[k] = conj(v * p.wave[k])
	}
	p.power(work) // of the conjugate: the inverse but for the factor
	for k := range z {
		z[k] = conj(work[k]) * p.chirp[k] * complex(1/float64(p.m), 0)
	}
}

// power transforms z, of length m.
func (p *fourier) power(z []complex128) {
	shift := 64 - bits.Len(uint(p.m-1))
	for i := range z {
		if j := int(bits.Reverse64(uint64(i)) >> shift); i < j {
			z[i], z[j] = z[j], z[i]
		}
	}
	for half := 1; half < p.m; half *= 2 {
		step := p.m / (2 * half)
		for from := 0; from < p.m; from += 2 * half {
			for k := range half {
				a, b := z[from+k], z[from+k+half]*p.roots[k*step]
				z[from+k], z[from+k+half] = a+b, a-b
			}
		}
	}
}

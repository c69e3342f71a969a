package cpu

import (
	"math"
	"math/bits"

	"github.com/millrace-go/millrace/accel/fmath"
)

// cplx is a complex number. Unlike Go's own, its products are rounded before they
// are added, on every machine.
type cplx[W float32 | float64] struct{ re, im W }

func (a cplx[W]) plus(b cplx[W]) cplx[W]  { return cplx[W]{a.re + b.re, a.im + b.im} }
func (a cplx[W]) minus(b cplx[W]) cplx[W] { return cplx[W]{a.re - b.re, a.im - b.im} }
func (a cplx[W]) conj() cplx[W]           { return cplx[W]{a.re, -a.im} }
func (a cplx[W]) scale(s W) cplx[W]       { return cplx[W]{a.re * s, a.im * s} }

func (a cplx[W]) times(b cplx[W]) cplx[W] {
	return cplx[W]{W(a.re*b.re) - W(a.im*b.im), W(a.re*b.im) + W(a.im*b.re)}
}

// root is exp(-2πi·k/n).
func root[W float32 | float64](k, n int) cplx[W] {
	x := 2 * math.Pi * float64(k) / float64(n)
	return cplx[W]{W(fmath.Cos(x)), W(-fmath.Sin(x))}
}

// transformer replaces z by its discrete Fourier transform; work is as long as
// room says.
type transformer[W float32 | float64] interface {
	transform(z, work []cplx[W])
	room() int
}

// mixed is the transform of a length that is a product of 2, 3, 4 and 5, by
// passes of these radices that also sort (Stockham's form of Cooley & Tukey,
// Mathematics of Computation 19, 1965). The order is that of FFTPACK: fours, with
// the two in front, threes, fives.
type mixed[W float32 | float64] struct {
	n       int
	radices []int
	roots   [][]cplx[W] // by pass: root j·i·l of element i, for factor j > 0
}

// radicesOf factors n; nil if it has prime factors above 5.
func radicesOf(n int) []int {
	out := []int{}
	for ; n%4 == 0; n /= 4 {
		out = append(out, 4)
	}
	if n%2 == 0 {
		n /= 2
		out = append(out, 2)
		out[0], out[len(out)-1] = 2, out[0]
	}
	for _, p := range []int{3, 5} {
		for ; n%p == 0; n /= p {
			out = append(out, p)
		}
	}
	if n != 1 {
		return nil
	}
	return out
}

func newMixed[W float32 | float64](n int, radices []int) *mixed[W] {
	m := &mixed[W]{n: n, radices: radices}
	done := 1
	for _, r := range radices {
		left := n / (done * r)
		roots := make([]cplx[W], 0, (r-1)*left)
		for i := range left {
			for j := 1; j < r; j++ {
				roots = append(roots, root[W](j*done*i, n))
			}
		}
		m.roots = append(m.roots, roots)
		done *= r
	}
	return m
}

func (m *mixed[W]) room() int { return m.n }

func (m *mixed[W]) transform(z, work []cplx[W]) {
	from, to := z, work
	done := 1
	for p, r := range m.radices {
		left := m.n / (done * r)
		for k := range done {
			x, y := from[k*r*left:(k+1)*r*left], to[k*left:]
			switch r {
			case 2:
				pass2(y, x, left, done*left, m.roots[p])
			case 3:
				pass3(y, x, left, done*left, m.roots[p])
			case 4:
				pass4(y, x, left, done*left, m.roots[p])
			case 5:
				pass5(y, x, left, done*left, m.roots[p])
			}
		}
		done *= r
		from, to = to, from
	}
	if len(m.radices)%2 == 1 {
		copy(z, work)
	}
}

// Each pass transforms the radix elements of x that are left apart, for left
// such groups, and puts them stride apart in y, times their roots.

func pass2[W float32 | float64](y, x []cplx[W], left, stride int, roots []cplx[W]) {
	for i := range left {
		a, b := x[i], x[i+left]
		y[i] = a.plus(b)
		y[i+stride] = a.minus(b).times(roots[i])
	}
}

func pass3[W float32 | float64](y, x []cplx[W], left, stride int, roots []cplx[W]) {
	const half, sine = -0.5, -0.86602540378443864676
	for i := range left {
		a, w := x[i], roots[2*i:2*i+2]
		s, d := x[i+left].plus(x[i+2*left]), x[i+left].minus(x[i+2*left])
		c := cplx[W]{a.re + W(half*s.re), a.im + W(half*s.im)}
		e := cplx[W]{-W(sine * d.im), W(sine * d.re)}
		y[i] = a.plus(s)
		y[i+stride] = c.plus(e).times(w[0])
		y[i+2*stride] = c.minus(e).times(w[1])
	}
}

func pass4[W float32 | float64](y, x []cplx[W], left, stride int, roots []cplx[W]) {
	for i := range left {
		w := roots[3*i : 3*i+3]
		s, d := x[i].plus(x[i+2*left]), x[i].minus(x[i+2*left])
		t, e := x[i+left].plus(x[i+3*left]), x[i+left].minus(x[i+3*left])
		e = cplx[W]{e.im, -e.re}
		y[i] = s.plus(t)
		y[i+stride] = d.plus(e).times(w[0])
		y[i+2*stride] = s.minus(t).times(w[1])
		y[i+3*stride] = d.minus(e).times(w[2])
	}
}

func pass5[W float32 | float64](y, x []cplx[W], left, stride int, roots []cplx[W]) {
	const ( // cosines and sines of -72° and -144°
		c1, s1 = 0.30901699437494742410, -0.95105651629515357212
		c2, s2 = -0.80901699437494742410, -0.58778525229247312917
	)
	for i := range left {
		a, w := x[i], roots[4*i:4*i+4]
		p, d := x[i+left].plus(x[i+4*left]), x[i+left].minus(x[i+4*left])
		q, e := x[i+2*left].plus(x[i+3*left]), x[i+2*left].minus(x[i+3*left])
		u := cplx[W]{a.re + W(c1*p.re) + W(c2*q.re), a.im + W(c1*p.im) + W(c2*q.im)}
		v := cplx[W]{-(W(s1*d.im) + W(s2*e.im)), W(s1*d.re) + W(s2*e.re)}
		y[i] = a.plus(p).plus(q)
		y[i+stride] = u.plus(v).times(w[0])
		y[i+4*stride] = u.minus(v).times(w[3])
		u = cplx[W]{a.re + W(c2*p.re) + W(c1*q.re), a.im + W(c2*p.im) + W(c1*q.im)}
		v = cplx[W]{-(W(s2*d.im) - W(s1*e.im)), W(s2*d.re) - W(s1*e.re)}
		y[i+2*stride] = u.plus(v).times(w[1])
		y[i+3*stride] = u.minus(v).times(w[2])
	}
}

// bluestein is the transform of any length as a convolution of a power of two
// (Bluestein, Northeast Electronics Research and Engineering Meeting Record 10, 1968).
type bluestein struct {
	n     int
	of    *mixed[float64] // of the power of two
	chirp []cplx[float64] // exp(-πi·k²/n)
	wave  []cplx[float64] // the transform of the conjugate chirp
}

func newBluestein(n int) *bluestein {
	m := 1 << bits.Len(uint(2*n-2))
	b := &bluestein{n: n, of: newMixed[float64](m, radicesOf(m)), chirp: make([]cplx[float64], n), wave: make([]cplx[float64], m)}
	for k := range b.chirp {
		v := root[float64](k*k%(2*n), 2*n)
		b.chirp[k] = v
		b.wave[k], b.wave[(m-k)%m] = v.conj(), v.conj()
	}
	b.of.transform(b.wave, make([]cplx[float64], m))
	return b
}

func (b *bluestein) room() int { return 2 * b.of.n }

func (b *bluestein) transform(z, work []cplx[float64]) {
	line, rest := work[:b.of.n], work[b.of.n:]
	clear(line)
	for k, v := range z {
		line[k] = v.times(b.chirp[k])
	}
	b.of.transform(line, rest)
	for k, v := range line {
		line[k] = v.times(b.wave[k]).conj()
	}
	b.of.transform(line, rest) // of the conjugate: the inverse but for the factor
	for k := range z {
		z[k] = line[k].conj().times(b.chirp[k]).scale(1 / float64(b.of.n))
	}
}

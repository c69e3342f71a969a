package conv

import (
	"math"
	"testing"

	"github.com/millrace-go/millrace/accel/cpu/isa"
)

// bound is, for each element of dst, the sum that F(2x2, 3x3) would compute if
// every term and every element of its matrices were taken by magnitude.
func (w *wino) bound(src, weights []float32) []float64 {
	h, c := &w.lay.ax[1], &w.lay.ax[2]
	dst := make([]float64, w.geom.n*w.geom.groups*w.rows*h.dst*c.dst)
	for n := range w.geom.n {
		for gr := range w.geom.groups {
			for th := range h.n {
				for tw := range c.n {
					for ch := range w.chans {
						plane := src[((n*w.geom.groups+gr)*w.chans+ch)*h.src*c.src:][:h.src*c.src]
						v := w.squareSize(plane, th, tw)
						for row := range w.rows {
							y := unfoldSize(v, weightSize(weights[gr*w.strides[0]+row*w.strides[1]+ch*w.strides[2]:], w.offset))
							at := ((n*w.geom.groups+gr)*w.rows+row)*h.dst*c.dst + 2*th*c.dst + 2*tw
							for i := range 2 {
								for j := range 2 {
									dst[at+i*c.dst+j] += y[i][j]
								}
							}
						}
					}
				}
			}
		}
	}
	return dst
}

// squareSize is |B|ᵀ·|d|·|B| of a square: each row of Bᵀ takes two elements.
func (w *wino) squareSize(plane []float32, th, tw int) (v [4][4]float64) {
	h, c := &w.lay.ax[1], &w.lay.ax[2]
	pairs := [4][2]int{{0, 2}, {1, 2}, {1, 2}, {1, 3}}
	for i := range v {
		for j := range v[i] {
			for _, a := range pairs[i] {
				for _, b := range pairs[j] {
					if y, x := h.base+2*th+a, c.base+2*tw+b; y >= 0 && y < h.src && x >= 0 && x < c.src {
						v[i][j] += math.Abs(float64(plane[y*c.src+x]))
					}
				}
			}
		}
	}
	return v
}

// weightSize is |G|·|g|·|G|ᵀ.
func weightSize(g []float32, offset [9]int) (u [4][4]float64) {
	matrix := [4][3]float64{{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}, {0, 0, 1}}
	for i := range u {
		for j := range u[i] {
			for a := range 3 {
				for b := range 3 {
					u[i][j] += matrix[i][a] * matrix[j][b] * math.Abs(float64(g[offset[3*a+b]]))
				}
			}
		}
	}
	return u
}

// unfoldSize is |A|ᵀ·(u∘v)·|A|.
func unfoldSize(v, u [4][4]float64) (y [2][2]float64) {
	for i := range 2 {
		for j := range 2 {
			for a := i; a < i+3; a++ {
				for b := j; b < j+3; b++ {
					y[i][j] += u[a][b] * v[a][b]
				}
			}
		}
	}
	return y
}

// TestSquaresError holds the algorithm to its own bound: a chain over the
// channels, and 12 roundings of the transforms: four of weights, two of the
// source, four of sums, and one each of product and last place.
func TestSquaresError(t *testing.T) {
	for _, spec := range []Spec{
		{N: 2, C: 16, M: 16, In: []int{32, 32}, Kernel: []int{3, 3}, PadsBegin: []int{1, 1}, PadsEnd: []int{1, 1}},
		{N: 4, C: 20, M: 13, In: []int{16, 16}, Kernel: []int{3, 3}, PadsBegin: []int{1, 1}, PadsEnd: []int{1, 1}},
		{N: 4, C: 64, M: 24, In: []int{8, 8}, Kernel: []int{3, 3}, PadsBegin: []int{1, 1}, PadsEnd: []int{1, 1}},
		{N: 1, C: 26, M: 30, In: []int{14, 26}, Kernel: []int{3, 3}, Groups: 2},
		{N: 1, C: 13, M: 12, In: []int{6, 40}, Kernel: []int{3, 3}, PadsBegin: []int{2, 0}, PadsEnd: []int{0, 2}},
	} {
		for _, transposed := range []bool{false, true} {
			spec.Transposed = transposed
			levels(t, spec, func(t *testing.T, _ isa.Level, p *Plan) {
				in := newInputs(p)
				r := in.run(t, p, nil)
				y, dx := newSum(p.YLen()), newSum(p.XLen())
				p.geom.reference(func(b, s, w int) {
					if transposed {
						b, s = s, b
					}
					y.add(s, in.x[b], in.w[w])
					dx.add(b, in.dy[s], in.w[w])
				})
				used := 0
				for _, c := range []struct {
					what     string
					m        method
					got, src []float32
					want     sum
				}{{"y", p.forward(), r.y, in.x, y}, {"dx", p.backward(), r.dx, in.dy, dx}} {
					w, ok := c.m.(*wino)
					if !ok {
						continue
					}
					used++
					for i, size := range w.bound(c.src, in.w) {
						tol := float64(w.chans+12) * 0x1p-24 * size
						if diff := math.Abs(float64(c.got[i]) - c.want.v[i]); !(diff <= tol) {
							t.Fatalf("%s[%d] = %g, want %g within %g", c.what, i, c.got[i], c.want.v[i], tol)
						}
					}
				}
				if used == 0 && !transposed {
					t.Fatalf("%+v is computed by no squares", p.spec)
				}
			})
		}
	}
}

package conv

import "unsafe"

// squareArgs are the arguments of the transform of squares: for each channel
// and each of vecs vectors of 16 squares, Bᵀ·d·B of the 4 x 4 source d of each
// square. Row i of d is i·rowPitch behind the square's place; its columns 0 and
// 2 are neighbours, and so are 1 and 3, odd bytes behind.
type squareArgs struct {
	src, quads, dst     unsafe.Pointer // quads: int64, one for each four squares
	chans, vecs         int
	chanPitch, rowPitch int // of src
	odd                 int
	pitch, elemPitch    int // of dst: from channel to channel, and from element to element
}

// unsquareArgs are the arguments of the transform back: for each channel and
// each of quads fours of squares Aᵀ·m·A, 2 x 2 outputs of each square, so eight
// neighbours in two rows; with bias, residual and clamping.
type unsquareArgs struct {
	src, outs, dst      unsafe.Pointer // outs: int64, one for each four squares
	bias, res           unsafe.Pointer // res may be nil; laid out as dst
	chans, quads        int
	pitch, elemPitch    int // of src
	chanPitch, rowPitch int // of dst
	biasStep            int // bytes from one channel's bias to the next: 4, or 0 for none
	lo, hi              float32
}

// fold is Bᵀ times a column.
func fold(a, b, c, d float32) (float32, float32, float32, float32) {
	return a - c, b + c, c - b, b - d
}

// unfold is Aᵀ times a column.
func unfold(a, b, c, d float32) (float32, float32) { return a + b + c, b - c - d }

func squaresGo(a *squareArgs) {
	for c := range a.chans {
		for i := range 16 * a.vecs {
			from := c*a.chanPitch + i64(a.quads, i/4) + i%4*4
			var s, v [4][4]float32
			for j := range 4 {
				at := from + j%2*a.odd + j/2*4
				s[0][j], s[1][j], s[2][j], s[3][j] = fold(*f32(a.src, at), *f32(a.src, at+a.rowPitch), *f32(a.src, at+2*a.rowPitch), *f32(a.src, at+3*a.rowPitch))
			}
			for r := range s {
				v[r][0], v[r][1], v[r][2], v[r][3] = fold(s[r][0], s[r][1], s[r][2], s[r][3])
				for j, e := range v[r] {
					*f32(a.dst, (4*r+j)*a.elemPitch+c*a.pitch+4*i) = e
				}
			}
		}
	}
}

func unsquareGo(a *unsquareArgs) {
	for c := range a.chans {
		bias := *f32(a.bias, c*a.biasStep)
		for i := range 4 * a.quads {
			var r [2][4]float32
			for j := range 4 {
				at := j*a.elemPitch + c*a.pitch + 4*i
				r[0][j], r[1][j] = unfold(*f32(a.src, at), *f32(a.src, at+4*a.elemPitch), *f32(a.src, at+8*a.elemPitch), *f32(a.src, at+12*a.elemPitch))
			}
			for h := range r {
				to := c*a.chanPitch + h*a.rowPitch + i64(a.outs, i/4) + i%4*8
				y0, y1 := unfold(r[h][0], r[h][1], r[h][2], r[h][3])
				for k, y := range [2]float32{y0, y1} {
					y += bias
					if a.res != nil {
						y += *f32(a.res, to+4*k)
					}
					*f32(a.dst, to+4*k) = clamp(y, a.lo, a.hi)
				}
			}
		}
	}
}

// spreadGo replaces the 3 x 3 weights g, whose n·9 elements lie step bytes
// apart, by the 16 elements of G·g·Gᵀ.
func spreadGo(g unsafe.Pointer, step, n int) {
	for i := range n {
		var t [4][3]float32
		for j := range 3 {
			t[0][j], t[1][j], t[2][j], t[3][j] = spread(*f32(g, j*step+4*i), *f32(g, (3+j)*step+4*i), *f32(g, (6+j)*step+4*i))
		}
		for j, r := range t {
			a, b, c, d := spread(r[0], r[1], r[2])
			for k, v := range [4]float32{a, b, c, d} {
				*f32(g, (4*j+k)*step+4*i) = v
			}
		}
	}
}

// spread is G times a column.
func spread(a, b, c float32) (float32, float32, float32, float32) {
	ends := a + c
	return a, (ends + b) * 0.5, (ends - b) * 0.5, c
}

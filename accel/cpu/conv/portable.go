package conv

import "unsafe"

// portable are the kernels in plain Go.
var portable = kernels{
	tiles:   []*tileKernel{{mr: 4, vec: lanes, run: []func(*tileArgs){tileGo}}},
	grads:   [][]*gradKernel{{{mr: 1, kr: 4, run: gradGo}}},
	flush:   func(a *flushArgs) { flushGo(a, 1) },
	flush2:  func(a *flushArgs) { flushGo(a, 2) },
	addTaps: addGo,
	squares: map[int]func(*squareArgs){16: squaresGo, 8: squaresGo, 4: squaresGo}, unsquare: unsquareGo, spread: spreadGo,
}

func f32(p unsafe.Pointer, bytes int) *float32 { return (*float32)(unsafe.Add(p, bytes)) }
func i64(p unsafe.Pointer, i int) int          { return int(*(*int64)(unsafe.Add(p, 8*i))) }

// vec8 is the 8 floats at p + bytes.
func vec8(p unsafe.Pointer, bytes int) *[lanes]float32 {
	return (*[lanes]float32)(unsafe.Add(p, bytes))
}

// clamp bounds v as the vector kernels do: NaN stays, and so does -0.
func clamp(v, lo, hi float32) float32 {
	if lo > v {
		v = lo
	}
	if hi < v {
		v = hi
	}
	return v
}

func tileGo(a *tileArgs) {
	for t := range a.tiles {
		var acc [4][lanes]float32
		seg := i64(a.seg, t)
		for k := range a.k {
			x := vec8(a.src, seg+i64(a.koff, k))
			w := (*[4]float32)(unsafe.Add(a.w, 16*k))
			for r := range acc {
				for l := range x {
					acc[r][l] += w[r] * x[l]
				}
			}
		}
		for r := range a.rows {
			for l, v := range acc[r] {
				at := r*a.pitch + 4*(t*lanes+l)
				if a.plain != 0 {
					*f32(a.out, at) = v
					continue
				}
				if a.prev != nil {
					v += *f32(a.prev, at)
				}
				v += *f32(a.bias, 4*r)
				if a.res != nil {
					v += *f32(a.res, at)
				}
				*f32(a.out, at) = clamp(v, a.lo, a.hi)
			}
		}
	}
}

func flushGo(a *flushArgs, step int) {
	for r := range a.rows {
		for i := range a.n {
			to := r*a.dstPitch + 4*i*step
			v := *f32(a.src, r*a.srcPitch+4*i) + a.bias
			if a.res != nil {
				v += *f32(a.res, to)
			}
			*f32(a.dst, to) = clamp(v, a.lo, a.hi)
		}
	}
}

// tree adds 16 lanes: those 8 apart, then neighbours, pairs and fours.
func tree(v *[2 * lanes]float32) float32 {
	for i := range lanes {
		v[i] += v[i+lanes]
	}
	return ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]))
}

func gradGo(a *gradArgs) {
	for j := range a.cols {
		var acc [2 * lanes]float32
		x := unsafe.Add(a.x, i64(a.koff, j))
		for i := range a.n {
			s := (*gradStep)(unsafe.Add(a.tab, i*int(unsafe.Sizeof(gradStep{}))))
			for l, v := range vec8(x, int(s.x0)) {
				acc[l] += v * *f32(a.dy, int(s.dy)+4*l)
			}
			for l, v := range vec8(x, int(s.x1)) {
				acc[lanes+l] += v * *f32(a.dy, int(s.dy)+4*(lanes+l))
			}
		}
		*f32(a.dst, 4*j) += tree(&acc)
	}
}

func addGo(a *addArgs) {
	list := 0
	for r := range a.rows {
		dst := unsafe.Add(a.dst, r*a.dstPitch)
		for l := range a.vecs * 2 * lanes {
			*f32(dst, 4*l) = 0
		}
		for ; i64(a.rowOff, list) >= 0; list++ {
			a.addRow(dst, i64(a.rowOff, list))
		}
		list++
	}
}

func (a *addArgs) addRow(dst unsafe.Pointer, from int) {
	for q := range a.vecs {
		for j := range a.kw {
			mask := (*[2 * lanes]int32)(unsafe.Add(a.mask, 8*lanes*(q*a.kw+j)))
			for l, m := range mask {
				if at := 4 * (q*2*lanes + l); m != 0 {
					*f32(dst, at) += *f32(a.src, from+at+j*a.tapPitch)
				}
			}
		}
	}
}

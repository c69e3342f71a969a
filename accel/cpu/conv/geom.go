package conv

// geom is a convolution in three dimensions, leading ones of size 1. big is the
// side of x of a convolution, or of y of a transposed one; small the other:
//
//	small[o] = Σ_k big[o·stride + k·dil - pad] · w[small channel, big channel, k]
type geom struct {
	n, groups                          int
	cb, cs                             int // channels a group, of big and of small
	big, small, kern, stride, dil, pad [3]int
}

// newGeom is the geometry of a checked spec with its output sizes.
func newGeom(s Spec, out []int) geom {
	one := [3]int{1, 1, 1}
	g := geom{n: s.N, groups: s.Groups, cb: s.C / s.Groups, cs: s.M / s.Groups, big: one, small: one, kern: one, stride: one, dil: one}
	big, small := s.In, out
	if s.Transposed {
		g.cb, g.cs, big, small = g.cs, g.cb, out, s.In
	}
	for i := range s.In {
		j := i + 3 - len(s.In)
		g.big[j], g.small[j], g.kern[j] = big[i], small[i], s.Kernel[i]
		g.stride[j], g.dil[j], g.pad[j] = s.Strides[i], s.Dilations[i], s.PadsBegin[i]
	}
	for range 2 { // dimensions that the kernel does not look along are one row
		for i := 1; i >= 0; i-- {
			if g.trivial(i) && g.trivial(i+1) {
				g.big[i+1] *= g.big[i]
				g.small[i+1] *= g.small[i]
				g.big[i], g.small[i] = 1, 1
			}
		}
	}
	return g
}

// trivial reports whether dimension i maps every position to itself.
func (g *geom) trivial(i int) bool {
	return g.kern[i] == 1 && g.stride[i] == 1 && g.pad[i] == 0 && g.big[i] == g.small[i]
}

func (g *geom) taps() int { return product(g.kern[:]) }

// maxScratch is the greatest number of elements of a block's source, and of the
// taps of an output.
const maxScratch = 1 << 27

// tooLarge reports whether the least block needs more.
func (g *geom) tooLarge() bool {
	n := max(g.cb, g.cs)
	if n*g.taps() > maxScratch {
		return true
	}
	for i, k := range g.kern {
		if n *= (k-1)*g.dil[i] + min(g.small[i], 16*lanes)*g.stride[i]; n > maxScratch {
			return true
		}
	}
	return false
}

// axis is one dimension of a correlation: output j reads, for tap t, the source
// at base + j·step + off[t], where off[t] ≥ 0, and is element out0 + j·outStep
// of the destination.
type axis struct {
	n, base, step int
	tap, off      []int // index in the kernel, and offset
	reach         int   // the greatest offset
	src, dst      int   // sizes of source and destination
	out0, outStep int
}

// gatherAxis is dimension i from big to small.
func gatherAxis(g *geom, i int) axis {
	a := axis{n: g.small[i], base: -g.pad[i], step: g.stride[i], src: g.big[i], dst: g.small[i], outStep: 1}
	for k := range g.kern[i] {
		a.tap, a.off = append(a.tap, k), append(a.off, k*g.dil[i])
	}
	a.reach = a.off[len(a.off)-1]
	return a
}

// scatterAxes is dimension i from small to big, one axis for each residue of
// big's padded index modulo the stride: i + pad = q·stride + r meets the taps
// with k·dil = e·stride + r, and these read small[q - e].
func scatterAxes(g *geom, i int) []axis {
	var list []axis
	s := g.stride[i]
	for r := range min(s, g.big[i]+g.pad[i]) {
		first := (max(0, g.pad[i]-r) + s - 1) / s
		n := (g.big[i]-1+g.pad[i]-r+s)/s - first
		if n < 1 {
			continue
		}
		a := axis{n: n, base: first, step: 1, src: g.small[i], dst: g.big[i], out0: first*s + r - g.pad[i], outStep: s}
		for k := range g.kern[i] {
			if k*g.dil[i]%s == r {
				a.tap, a.off = append(a.tap, k), append(a.off, -(k*g.dil[i]/s))
			}
		}
		if len(a.off) > 0 {
			a.reach = -a.off[len(a.off)-1]
		}
		a.base -= a.reach
		for t := range a.off {
			a.off[t] += a.reach
		}
		list = append(list, a)
	}
	return list
}

// extent is how much of the source b outputs in a row read.
func (a *axis) extent(b int) int { return (b-1)*a.step + a.reach + 1 }

// inside reports whether no output reads padding.
func (a *axis) inside() bool {
	return a.base >= 0 && a.base+a.extent(a.n) <= a.src
}

// Package pool takes the maximum, the average or the p-norm of windows of
// float32 tensors of one to three spatial dimensions, in the order (batch,
// channel, spatial…), row-major, and computes the gradients.
//
//	y[n,c,o] = max, mean or norm over k of x[n,c,o·stride + k·dilation - pad]
//
// Padding takes no part, but for averages with CountIncludePad. Windows are
// summed in row-major order; those of a whole plane in 16 lanes, which are then
// added as a tree. So bits depend on the shapes alone.
package pool

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/millrace-go/millrace/accel/cpu/par"
)

// Spec describes the windows.
type Spec struct {
	N, C            int   // images and channels
	In, Kernel      []int // spatial sizes of x and of a window: one to three, of equal length
	Out             []int // sizes of y, for rounding up; nil means rounded down
	Strides         []int // nil means ones
	Dilations       []int // nil means ones
	PadsBegin       []int // nil means zeros
	PadsEnd         []int // nil means zeros
	CountIncludePad bool  // averages divide by the taps in padding too, but not by those behind it
	P               int   // of the norm; 0 means 2
}

// Global is the window that covers all of planes of sizes in.
func Global(n, c int, in []int) Spec { return Spec{N: n, C: c, In: in, Kernel: in} }

// Plan computes pools of one shape. It is immutable and may be used by several
// goroutines at once.
type Plan struct {
	spec    Spec
	planes  int
	in, out [3]int
	ax      [3]axis
	inLen   int // of a plane
	outLen  int
	whole   bool // one window, which is the plane
	pairs   bool // windows of 2 x 2 side by side, or 2 in one dimension
	kernels *kernels
	runs    par.Idle[run]
}

// axis is one dimension: the window of output o has the taps lo[o] to hi[o]
// inside the plane, and tap k at first[o] + k·dil.
type axis struct {
	first, lo, hi []int
	padded        []int    // taps of the window in the plane or its padding
	outputs       [][2]int // of each tap: those it meets inside, from and to
	dil, step     int
}

// New plans the pools of spec. It fails if sizes do not fit together.
func New(spec Spec) (*Plan, error) { return plan(spec, choose()) }

func plan(spec Spec, ks *kernels) (*Plan, error) {
	spec, err := spec.checked()
	if err != nil {
		return nil, err
	}
	p := &Plan{spec: spec, planes: spec.N * spec.C, kernels: ks}
	if p.out, err = spec.outSizes(); err != nil {
		return nil, err
	}
	p.in = [3]int{1, 1, 1}
	rank := len(spec.In)
	copy(p.in[3-rank:], spec.In)
	p.inLen, p.outLen = p.in[0]*p.in[1]*p.in[2], p.out[0]*p.out[1]*p.out[2]
	if err := p.tooLarge(); err != nil {
		return nil, err
	}
	for i := range p.ax {
		if j := i - 3 + rank; j >= 0 {
			p.ax[i] = newAxis(p.in[i], p.out[i], spec.Kernel[j], spec.Strides[j], spec.Dilations[j], spec.PadsBegin[j], spec.PadsEnd[j])
		} else {
			p.ax[i] = newAxis(1, 1, 1, 1, 1, 0, 0)
		}
	}
	p.whole = p.outLen == 1 && slices.Equal(spec.Kernel, spec.In) && slices.Max(spec.Dilations) == 1 && slices.Max(spec.PadsBegin) == 0
	p.pairs = p.isPairs()
	return p, nil
}

// isPairs reports whether the windows are 2 x 2, in the last two dimensions,
// side by side and inside.
func (p *Plan) isPairs() bool {
	s, n := p.spec, len(p.spec.In)
	if n < 2 {
		return false
	}
	for i := range n {
		size := 2
		if i < n-2 {
			size = 1
		}
		if s.Kernel[i] != size || s.Strides[i] != size || s.Dilations[i] != 1 || s.PadsBegin[i] != 0 || p.out[3-n+i]*size > s.In[i] {
			return false
		}
	}
	return true
}

func newAxis(in, out, kernel, stride, dil, begin, end int) axis {
	a := axis{dil: dil, step: stride}
	for o := range out {
		first := o*stride - begin
		lo := 0
		if first < 0 {
			lo = min(kernel, (-first+dil-1)/dil)
		}
		a.first = append(a.first, first)
		a.lo = append(a.lo, lo)
		a.hi = append(a.hi, max(lo, taps(first, in, dil, kernel)))
		a.padded = append(a.padded, taps(first, in+end, dil, kernel))
	}
	for k := range kernel { // lo and hi fall as o rises
		from := sort.Search(out, func(o int) bool { return a.lo[o] <= k })
		a.outputs = append(a.outputs, [2]int{from, sort.Search(out, func(o int) bool { return a.hi[o] <= k })})
	}
	return a
}

// taps is how many of kernel taps from first on, dil apart, are before end.
func taps(first, end, dil, kernel int) int {
	return min(kernel, max(0, (end-first+dil-1)/dil))
}

// Out returns the spatial sizes of y.
func (p *Plan) Out() []int { return slices.Clone(p.out[3-len(p.spec.In):]) }

// XLen is the length of x, which is (N, C, In…).
func (p *Plan) XLen() int { return p.planes * p.inLen }

// YLen is the length of y, which is (N, C, Out…).
func (p *Plan) YLen() int { return p.planes * p.outLen }

// checked replaces what is nil by its default and checks all but the sizes of y.
func (s Spec) checked() (Spec, error) {
	rank := len(s.In)
	if rank < 1 || rank > 3 {
		return s, fmt.Errorf("pool: %d spatial dimensions, want 1 to 3", rank)
	}
	if s.P == 0 {
		s.P = 2
	}
	if s.N < 1 || s.C < 1 || s.P < 1 {
		return s, fmt.Errorf("pool: N=%d C=%d P=%d, want all at least 1", s.N, s.C, s.P)
	}
	for _, l := range []struct {
		name     string
		list     *[]int
		def, min int
	}{
		{"In", &s.In, 1, 1}, {"Kernel", &s.Kernel, 1, 1}, {"Strides", &s.Strides, 1, 1}, {"Dilations", &s.Dilations, 1, 1},
		{"PadsBegin", &s.PadsBegin, 0, 0}, {"PadsEnd", &s.PadsEnd, 0, 0},
	} {
		if *l.list == nil && l.name != "Kernel" {
			*l.list = slices.Repeat([]int{l.def}, rank)
		}
		if len(*l.list) != rank {
			return s, fmt.Errorf("pool: %s has %d sizes, In has %d", l.name, len(*l.list), rank)
		}
		if slices.Min(*l.list) < l.min || slices.Max(*l.list) > math.MaxInt32 {
			return s, fmt.Errorf("pool: %s=%v, want %d to %d", l.name, *l.list, l.min, math.MaxInt32)
		}
	}
	return s, nil
}

// outSizes are the sizes of y in three dimensions.
func (s Spec) outSizes() (out [3]int, err error) {
	out = [3]int{1, 1, 1}
	rank := len(s.In)
	if s.Out != nil && len(s.Out) != rank {
		return out, fmt.Errorf("pool: Out has %d sizes, In has %d", len(s.Out), rank)
	}
	for i, in := range s.In {
		span := (s.Kernel[i]-1)*s.Dilations[i] + 1
		room := in + s.PadsBegin[i] + s.PadsEnd[i] - span
		down, up := 0, 0
		if room >= 0 {
			down, up = room/s.Strides[i]+1, (room+s.Strides[i]-1)/s.Strides[i]+1
		} else if s.Out != nil {
			up = 1
		}
		n := down
		if s.Out != nil {
			n = s.Out[i]
		}
		if n < 1 || n > up {
			return out, fmt.Errorf("pool: dimension %d: %d outputs for input %d, pads %d and %d, kernel %d wide, stride %d",
				i, n, in, s.PadsBegin[i], s.PadsEnd[i], span, s.Strides[i])
		}
		out[3-rank+i] = n
	}
	return out, nil
}

// tooLarge fails if an index does not fit in an int32.
func (p *Plan) tooLarge() error {
	for _, sizes := range [][]int{{p.planes, p.in[0], p.in[1], p.in[2]}, {p.planes, p.out[0], p.out[1], p.out[2]}} {
		n := 1
		for _, d := range sizes {
			if n *= d; n > math.MaxInt32 {
				return fmt.Errorf("pool: a tensor of sizes %v has more than %d elements", sizes, math.MaxInt32)
			}
		}
	}
	return nil
}

// Package conv computes float32 convolutions of one to three spatial
// dimensions, their transposes and their gradients, on tensors in the order
// (batch, channel, spatial…), row-major.
//
//	y[n,m,o] = act(Σ_{c,k} x[n,c,o·stride + k·dilation - pad] · w[m,c,k] + bias[m] + residual[n,m,o])
//
// c runs over the channels of m's group. The shape alone, not the CPU, the
// threads or the number of images, picks one of three methods; README.md tells
// how they work:
//
//   - direct convolution: an output is a chain of fused multiply-adds over the
//     taps, channel by channel, in blocks of 384 that are added in order;
//   - F(2x2, 3x3), for kernels of 3 x 3 at stride 1 with at least 12 channels on
//     both sides and rows of a multiple of eight outputs: an output is a sum of
//     nine chains over the channels of transformed squares;
//   - columns, for the gradient of x and for transposed convolutions where most
//     taps of the direct form would meet padding: an output is a sum over the
//     taps of chains over the channels.
//
// Padding is zeros that take part: an infinite or NaN weight on padding gives
// NaN, as it does in a product with the matrix of patches. In F(2x2, 3x3) an
// infinite or NaN element shows in all outputs of the squares that read it.
package conv

import (
	"fmt"
	"math"
	"slices"

	"github.com/millrace-go/millrace/accel/cpu/par"
)

// Spec describes a convolution, or with Transposed the operation whose input
// and output are those of a convolution exchanged (ONNX ConvTranspose).
type Spec struct {
	N, C, M       int   // images, channels of x, channels of y
	In, Kernel    []int // spatial sizes of x and of the kernel: one to three, of equal length
	Strides       []int // nil means ones
	Dilations     []int // nil means ones
	PadsBegin     []int // nil means zeros
	PadsEnd       []int // nil means zeros
	OutputPadding []int // Transposed only: what is added to the size of y; nil means zeros
	Groups        int   // 0 means 1; divides C and M
	Transposed    bool
	Epilogue      Epilogue
}

// Epilogue is what Forward does to each sum before it is stored: bias and
// residual are added in this order if given, then the activation is applied.
type Epilogue struct {
	Act    Activation
	Lo, Hi float32 // the bounds of Clip
}

// Activation is a function applied to the elements of y. NaN stays NaN.
type Activation uint8

// The activations.
const (
	None Activation = iota
	Relu            // max(0, v)
	Clip            // min(max(Lo, v), Hi)
)

// bounds are the limits to which an epilogue clamps.
func (e Epilogue) bounds() (lo, hi float32) {
	lo, hi = float32(math.Inf(-1)), float32(math.Inf(1))
	switch e.Act {
	case Relu:
		lo = 0
	case Clip:
		lo, hi = e.Lo, e.Hi
	}
	return lo, hi
}

// Plan computes one convolution. It is immutable and may be used by several
// goroutines at once, each with its own scratch memory.
type Plan struct {
	spec     Spec
	out      []int
	geom     geom
	epilogue Epilogue
	gather   method // big to small: a convolution
	scatter  method // small to big: its transpose
	weights  *wgrad
	calls    par.Idle[call]
	grads    par.Idle[gradRun]
}

// New plans the convolution of spec. It fails if sizes do not fit together.
func New(spec Spec) (*Plan, error) { return plan(spec, choose()) }

func plan(spec Spec, ks *kernels) (*Plan, error) {
	spec, err := spec.checked()
	if err != nil {
		return nil, err
	}
	p := &Plan{spec: spec, epilogue: spec.Epilogue}
	if p.out, err = spec.outSizes(); err != nil {
		return nil, err
	}
	p.geom = newGeom(spec, p.out)
	if p.geom.tooLarge() {
		return nil, fmt.Errorf("conv: scratch memory for %d and %d channels, kernel %v, dilations %v: more than %d elements", spec.C, spec.M, spec.Kernel, spec.Dilations, maxScratch)
	}
	p.gather, p.scatter = methods(p.geom, ks, false), methods(p.geom, ks, true)
	p.weights = newWgrad(p.geom, ks)
	return p, nil
}

// Out returns the spatial sizes of y.
func (p *Plan) Out() []int { return slices.Clone(p.out) }

// XLen, YLen, WLen and BiasLen are the lengths of the tensors: x is (N, C,
// In…), y is (N, M, Out…), w is (M, C/Groups, Kernel…), or if transposed
// (C, M/Groups, Kernel…), and a bias is (M).
func (p *Plan) XLen() int { return p.spec.N * p.spec.C * product(p.spec.In) }

// YLen is the length of y: see XLen.
func (p *Plan) YLen() int { return p.spec.N * p.spec.M * product(p.out) }

// WLen is the length of w: see XLen.
func (p *Plan) WLen() int {
	return p.spec.C * p.spec.M / p.spec.Groups * product(p.spec.Kernel)
}

// BiasLen is the length of a bias: see XLen.
func (p *Plan) BiasLen() int { return p.spec.M }

// MACs is the number of multiply-adds of Forward, those of padding included.
func (p *Plan) MACs() int64 {
	g := p.geom
	return int64(g.n) * int64(g.groups) * int64(g.cs) * int64(g.cb) * int64(product(g.small[:])) * int64(product(g.kern[:]))
}

// checked replaces what is nil by its default and checks all but the sizes of y.
func (s Spec) checked() (Spec, error) {
	rank := len(s.In)
	if rank < 1 || rank > 3 {
		return s, fmt.Errorf("conv: %d spatial dimensions, want 1 to 3", rank)
	}
	if s.Groups == 0 {
		s.Groups = 1
	}
	if s.N < 1 || s.C < 1 || s.M < 1 || s.Groups < 1 {
		return s, fmt.Errorf("conv: N=%d C=%d M=%d Groups=%d, want all at least 1", s.N, s.C, s.M, s.Groups)
	}
	if s.C%s.Groups != 0 || s.M%s.Groups != 0 {
		return s, fmt.Errorf("conv: %d groups divide not both %d and %d channels", s.Groups, s.C, s.M)
	}
	for _, l := range []struct {
		name     string
		list     *[]int
		def, min int
	}{
		{"In", &s.In, 1, 1}, {"Kernel", &s.Kernel, 1, 1}, {"Strides", &s.Strides, 1, 1}, {"Dilations", &s.Dilations, 1, 1},
		{"PadsBegin", &s.PadsBegin, 0, 0}, {"PadsEnd", &s.PadsEnd, 0, 0}, {"OutputPadding", &s.OutputPadding, 0, 0},
	} {
		if *l.list == nil && l.name != "Kernel" {
			*l.list = slices.Repeat([]int{l.def}, rank)
		}
		if len(*l.list) != rank {
			return s, fmt.Errorf("conv: %s has %d sizes, In has %d", l.name, len(*l.list), rank)
		}
		if m := slices.Min(*l.list); m < l.min || slices.Max(*l.list) > math.MaxInt32 {
			return s, fmt.Errorf("conv: %s=%v, want %d to %d", l.name, *l.list, l.min, math.MaxInt32)
		}
	}
	if !s.Transposed && slices.Max(s.OutputPadding) > 0 {
		return s, fmt.Errorf("conv: OutputPadding=%v without Transposed", s.OutputPadding)
	}
	return s, nil
}

// outSizes are the spatial sizes of y.
func (s Spec) outSizes() ([]int, error) {
	out := make([]int, len(s.In))
	for i, in := range s.In {
		pads, span := s.PadsBegin[i]+s.PadsEnd[i], (s.Kernel[i]-1)*s.Dilations[i]+1
		if s.Transposed {
			out[i] = (in-1)*s.Strides[i] - pads + span + s.OutputPadding[i]
		} else if in+pads >= span {
			out[i] = (in+pads-span)/s.Strides[i] + 1
		}
		if out[i] < 1 || out[i] > math.MaxInt32 {
			return nil, fmt.Errorf("conv: dimension %d: input %d, pads %d, kernel %d wide, stride %d: no output", i, in, pads, span, s.Strides[i])
		}
	}
	if bad := overflow(s, out); bad != "" {
		return nil, fmt.Errorf("conv: %s has more than %d elements", bad, math.MaxInt32)
	}
	return out, nil
}

// overflow names a tensor whose offsets in bytes would not be safe in an int.
func overflow(s Spec, out []int) string {
	for _, t := range []struct {
		name  string
		sizes []int
	}{
		{"x", append([]int{s.N, s.C}, s.In...)}, {"y", append([]int{s.N, s.M}, out...)}, {"w", append([]int{s.C, s.M}, s.Kernel...)},
	} {
		n := 1
		for _, d := range t.sizes {
			if n *= d; n > math.MaxInt32 {
				return t.name
			}
		}
	}
	return ""
}

func product(v []int) int {
	n := 1
	for _, d := range v {
		n *= d
	}
	return n
}

package cpu

import (
	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/cast"
)

// kernel makes the kernel of a call. Where the builder does not take half
// precision itself, its kernel works on float32 copies: every half tensor is
// widened before, and every half result rounded once afterwards.
func (b builder) kernel(c *call) (kernel, error) {
	if b.half || !hasHalf(c.in) && !hasHalf(c.out) {
		return b.make(c)
	}
	w := &widened{}
	inner := *c
	inner.in, inner.out = w.list(c, c.in), w.list(c, c.out)
	for i, t := range c.in {
		if t != nil && t != inner.in[i] && !t.Const() {
			w.before = append(w.before, pair{t, inner.in[i]})
		}
	}
	for i, t := range c.out {
		if t != nil && t != inner.out[i] {
			w.after = append(w.after, pair{inner.out[i], t})
		}
	}
	k, err := b.make(&inner)
	if err != nil {
		return nil, err
	}
	return func(f *frame) error {
		for _, p := range w.before {
			widen(data[float32](f, p.to), data[uint16](f, p.from), p.from.DType)
		}
		if err := k(f); err != nil {
			return err
		}
		for _, p := range w.after {
			round(data[uint16](f, p.to), data[float32](f, p.from), p.to.DType)
		}
		return nil
	}, nil
}

func hasHalf(list []*tensor) bool {
	for _, t := range list {
		if t != nil && t.DType.IsHalf() {
			return true
		}
	}
	return false
}

// widened is the float32 copies around one kernel. They lie behind the arena,
// where all such kernels share memory.
type widened struct {
	before, after []pair
	bytes         int
}

type pair struct{ from, to *tensor }

func (w *widened) list(c *call, in []*tensor) []*tensor {
	out := make([]*tensor, len(in))
	for i, t := range in {
		out[i] = t
		if t != nil && t.DType.IsHalf() {
			out[i] = w.copyOf(c, t)
		}
	}
	return out
}

func (w *widened) copyOf(c *call, t *tensor) *tensor {
	p := c.program
	wide := &tensor{Tensor: t.Tensor, id: len(p.tensors), n: t.n}
	wide.DType, wide.Arg, wide.Data = accel.Float32, -1, nil
	wide.Offset = p.codeArena + w.bytes
	w.bytes += (4*t.n + accel.Align - 1) / accel.Align * accel.Align
	p.arena = max(p.arena, p.codeArena+w.bytes)
	if t.Const() {
		wide.Data = accel.Aligned(4 * t.n)
		widen(accel.View[float32](wide.Data), accel.View[uint16](t.Data), t.DType)
	}
	p.tensors = append(p.tensors, wide)
	return wide
}

func widen(dst []float32, src []uint16, from accel.DType) {
	if from == accel.Float16 {
		cast.F16ToF32(dst, src)
		return
	}
	cast.BF16ToF32(dst, src)
}

func round(dst []uint16, src []float32, to accel.DType) {
	if to == accel.Float16 {
		cast.F32ToF16(dst, src)
		return
	}
	cast.F32ToBF16(dst, src)
}

package cpu

import (
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/gemm"
	"github.com/millrace-go/millrace/accel/cpu/vec"
)

// fusedAttentionGrad computes the probabilities p of a block of queries again
// instead of keeping them, as Dao et al., https://arxiv.org/abs/2205.14135, and
//
//	dv += pᵀ·dy, ds = p∘(dy·vᵀ - rowsum(p∘(dy·vᵀ))), dq = scale·ds·k, dk += scale·dsᵀ·q
//
// block after block, and where heads share keys and values, head after head.
func fusedAttentionGrad(c *call) (kernel, error) {
	if err := want(c.Op, append(slices.Clone(c.in), c.out...), c.in[0].DType); err != nil {
		return nil, err
	}
	a, err := newAttention(c, c.in[1], c.in[2], c.in[3], c.input(4))
	if err != nil {
		return nil, err
	}
	for i := range 3 {
		if err := sameLen(c.in[1+i], c.out[i]); err != nil {
			return nil, err
		}
	}
	if c.in[0].n != a.batch*a.heads*a.s*a.e {
		return nil, shapeErr(c.in[0], c.in[1])
	}
	switch c.in[0].DType {
	case accel.Float32:
		return a.backward32(c), nil
	case accel.Float64:
		return a.backward64(c), nil
	}
	return nil, unsupported(c.Op, c.in[0])
}

// backward32 gives each thread one head of k and v of an image at a time.
func (a *attention) backward32(c *call) kernel {
	job := addJob[attentionGradJob](c)
	room := gemm.PackedPanels(a.d, a.t) + gemm.PackedPanels(a.t, a.d) + gemm.PackedPanels(a.e, a.t) +
		gemm.PackedPanels(a.block, a.d) + gemm.PackedPanels(a.block, a.e) + 2*a.block*a.ld
	scratch := c.floats(room * c.threads)
	mask := c.input(4)
	return func(f *frame) error {
		j := job(f)
		j.attention, j.room, j.scratch = a, room, scratch.f32(f)
		j.workers(c.threads)
		j.dy, j.q, j.k, j.v = data[float32](f, c.in[0]), data[float32](f, c.in[1]), data[float32](f, c.in[2]), data[float32](f, c.in[3])
		j.dq, j.dk, j.dv = data[float32](f, c.out[0]), data[float32](f, c.out[1]), data[float32](f, c.out[2])
		if mask != nil {
			j.bias = data[float32](f, mask)
		}
		clear(j.dq)
		clear(j.dk)
		clear(j.dv)
		if a.s > 0 && a.t > 0 {
			f.pool.For(a.batch*a.groups, j)
		}
		return nil
	}
}

type attentionGradJob struct {
	attentionMath
	dy, dq, dk, dv []float32
}

// packedHead is the operands of one head of k and v, packed in panels.
type packedHead struct {
	keys, keyRows, values []float32 // kᵀ, k and vᵀ
	q, dy                 []float32 // of a block of queries
	p, ds                 []float32 // scores
}

// Do computes the gradients of one head of k and v, and of the heads of q that share it.
func (j *attentionGradJob) Do(tile, worker int) {
	b, g := tile/j.groups, tile%j.groups
	mem := j.scratch[worker*j.room : (worker+1)*j.room]
	take := func(n int) []float32 {
		part := mem[:n]
		mem = mem[n:]
		return part
	}
	w := packedHead{keys: take(gemm.PackedPanels(j.d, j.t)), keyRows: take(gemm.PackedPanels(j.t, j.d)), values: take(gemm.PackedPanels(j.e, j.t))}
	w.q, w.dy = take(gemm.PackedPanels(j.block, j.d)), take(gemm.PackedPanels(j.block, j.e))
	w.p, w.ds = take(j.block*j.ld), take(j.block*j.ld)
	k, v := j.k[j.ks.at(b, g):], j.v[j.vs.at(b, g):]
	gemm.PackColumns(w.keys, k, j.ks.row, j.d, j.t)
	gemm.PackRows(w.keyRows, k, j.ks.row, j.t, j.d)
	gemm.PackColumns(w.values, v, j.vs.row, j.e, j.t)
	each := j.heads / j.groups
	for h := g * each; h < (g+1)*each; h++ {
		for from := 0; from < j.s; from += j.block {
			j.queries(worker, &w, b, h, g, from, min(from+j.block, j.s))
		}
	}
}

// queries adds the part of a block of queries.
func (j *attentionGradJob) queries(worker int, w *packedHead, b, h, g, from, to int) {
	n, rows := j.keys(to), to-from
	if n == 0 {
		return
	}
	q, dy := j.q[j.qs.at(b, h)+from*j.qs.row:], j.dy[j.ys.at(b, h)+from*j.ys.row:]
	gemm.PackRows(w.q, q, j.qs.row, rows, j.d)
	gemm.PackRows(w.dy, dy, j.ys.row, rows, j.e)
	j.probabilities(worker, w.p, w.keys, b, h, from, to)
	j.product(worker, gemm.Block{
		A: w.p, RowA: 1, StepA: j.ld, B: w.dy, StepB: gemm.NR, PanelB: rows * gemm.NR,
		C: j.dv[j.vs.at(b, g):], LDC: j.vs.row, M: n, N: j.e, K: rows, Alpha: 1, Add: true,
	})
	j.product(worker, gemm.Block{
		A: dy, RowA: j.ys.row, StepA: 1, B: w.values, StepB: gemm.NR, PanelB: j.e * gemm.NR,
		C: w.ds, LDC: j.ld, M: rows, N: n, K: j.e, Alpha: 1,
	})
	for i := range rows {
		row := w.ds[i*j.ld : i*j.ld+n]
		vec.SoftmaxGradRows(row, row, w.p[i*j.ld:i*j.ld+n], 1, n)
	}
	j.product(worker, gemm.Block{
		A: w.ds, RowA: j.ld, StepA: 1, B: w.keyRows, StepB: gemm.NR, PanelB: j.t * gemm.NR,
		C: j.dq[j.qs.at(b, h)+from*j.qs.row:], LDC: j.qs.row, M: rows, N: j.d, K: n, Alpha: float32(j.scale),
	})
	j.product(worker, gemm.Block{
		A: w.ds, RowA: 1, StepA: j.ld, B: w.q, StepB: gemm.NR, PanelB: rows * gemm.NR,
		C: j.dk[j.ks.at(b, g):], LDC: j.ks.row, M: n, N: j.d, K: rows, Alpha: float32(j.scale), Add: true,
	})
}

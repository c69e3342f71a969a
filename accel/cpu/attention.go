package cpu

import (
	"math"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/gemm"
	"github.com/millrace-go/millrace/accel/cpu/vec"
)

var attentionKernels = map[string]builder{
	"FusedAttention":     {in: 3, out: 1, make: fusedAttention},
	"FusedAttentionGrad": {in: 4, out: 3, make: fusedAttentionGrad},
}

// strides are where the rows of a head begin.
type strides struct{ batch, head, row int }

func (s strides) at(b, h int) int { return b*s.batch + h*s.head }

// attention is the sizes and the layout of one: see model/graph.
type attention struct {
	batch, heads, groups, s, t, d, e int
	qs, ks, vs, ys                   strides
	mask                             strides // row is of a query
	maskStep                         int     // from key to key: 1, or 0 if they share one
	masked, causal                   bool
	scale                            float64
	offset                           int
	block, ld                        int // queries in a block, and the distance of their rows of scores
}

func newAttention(c *call, q, k, v, mask *tensor) (*attention, error) {
	a := &attention{causal: c.Bool("is_causal", false), offset: c.Int("causal_offset", 0), masked: mask != nil}
	switch len(q.Shape) {
	case 4:
		a.batch, a.heads, a.s, a.d = q.Shape[0], q.Shape[1], q.Shape[2], q.Shape[3]
		a.groups, a.t, a.e = k.Shape[1], k.Shape[2], v.Shape[3]
		lay := func(heads, rows, cols int) strides { return strides{heads * rows * cols, rows * cols, cols} }
		a.qs, a.ys = lay(a.heads, a.s, a.d), lay(a.heads, a.s, a.e)
		a.ks, a.vs = lay(a.groups, a.t, a.d), lay(a.groups, a.t, a.e)
	case 3:
		a.heads, a.groups = c.Int("q_num_heads", 1), c.Int("kv_num_heads", 1)
		a.batch, a.s, a.t = q.Shape[0], q.Shape[1], k.Shape[1]
		a.d, a.e = q.Shape[2]/a.heads, v.Shape[2]/a.groups
		lay := func(heads, rows, cols int) strides { return strides{heads * rows * cols, cols, heads * cols} }
		a.qs, a.ys = lay(a.heads, a.s, a.d), lay(a.heads, a.s, a.e)
		a.ks, a.vs = lay(a.groups, a.t, a.d), lay(a.groups, a.t, a.e)
	default:
		return nil, shapeErr(q, k, v)
	}
	if q.n != a.batch*a.heads*a.s*a.d || k.n != a.batch*a.groups*a.t*a.d || v.n != a.batch*a.groups*a.t*a.e || a.d < 1 || a.groups < 1 || a.heads%a.groups != 0 {
		return nil, shapeErr(q, k, v)
	}
	if mask != nil {
		m, ok := broadcastStrides(mask.Shape, []int{a.batch, a.heads, a.s, a.t})
		if !ok {
			return nil, shapeErr(q, k, mask)
		}
		a.mask, a.maskStep = strides{m[0], m[1], m[2]}, m[3]
	}
	a.scale = c.Float("scale", 1/math.Sqrt(float64(a.d)))
	a.cut()
	return a, nil
}

// scoreFloats is about how many scores are kept at a time: half of a usual
// second-level cache's share.
const scoreFloats = 1 << 15

// cut chooses the blocks of queries, by the shape alone. The rows of scores do
// not lie at multiples of 4 KiB, where they would evict each other.
func (a *attention) cut() {
	blocks := max(1, (a.s*a.t+scoreFloats-1)/scoreFloats)
	a.block = max((a.s+blocks-1)/blocks, min(a.s, 28))
	a.ld = max(1, a.t)
	if a.ld%1024 == 0 {
		a.ld += 16
	}
}

// keys is how many keys the queries before i (exclusive) see at most.
func (a *attention) keys(i int) int {
	if !a.causal {
		return a.t
	}
	return min(a.t, max(0, i+a.offset))
}

func fusedAttention(c *call) (kernel, error) {
	if err := want(c.Op, append(slices.Clone(c.in), c.out...), c.in[0].DType); err != nil {
		return nil, err
	}
	a, err := newAttention(c, c.in[0], c.in[1], c.in[2], c.input(3))
	if err != nil {
		return nil, err
	}
	if c.out[0].n != a.batch*a.heads*a.s*a.e {
		return nil, shapeErr(c.in[0], c.out[0])
	}
	switch c.in[0].DType {
	case accel.Float32:
		return a.forward32(c), nil
	case accel.Float64:
		return a.forward64(c), nil
	}
	return nil, unsupported(c.Op, c.in[0])
}

// forward32 gives each thread a head of an image at a time, or where these are
// few, a part of its blocks of queries. The keys and values are packed for each.
func (a *attention) forward32(c *call) kernel {
	blocks := (a.s + a.block - 1) / a.block
	parts := min(blocks, max(1, 4*c.threads/max(1, a.batch*a.heads)))
	job := addJob[attentionJob](c)
	room := gemm.PackedPanels(a.d, a.t) + gemm.PackedPanels(a.t, a.e) + a.block*a.ld
	scratch := c.floats(room * c.threads)
	mask := c.input(3)
	return func(f *frame) error {
		j := job(f)
		j.attention, j.blocks, j.parts, j.room, j.scratch = a, blocks, parts, room, scratch.f32(f)
		j.workers(c.threads)
		j.q, j.k, j.v, j.y = data[float32](f, c.in[0]), data[float32](f, c.in[1]), data[float32](f, c.in[2]), data[float32](f, c.out[0])
		if mask != nil {
			j.bias = data[float32](f, mask)
		}
		f.pool.For(a.batch*a.heads*parts, j)
		return nil
	}
}

// attentionMath is what the threads of attention and its gradient share.
type attentionMath struct {
	*attention
	gemm       []gemm.Block // one a worker
	bias       []float32
	room       int
	scratch    []float32
	q, k, v, y []float32
}

// workers makes the state of the workers, once.
func (j *attentionMath) workers(n int) {
	if len(j.gemm) < n {
		j.gemm = make([]gemm.Block, n)
	}
}

// product runs a Block of any K, whose B is packed in panels of K rows or more.
func (j *attentionMath) product(worker int, p gemm.Block) {
	g := &j.gemm[worker]
	*g = p
	for from := 0; from < p.K; from += gemm.KC {
		g.A, g.B, g.K, g.Add = p.A[from*p.StepA:], p.B[from*gemm.NR:], min(gemm.KC, p.K-from), p.Add || from > 0
		g.Run()
	}
}

// probabilities leaves softmax(scale·q·kᵀ + mask) of the queries from ≤ i < to
// in p, whose columns keys(to) ≤ j are not set.
func (j *attentionMath) probabilities(worker int, p, keys []float32, b, h, from, to int) {
	n := j.keys(to)
	if n == 0 {
		return
	}
	j.product(worker, gemm.Block{
		A: j.q[j.qs.at(b, h)+from*j.qs.row:], RowA: j.qs.row, StepA: 1, B: keys, StepB: gemm.NR, PanelB: j.d * gemm.NR,
		C: p, LDC: j.ld, M: to - from, N: n, K: j.d, Alpha: float32(j.scale),
	})
	if !j.masked && !j.causal && j.ld == j.t {
		vec.SoftmaxRows(p[:(to-from)*j.t], p[:(to-from)*j.t], to-from, j.t)
		return
	}
	for i := from; i < to; i++ {
		row, seen := p[(i-from)*j.ld:][:n], j.keys(i+1)
		clear(row[seen:])
		if row = row[:seen]; seen == 0 {
			continue
		}
		if j.masked && !j.addMask(row, j.mask.at(b, h)+i*j.mask.row) {
			clear(row)
			continue
		}
		vec.SoftmaxRow(row, row)
	}
}

// addMask adds a row of the mask, and reports whether it leaves anything.
func (j *attentionMath) addMask(row []float32, at int) bool {
	least := float32(math.Inf(-1))
	if j.maskStep == 0 {
		vec.AddScalar(row, row, j.bias[at])
		return j.bias[at] != least
	}
	mask := j.bias[at : at+len(row)]
	vec.Add(row, row, mask)
	return vec.Max(mask) != least
}

type attentionJob struct {
	attentionMath
	blocks, parts int
}

// Do computes some blocks of queries of one head.
func (j *attentionJob) Do(tile, worker int) {
	head, part := tile/j.parts, tile%j.parts
	b, h := head/j.heads, head%j.heads
	mem := j.scratch[worker*j.room : (worker+1)*j.room]
	keys := mem[:gemm.PackedPanels(j.d, j.t)]
	values := mem[len(keys) : len(keys)+gemm.PackedPanels(j.t, j.e)]
	p := mem[len(keys)+len(values):]
	g := h / (j.heads / j.groups)
	if j.t > 0 {
		gemm.PackColumns(keys, j.k[j.ks.at(b, g):], j.ks.row, j.d, j.t)
		gemm.PackRows(values, j.v[j.vs.at(b, g):], j.vs.row, j.t, j.e)
	}
	for block := part * j.blocks / j.parts; block < (part+1)*j.blocks/j.parts; block++ {
		from, to := block*j.block, min((block+1)*j.block, j.s)
		j.probabilities(worker, p, keys, b, h, from, to)
		y := j.y[j.ys.at(b, h)+from*j.ys.row:]
		n := j.keys(to)
		if n == 0 {
			for i := range to - from {
				clear(y[i*j.ys.row:][:j.e])
			}
			continue
		}
		j.product(worker, gemm.Block{
			A: p, RowA: j.ld, StepA: 1, B: values, StepB: gemm.NR, PanelB: j.t * gemm.NR,
			C: y, LDC: j.ys.row, M: to - from, N: j.e, K: n, Alpha: 1,
		})
	}
}

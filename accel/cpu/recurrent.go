package cpu

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/gemm"
	"github.com/millrace-go/millrace/accel/cpu/vec"
)

// The kernels of RNN, GRU and LSTM take float32, layout 0 and sizes that are not
// 0; model/graph writes out the others. The product of x with w is made for all
// steps at once; a step is one or two products with r, and then a pass over the
// gates of each sequence of the batch.
var recurrentKernels = map[string]builder{
	"RNN":  {in: 3, out: 0, make: recurrent(1)},
	"GRU":  {in: 3, out: 0, make: recurrent(3)},
	"LSTM": {in: 3, out: 0, make: recurrent(4)},
}

// recurrence is the sizes, attributes and plans of one node.
type recurrence struct {
	gates, steps, batch, in, hidden, directions int
	reverse, linear, coupled                    bool // linear_before_reset, input_forget
	clip                                        float32
	acts                                        []vecFunc // three for each direction
	input                                       *gemm.Plan
	step                                        []*gemm.Plan // of the first gates, and of GRU's last
	widths                                      []int        // gates of each plan of step
	packed                                      [][]float32  // r for each direction and plan, if it is a constant
	perTile, tiles                              int
}

func recurrent(gates int) func(*call) (kernel, error) {
	return func(c *call) (kernel, error) {
		if err := want(c.Op, []*tensor{c.in[0], c.in[1], c.in[2], c.input(3), c.input(5), c.input(6), c.input(7)}, accel.Float32); err != nil {
			return nil, err
		}
		if err := want(c.Op, []*tensor{c.input(4)}, accel.Int32, accel.Int64); err != nil {
			return nil, err
		}
		r, err := newRecurrence(c, gates)
		if err != nil {
			return nil, err
		}
		return r.kernel(c), nil
	}
}

func newRecurrence(c *call, gates int) (*recurrence, error) {
	x, w, weights := c.in[0].Shape, c.in[1].Shape, c.in[2]
	if len(x) != 3 || len(w) != 3 || len(weights.Shape) != 3 || c.in[0].n == 0 || weights.n == 0 || c.Int("layout", 0) != 0 {
		return nil, fmt.Errorf("x %v, w %v, layout %d: %w", x, w, c.Int("layout", 0), accel.ErrUnsupported)
	}
	r := &recurrence{
		gates: gates, steps: x[0], batch: x[1], in: x[2], hidden: weights.Shape[2], directions: w[0], reverse: c.Str("direction", "forward") == "reverse",
		linear: c.Int("linear_before_reset", 0) != 0, coupled: c.Int("input_forget", 0) != 0, clip: float32(c.Float("clip", 0)),
	}
	width := gates * r.hidden
	if c.in[1].n != r.directions*width*r.in || weights.n != r.directions*width*r.hidden {
		return nil, shapeErr(c.in...)
	}
	var err error
	if r.acts, err = cellFunctions(c, gates, r.directions); err != nil {
		return nil, err
	}
	if err := r.plans(); err != nil {
		return nil, err
	}
	if weights.Const() {
		r.packed = make([][]float32, r.directions*len(r.step))
		for i := range r.packed {
			r.packed[i] = accel.View[float32](accel.Aligned(4 * r.step[i%len(r.step)].PackedLen()))
		}
		r.pack(r.packed, accel.View[float32](weights.Data))
	}
	r.perTile = max(1, grain/8/width)
	r.tiles = (r.batch + r.perTile - 1) / r.perTile
	return r, nil
}

// plans plans the product of x and those of a step.
func (r *recurrence) plans() (err error) {
	width := r.gates * r.hidden
	if r.input, err = gemm.New(gemm.Spec{M: r.steps * r.batch, N: width, K: r.in, TransB: true, Epilogue: gemm.Epilogue{Bias: gemm.BiasColumns}}); err != nil {
		return err
	}
	r.widths = []int{width}
	if r.gates == 3 {
		r.widths = []int{2 * r.hidden, r.hidden}
	}
	for i, n := range r.widths {
		e := gemm.Epilogue{Residual: true}
		if i == 1 && r.linear {
			e = gemm.Epilogue{Bias: gemm.BiasColumns}
		}
		p, err := gemm.New(gemm.Spec{M: r.batch, N: n, K: r.hidden, TransB: true, LDC: width, Epilogue: e})
		if err != nil {
			return err
		}
		r.step = append(r.step, p)
	}
	return nil
}

// pack packs r for each direction and plan.
func (r *recurrence) pack(dst [][]float32, weights []float32) {
	for i, d := range dst {
		n := r.widths[i%len(r.widths)] * r.hidden
		r.step[i%len(r.step)].PackB(d, weights[:n])
		weights = weights[n:]
	}
}

// recurrentRoom is the scratch memory of a run.
type recurrentRoom struct {
	x, gates, h, c, tmp, bias, work []float32
	packed                          [][]float32
}

func (r *recurrence) kernel(c *call) kernel {
	width, state := r.gates*r.hidden, r.batch*r.hidden
	work := r.input.ScratchLen(c.threads)
	packedLen := 0
	for _, p := range r.step {
		work, packedLen = max(work, p.ScratchLen(c.threads)), packedLen+p.PackedLen()
	}
	if r.packed != nil {
		packedLen = 0
	}
	room := c.floats(r.steps*r.batch*width + r.batch*width + 3*state + width + work + r.directions*packedLen)
	job := addJob[recurrentJob](c)
	return func(f *frame) error {
		mem := room.f32(f)
		take := func(n int) []float32 {
			part := mem[:n:n]
			mem = mem[n:]
			return part
		}
		j := job(f)
		j.recurrence, j.f, j.call = r, f, c
		j.room = recurrentRoom{x: take(r.steps * r.batch * width), gates: take(r.batch * width), h: take(state), c: take(state), tmp: take(state), bias: take(width), work: take(work), packed: r.packed}
		if r.packed == nil {
			if j.packed == nil {
				j.packed = make([][]float32, r.directions*len(r.step))
			}
			for i := range j.packed {
				j.packed[i] = take(r.step[i%len(r.step)].PackedLen())
			}
			r.pack(j.packed, data[float32](f, c.in[2]))
			j.room.packed = j.packed
		}
		for d := range r.directions {
			j.direction(d)
		}
		return nil
	}
}

// recurrentJob is one run, and one pass over the sequences of a batch.
type recurrentJob struct {
	*recurrence
	f      *frame
	call   *call
	room   recurrentRoom
	packed [][]float32
	y      []float32 // the states of this step, nil if nobody wants them
	peep   []float32
	acts   []vecFunc
	t      int
	first  bool // of the two passes of a GRU
}

// optional is a part of an optional float32 input: n elements of direction d.
func (j *recurrentJob) optional(i, d, n int) []float32 {
	t := j.call.input(i)
	if t == nil {
		return nil
	}
	return data[float32](j.f, t)[d*n : (d+1)*n]
}

// direction runs all steps of a direction.
func (j *recurrentJob) direction(d int) {
	width, state := j.gates*j.hidden, j.batch*j.hidden
	m := &j.room
	clear(m.bias)
	b := j.optional(3, d, 2*width)
	if b != nil {
		vec.Add(m.bias, b[:width], b[width:])
		if j.linear { // the last gate's is added before the reset
			copy(m.bias[2*j.hidden:], b[2*j.hidden:width])
		}
	}
	w := data[float32](j.f, j.call.in[1])[d*width*j.in : (d+1)*width*j.in]
	j.input.Run(j.f.pool, gemm.Operands{C: m.x, A: data[float32](j.f, j.call.in[0]), B: w, Bias: m.bias, Scratch: m.work})
	clear(m.bias)
	if b != nil && j.linear {
		copy(m.bias, b[width+2*j.hidden:])
	}
	clear(m.h)
	clear(m.c)
	copy(m.h, j.optional(5, d, state))
	copy(m.c, j.optional(6, d, state))
	j.peep, j.acts = j.optional(7, d, 3*j.hidden), j.recurrence.acts[3*d:3*d+3]
	for i := range j.steps {
		if j.t = i; j.reverse || d == 1 {
			j.t = j.steps - 1 - i
		}
		j.y = nil
		if t := j.call.output(0); t != nil {
			j.y = data[float32](j.f, t)[(j.t*j.directions+d)*state:][:state]
		}
		j.oneStep(d)
	}
	for i, s := range [2][]float32{m.h, m.c} {
		if t := j.call.output(1 + i); t != nil {
			copy(data[float32](j.f, t)[d*state:], s)
		}
	}
}

func (j *recurrentJob) oneStep(d int) {
	width, m := j.gates*j.hidden, &j.room
	x := m.x[j.t*j.batch*width:][:j.batch*width]
	o := gemm.Operands{C: m.gates, A: m.h, Packed: m.packed[d*len(j.step)], Residual: x, Scratch: m.work}
	j.step[0].Run(j.f.pool, o)
	if j.gates == 3 {
		j.first = true
		j.f.pool.For(j.tiles, j)
		j.first = false
		o.C, o.Packed, o.Residual = m.gates[2*j.hidden:], m.packed[d*len(j.step)+1], x[2*j.hidden:]
		if o.A = m.tmp; j.linear {
			o.A, o.Bias = m.h, m.bias[:j.hidden]
		}
		j.step[1].Run(j.f.pool, o)
	}
	j.f.pool.For(j.tiles, j)
}

// Do makes a pass over some sequences.
func (j *recurrentJob) Do(tile, _ int) {
	for b := tile * j.perTile; b < min((tile+1)*j.perTile, j.batch); b++ {
		n, m := j.hidden, &j.room
		g, h, c, tmp := m.gates[b*j.gates*n:][:j.gates*n], m.h[b*n:][:n], m.c[b*n:][:n], m.tmp[b*n:][:n]
		if j.first {
			j.resets(g, h, tmp)
			continue
		}
		on := j.t < j.length(b)
		switch {
		case !on:
		case j.gates == 1:
			j.apply(0, g)
			copy(h, g)
		case j.gates == 3:
			j.gru(g, m.x[(j.t*j.batch+b)*3*n+2*n:][:n], h)
		default:
			j.lstm(g, h, c, tmp)
		}
		if j.y != nil && on {
			copy(j.y[b*n:], h)
		} else if j.y != nil {
			clear(j.y[b*n:][:n])
		}
	}
}

// length is the length of sequence b.
func (j *recurrentJob) length(b int) int {
	t := j.call.input(4)
	switch {
	case t == nil:
		return j.steps
	case t.DType == accel.Int32:
		return int(data[int32](j.f, t)[b])
	}
	return int(data[int64](j.f, t)[b])
}

// apply clips x and applies activation i.
func (j *recurrentJob) apply(i int, x []float32) {
	if j.clip > 0 {
		vec.Clip(x, x, -j.clip, j.clip)
	}
	j.acts[i](x, x)
}

// resets computes the gates z and r, and r∘h in tmp.
func (j *recurrentJob) resets(g, h, tmp []float32) {
	n := j.hidden
	j.apply(0, g[:2*n])
	vec.Mul(tmp, g[n:2*n], h)
}

// gru is h = n + z∘(h-n); x is what of the last gate does not depend on h.
func (j *recurrentJob) gru(g, x, h []float32) {
	n := j.hidden
	z, next := g[:n], g[2*n:]
	if j.linear {
		vec.MulAdd(next, g[n:2*n], next, x)
	}
	j.apply(1, next)
	vec.Sub(h, h, next)
	vec.MulAdd(h, z, h, next)
}

// lstm updates the cell c and the state h from the gates i, o, f and c.
func (j *recurrentJob) lstm(g, h, c, tmp []float32) {
	n := j.hidden
	in, out, forget, cell := g[:n], g[n:2*n], g[2*n:3*n], g[3*n:]
	switch {
	case j.peep == nil:
		j.apply(0, g[:3*n])
	default:
		vec.MulAdd(in, j.peep[:n], c, in)
		vec.MulAdd(forget, j.peep[2*n:], c, forget)
		j.apply(0, in)
		j.apply(0, forget)
	}
	if j.coupled {
		vec.ScalarSub(forget, 1, in)
	}
	j.apply(1, cell)
	vec.Mul(tmp, in, cell)
	vec.MulAdd(c, forget, c, tmp)
	if j.peep != nil {
		vec.MulAdd(out, j.peep[n:2*n], c, out)
		j.apply(0, out)
	}
	j.acts[2](tmp, c)
	vec.Mul(h, out, tmp)
}

package cpu

import (
	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/qgemm"
)

// quantProduct is a call of QuantMatMul.
type quantProduct struct {
	*quantResult
	p      *product
	plan   *qgemm.Plan
	x, w   *tensor
	packed []int32 // w, if it is a constant
	words  int     // scratch of one worker
}

// quantMatMul multiplies by package qgemm. One product is spread over the threads
// by that; of several each is a tile.
func quantMatMul(c *call) (kernel, error) {
	inner := *c
	inner.in = []*tensor{c.in[0], c.in[3]}
	p, err := newProduct(&inner)
	if err != nil {
		return nil, err
	}
	q := &quantProduct{p: p, x: c.in[0], w: c.in[3]}
	if q.quantResult, err = newQuantResult(c, p.n); err != nil {
		return nil, err
	}
	s := qgemm.Spec{M: p.m, N: p.n, K: p.k, ASigned: q.x.DType == accel.Int8, BSigned: q.w.DType == accel.Int8, TransB: p.transB}
	if err := q.spec(&s); err != nil {
		return nil, err
	}
	if q.plan, err = qgemm.New(s); err != nil {
		return nil, err
	}
	q.prepare()
	q.words = q.plan.ScratchLen() + 16
	if q.w.Const() && q.w.n == p.k*p.n {
		q.packed = make([]int32, q.plan.PackedLen())
		q.plan.PackB(q.packed, q.w.Data)
	} else {
		q.words += q.plan.PackedLen()
	}
	room := c.scratch(4 * (c.threads*q.words + q.quantResult.words()))
	newJob := addJob[quantProductJob](c)
	return func(f *frame) error {
		j := newJob(f)
		work := accel.View[int32](room.raw(f))
		j.q, j.f, j.work = q, f, work[q.quantResult.words():]
		q.operands(f, &j.o, accel.View[float32](room.raw(f)))
		switch n := p.count * len(p.batches); n {
		case 0:
		case 1:
			j.one(f, 0, 0)
		default:
			f.pool.For(n, j)
		}
		return nil
	}, nil
}

// quantProductJob computes one product a tile.
type quantProductJob struct {
	q    *quantProduct
	f    *frame
	o    qgemm.Operands
	work []int32
}

// Do does one product alone.
func (j *quantProductJob) Do(tile, worker int) {
	q, o := j.q, j.o
	at, i := q.p.batches[tile/q.p.count], tile%q.p.count
	work := j.work[worker*q.words:][:q.words]
	o.Scratch = work[:q.plan.ScratchLen()]
	j.operand(&o, at, i, work[q.plan.ScratchLen():])
	q.plan.Run(nil, o)
}

// one does the only product, with all threads.
func (j *quantProductJob) one(f *frame, batch, i int) {
	q, o := j.q, j.o
	o.Scratch = j.work[:q.plan.ScratchLen()]
	j.operand(&o, q.p.batches[batch], i, j.work[q.plan.ScratchLen():])
	q.plan.Run(f.pool, o)
}

// operand sets the matrices of product i of a batch.
func (j *quantProductJob) operand(o *qgemm.Operands, at batch, i int, room []int32) {
	q, p := j.q, j.q.p
	o.A = raw(j.f, q.x)[at.a+i*p.strideA:]
	if o.Packed = q.packed; o.Packed == nil {
		o.Packed = room
		q.plan.PackB(room, raw(j.f, q.w)[at.b+i*p.strideB:])
	}
	q.result(j.f, o, at.c+i*p.m*p.n)
}

package gemm

import (
	"fmt"

	"github.com/millrace-go/millrace/accel/cpu/par"
)

// call is one Run: the body of its tasks.
type call struct {
	plan *Plan
	op   Operands
	grid grid
}

// Run computes C. It panics if an operand is too short for the plan.
func (p *Plan) Run(pool *par.Pool, op Operands) {
	threads := pool.Threads()
	p.checkOperands(&op, threads)
	if p.spec.M == 0 || p.spec.N == 0 {
		return
	}
	c := p.idle.Take()
	c.plan, c.op, c.grid = p, op, p.core.grid(p.spec.Batch, threads, op.Packed != nil)
	pool.For(c.grid.tasks(), c)
	c.op = Operands{}
	p.idle.Give(c)
}

func (p *Plan) checkOperands(op *Operands, threads int) {
	l := p.lens
	if op.Packed != nil {
		l.b = 0
	} else {
		l.packed = 0
	}
	residual := 0
	if p.spec.Residual {
		residual = l.c
	}
	for _, x := range [...]struct {
		name      string
		got, want int
	}{
		{"A", len(op.A), l.a}, {"B", len(op.B), l.b}, {"C", len(op.C), l.c}, {"Packed", len(op.Packed), l.packed},
		{"Bias", len(op.Bias), l.bias}, {"Residual", len(op.Residual), residual}, {"Scratch", len(op.Scratch), p.ScratchLen(threads)},
	} {
		if x.got < x.want {
			panic(fmt.Sprintf("gemm.Run: %s has %d elements, want at least %d", x.name, x.got, x.want))
		}
	}
}

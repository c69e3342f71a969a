package cpu

import (
	"fmt"
	"unsafe"

	"github.com/millrace-go/millrace/accel"
)

// tensor is one accel.Tensor bound to memory: the slice of its type is set.
type tensor struct {
	accel.Tensor
	n int
	f []float32
	i []int32
	u []uint64
}

// kernel runs one instruction. It reads its tensors when called, since those
// held in arguments change from run to run.
type kernel func() error

// program is compiled code: kernels closed over their tensors.
type program struct {
	tensors []*tensor
	args    [][]*tensor // the tensors that view each argument
	kernels []kernel
	instrs  []accel.Instr // op and name, for messages
	scratch []float32     // shared by all kernels, one of which runs at a time
}

// Compile binds tensors to memory and instructions to kernels.
func (Device) Compile(c *accel.Code) (accel.Program, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	p := &program{args: make([][]*tensor, c.Args)}
	arena := make([]uint64, (c.ArenaBytes+7)/8)
	for _, t := range c.Tensors {
		p.addTensor(t, arena)
	}
	for _, in := range c.Instrs {
		if err := p.addKernel(in); err != nil {
			return nil, fmt.Errorf("cpu: %s %s: %w", in.Op, in.Name, err)
		}
	}
	return p, nil
}

func (p *program) addTensor(t accel.Tensor, arena []uint64) {
	b := &tensor{Tensor: t, n: t.Len()}
	p.tensors = append(p.tensors, b)
	if t.Arg >= 0 {
		p.args[t.Arg] = append(p.args[t.Arg], b)
		return
	}
	// Validate has checked that the bytes lie in the arena, aligned.
	at := unsafe.Pointer(&arena[t.Offset/8])
	switch t.DType {
	case accel.Float32:
		b.f = unsafe.Slice((*float32)(at), b.n)
	case accel.Int32:
		b.i = unsafe.Slice((*int32)(at), b.n)
	case accel.Uint64:
		b.u = unsafe.Slice((*uint64)(at), b.n)
	}
}

func (p *program) addKernel(in accel.Instr) error {
	build, ok := kernels[in.Op]
	if !ok {
		return fmt.Errorf("no such kernel")
	}
	c := &call{Attrs: in.Attrs, in: p.pick(in.In), out: p.pick(in.Out), program: p}
	if err := build.check(c); err != nil {
		return err
	}
	k, err := build.make(c)
	if err != nil {
		return err
	}
	p.kernels = append(p.kernels, k)
	p.instrs = append(p.instrs, accel.Instr{Op: in.Op, Name: in.Name})
	return nil
}

func (p *program) pick(ids []int) []*tensor {
	out := make([]*tensor, len(ids))
	for i, id := range ids {
		if id >= 0 {
			out[i] = p.tensors[id]
		}
	}
	return out
}

// Run binds the arguments and calls the kernels in order.
func (p *program) Run(args []accel.Buffer) error {
	if len(args) != len(p.args) {
		return fmt.Errorf("cpu: %d arguments, want %d", len(args), len(p.args))
	}
	for i, a := range args {
		b, ok := a.(*buffer)
		if !ok {
			return fmt.Errorf("cpu: argument %d is of another device (%T)", i, a)
		}
		for _, t := range p.args[i] {
			if b.dtype != t.DType || b.n != t.n {
				return fmt.Errorf("cpu: argument %d (%s): %d of %s, want %d of %s", i, t.Name, b.n, b.dtype, t.n, t.DType)
			}
			t.f, t.i, t.u = b.host.F32, b.host.I32, b.host.U64
		}
	}
	for i, k := range p.kernels {
		if err := k(); err != nil {
			return fmt.Errorf("cpu: %s %s: %w", p.instrs[i].Op, p.instrs[i].Name, err)
		}
	}
	return nil
}

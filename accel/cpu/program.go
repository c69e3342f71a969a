package cpu

import (
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/par"
)

// tensor is one accel.Tensor as a kernel's builder sees it. Where its elements
// are is known only while a frame runs: see data.
type tensor struct {
	accel.Tensor
	id int
	n  int
}

// frame is one run of a program: where its tensors and its scratch memory are.
type frame struct {
	ptr     []unsafe.Pointer // by tensor id
	arena   []byte
	scratch []byte
	pool    *par.Pool
	next    *frame // in the program's list of idle frames
	jobs    []job  // by job id: see parallel
}

// kernel runs one instruction. It is shared by all frames of a program, so it
// may keep nothing that changes; what does goes to the frame's scratch.
type kernel func(f *frame) error

// data is a tensor's elements in this run.
func data[T accel.Number | ~bool](f *frame, t *tensor) []T {
	return unsafe.Slice((*T)(f.ptr[t.id]), t.n)
}

// raw is a tensor's memory in this run.
func raw(f *frame, t *tensor) []byte {
	return unsafe.Slice((*byte)(f.ptr[t.id]), t.n*t.DType.Size())
}

// program is compiled code: kernels, and idle frames for the runs to come.
type program struct {
	tensors   []*tensor
	args      [][]int // the tensors that view each argument
	bytes     []int   // of each argument
	kernels   []kernel
	instrs    []accel.Instr // op and name, for messages
	codeArena int           // of the code; arena has the copies of half.go behind it
	arena     int
	scratch   int // the most that a kernel asked for; one kernel runs at a time
	jobs      []func() job
	threads   int // that scratch memory was sized for

	idle  atomic.Pointer[frame] // one frame, for the usual case of one caller
	mu    sync.Mutex
	spare *frame
}

// Compile binds instructions to kernels. Constants are packed here, once.
func (d *Device) Compile(c *accel.Code) (accel.Program, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	p := &program{args: make([][]int, c.Args), bytes: make([]int, c.Args), codeArena: c.ArenaBytes, arena: c.ArenaBytes, threads: d.pool.Threads()}
	for i, t := range c.Tensors {
		p.tensors = append(p.tensors, &tensor{Tensor: t, id: i, n: t.Len()})
		if t.Arg >= 0 {
			p.args[t.Arg] = append(p.args[t.Arg], i)
			p.bytes[t.Arg] = t.Bytes()
		}
	}
	for _, in := range c.Instrs {
		if err := p.addKernel(in, d.pool.Threads()); err != nil {
			return nil, fmt.Errorf("cpu: %s %s: %w", in.Op, in.Name, err)
		}
	}
	return p, nil
}

func (p *program) addKernel(in accel.Instr, threads int) error {
	build, ok := kernels[in.Op]
	if !ok {
		return fmt.Errorf("no such kernel: %w", accel.ErrUnsupported)
	}
	c := &call{Attrs: in.Attrs, Op: in.Op, Name: in.Name, in: p.pick(in.In), out: p.pick(in.Out), program: p, threads: threads}
	if err := build.check(c); err != nil {
		return err
	}
	k, err := makeKernel(build, c)
	if err != nil {
		return err
	}
	p.kernels = append(p.kernels, k)
	p.instrs = append(p.instrs, accel.Instr{Op: in.Op, Name: in.Name})
	return nil
}

// makeKernel turns a panic of a builder into an error: code that no shape rule
// has seen may hold anything.
func makeKernel(b builder, c *call) (k kernel, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("tensors or attributes that do not fit together: %v", r)
		}
	}()
	return b.kernel(c)
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

// Workspace is the arena and the scratch memory of one run.
func (p *program) Workspace() int { return p.arena + p.scratch }

// run binds the arguments to a frame and calls the kernels in order.
func (p *program) run(pool *par.Pool, args []accel.Buffer) error {
	if len(args) != len(p.args) {
		return fmt.Errorf("cpu: %d arguments, want %d", len(args), len(p.args))
	}
	f := p.take()
	defer p.give(f)
	if f.pool = pool; pool.Threads() > p.threads {
		f.pool = nil // compiled by a device with fewer: one thread is right for any
	}
	for i, a := range args {
		b, ok := a.(*buffer)
		if !ok {
			return fmt.Errorf("cpu: argument %d is of another device (%T)", i, a)
		}
		if len(p.args[i]) > 0 && len(b.b) != p.bytes[i] {
			return fmt.Errorf("cpu: argument %d (%s): %d bytes, want %d", i, p.tensors[p.args[i][0]].Name, len(b.b), p.bytes[i])
		}
		for _, id := range p.args[i] {
			f.ptr[id] = unsafe.Pointer(unsafe.SliceData(b.b))
		}
	}
	for i, k := range p.kernels {
		if err := k(f); err != nil {
			return fmt.Errorf("cpu: %s %s: %w", p.instrs[i].Op, p.instrs[i].Name, err)
		}
	}
	return nil
}

// take returns an idle frame, or a new one if all are running.
func (p *program) take() *frame {
	if f := p.idle.Swap(nil); f != nil {
		return f
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if f := p.spare; f != nil {
		p.spare = f.next
		return f
	}
	return p.newFrame()
}

// give keeps a frame for a later run. It lets go of the arguments.
func (p *program) give(f *frame) {
	for _, ids := range p.args {
		for _, id := range ids {
			f.ptr[id] = nil
		}
	}
	if p.idle.CompareAndSwap(nil, f) {
		return
	}
	p.mu.Lock()
	f.next, p.spare = p.spare, f
	p.mu.Unlock()
}

func (p *program) newFrame() *frame {
	f := &frame{ptr: make([]unsafe.Pointer, len(p.tensors)), arena: accel.Aligned(p.arena), scratch: accel.Aligned(p.scratch)}
	for _, t := range p.tensors {
		switch {
		case t.Arg >= 0:
		case t.Const():
			f.ptr[t.id] = unsafe.Pointer(unsafe.SliceData(t.Data))
		default: // Validate has checked that the bytes lie in the arena, aligned
			f.ptr[t.id] = unsafe.Add(unsafe.Pointer(unsafe.SliceData(f.arena)), t.Offset)
		}
	}
	for _, make := range p.jobs {
		f.jobs = append(f.jobs, make())
	}
	return f
}

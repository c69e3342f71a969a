package program

import (
	"errors"
	"fmt"
	"sync"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu"
)

// asyncDevice behaves as an accelerator does: its memory cannot be addressed by
// the host, a queue works on a thread of its own, long after the call, and
// errors come out at the end. It computes with the CPU's kernels.
type asyncDevice struct {
	accel.Device
	mu       sync.Mutex
	compiled int
	fail     error // what the next run fails with
}

func newAsyncDevice() *asyncDevice { return &asyncDevice{Device: cpu.New()} }

func (*asyncDevice) Name() string { return "async" }

// asyncBuffer hides the memory of a CPU buffer.
type asyncBuffer struct{ inner accel.Buffer }

func (b *asyncBuffer) Bytes() int { return b.inner.Bytes() }

func (d *asyncDevice) Alloc(n int) (accel.Buffer, error) {
	b, err := d.Device.Alloc(n)
	return &asyncBuffer{b}, err
}

// asyncProgram is a program that was captured once and is replayed.
type asyncProgram struct{ inner accel.Program }

func (p *asyncProgram) Workspace() int { return p.inner.Workspace() }

func (d *asyncDevice) Compile(c *accel.Code) (accel.Program, error) {
	p, err := d.Device.Compile(c)
	d.mu.Lock()
	d.compiled++
	d.mu.Unlock()
	return &asyncProgram{p}, err
}

type asyncQueue struct {
	d     *asyncDevice
	inner accel.Queue
	work  chan func() error
	done  chan error
}

func (d *asyncDevice) NewQueue() accel.Queue {
	q := &asyncQueue{d: d, inner: d.Device.NewQueue(), work: make(chan func() error, 1024), done: make(chan error)}
	go q.drain()
	return q
}

// drain does the work in order; nil is the end of a Wait.
func (q *asyncQueue) drain() {
	var failed error
	for f := range q.work {
		if f == nil {
			q.done <- errors.Join(failed, q.inner.Wait())
			failed = nil
			continue
		}
		if failed == nil {
			failed = f()
		}
	}
}

func (q *asyncQueue) Write(dst accel.Buffer, src []byte) error {
	b := dst.(*asyncBuffer).inner
	q.work <- func() error { return q.inner.Write(b, src) }
	return nil
}

func (q *asyncQueue) Read(dst []byte, src accel.Buffer) error {
	b := src.(*asyncBuffer).inner
	q.work <- func() error { return q.inner.Read(dst, b) }
	return nil
}

func (q *asyncQueue) Run(p accel.Program, args []accel.Buffer) error {
	inner := make([]accel.Buffer, len(args))
	for i, a := range args {
		inner[i] = a.(*asyncBuffer).inner
	}
	q.work <- func() error {
		q.d.mu.Lock()
		err := q.d.fail
		q.d.fail = nil
		q.d.mu.Unlock()
		if err != nil {
			return fmt.Errorf("async: %w", err)
		}
		return q.inner.Run(p.(*asyncProgram).inner, inner)
	}
	return nil
}

func (q *asyncQueue) Wait() error {
	q.work <- nil
	return <-q.done
}

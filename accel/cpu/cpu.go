// Package cpu is the accel.Device of the host's processor.
//
// A kernel is made once, when code is compiled, and then run on frames: the
// addresses of the tensors of one run. Kernels of the matrix products,
// convolutions and float32 arithmetic lie in packages below (gemm, conv, pool,
// vec, …), in assembly and in Go; this package chooses among them by type and
// shape, never by anything that could change a result from machine to machine.
//
// A pool of threads works on the tiles of one kernel at a time. Which thread
// does which tile changes no bit of the result.
package cpu

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/par"
)

// Device is the host CPU with a number of threads. Any Device may use
// another's buffers.
type Device struct{ pool *par.Pool }

// New returns a device that runs each kernel on one thread: for callers that
// run programs side by side.
func New() accel.Device { return &Device{} }

// WithThreads returns a device that spreads each kernel over n threads; 0 means
// one for each CPU the process may use. The threads live as long as the process.
func WithThreads(n int) accel.Device { return &Device{par.New(n)} }

// Pool is the device's threads, for work beside its programs; nil is the caller's
// alone.
func (d *Device) Pool() *par.Pool { return d.pool }

// Name is "cpu".
func (*Device) Name() string { return "cpu" }

// Alloc returns a zeroed buffer, which is an accel.HostMemory.
func (*Device) Alloc(bytes int) (accel.Buffer, error) {
	if bytes < 0 {
		return nil, fmt.Errorf("cpu: buffer of %d bytes", bytes)
	}
	return &buffer{accel.Aligned(bytes)}, nil
}

// buffer is host memory.
type buffer struct{ b []byte }

func (b *buffer) Bytes() int { return len(b.b) }

// Wrap makes the buffer look at other memory of the same size.
func (b *buffer) Wrap(mem []byte) {
	if len(mem) != len(b.b) {
		panic(fmt.Sprintf("cpu: %d bytes wrapped by a buffer of %d", len(mem), len(b.b)))
	}
	b.b = mem
}

// queue does everything at once.
type queue struct {
	d   *Device
	err error
}

// NewQueue returns a queue whose operations are done when they return.
func (d *Device) NewQueue() accel.Queue { return &queue{d: d} }

func (q *queue) Write(dst accel.Buffer, src []byte) error {
	b, ok := dst.(*buffer)
	if !ok || len(b.b) != len(src) {
		return q.fail(fmt.Errorf("cpu: write of %d bytes to a buffer (%T) of %d", len(src), dst, dst.Bytes()))
	}
	if q.err == nil {
		copy(b.b, src)
	}
	return q.err
}

func (q *queue) Read(dst []byte, src accel.Buffer) error {
	b, ok := src.(*buffer)
	if !ok || len(b.b) != len(dst) {
		return q.fail(fmt.Errorf("cpu: read of %d bytes from a buffer (%T) of %d", len(dst), src, src.Bytes()))
	}
	if q.err == nil {
		copy(dst, b.b)
	}
	return q.err
}

func (q *queue) Run(p accel.Program, args []accel.Buffer) error {
	prog, ok := p.(*program)
	if !ok {
		return q.fail(fmt.Errorf("cpu: program of another device (%T)", p))
	}
	if q.err != nil {
		return q.err
	}
	if err := prog.run(q.d.pool, args); err != nil {
		return q.fail(err)
	}
	return nil
}

func (q *queue) Wait() error {
	err := q.err
	q.err = nil
	return err
}

func (q *queue) fail(err error) error {
	if q.err == nil {
		q.err = err
	}
	return q.err
}

// Package cpu is the portable accel.Device: kernels in plain Go, one thread a
// kernel call, the same bits on every CPU and for every way of cutting a batch.
//
// Parallelism comes from above: programs are cheap, so run one a goroutine.
// Kernels of a row-wise operator compute each row from that row alone.
package cpu

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// Device is the host CPU. It holds no state, so all Devices are equal and any
// may use another's buffers.
type Device struct{}

// New returns the device.
func New() accel.Device { return Device{} }

// Name is "cpu".
func (Device) Name() string { return "cpu" }

// buffer is host memory; exactly one of the slices is used.
type buffer struct {
	dtype accel.DType
	n     int
	host  accel.Host
}

// Alloc returns a zeroed buffer.
func (Device) Alloc(t accel.DType, n int) (accel.Buffer, error) {
	if n < 0 {
		return nil, fmt.Errorf("cpu: buffer of %d elements", n)
	}
	b := &buffer{dtype: t, n: n}
	switch t {
	case accel.Float32:
		b.host.F32 = make([]float32, n)
	case accel.Int32:
		b.host.I32 = make([]int32, n)
	case accel.Uint64:
		b.host.U64 = make([]uint64, n)
	default:
		return nil, fmt.Errorf("cpu: no buffers of type %s", t)
	}
	return b, nil
}

func (b *buffer) DType() accel.DType { return b.dtype }
func (b *buffer) Len() int           { return b.n }

// Write copies src to the buffer.
func (b *buffer) Write(src accel.Host) error { return b.move(b.host, src, src) }

// Read copies the buffer to dst.
func (b *buffer) Read(dst accel.Host) error { return b.move(dst, b.host, dst) }

func (b *buffer) move(dst, src, check accel.Host) error {
	if err := check.Check(b.dtype, b.n); err != nil {
		return err
	}
	copy(dst.F32, src.F32)
	copy(dst.I32, src.I32)
	copy(dst.U64, src.U64)
	return nil
}

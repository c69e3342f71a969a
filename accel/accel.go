// Package accel is what a model knows of the machine it runs on: a Device
// compiles a list of instructions into a Program and moves data in and out of
// its Buffers. Instructions are ONNX operators on shaped tensors, so a device
// knows neither graphs, nor layers, nor training.
//
// The devices themselves live below: accel/cpu is the portable reference;
// package accel/devices opens one by name.
package accel

import "fmt"

// Device is one place where programs run.
type Device interface {
	// Name is the name that devices.Open knows the device by.
	Name() string
	// Alloc returns a zeroed buffer of n elements.
	Alloc(t DType, n int) (Buffer, error)
	// Compile checks the code and turns it into a Program of this device. The
	// code is not kept and may be changed afterwards.
	Compile(c *Code) (Program, error)
}

// Buffer is device memory holding elements of one type.
type Buffer interface {
	DType() DType
	Len() int
	// Write copies all of src, which has the buffer's type and length, to the device.
	Write(src Host) error
	// Read copies all of the buffer to dst, which has its type and length.
	Read(dst Host) error
}

// Program is compiled code with the memory it works in. It is not safe for
// concurrent use: run several programs side by side instead.
type Program interface {
	// Run executes the instructions in order. args are buffers of the device
	// that compiled the program, as many as Code.Args, in that order; no two may
	// share memory where one is written.
	Run(args []Buffer) error
}

// Host is a slice of host memory of one of the element types; the other fields
// are nil. It is passed by value so that moving data allocates nothing.
type Host struct {
	F32 []float32
	I32 []int32
	U64 []uint64
}

// HostF32 wraps a float32 slice, which stays the caller's.
func HostF32(s []float32) Host { return Host{F32: s} }

// HostI32 wraps an int32 slice, which stays the caller's.
func HostI32(s []int32) Host { return Host{I32: s} }

// HostU64 wraps a uint64 slice, which stays the caller's.
func HostU64(s []uint64) Host { return Host{U64: s} }

// Check reports whether the slice has n elements of type t.
func (h Host) Check(t DType, n int) error {
	got := -1
	switch t {
	case Float32:
		if h.F32 != nil || n == 0 {
			got = len(h.F32)
		}
	case Int32:
		if h.I32 != nil || n == 0 {
			got = len(h.I32)
		}
	case Uint64:
		if h.U64 != nil || n == 0 {
			got = len(h.U64)
		}
	}
	if got < 0 {
		return fmt.Errorf("accel: host slice is not of type %s", t)
	}
	if got != n {
		return fmt.Errorf("accel: host slice has %d elements, the buffer %d", got, n)
	}
	return nil
}

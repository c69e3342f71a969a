// Package accel is what a model knows of the machine it runs on: a Device
// compiles a list of instructions into a Program, and its Queues move data in
// and out of Buffers and run programs. Instructions are ONNX operators on
// shaped tensors, so a device knows neither graphs, nor layers, nor training.
//
// The devices themselves live below: accel/cpu is the host's processor;
// package accel/devices opens one by name.
package accel

import "errors"

// ErrUnsupported marks errors that say: this is well-formed, but nothing here
// can compute it.
var ErrUnsupported = errors.New("not supported")

// Device is one place where programs run. It is safe for concurrent use.
type Device interface {
	// Name is the name that devices.Open knows the device by.
	Name() string
	// Alloc returns a zeroed buffer.
	Alloc(bytes int) (Buffer, error)
	// Compile checks the code and turns it into a Program of this device. The
	// constants' bytes are kept and must not change; the rest is not kept.
	Compile(c *Code) (Program, error)
	// NewQueue returns an empty queue.
	NewQueue() Queue
}

// Buffer is memory of a device.
type Buffer interface {
	// Bytes is its size.
	Bytes() int
}

// Program is compiled code. It is safe for concurrent use: each run that is
// under way at the same time has working memory of its own, which is kept for
// the runs that follow.
type Program interface {
	// Workspace is the memory in bytes that one run works in, beside arguments
	// and constants.
	Workspace() int
}

// Queue does what it is told in order, and may do it after the call returned:
// only Wait says that it is done. Until then the caller leaves the slices and
// buffers that it passed alone. An error of any operation comes out of that call
// or a later one; the operations after it are not done. A queue belongs to one goroutine
// at a time.
type Queue interface {
	// Write copies all of src, which is as long as dst, to the device.
	Write(dst Buffer, src []byte) error
	// Read copies all of src to dst, which is as long.
	Read(dst []byte, src Buffer) error
	// Run runs a program of the queue's device. args are buffers of that
	// device, as many as Code.Args, in that order, each of the bytes of its
	// tensor; one that is written may share memory with no other. args itself may
	// be used again as soon as Run returns.
	Run(p Program, args []Buffer) error
	// Wait returns when everything is done, with the first error since the last Wait.
	Wait() error
}

// HostMemory is a Buffer that the host can address. Wrap makes a device with
// such buffers work in place instead of copying.
type HostMemory interface {
	Buffer
	// Wrap makes the buffer look at b, which is as long as the buffer and stays the caller's.
	Wrap(b []byte)
}

package accel

import "fmt"

// Code is a straight-line program for one set of shapes, with its memory plan.
type Code struct {
	Tensors []Tensor
	// Args is the number of buffers that Run is given.
	Args int
	// ArenaBytes is the size of the memory that tensors with an Offset share.
	ArenaBytes int
	Instrs     []Instr
}

// Tensor is one shaped view of memory. Several tensors may view the same bytes
// if their lives do not overlap, or if one is a reshaped view of another.
type Tensor struct {
	Name  string
	DType DType
	Shape []int // row-major, all dimensions > 0; empty for a scalar
	Arg   int   // the buffer of Run that holds it, or -1
	// Offset is where it starts in the arena, in bytes, if Arg is -1. It is a
	// multiple of Align.
	Offset int
}

// Align is the alignment of tensors in the arena, in bytes: a cache line, and
// the widest vector of today's CPUs.
const Align = 64

// Instr applies one operator.
type Instr struct {
	Op   string // ONNX operator name, or a gradient operator named like ONNX Runtime's
	Name string // of the graph's node, for messages
	// In and Out index Code.Tensors; -1 is an optional one that is absent.
	In, Out []int
	Attrs   Attrs
}

// Len is the number of elements.
func (t Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Bytes is the size of the tensor's elements.
func (t Tensor) Bytes() int { return t.Len() * t.DType.Size() }

// Validate checks what every device relies on: types, shapes, memory within
// bounds, indices within range.
func (c *Code) Validate() error {
	for i, t := range c.Tensors {
		if err := c.checkTensor(t); err != nil {
			return fmt.Errorf("accel: tensor %d (%s): %w", i, t.Name, err)
		}
	}
	for i, in := range c.Instrs {
		for _, list := range [][]int{in.In, in.Out} {
			for _, id := range list {
				if id < -1 || id >= len(c.Tensors) {
					return fmt.Errorf("accel: instruction %d (%s %s): tensor %d of %d", i, in.Op, in.Name, id, len(c.Tensors))
				}
			}
		}
	}
	return nil
}

func (c *Code) checkTensor(t Tensor) error {
	if !t.DType.Valid() {
		return fmt.Errorf("unknown element type %s", t.DType)
	}
	for _, d := range t.Shape {
		if d <= 0 {
			return fmt.Errorf("shape %v has a dimension that is not positive", t.Shape)
		}
	}
	if t.Arg >= c.Args {
		return fmt.Errorf("argument %d of %d", t.Arg, c.Args)
	}
	if t.Arg >= 0 {
		return nil
	}
	if t.Offset < 0 || t.Offset%Align != 0 || t.Offset+t.Bytes() > c.ArenaBytes {
		return fmt.Errorf("%d bytes at offset %d do not lie aligned in an arena of %d", t.Bytes(), t.Offset, c.ArenaBytes)
	}
	return nil
}

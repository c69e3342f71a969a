package accel

import "fmt"

// Code is a straight-line program for one set of shapes, with its memory plan.
type Code struct {
	Tensors []Tensor
	// Args is the number of buffers that Run is given.
	Args int
	// ArenaBytes is the size of the memory that tensors with an Offset share.
	ArenaBytes int
	// LiveBytes is the greatest sum of the arena's tensors that live at the same
	// time: no plan could do with less than that.
	LiveBytes int
	Instrs    []Instr
}

// Tensor is one shaped view of memory. Several tensors may view the same bytes
// if their lives do not overlap, or if one is a reshaped view of another.
type Tensor struct {
	Name  string
	DType DType
	Shape []int  // row-major, all dimensions ≥ 0; empty for a scalar
	Arg   int    // the buffer of Run that holds it, or -1
	Data  []byte // its value, if it is a constant; then Arg is -1
	// Offset is where it starts in the arena, in bytes, if it is neither an
	// argument nor a constant. It is a multiple of Align.
	Offset int
}

// Align is the alignment of tensors in the arena, in bytes: a cache line, and
// the widest vector of today's CPUs.
const Align = 64

// Instr applies one operator.
type Instr struct {
	Op   string // ONNX operator name, or one of our own: see model/graph
	Name string // of the graph's node, for messages
	// In and Out index Code.Tensors; -1 is an optional one that is absent.
	In, Out []int
	Attrs   Attrs
}

// Len is the number of elements.
func (t Tensor) Len() int { return Size(t.Shape) }

// Bytes is the size of the tensor's elements.
func (t Tensor) Bytes() int { return t.Len() * t.DType.Size() }

// Const reports whether the tensor is a constant.
func (t Tensor) Const() bool { return t.Data != nil }

// Validate checks what every device relies on: types, shapes, memory within
// bounds, indices within range, no writing to constants.
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
		for _, id := range in.Out {
			if id >= 0 && c.Tensors[id].Const() {
				return fmt.Errorf("accel: instruction %d (%s %s) writes to the constant %s", i, in.Op, in.Name, c.Tensors[id].Name)
			}
		}
	}
	return nil
}

func (c *Code) checkTensor(t Tensor) error {
	if !t.DType.Valid() {
		return fmt.Errorf("unknown element type %s", t.DType)
	}
	if n := t.Len(); n < 0 || n > maxInt/8 {
		return fmt.Errorf("shape %v is none, or too large", t.Shape)
	}
	if t.Arg >= c.Args {
		return fmt.Errorf("argument %d of %d", t.Arg, c.Args)
	}
	if t.Arg >= 0 {
		return nil
	}
	if t.Const() {
		if len(t.Data) != t.Bytes() {
			return fmt.Errorf("%d bytes of data for %s%v", len(t.Data), t.DType, t.Shape)
		}
		return nil
	}
	if t.Offset < 0 || t.Offset%Align != 0 || t.Bytes() > c.ArenaBytes-t.Offset {
		return fmt.Errorf("%d bytes at offset %d do not lie aligned in an arena of %d", t.Bytes(), t.Offset, c.ArenaBytes)
	}
	return nil
}

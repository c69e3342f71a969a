package cpu

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// call is one instruction with its tensors, as a kernel's builder sees it.
type call struct {
	accel.Attrs
	Op      string
	Name    string    // of the node
	in, out []*tensor // nil where an optional one is absent
	program *program
	threads int // that the device's pool has
}

// builder makes the kernels of one operator.
type builder struct {
	in, out int // how many inputs and outputs must be there, from the first on
	make    func(c *call) (kernel, error)
	// half says that the kernel takes float16 and bfloat16 itself. The others get
	// their half tensors as float32, and their results are rounded once.
	half bool
}

// check reports whether the required inputs and outputs are there.
func (b builder) check(c *call) error {
	if len(c.in) < b.in || len(c.out) < b.out {
		return fmt.Errorf("%d inputs and %d outputs, want at least %d and %d", len(c.in), len(c.out), b.in, b.out)
	}
	for i := range b.in {
		if c.in[i] == nil {
			return fmt.Errorf("input %d is absent", i)
		}
	}
	for i := range b.out {
		if c.out[i] == nil {
			return fmt.Errorf("output %d is absent", i)
		}
	}
	return nil
}

// input returns an optional input, nil if it is absent.
func (c *call) input(i int) *tensor {
	if i < len(c.in) {
		return c.in[i]
	}
	return nil
}

// output returns an optional output, nil if it is absent.
func (c *call) output(i int) *tensor {
	if i < len(c.out) {
		return c.out[i]
	}
	return nil
}

// ints returns the elements of input i, an int64 or int32 constant: a shape,
// axes and the like. It is nil if the input is absent.
func (c *call) ints(i int) ([]int, error) {
	t := c.input(i)
	if t == nil {
		return nil, nil
	}
	if !t.Const() {
		return nil, fmt.Errorf("input %d (%s) must be a constant", i, t.Name)
	}
	a := &accel.Array{DType: t.DType, Shape: t.Shape, Data: t.Data}
	out := make([]int, t.n)
	switch t.DType {
	case accel.Int64:
		for j, v := range accel.Values[int64](a) {
			out[j] = int(v)
		}
	case accel.Int32:
		for j, v := range accel.Values[int32](a) {
			out[j] = int(v)
		}
	default:
		return nil, unsupported(c.Op, t)
	}
	return out, nil
}

// scratchRef is memory that one kernel may use while it runs, on any frame.
type scratchRef struct{ bytes int }

// scratch reserves memory for the kernel. All kernels share it.
func (c *call) scratch(bytes int) scratchRef {
	c.program.scratch = max(c.program.scratch, bytes)
	return scratchRef{bytes}
}

// floats reserves room for n float32s.
func (c *call) floats(n int) scratchRef { return c.scratch(4 * n) }

func (s scratchRef) raw(f *frame) []byte    { return f.scratch[:s.bytes] }
func (s scratchRef) f32(f *frame) []float32 { return accel.View[float32](f.scratch[:s.bytes]) }

// job is the state of a kernel's tiles in one run: a par.Body.
type job interface{ Do(tile, worker int) }

// addJob makes one J in each frame, for kernels that spread tiles over the
// pool: the kernel fills it and hands it to the pool, which allocates nothing.
//
//	job := addJob[reluJob](c)
//	return func(f *frame) error {
//		j := job(f)
//		j.x, j.y = data[float32](f, x), data[float32](f, y)
//		f.pool.For(tiles, j)
//		return nil
//	}
func addJob[J any, P interface {
	*J
	job
}](c *call) func(f *frame) P {
	id := len(c.program.jobs)
	c.program.jobs = append(c.program.jobs, func() job { return P(new(J)) })
	return func(f *frame) P { return f.jobs[id].(P) }
}

// want reports the first tensor that is there but not of one of the types.
func want(op string, list []*tensor, types ...accel.DType) error {
	for _, x := range list {
		if x != nil && !slices.Contains(types, x.DType) {
			return unsupported(op, x)
		}
	}
	return nil
}

// unsupported says that the operator has no kernel for the tensor's type.
func unsupported(op string, t *tensor) error {
	return fmt.Errorf("%s of %s: %w", op, t.DType, accel.ErrUnsupported)
}

// sameLen reports the first tensor that has another number of elements than the first.
func sameLen(list ...*tensor) error {
	for _, x := range list[1:] {
		if x.n != list[0].n {
			return fmt.Errorf("tensor %s has shape %v, %s has %v", x.Name, x.Shape, list[0].Name, list[0].Shape)
		}
	}
	return nil
}

// shapeErr says that the tensors' shapes do not fit together.
func shapeErr(list ...*tensor) error {
	text := "shapes do not fit:"
	for _, x := range list {
		if x != nil {
			text += fmt.Sprintf(" %s %v", x.Name, x.Shape)
		}
	}
	return fmt.Errorf("%s", text)
}

// axis turns an axis that may count from the end into an index.
func axis(a, rank int) (int, error) {
	i := a
	if i < 0 {
		i += rank
	}
	if i < 0 || i >= rank {
		return 0, fmt.Errorf("axis %d of a tensor of rank %d", a, rank)
	}
	return i, nil
}

// around splits a shape at an axis: the number of elements before, on and after it.
func around(shape []int, axis int) (outer, n, inner int) {
	return accel.Size(shape[:axis]), shape[axis], accel.Size(shape[axis+1:])
}

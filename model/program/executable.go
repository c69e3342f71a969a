package program

import (
	"fmt"
	"slices"
	"sync"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
)

// Executable is a concrete graph compiled for a device. It is safe for
// concurrent use. Calls allocate nothing once as many have run side by side as
// ever will.
type Executable struct {
	dev     accel.Device
	program accel.Program
	inputs  []*graph.Value // inputs and parameters
	outputs []graph.Type
	code    *accel.Code

	mu   sync.Mutex
	idle []*call
}

// call is the queue and the buffers of one run.
type call struct {
	queue accel.Queue
	args  []accel.Buffer
	host  []accel.HostMemory // the same, on a device that can work in place; else nil
}

// maxBytes is the default of Options.MaxBytes.
const maxBytes = 64 << 30

// Compile optimises a concrete graph and compiles it. The graph may be changed. Of
// opts the passes, the precision and the memory count.
func Compile(dev accel.Device, bound *graph.Graph, opts Options) (*Executable, error) {
	bound, err := bound.Expanded()
	if err != nil {
		return nil, err
	}
	if err := bound.Optimize(opts.SkipPasses...); err != nil {
		return nil, err
	}
	if opts.Precision != 0 {
		if err := bound.LowerPrecision(opts.Precision); err != nil {
			return nil, err
		}
	}
	code, err := graph.Compile(bound, nil)
	if err != nil {
		return nil, err
	}
	if err := fits(bound, code, opts.MaxBytes); err != nil {
		return nil, err
	}
	e := &Executable{dev: dev, inputs: slices.Concat(bound.Inputs, bound.Params), code: code}
	for _, v := range bound.Outputs {
		e.outputs = append(e.outputs, v.Type)
	}
	if e.program, err = dev.Compile(code); err != nil {
		return nil, err
	}
	return e, nil
}

// fits checks that a run takes no more memory than most bytes; 0 is the default.
func fits(g *graph.Graph, code *accel.Code, most int) error {
	if most == 0 {
		most = maxBytes
	}
	left := most - code.ArenaBytes
	for _, v := range g.Outputs {
		if left >= 0 {
			left -= accel.Size(v.Type.Shape) * v.Type.DType.Size()
		}
	}
	if left >= 0 {
		return nil
	}
	var largest *graph.Value
	for _, v := range g.Values() {
		if v.Kind == graph.Result && (largest == nil || accel.Size(v.Type.Shape)*v.Type.DType.Size() > accel.Size(largest.Type.Shape)*largest.Type.DType.Size()) {
			largest = v
		}
	}
	return fmt.Errorf("program: a run takes more than %d bytes; its largest result is %s", most, largest)
}

// Code is the compiled instructions. Do not change it.
func (e *Executable) Code() *accel.Code { return e.code }

// Workspace is the memory in bytes that one run works in.
func (e *Executable) Workspace() int { return e.program.Workspace() }

// Outputs are the types of the outputs.
func (e *Executable) Outputs() []graph.Type { return e.outputs }

// Run computes the outputs. inputs are those of the graph, then its parameters.
func (e *Executable) Run(inputs ...*accel.Array) ([]*accel.Array, error) {
	out := make([]*accel.Array, len(e.outputs))
	for i, t := range e.outputs {
		out[i] = accel.NewArray(t.DType, t.Shape...)
	}
	return out, e.RunInto(out, inputs)
}

// RunInto is Run into arrays of the caller, of the outputs' types. On a device
// that works in host memory nothing is copied.
func (e *Executable) RunInto(outputs, inputs []*accel.Array) error {
	if len(inputs) != len(e.inputs) || len(outputs) != len(e.outputs) {
		return fmt.Errorf("program: %d inputs and %d outputs, want %d and %d", len(inputs), len(outputs), len(e.inputs), len(e.outputs))
	}
	for i, v := range e.inputs {
		if !isOf(inputs[i], v.Type) {
			return fmt.Errorf("program: input %q is %s, want %s", v.Name, kindOf(inputs[i]), v.Type)
		}
	}
	for i, t := range e.outputs {
		if !isOf(outputs[i], t) {
			return fmt.Errorf("program: room for output %d is %s, want %s", i, kindOf(outputs[i]), t)
		}
	}
	c, err := e.take()
	if err != nil {
		return err
	}
	defer e.give(c)
	if c.host != nil {
		return e.inPlace(c, outputs, inputs)
	}
	return e.copying(c, outputs, inputs)
}

// isOf reports whether a is an array of type t, with all its bytes.
func isOf(a *accel.Array, t graph.Type) bool {
	return a != nil && a.DType == t.DType && slices.Equal(a.Shape, t.Shape) && len(a.Data) == accel.Size(a.Shape)*a.DType.Size()
}

// kindOf is what an error says of an array.
func kindOf(a *accel.Array) string {
	if a == nil {
		return "absent"
	}
	return fmt.Sprintf("%s of %d bytes", a, len(a.Data))
}

func (e *Executable) inPlace(c *call, outputs, inputs []*accel.Array) error {
	for i, a := range inputs {
		c.host[i].Wrap(a.Data)
	}
	for i, a := range outputs {
		c.host[len(inputs)+i].Wrap(a.Data)
	}
	if err := c.queue.Run(e.program, c.args); err != nil {
		_ = c.queue.Wait() // the same error
		return err
	}
	return c.queue.Wait()
}

func (e *Executable) copying(c *call, outputs, inputs []*accel.Array) error {
	for i, a := range inputs {
		if err := c.queue.Write(c.args[i], a.Data); err != nil {
			break // Wait says it again
		}
	}
	if c.queue.Run(e.program, c.args) == nil {
		for i, a := range outputs {
			if err := c.queue.Read(a.Data, c.args[len(inputs)+i]); err != nil {
				break
			}
		}
	}
	return c.queue.Wait()
}

// take returns an idle call, or a new one.
func (e *Executable) take() (*call, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if n := len(e.idle); n > 0 {
		c := e.idle[n-1]
		e.idle = e.idle[:n-1]
		return c, nil
	}
	c := &call{queue: e.dev.NewQueue()}
	for _, v := range e.inputs {
		if err := c.add(e.dev, v.Type); err != nil {
			return nil, err
		}
	}
	for _, t := range e.outputs {
		if err := c.add(e.dev, t); err != nil {
			return nil, err
		}
	}
	if len(c.host) != len(c.args) {
		c.host = nil
	}
	return c, nil
}

func (c *call) add(dev accel.Device, t graph.Type) error {
	b, err := dev.Alloc(accel.Size(t.Shape) * t.DType.Size())
	if err != nil {
		return fmt.Errorf("program: buffer of %s: %w", t, err)
	}
	c.args = append(c.args, b)
	if h, ok := b.(accel.HostMemory); ok {
		c.host = append(c.host, h)
	}
	return nil
}

func (e *Executable) give(c *call) {
	e.mu.Lock()
	e.idle = append(e.idle, c)
	e.mu.Unlock()
}

// pick chooses the executable's inputs from those of the graph it was made of:
// the ones that did not become constants.
func (e *Executable) pick(g *graph.Graph, inputs []*accel.Array) []*accel.Array {
	if len(inputs) == len(e.inputs) {
		return inputs
	}
	at := map[string]*accel.Array{}
	for i, v := range slices.Concat(g.Inputs, g.Params) {
		at[v.Name] = inputs[i]
	}
	out := make([]*accel.Array, len(e.inputs))
	for i, v := range e.inputs {
		out[i] = at[v.Name]
	}
	return out
}

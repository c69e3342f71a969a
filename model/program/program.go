// Package program runs graphs: it compiles them for a device, once for each set
// of input shapes, keeps what it compiled, and runs it.
//
// A graph whose shapes follow from those of its inputs becomes one
// accel.Program for each set of shapes (a bucket). Where the value of an
// input decides about shapes, as that of a Reshape's second input does, the bucket
// is made for the value too. A graph with more than that in it (loops, sequences,
// results whose size depends on data) is cut at these nodes, and runs part by part.
package program

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
)

// Options are settings of a Program; zero means the default.
type Options struct {
	// MaxBuckets is the number of sets of shapes that are kept compiled; the one
	// not used for longest goes. The default is 16.
	MaxBuckets int
	// MaxRounds is the number of rounds that a Loop may run. The default is 1<<24.
	MaxRounds int
	// MaxBytes bounds the memory that one run works in and its outputs, so that a graph
	// that asks for more is an error, not a process out of memory. The default is 64 GiB.
	MaxBytes int
	// SkipPasses names the graph passes to leave out, "all" for every one.
	SkipPasses []string
	// Precision is what the operands of matrix products are rounded to: BFloat16 or
	// Float16, with float32 sums. The default is Float32, no rounding.
	Precision accel.DType
}

// Program is a graph that is ready to run on a device, for any shapes. It is safe
// for concurrent use.
type Program struct {
	g    *graph.Graph
	dev  accel.Device
	opts Options

	mu      sync.Mutex
	values  map[string]bool // inputs whose values shapes depend on
	readers map[int]bool    // the nodes that read them
	evicted int             // buckets that had to go
	buckets map[string]*bucket
	clock   int
	isCut   bool // the graph runs part by part
	parts   []*part
}

type bucket struct {
	exec *Executable
	used int
}

// New returns a program of g, which must not be changed afterwards.
func New(g *graph.Graph, dev accel.Device, opts Options) *Program {
	if opts.MaxBuckets == 0 {
		opts.MaxBuckets = 16
	}
	if opts.MaxRounds == 0 {
		opts.MaxRounds = 1 << 24
	}
	if opts.MaxBytes == 0 {
		opts.MaxBytes = maxBytes
	}
	return &Program{g: g, dev: dev, opts: opts, values: map[string]bool{}, readers: map[int]bool{}, buckets: map[string]*bucket{}}
}

// Graph is the graph that the program runs.
func (p *Program) Graph() *graph.Graph { return p.g }

// Run computes the graph's outputs. inputs are those of the graph, inputs first,
// then parameters; the arrays stay the caller's and are only read.
func (p *Program) Run(inputs ...*accel.Array) ([]*accel.Array, error) {
	if err := p.check(inputs); err != nil {
		return nil, err
	}
	exec, parts, err := p.compiled(inputs)
	if err != nil {
		return nil, err
	}
	if exec != nil {
		return exec.Run(exec.pick(p.g, inputs)...)
	}
	data := make([]Datum, len(inputs))
	for i, a := range inputs {
		data[i] = Datum{Array: a}
	}
	results, err := p.runParts(parts, data)
	if err != nil {
		return nil, err
	}
	out := make([]*accel.Array, len(results))
	for i, d := range p.own(results) {
		if out[i], err = d.tensor(); err != nil {
			return nil, fmt.Errorf("program: output %s is %w: use RunData", p.g.Outputs[i].Name, err)
		}
	}
	return out, nil
}

// RunData is Run for graphs with inputs or outputs that are sequences or optionals.
func (p *Program) RunData(inputs ...Datum) ([]Datum, error) {
	out, err := p.runData(inputs)
	if err != nil {
		return nil, err
	}
	return p.own(out), nil
}

// runData is RunData, but the outputs may share memory with inputs and constants.
func (p *Program) runData(inputs []Datum) ([]Datum, error) {
	arrays, tensors := make([]*accel.Array, len(inputs)), true
	for i, d := range inputs {
		arrays[i] = d.Array
		tensors = tensors && d.Form == graph.Tensor
	}
	if !tensors {
		parts, err := p.inParts(inputs)
		if err != nil {
			return nil, err
		}
		return p.runParts(parts, inputs)
	}
	if err := p.check(arrays); err != nil {
		return nil, err
	}
	exec, parts, err := p.compiled(arrays)
	if err != nil {
		return nil, err
	}
	if exec == nil {
		return p.runParts(parts, inputs)
	}
	results, err := exec.Run(exec.pick(p.g, arrays)...)
	if err != nil {
		return nil, err
	}
	out := make([]Datum, len(results))
	for i, a := range results {
		out[i] = Datum{Array: a}
	}
	return out, nil
}

// own copies the results that may be inputs or constants: all but those of
// compiled parts.
func (p *Program) own(results []Datum) []Datum {
	clone := func(a *accel.Array) *accel.Array {
		if a == nil {
			return nil
		}
		out := accel.NewArray(a.DType, a.Shape...)
		copy(out.Data, a.Data)
		return out
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, v := range p.g.Outputs {
		if p.isCut && (v.Kind != graph.Result || onHost(v.Producer)) {
			d := &results[i]
			d.Array = clone(d.Array)
			d.Seq = slices.Clone(d.Seq)
			for k, a := range d.Seq {
				d.Seq[k] = clone(a)
			}
		}
	}
	return results
}

// check compares the inputs with the graph's declarations.
func (p *Program) check(inputs []*accel.Array) error {
	declared := append(append([]*graph.Value{}, p.g.Inputs...), p.g.Params...)
	if len(inputs) != len(declared) {
		return fmt.Errorf("program: %d inputs, want %d", len(inputs), len(declared))
	}
	for i, v := range declared {
		a := inputs[i]
		switch {
		case a == nil:
			return fmt.Errorf("program: input %q is absent", v.Name)
		case v.Type.DType != 0 && a.DType != v.Type.DType:
			return fmt.Errorf("program: input %q is %s, want %s", v.Name, a, v.Type)
		case v.Type.Form == graph.Tensor && len(a.Shape) != len(v.Type.Shape):
			return fmt.Errorf("program: input %q is %s, want %s", v.Name, a, v.Type)
		case len(a.Data) != accel.Size(a.Shape)*a.DType.Size():
			return fmt.Errorf("program: input %q: %d bytes for %s", v.Name, len(a.Data), a)
		}
	}
	return nil
}

// Compiled returns the executable for inputs of these shapes, of which only the
// values that shapes depend on are looked at. It errs where the graph must run
// part by part.
func (p *Program) Compiled(inputs ...*accel.Array) (*Executable, error) {
	exec, _, err := p.compiled(inputs)
	if err == nil && exec == nil {
		err = errors.New("program: the graph runs part by part")
	}
	return exec, err
}

// compiled finds or makes the executable of a bucket, or else the graph's parts.
func (p *Program) compiled(inputs []*accel.Array) (*Executable, []*part, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.isCut {
		key := p.key(inputs)
		p.clock++
		if b := p.buckets[key]; b != nil {
			b.used = p.clock
			return b.exec, nil, nil
		}
		if len(p.values) > 0 && len(p.g.Nodes) > 1 && p.evicted > 2*p.opts.MaxBuckets {
			if err := p.cutAt(p.readers); err != nil { // the values change all the time
				return nil, nil, err
			}
			break
		}
		exec, err := p.compile(inputs)
		if err == nil {
			p.keep(key, exec)
			return exec, nil, nil
		}
		if err := p.learn(err); err != nil {
			return nil, nil, err
		}
	}
	return nil, p.parts, nil
}

// inParts cuts the graph for inputs that are not all tensors.
func (p *Program) inParts(inputs []Datum) ([]*part, error) {
	declared := slices.Concat(p.g.Inputs, p.g.Params)
	if len(inputs) != len(declared) {
		return nil, fmt.Errorf("program: %d inputs, want %d", len(inputs), len(declared))
	}
	for i, v := range declared {
		d := inputs[i]
		switch form := v.Type.Form; {
		case form == graph.Tensor && d.Form != graph.Tensor,
			form == graph.Sequence && d.Form != graph.Sequence,
			d.Form != graph.Tensor && v.Type.DType != 0 && d.DType != v.Type.DType:
			return nil, fmt.Errorf("program: input %q is %s, want %s", v.Name, d, v.Type)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.isCut {
		if err := p.cutAt(nil); err != nil {
			return nil, err
		}
	}
	return p.parts, nil
}

// learn takes from an error what it says about the graph: that it must be compiled
// for the value of an input too, or must be cut. It returns the errors that
// say neither.
func (p *Program) learn(err error) error {
	var needs *graph.NeedsValue
	var dynamic *graph.Dynamic
	var at *graph.NodeError
	known := errors.As(err, &at)
	switch {
	case errors.As(err, &needs):
		if p.takes(needs.Value) {
			p.values[needs.Value.Name] = true
			if known {
				p.readers[at.Index] = true
			}
			return nil
		}
		if !known || len(p.g.Nodes) == 1 && !onHost(p.g.Nodes[0]) {
			return err
		}
		return p.cutAt(map[int]bool{at.Index: true})
	case errors.As(err, &dynamic) && (!known || slices.ContainsFunc(p.g.Nodes, onHost)):
		return p.cutAt(nil)
	}
	return err
}

// takes reports whether v is an input that the graph can still be compiled for
// the values of.
func (p *Program) takes(v *graph.Value) bool {
	return v.Kind == graph.Input && !p.values[v.Name] &&
		slices.ContainsFunc(p.g.Inputs, func(w *graph.Value) bool { return w.Name == v.Name })
}

// cutAt makes the graph run part by part from now on.
func (p *Program) cutAt(alone map[int]bool) error {
	parts, err := p.cut(alone)
	if err != nil {
		return fmt.Errorf("program: %w", err)
	}
	p.isCut, p.parts, p.buckets = true, parts, nil
	return nil
}

func (p *Program) compile(inputs []*accel.Array) (*Executable, error) {
	with := graph.Binding{Shapes: map[string][]int{}, Values: map[string]*accel.Array{}, DTypes: map[string]accel.DType{}}
	for i, v := range p.g.Inputs {
		with.DTypes[v.Name] = inputs[i].DType
		if p.values[v.Name] {
			with.Values[v.Name] = inputs[i]
		} else {
			with.Shapes[v.Name] = inputs[i].Shape
		}
	}
	bound, _, err := p.g.Bind(with)
	if err != nil {
		return nil, err
	}
	return Compile(p.dev, bound, p.opts)
}

// key identifies a bucket: the shapes of all inputs, and the values of those that matter.
func (p *Program) key(inputs []*accel.Array) string {
	var key []byte
	for i, v := range p.g.Inputs {
		key = append(key, byte(inputs[i].DType))
		key = binary.AppendUvarint(key, uint64(len(inputs[i].Shape)))
		for _, d := range inputs[i].Shape {
			key = binary.AppendUvarint(key, uint64(d))
		}
		if p.values[v.Name] {
			sum := sha256.Sum256(inputs[i].Data)
			key = append(key, sum[:]...)
		}
	}
	return string(key)
}

// keep stores a bucket and drops the one not used for longest, if there are too many.
func (p *Program) keep(key string, exec *Executable) {
	if len(p.buckets) >= p.opts.MaxBuckets {
		oldest, at := "", p.clock+1
		for k, b := range p.buckets {
			if b.used < at { // each clock value belongs to one bucket
				oldest, at = k, b.used
			}
		}
		delete(p.buckets, oldest)
		p.evicted++
	}
	p.buckets[key] = &bucket{exec, p.clock}
}

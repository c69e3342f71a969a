// Package program runs graphs: it compiles them for a device, once for each set
// of input shapes, keeps what it compiled, and runs it.
//
// A graph whose shapes follow from those of its inputs becomes one
// accel.Program for each set of shapes (a bucket). Where the value of an
// input decides about shapes, as that of a Reshape's second input does, the bucket
// is made for the value too. What is left (loops, sequences, results whose
// size depends on data) runs node by node, each node as a program of its own.
package program

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
)

// Options are settings of a Program; zero means the default.
type Options struct {
	// MaxBuckets is the number of sets of shapes that are kept compiled; the one
	// not used for longest goes. The default is 16.
	MaxBuckets int
	// SkipPasses names the graph passes to leave out, "all" for every one.
	SkipPasses []string
}

// Program is a graph that is ready to run on a device, for any shapes. It is safe
// for concurrent use.
type Program struct {
	g    *graph.Graph
	dev  accel.Device
	opts Options

	mu      sync.Mutex
	values  map[string]bool // inputs whose values shapes depend on
	stepped bool            // the graph runs node by node
	buckets map[string]*bucket
	clock   int
	steps   map[*graph.Node]*Program
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
	return &Program{g: g, dev: dev, opts: opts, values: map[string]bool{}, buckets: map[string]*bucket{}, steps: map[*graph.Node]*Program{}}
}

// Graph is the graph that the program runs.
func (p *Program) Graph() *graph.Graph { return p.g }

// Run computes the graph's outputs. inputs are those of the graph, inputs first,
// then parameters; the arrays stay the caller's and are only read.
func (p *Program) Run(inputs ...*accel.Array) ([]*accel.Array, error) {
	if err := p.check(inputs); err != nil {
		return nil, err
	}
	exec, err := p.compiled(inputs)
	if err != nil {
		return nil, err
	}
	if exec == nil {
		return p.runSteps(inputs)
	}
	return exec.Run(exec.pick(p.g, inputs)...)
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
// node by node.
func (p *Program) Compiled(inputs ...*accel.Array) (*Executable, error) {
	exec, err := p.compiled(inputs)
	if err == nil && exec == nil {
		err = errors.New("program: the graph runs node by node")
	}
	return exec, err
}

// compiled finds or makes the executable of a bucket; nil where there can be none.
func (p *Program) compiled(inputs []*accel.Array) (*Executable, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.stepped {
		key := p.key(inputs)
		p.clock++
		if b := p.buckets[key]; b != nil {
			b.used = p.clock
			return b.exec, nil
		}
		exec, err := p.compile(inputs)
		if err == nil {
			p.keep(key, exec)
			return exec, nil
		}
		if !p.learn(err) {
			return nil, err
		}
	}
	return nil, nil
}

// learn notes what an error says about the graph, and reports whether to try again.
func (p *Program) learn(err error) bool {
	var needs *graph.NeedsValue
	var dynamic *graph.Dynamic
	switch {
	case errors.As(err, &needs) && needs.Value.Kind == graph.Input && !p.values[needs.Value.Name]:
		p.values[needs.Value.Name] = true
	case errors.As(err, &needs) && len(p.g.Nodes) > 1, errors.As(err, &dynamic):
		p.stepped = true
	default:
		return false
	}
	return true
}

func (p *Program) compile(inputs []*accel.Array) (*Executable, error) {
	with := graph.Binding{Shapes: map[string][]int{}, Values: map[string]*accel.Array{}}
	for i, v := range p.g.Inputs {
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
	return Compile(p.dev, bound, p.opts.SkipPasses...)
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
			key = binary.AppendUvarint(key, uint64(len(inputs[i].Data)))
			key = append(key, inputs[i].Data...)
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
	}
	p.buckets[key] = &bucket{exec, p.clock}
}

package program

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
)

// Datum is what a value of a graph holds while it runs node by node: a tensor, a
// sequence of tensors, or an optional without anything in it.
type Datum struct {
	Form  graph.Form // Tensor, Sequence or Optional
	Array *accel.Array
	Seq   []*accel.Array
	DType accel.DType // of the elements of a sequence or an optional
}

// frame is the values of a graph while it runs node by node, and those of the
// graphs around it.
type frame struct {
	values map[*graph.Value]Datum
	outer  *frame
}

func (f *frame) get(v *graph.Value) (Datum, bool) {
	for ; f != nil; f = f.outer {
		if d, ok := f.values[v]; ok {
			return d, true
		}
	}
	if v.Kind == graph.Const {
		return Datum{Array: v.Data}, true
	}
	return Datum{}, false
}

// RunData is Run for graphs with inputs or outputs that are sequences or optionals.
func (p *Program) RunData(inputs ...Datum) ([]Datum, error) {
	declared := slices.Concat(p.g.Inputs, p.g.Params)
	if len(inputs) != len(declared) {
		return nil, fmt.Errorf("program: %d inputs, want %d", len(inputs), len(declared))
	}
	f := &frame{values: map[*graph.Value]Datum{}}
	for i, v := range declared {
		f.values[v] = inputs[i]
	}
	return p.runGraph(p.g, f)
}

func (p *Program) runSteps(inputs []*accel.Array) ([]*accel.Array, error) {
	data := make([]Datum, len(inputs))
	for i, a := range inputs {
		data[i] = Datum{Array: a}
	}
	results, err := p.RunData(data...)
	if err != nil {
		return nil, err
	}
	out := make([]*accel.Array, len(results))
	for i, d := range results {
		if out[i] = d.Array; d.Form != graph.Tensor {
			return nil, fmt.Errorf("program: output %s is no tensor: use RunData", p.g.Outputs[i].Name)
		}
	}
	return out, nil
}

// runGraph runs the nodes of a graph in order; f has its inputs.
func (p *Program) runGraph(g *graph.Graph, f *frame) ([]Datum, error) {
	for _, n := range g.Nodes {
		if err := p.step(n, f); err != nil {
			return nil, fmt.Errorf("program: %s (%s): %w", n.Name, n.Op, err)
		}
	}
	out := make([]Datum, len(g.Outputs))
	for i, v := range g.Outputs {
		d, ok := f.get(v)
		if !ok {
			return nil, fmt.Errorf("program: output %s is not computed", v.Name)
		}
		out[i] = d
	}
	return out, nil
}

// step runs one node.
func (p *Program) step(n *graph.Node, f *frame) error {
	in := make([]Datum, len(n.Inputs))
	for i, v := range n.Inputs {
		if v == nil {
			continue
		}
		d, ok := f.get(v)
		if !ok {
			return fmt.Errorf("input %s is not computed before it is read", v.Name)
		}
		in[i] = d
	}
	run := p.kernel
	if h, ok := hostOps[n.Op]; ok {
		run = func(n *graph.Node, in []Datum, f *frame) ([]Datum, error) { return h(p, n, in, f) }
	}
	out, err := run(n, in, f)
	if err != nil {
		return err
	}
	for i, v := range n.Outputs {
		if v == nil {
			continue
		}
		if i >= len(out) {
			return fmt.Errorf("%d outputs, want %d", len(out), len(n.Outputs))
		}
		f.values[v] = out[i]
	}
	return nil
}

// kernel runs a node on tensors as a program of its own, which is kept for the
// next time.
func (p *Program) kernel(n *graph.Node, in []Datum, _ *frame) ([]Datum, error) {
	sub, err := p.single(n, in)
	if err != nil {
		return nil, err
	}
	var arrays []*accel.Array
	for i, d := range in {
		if n.Inputs[i] == nil {
			continue
		}
		if d.Form != graph.Tensor {
			return nil, fmt.Errorf("input %s is no tensor", n.Inputs[i].Name)
		}
		arrays = append(arrays, d.Array)
	}
	results, err := sub.Run(arrays...)
	if err != nil {
		return nil, err
	}
	out, next := make([]Datum, len(n.Outputs)), 0
	for i, v := range n.Outputs {
		if v != nil {
			out[i] = Datum{Array: results[next]}
			next++
		}
	}
	return out, nil
}

// single is the program of one node.
func (p *Program) single(n *graph.Node, in []Datum) (*Program, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if sub := p.steps[n]; sub != nil {
		return sub, nil
	}
	g := graph.New(n.Name)
	m := &graph.Node{Op: n.Op, Name: n.Name, Attrs: n.Attrs, Graphs: n.Graphs, Inputs: make([]*graph.Value, len(n.Inputs))}
	for i, v := range n.Inputs {
		if v == nil {
			continue
		}
		t := graph.Type{Form: graph.Unknown}
		if in[i].Array != nil {
			t.DType = in[i].Array.DType
		}
		w, err := g.InputOf(fmt.Sprintf("input %d", i), t)
		if err != nil {
			return nil, err
		}
		m.Inputs[i] = w
	}
	names := make([]string, len(n.Outputs))
	for i, v := range n.Outputs {
		if v != nil {
			names[i] = fmt.Sprintf("output %d", i)
		}
	}
	if err := g.Append(m, names); err != nil {
		return nil, err
	}
	for _, v := range m.Outputs {
		if v != nil {
			g.Outputs = append(g.Outputs, v)
		}
	}
	sub := New(g, p.dev, p.opts)
	p.steps[n] = sub
	return sub, nil
}

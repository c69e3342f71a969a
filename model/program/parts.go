package program

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
)

// part is a piece of a graph that cannot be compiled as a whole: one node that
// runs on the host, or nodes that are a program of their own.
type part struct {
	node    *graph.Node // on the host; else nil
	bodies  map[string]body
	program *Program
	in, out []*graph.Value // of program
	drop    []*graph.Value // no later part reads them
}

// body is the program of a graph that is an attribute of a node.
type body struct {
	program *Program
	reads   []*graph.Value // of the graphs around it: its last inputs
}

// frame is the values of a graph while it runs part by part.
type frame map[*graph.Value]Datum

func (f frame) get(v *graph.Value) (Datum, error) {
	if v == nil {
		return Datum{}, nil
	}
	if d, ok := f[v]; ok {
		return d, nil
	}
	if v.Kind == graph.Const {
		return Datum{Array: v.Data}, nil
	}
	return Datum{}, fmt.Errorf("%s is not computed before it is read", v.Name)
}

func (f frame) all(vs []*graph.Value) ([]Datum, error) {
	out := make([]Datum, len(vs))
	for i, v := range vs {
		var err error
		if out[i], err = f.get(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// cut divides the graph: nodes for the host and those at the indices alone are parts
// of their own, as is what lies between.
func (p *Program) cut(alone map[int]bool) ([]*part, error) {
	var parts []*part
	start := 0
	flush := func(end int) error {
		if start == end {
			return nil
		}
		sub, in, out, err := p.g.Part(start, end)
		start = end
		if err != nil || len(out) == 0 {
			return err
		}
		parts = append(parts, &part{program: New(sub, p.dev, p.opts), in: in, out: out})
		return nil
	}
	for i, n := range p.g.Nodes {
		host := onHost(n)
		if !host && !alone[i] {
			continue
		}
		if err := flush(i); err != nil {
			return nil, err
		}
		var err error
		if host {
			start = i + 1
			err = p.hostPart(&parts, n)
		} else {
			err = flush(i + 1)
		}
		if err != nil {
			return nil, fmt.Errorf("%s (%s): %w", n.Name, n.Op, err)
		}
	}
	if err := flush(len(p.g.Nodes)); err != nil {
		return nil, err
	}
	p.drops(parts)
	return parts, nil
}

// onHost reports whether a node runs on the host. An Identity does if its input
// may be a sequence.
func onHost(n *graph.Node) bool {
	if v := n.Input(0); n.Op == "Identity" && v != nil {
		return v.Producer != nil && onHost(v.Producer) || v.Kind == graph.Input && v.Type.Form != graph.Tensor
	}
	return n.OnHost()
}

func (p *Program) hostPart(parts *[]*part, n *graph.Node) error {
	if hostOps[n.Op] == nil {
		return fmt.Errorf("operator %s on the host: %w", n.Op, accel.ErrUnsupported)
	}
	if err := n.CheckInputs(); err != nil {
		return err
	}
	pt := &part{node: n, bodies: map[string]body{}}
	for _, b := range n.Graphs {
		g, reads, err := b.Graph.Closed()
		if err != nil {
			return fmt.Errorf("%s: %w", b.Attr, err)
		}
		pt.bodies[b.Attr] = body{New(g, p.dev, p.opts), reads}
	}
	*parts = append(*parts, pt)
	return nil
}

// reads are the values that a part reads.
func (pt *part) reads() []*graph.Value {
	if pt.node == nil {
		return pt.in
	}
	out := slices.Clone(pt.node.Inputs)
	for _, b := range pt.node.Graphs {
		out = append(out, pt.bodies[b.Attr].reads...)
	}
	return out
}

// drops notes for each part what nobody reads after it.
func (p *Program) drops(parts []*part) {
	later := map[*graph.Value]bool{}
	for _, v := range p.g.Outputs {
		later[v] = true
	}
	for _, pt := range slices.Backward(parts) {
		for _, v := range pt.reads() {
			if v != nil && !later[v] {
				later[v] = true
				pt.drop = append(pt.drop, v)
			}
		}
	}
}

// runParts runs the graph part by part.
func (p *Program) runParts(parts []*part, inputs []Datum) ([]Datum, error) {
	f := frame{}
	for i, v := range slices.Concat(p.g.Inputs, p.g.Params) {
		f[v] = inputs[i]
	}
	for _, pt := range parts {
		var err error
		if pt.node != nil {
			err = p.runHost(pt, f)
		} else {
			err = pt.run(f)
		}
		if err != nil {
			return nil, err
		}
		for _, v := range pt.drop {
			delete(f, v)
		}
	}
	out, err := f.all(p.g.Outputs)
	if err != nil {
		return nil, fmt.Errorf("program: output %w", err)
	}
	return out, nil
}

// run runs the part's program.
func (pt *part) run(f frame) error {
	in, err := f.all(pt.in)
	if err != nil {
		return fmt.Errorf("program: %w", err)
	}
	for i, d := range in {
		if _, err := d.tensor(); err != nil {
			return fmt.Errorf("program: %s is %w", pt.in[i].Name, err)
		}
	}
	out, err := pt.program.runData(in)
	if err != nil {
		return err
	}
	for i, v := range pt.out {
		f[v] = out[i]
	}
	return nil
}

// runHost runs a node on the host.
func (p *Program) runHost(pt *part, f frame) error {
	n := pt.node
	in, err := f.all(n.Inputs)
	if err == nil {
		var out []Datum
		out, err = hostOps[n.Op](&hostCall{Node: n, in: in, part: pt, f: f, maxRounds: p.opts.MaxRounds})
		for i, v := range n.Outputs {
			switch {
			case err != nil || v == nil:
			case i >= len(out):
				err = fmt.Errorf("%d outputs, want %d", len(out), len(n.Outputs))
			default:
				f[v] = out[i]
			}
		}
	}
	if err != nil {
		return fmt.Errorf("program: %s (%s): %w", n.Name, n.Op, err)
	}
	return nil
}

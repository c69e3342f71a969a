package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu"
)

// host evaluates constants while graphs are made. One thread: what is folded is
// small, or done once.
var host = cpu.New()

// Evaluate computes one node whose inputs are all constants. It returns an array
// for each of the node's outputs, nil where nobody asked for it.
func Evaluate(n *Node) ([]*accel.Array, error) {
	g := New("fold")
	in := make([]*Value, len(n.Inputs))
	for i, v := range n.Inputs {
		if v == nil {
			continue
		}
		if v.Kind != Const {
			return nil, &NeedsValue{n, v}
		}
		in[i] = g.Const("", v.Data)
	}
	m, err := g.ApplyNode(n.Op, n.Name, n.Attrs, in...)
	if err != nil {
		return nil, err
	}
	for i, v := range n.Outputs {
		if v == nil {
			continue
		}
		out, err := g.Ask(m, i)
		if err != nil {
			return nil, err
		}
		g.Outputs = append(g.Outputs, out)
	}
	results, err := g.run()
	if err != nil {
		return nil, err
	}
	out, next := make([]*accel.Array, len(n.Outputs)), 0
	for i, v := range n.Outputs {
		if v != nil {
			out[i] = results[next]
			next++
		}
	}
	return out, nil
}

// run computes the outputs of a concrete graph without inputs.
func (g *Graph) run() ([]*accel.Array, error) {
	bound, to, err := g.Bind(Binding{NoFold: true})
	if err != nil {
		return nil, err
	}
	outputs := make([]*Value, len(g.Outputs))
	for i, v := range g.Outputs {
		outputs[i] = to[v]
	}
	code, err := Compile(bound, outputs)
	if err != nil {
		return nil, err
	}
	program, err := host.Compile(code)
	if err != nil {
		return nil, err
	}
	var results []*accel.Array
	var args []accel.Buffer
	for _, v := range outputs {
		a := accel.NewArray(v.Type.DType, v.Type.Shape...)
		buf, err := host.Alloc(0)
		if err != nil {
			return nil, err
		}
		if len(a.Data) > 0 {
			if buf, err = host.Alloc(len(a.Data)); err != nil {
				return nil, err
			}
			buf.(accel.HostMemory).Wrap(a.Data)
		}
		results, args = append(results, a), append(args, buf)
	}
	q := host.NewQueue()
	if err := q.Run(program, args); err != nil {
		return nil, err
	}
	return results, q.Wait()
}

// evaluate applies an operator of one output to arrays.
func (g *Graph) evaluate(op string, attrs accel.Attrs, in ...*accel.Array) (*accel.Array, error) {
	n := &Node{Op: op, Name: op, Attrs: attrs, Outputs: []*Value{{Name: op}}}
	for _, a := range in {
		n.Inputs = append(n.Inputs, &Value{Kind: Const, Data: a, Name: "const"})
	}
	out, err := Evaluate(n)
	if err != nil {
		return nil, fmt.Errorf("graph: %s: %w", op, err)
	}
	return out[0], nil
}

// foldable reports whether a node's value should be computed while the graph is
// bound.
func foldable(n *Node, types []Type) bool {
	o := table[n.Op]
	if o.random || len(n.Graphs) > 0 || len(n.Inputs) == 0 && n.Op != "Constant" {
		return false
	}
	return (o.late == nil || !o.late(n)) && affordable(n, types)
}

// affordable reports whether everything a node reads is known, and the result does
// not take much more memory than that.
func affordable(n *Node, types []Type) bool {
	in, out := 0, 0
	for _, v := range n.Inputs {
		if v == nil {
			continue
		}
		if v.Kind != Const {
			return false
		}
		in += len(v.Data.Data)
	}
	for _, t := range types {
		out += accel.Size(t.Shape) * t.DType.Size()
	}
	return out <= max(foldBytes, 4*in)
}

// foldBytes is what a folded value may take however small its inputs.
const foldBytes = 1 << 16

// Package graph is the one intermediate representation of a network: nodes
// apply ONNX operators to typed, shaped values. It infers shapes, appends the
// backward graph, counts operations and compiles to an accel.Program.
//
// A graph grows by Apply, which infers the result's type at once; so Nodes is
// always in an order in which it can be executed. Parameters are inputs: a
// graph holds no weights.
package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// N is the symbolic batch dimension in a Shape.
const N = -1

// Shape is a list of dimensions, each positive or N; empty for a scalar.
type Shape []int

// Type is what is known of a value before it is computed.
type Type struct {
	DType accel.DType
	Shape Shape
}

// Kind says where a value comes from.
type Kind uint8

// The kinds of values.
const (
	Input  Kind = iota + 1 // given to each run
	Param                  // given to each run, and trained
	Result                 // computed by Producer
)

// Value is one tensor of a graph; its name is unique there.
type Value struct {
	Name     string
	Type     Type
	Kind     Kind
	Producer *Node // nil unless Result
}

// Node is one application of an operator.
type Node struct {
	Op      string
	Name    string   // unique in the graph
	Inputs  []*Value // nil is an optional input that is absent
	Outputs []*Value // nil is an optional output that nobody asked for
	Attrs   accel.Attrs
}

// Graph is a network. Inputs and Params are in the order in which they were
// declared, which is the order of a compiled program's arguments.
type Graph struct {
	Name    string
	Inputs  []*Value
	Params  []*Value
	Nodes   []*Node
	Outputs []*Value

	names map[string]bool
}

// New returns an empty graph.
func New(name string) *Graph { return &Graph{Name: name, names: map[string]bool{}} }

// Input declares an input. It errs if the name is taken or the shape is not one.
func (g *Graph) Input(name string, t accel.DType, shape ...int) (*Value, error) {
	v, err := g.declare(name, Input, t, shape)
	if err == nil {
		g.Inputs = append(g.Inputs, v)
	}
	return v, err
}

// Param declares a float32 parameter, whose shape has no N.
func (g *Graph) Param(name string, shape ...int) (*Value, error) {
	if slices.Contains(shape, N) {
		return nil, fmt.Errorf("graph: parameter %q: shape %v depends on the batch", name, Shape(shape))
	}
	v, err := g.declare(name, Param, accel.Float32, shape)
	if err == nil {
		g.Params = append(g.Params, v)
	}
	return v, err
}

func (g *Graph) declare(name string, k Kind, t accel.DType, shape []int) (*Value, error) {
	if name == "" || g.names[name] {
		return nil, fmt.Errorf("graph: name %q is empty or already taken", name)
	}
	if !t.Valid() {
		return nil, fmt.Errorf("graph: %q: unknown element type %s", name, t)
	}
	for _, d := range shape {
		if d <= 0 && d != N {
			return nil, fmt.Errorf("graph: %q: shape %v: dimensions must be positive", name, Shape(shape))
		}
	}
	g.names[name] = true
	return &Value{Name: name, Kind: k, Type: Type{t, slices.Clone(Shape(shape))}}, nil
}

// Apply appends a node and returns its first output. The name is made unique
// by a number if it is taken; empty, it is the operator's name. A nil input is
// an optional one left out.
func (g *Graph) Apply(op, name string, attrs accel.Attrs, inputs ...*Value) (*Value, error) {
	n, err := g.ApplyNode(op, name, attrs, inputs...)
	if err != nil {
		return nil, err
	}
	return n.Outputs[0], nil
}

// ApplyNode is Apply for operators with several outputs. Optional outputs are
// nil until Ask.
func (g *Graph) ApplyNode(op, name string, attrs accel.Attrs, inputs ...*Value) (*Node, error) {
	o, ok := table[op]
	if !ok {
		return nil, fmt.Errorf("graph: no operator %q", op)
	}
	if name == "" {
		name = op
	}
	n := &Node{Op: op, Name: g.free(name), Inputs: inputs, Attrs: attrs}
	types, err := o.infer(n)
	if err != nil {
		return nil, fmt.Errorf("graph: %s %s(%s)%s: %w", n.Name, op, typeList(inputs), attrs, err)
	}
	g.names[n.Name] = true
	n.Outputs = make([]*Value, len(types))
	for i, t := range types {
		if i < max(1, o.outs) && o.outs != asked || o.outs == variadic {
			n.Outputs[i] = g.result(n, i, t)
		}
	}
	g.Nodes = append(g.Nodes, n)
	return n, nil
}

// Ask returns output i of a node, which may have been left out until now.
func (g *Graph) Ask(n *Node, i int) (*Value, error) {
	if i < len(n.Outputs) && n.Outputs[i] != nil {
		return n.Outputs[i], nil
	}
	types, err := table[n.Op].infer(n)
	if err != nil {
		return nil, err
	}
	if i >= len(types) {
		return nil, fmt.Errorf("graph: %s (%s) has no output %d", n.Name, n.Op, i)
	}
	n.Outputs[i] = g.result(n, i, types[i])
	return n.Outputs[i], nil
}

func (g *Graph) result(n *Node, i int, t Type) *Value {
	name := n.Name
	if i > 0 {
		name = g.free(fmt.Sprintf("%s:%d", n.Name, i))
		g.names[name] = true
	}
	return &Value{Name: name, Type: t, Kind: Result, Producer: n}
}

// free returns the name, or the name with the first number that makes it unique.
func (g *Graph) free(name string) string {
	if !g.names[name] {
		return name
	}
	for i := 2; ; i++ {
		if s := fmt.Sprintf("%s#%d", name, i); !g.names[s] {
			return s
		}
	}
}

// rename gives a result a free name, so that messages speak of it; no name, no change.
func (g *Graph) rename(v *Value, name string) {
	if !g.names[name] {
		g.names[name] = true
		v.Name = name
	}
}

// Values returns all values in program order: inputs, parameters, then results
// in the order in which they are computed.
func (g *Graph) Values() []*Value {
	out := slices.Concat(g.Inputs, g.Params)
	for _, n := range g.Nodes {
		for _, v := range n.Outputs {
			if v != nil {
				out = append(out, v)
			}
		}
	}
	return out
}

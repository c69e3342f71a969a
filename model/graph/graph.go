// Package graph is the one intermediate representation of a network: nodes
// apply ONNX operators, in the form of the newest opset, to typed, shaped
// values. It infers shapes, rewrites, appends the backward graph, counts
// operations and compiles to accel.Code.
//
// A graph may have symbolic dimensions. Bind makes a concrete one of it, for
// given shapes: constants are folded and functions expanded there, and what
// follows (Gradients, the passes, Compile) sees numbers only.
//
// Nodes is always in an order in which it can be executed.
package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// Kind says where a value comes from.
type Kind uint8

// The kinds of values.
const (
	Input  Kind = iota + 1 // given to each run
	Param                  // given to each run, and trained
	Const                  // known beforehand
	Result                 // computed by Producer
)

// Value is one tensor of a graph; its name is unique there.
type Value struct {
	Name     string
	Type     Type
	Kind     Kind
	Producer *Node        // nil unless Result
	Data     *accel.Array // nil unless Const; not to be written to
}

// Node is one application of an operator.
type Node struct {
	Op      string
	Name    string   // unique in the graph
	Inputs  []*Value // nil is an optional input that is absent
	Outputs []*Value // nil is an optional output that nobody asked for
	Attrs   accel.Attrs
	// Graphs are the bodies of If, Loop, Scan and SequenceMap. Their nodes may
	// read the values of the graphs around them.
	Graphs []Body
}

// Body is a graph that is an attribute of a node.
type Body struct {
	Attr  string // then_branch, else_branch, body
	Graph *Graph
}

// Graph is a network. Inputs and Params are in the order in which they were
// declared, which is the order of a compiled program's arguments.
type Graph struct {
	Name    string
	Inputs  []*Value
	Params  []*Value
	Consts  []*Value
	Nodes   []*Node
	Outputs []*Value

	names   map[string]bool
	numbers map[string]int // below them, all numbers after a name are taken
	symbols []symbol
}

// New returns an empty graph.
func New(name string) *Graph {
	g := &Graph{Name: name, names: map[string]bool{}, numbers: map[string]int{}}
	g.Symbol("N")
	return g
}

// Input declares an input. It errs if the name is taken or the type is none.
func (g *Graph) Input(name string, t accel.DType, shape ...int) (*Value, error) {
	return g.InputOf(name, Type{DType: t, Shape: shape})
}

// InputOf is Input for any type: of unknown rank, a sequence, an optional.
func (g *Graph) InputOf(name string, t Type) (*Value, error) {
	v, err := g.declare(name, Input, t)
	if err == nil {
		g.Inputs = append(g.Inputs, v)
	}
	return v, err
}

// Param declares a parameter, whose shape is concrete.
func (g *Graph) Param(name string, t accel.DType, shape ...int) (*Value, error) {
	if !Shape(shape).Concrete() {
		return nil, fmt.Errorf("graph: parameter %q: shape %v is not concrete", name, Shape(shape))
	}
	v, err := g.declare(name, Param, Type{DType: t, Shape: shape})
	if err == nil {
		g.Params = append(g.Params, v)
	}
	return v, err
}

// Const adds a constant, which the graph keeps. The name is made unique by a
// number if it is taken; empty, it is "const".
func (g *Graph) Const(name string, a *accel.Array) *Value {
	if name == "" {
		name = "const"
	}
	v := &Value{Name: g.free(name), Kind: Const, Type: Type{DType: a.DType, Shape: slices.Clone(Shape(a.Shape))}, Data: a}
	g.names[v.Name] = true
	g.Consts = append(g.Consts, v)
	return v
}

func (g *Graph) declare(name string, k Kind, t Type) (*Value, error) {
	if name == "" || g.names[name] {
		return nil, fmt.Errorf("graph: name %q is empty or already taken", name)
	}
	if err := g.checkType(t); err != nil {
		return nil, fmt.Errorf("graph: %q: %w", name, err)
	}
	g.names[name] = true
	t.Shape = slices.Clone(t.Shape)
	return &Value{Name: name, Kind: k, Type: t}, nil
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

// ApplyNode is Apply for operators with several outputs. Those that are
// optional are nil until Ask.
func (g *Graph) ApplyNode(op, name string, attrs accel.Attrs, inputs ...*Value) (*Node, error) {
	if name == "" {
		name = op
	}
	n := &Node{Op: op, Name: g.free(name), Inputs: slices.Clone(inputs), Attrs: attrs}
	types, err := g.infer(n)
	if err != nil {
		return nil, fmt.Errorf("graph: %s %s(%s)%s: %w", n.Name, op, typeList(inputs), attrs, err)
	}
	g.names[n.Name] = true
	n.Outputs = make([]*Value, len(types))
	o := table[op]
	for i, t := range types {
		if o.outs == variadic || i < max(1, o.outs) && o.outs != asked {
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
	types, err := g.infer(n)
	if err != nil {
		return nil, err
	}
	if i >= len(types) {
		return nil, fmt.Errorf("graph: %s (%s) has no output %d", n.Name, n.Op, i)
	}
	for len(n.Outputs) < len(types) {
		n.Outputs = append(n.Outputs, nil)
	}
	n.Outputs[i] = g.result(n, i, types[i])
	return n.Outputs[i], nil
}

// Append adds a node whose types are not known yet, as an importer finds it:
// outputs are the names of its outputs, "" for one left out. Infer finds the types.
func (g *Graph) Append(n *Node, outputs []string) error {
	if _, ok := table[n.Op]; !ok {
		return fmt.Errorf("graph: node %q: operator %s: %w", n.Name, n.Op, accel.ErrUnsupported)
	}
	if n.Name == "" || g.names[n.Name] {
		n.Name = g.free(n.Op)
	}
	for _, name := range outputs {
		if name == "" {
			n.Outputs = append(n.Outputs, nil)
			continue
		}
		if g.names[name] {
			return fmt.Errorf("graph: node %q: output %q: the name is already taken", n.Name, name)
		}
		g.names[name] = true
		n.Outputs = append(n.Outputs, &Value{Name: name, Kind: Result, Producer: n, Type: Type{Form: Unknown}})
	}
	g.names[n.Name] = true
	g.Nodes = append(g.Nodes, n)
	return nil
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
	for i := max(2, g.numbers[name]); ; i++ {
		if s := fmt.Sprintf("%s#%d", name, i); !g.names[s] {
			g.numbers[name] = i
			return s
		}
	}
}

// rename gives a result a free name, so that messages speak of it; no name, no change.
func (g *Graph) rename(v *Value, name string) {
	if name != "" && !g.names[name] {
		g.names[name] = true
		v.Name = name
	}
}

// Values returns all values in program order: inputs, parameters, constants,
// then results in the order in which they are computed.
func (g *Graph) Values() []*Value {
	out := slices.Concat(g.Inputs, g.Params, g.Consts)
	for _, n := range g.Nodes {
		for _, v := range n.Outputs {
			if v != nil {
				out = append(out, v)
			}
		}
	}
	return out
}

// Body returns the graph that is the attribute of that name, or nil.
func (n *Node) Body(attr string) *Graph {
	for _, b := range n.Graphs {
		if b.Attr == attr {
			return b.Graph
		}
	}
	return nil
}

// Input is input i, or nil if it is absent.
func (n *Node) Input(i int) *Value {
	if i < len(n.Inputs) {
		return n.Inputs[i]
	}
	return nil
}

// Output is output i, or nil if nobody asked for it.
func (n *Node) Output(i int) *Value {
	if i < len(n.Outputs) {
		return n.Outputs[i]
	}
	return nil
}

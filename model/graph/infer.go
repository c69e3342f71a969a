package graph

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// NeedsValue is the error of a rule that cannot tell the output's shape without
// the value of an input that is not a constant, such as the shape of a Reshape.
type NeedsValue struct {
	Node  *Node
	Value *Value
}

// Error names the node and the value.
func (e *NeedsValue) Error() string {
	return fmt.Sprintf("the shape depends on the value of %s", e.Value.Name)
}

// Dynamic is the error of a node that only a host can run, step by step:
// control flow, sequences, results whose size depends on data.
type Dynamic struct{ Node *Node }

// Error names the operator.
func (e *Dynamic) Error() string { return fmt.Sprintf("%s depends on data", e.Node.Op) }

// Context is a node as its shape rule sees it: all shapes are concrete.
type Context struct {
	*Node
	shapes [][]int // nil where an input is absent
	g      *Graph
	probe  int // the assignment of numbers to symbols that the shapes are for
	// varies is set when the rule has read a value that depends on symbols.
	varies bool
}

// Has reports whether input i is there.
func (c *Context) Has(i int) bool { return c.Input(i) != nil }

// Shape is the shape of input i, which must be there. Do not write to it.
func (c *Context) Shape(i int) []int { return c.shapes[i] }

// Rank is the rank of input i, which must be there.
func (c *Context) Rank(i int) int { return len(c.shapes[i]) }

// DType is the element type of input i, which must be there.
func (c *Context) DType(i int) accel.DType { return c.Inputs[i].Type.DType }

// Value is the value of input i, or a NeedsValue error if it is not a constant.
// It is nil if the input is absent.
func (c *Context) Value(i int) (*accel.Array, error) {
	v := c.Input(i)
	if v == nil {
		return nil, nil
	}
	if a := c.g.known(v, c.probe); a != nil {
		if v.Kind != Const && !c.varies {
			other := c.g.known(v, (c.probe+1)%probes)
			c.varies = other == nil || !bytes.Equal(a.Data, other.Data)
		}
		return a, nil
	}
	return nil, &NeedsValue{c.Node, v}
}

// known is the value of v if it follows from constants and shapes alone, for an
// assignment of numbers to symbols; else nil.
func (g *Graph) known(v *Value, p int) *accel.Array {
	if v.Kind == Const {
		return v.Data
	}
	n := v.Producer
	if g == nil || n == nil || table[n.Op].random || len(n.Graphs) > 0 || n.Outputs[0] != v {
		return nil
	}
	m := &Node{Op: n.Op, Name: n.Name, Attrs: n.Attrs, Outputs: n.Outputs[:1]}
	for _, in := range n.Inputs {
		switch {
		case in == nil:
			m.Inputs = append(m.Inputs, nil)
			continue
		case n.Op == "Shape" && in.Type.Form == Tensor:
			from, to := shapeRange(n, len(in.Type.Shape))
			return accel.Ints64(g.probe(in.Type.Shape, p)[from:to]...)
		}
		a := g.known(in, p)
		if a == nil {
			return nil
		}
		m.Inputs = append(m.Inputs, &Value{Name: in.Name, Kind: Const, Data: a})
	}
	out, err := Evaluate(m)
	if err != nil {
		return nil
	}
	return out[0]
}

// Ints is the value of input i as integers: a shape, axes and the like. It is nil
// if the input is absent.
func (c *Context) Ints(i int) ([]int, error) {
	a, err := c.Value(i)
	if a == nil || err != nil {
		return nil, err
	}
	out := make([]int, a.Len())
	switch a.DType {
	case accel.Int64:
		for j, v := range accel.Values[int64](a) {
			out[j] = int(v)
		}
	case accel.Int32:
		for j, v := range accel.Values[int32](a) {
			out[j] = int(v)
		}
	default:
		return nil, fmt.Errorf("input %d is %s, want int64", i, a.DType)
	}
	return out, nil
}

// Same reports an error unless the inputs that are there have one element type.
func (c *Context) Same(inputs ...int) error {
	var first *Value
	for _, i := range inputs {
		v := c.Input(i)
		if v == nil {
			continue
		}
		if first == nil {
			first = v
		}
		if v.Type.DType != first.Type.DType {
			return fmt.Errorf("%s is %s, %s is %s: want the same type", first.Name, first.Type.DType, v.Name, v.Type.DType)
		}
	}
	return nil
}

// IsA reports an error unless input i is absent or of one of the types.
func (c *Context) IsA(i int, types ...accel.DType) error {
	if v := c.Input(i); v != nil && !slices.Contains(types, v.Type.DType) {
		return fmt.Errorf("input %d (%s) is %s, want one of %v", i, v.Name, v.Type.DType, types)
	}
	return nil
}

// one is the result of a rule with one output.
func one(t accel.DType, shape []int) ([]Type, error) { return []Type{{DType: t, Shape: shape}}, nil }

// infer finds the types of all outputs of a node, optional ones included.
func (g *Graph) infer(n *Node) ([]Type, error) {
	o, ok := table[n.Op]
	if !ok {
		return nil, fmt.Errorf("operator %s: %w", n.Op, accel.ErrUnsupported)
	}
	if err := o.checkInputs(n); err != nil {
		return nil, err
	}
	if o.shapes == nil {
		return nil, &Dynamic{n}
	}
	symbolic := false
	for i, v := range n.Inputs {
		if v == nil {
			continue
		}
		if v.Type.Form != Tensor {
			return nil, &Dynamic{n}
		}
		symbolic = symbolic || !v.Type.Shape.Concrete() || v.Kind != Const && slices.Contains(o.static, i)
	}
	if !symbolic {
		types, varies, err := o.at(g, n, 0)
		if err != nil || !varies {
			return types, err
		}
	}
	return g.inferSymbolic(o, n)
}

// at applies the shape rule for assignment p of numbers to the symbols, and
// reports whether the values that it read depend on the symbols.
func (o operator) at(g *Graph, n *Node, p int) (types []Type, varies bool, err error) {
	c := &Context{Node: n, shapes: make([][]int, len(n.Inputs)), g: g, probe: p}
	for i, v := range n.Inputs {
		if v != nil {
			c.shapes[i] = g.probe(v.Type.Shape, p)
		}
	}
	if types, err = o.shapes(c); err != nil {
		return nil, false, err
	}
	for i, t := range types {
		if err := g.checkType(t); err != nil {
			return nil, false, fmt.Errorf("output %d: %w", i, err)
		}
	}
	return types, c.varies, nil
}

// inferSymbolic probes the rule.
func (g *Graph) inferSymbolic(o operator, n *Node) ([]Type, error) {
	var found [probes][]Type
	for p := range found {
		var err error
		if found[p], _, err = o.at(g, n, p); err != nil {
			return nil, err
		}
	}
	return g.fitTypes(found)
}

// fitTypes joins the types that each assignment gave.
func (g *Graph) fitTypes(found [probes][]Type) ([]Type, error) {
	out := slices.Clone(found[0])
	for i := range out {
		t := Type{DType: out[i].DType, Form: out[i].Form, Shape: make(Shape, len(out[i].Shape))}
		for d := range t.Shape {
			var at [probes]int
			for p := range at {
				if i >= len(found[p]) || len(found[p][i].Shape) != len(t.Shape) {
					return nil, errors.New("the number of outputs or dimensions depends on a symbolic dimension")
				}
				at[p] = found[p][i].Shape[d]
			}
			t.Shape[d] = g.fit(at)
		}
		out[i] = t
	}
	return out, nil
}

package onnx

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
	"github.com/millrace-go/millrace/model/onnx/wire"
)

// node imports one node.
func (s *scope) node(n *wire.Node) error {
	domain := domainOf(n.Domain)
	k := functionKey{domain, n.OpType, n.Overload}
	if f := s.im.functions[k]; f != nil {
		return s.function(n, k, f)
	}
	version, ok := s.opsets[domain]
	if !ok {
		return fmt.Errorf("operator %s of domain %q, of which the model imports no operator set", n.OpType, domain)
	}
	if domain == "" && n.OpType == "Constant" {
		return s.constantNode(n)
	}
	c := &call{s: s, op: n.OpType, version: version}
	if domain != "" {
		c.op = domain + "." + n.OpType
	}
	var err error
	if c.in, err = s.inputs(n.Inputs); err != nil {
		return err
	}
	if err := c.attributes(n); err != nil {
		return err
	}
	c.out = s.outputs(n.Outputs)
	c.name = n.Name
	if c.name == "" || s.prefix != "" {
		c.name = s.prefix + n.OpType
	}
	if err := c.finish(); err != nil {
		return err
	}
	for i, name := range n.Outputs {
		if name != "" {
			s.values[name] = c.results[i]
		}
	}
	return nil
}

// constantNode makes a constant of a Constant node.
func (s *scope) constantNode(n *wire.Node) error {
	if len(n.Outputs) != 1 || n.Outputs[0] == "" {
		return fmt.Errorf("%d outputs, want 1", len(n.Outputs))
	}
	if len(n.Attributes) != 1 {
		return fmt.Errorf("%d attributes, want one with the value", len(n.Attributes))
	}
	a, ok := s.resolve(n.Attributes[0])
	if !ok {
		return fmt.Errorf("no value for attribute %q", n.Attributes[0].Ref)
	}
	v, err := s.im.attributeArray(a)
	if err != nil {
		return fmt.Errorf("attribute %q: %w", a.Name, err)
	}
	name := s.outputs(n.Outputs)[0]
	s.values[n.Outputs[0]] = s.g.Const(name, v)
	return nil
}

// attributeArray is the value of a Constant node.
func (im *importer) attributeArray(a *wire.Attribute) (*accel.Array, error) {
	switch a.Type {
	case wire.AttributeTensor:
		return im.array(a.Tensor)
	case wire.AttributeSparseTensor:
		return im.dense(a.SparseTensor)
	case wire.AttributeFloat:
		return accel.ArrayOf(accel.Float32, []int{}, []float32{a.F}), nil
	case wire.AttributeFloats:
		return accel.ArrayOf(accel.Float32, []int{len(a.Floats)}, a.Floats), nil
	case wire.AttributeInt:
		return accel.ArrayOf(accel.Int64, []int{}, []int64{a.I}), nil
	case wire.AttributeInts:
		return accel.ArrayOf(accel.Int64, []int{len(a.Ints)}, a.Ints), nil
	}
	return nil, fmt.Errorf("a constant of type %v: %w", a.Type, accel.ErrUnsupported)
}

// attributes converts a node's attributes and the graphs among them.
func (c *call) attributes(n *wire.Node) error {
	for _, a := range n.Attributes {
		a, ok := c.s.resolve(a)
		if !ok || a.Name == "consumed_inputs" { // a hint of operator set 1 that says nothing of values
			continue
		}
		if c.attrs.Has(a.Name) {
			return fmt.Errorf("attribute %q comes twice", a.Name)
		}
		if err := c.attribute(a); err != nil {
			return fmt.Errorf("attribute %q: %w", a.Name, bare(err))
		}
	}
	return nil
}

// typeAttributes are integers that stand for an element type. The graph has its name instead.
var typeAttributes = map[string]bool{
	"to": true, "dtype": true, "output_dtype": true, "output_datatype": true,
	"precision": true, "softmax_precision": true, "stash_type": true,
}

func (c *call) attribute(a *wire.Attribute) error {
	switch a.Type {
	case wire.AttributeFloat:
		c.set(accel.Float(a.Name, float64(a.F)))
	case wire.AttributeInt:
		if !typeAttributes[a.Name] {
			c.set(accel.Int(a.Name, int(a.I)))
			break
		}
		if a.I == int64(wire.Undefined) { // as if it were not there
			break
		}
		t, err := dtypeOf(wire.DataType(a.I))
		if err != nil {
			return err
		}
		c.set(accel.String(a.Name, t.String()))
	case wire.AttributeString:
		c.set(accel.String(a.Name, a.S))
	case wire.AttributeFloats:
		c.set(accel.Floats(a.Name, convert[float64](a.Floats)...))
	case wire.AttributeInts:
		c.set(accel.Ints(a.Name, convert[int](a.Ints)...))
	case wire.AttributeStrings:
		c.set(accel.Strings(a.Name, a.Strings...))
	case wire.AttributeGraph:
		g, err := c.s.body(a.Graph)
		if err != nil {
			return err
		}
		c.bodies = append(c.bodies, graph.Body{Attr: a.Name, Graph: g})
	case wire.AttributeTensor:
		return c.tensorAttribute(a)
	case wire.AttributeTypeProto:
		return c.typeAttribute(a)
	default:
		return fmt.Errorf("of type %v: %w", a.Type, accel.ErrUnsupported)
	}
	return nil
}

func (c *call) set(a accel.Attr) { c.attrs = append(c.attrs, a) }

// tensorAttribute makes an input of the value of ConstantOfShape; of the others,
// which are the tables of LabelEncoder, a list and the name of the type, as
// attributes called values and values_type for one called values_tensor.
func (c *call) tensorAttribute(a *wire.Attribute) error {
	v, err := c.s.im.array(a.Tensor)
	if err != nil {
		return err
	}
	if c.op == "ConstantOfShape" && a.Name == "value" {
		c.in = append(c.in[:1:1], c.constant(v))
		return nil
	}
	list, err := listAttribute(a.Name, v)
	if err != nil {
		return err
	}
	c.set(list)
	c.set(accel.String(a.Name+"_type", v.DType.String()))
	return nil
}

// typeAttribute is the type of an empty Optional or sequence: the graph knows
// the element type, and whether it is a sequence.
func (c *call) typeAttribute(a *wire.Attribute) error {
	t := a.TypeProto
	kind := "tensor"
	if t.Sequence != nil {
		kind, t = "sequence", t.Sequence.Elem
	}
	if t == nil || t.Tensor == nil {
		return fmt.Errorf("a type other than of tensors and sequences of them: %w", accel.ErrUnsupported)
	}
	dtype, err := dtypeOf(t.Tensor.Elem)
	if err != nil {
		return err
	}
	c.set(accel.String(a.Name, dtype.String()))
	c.set(accel.String(a.Name+"_form", kind))
	return nil
}

// listAttribute is a tensor of numbers as a list.
func listAttribute(name string, v *accel.Array) (accel.Attr, error) {
	switch v.DType {
	case accel.Float32:
		return accel.Floats(name, convert[float64](accel.Values[float32](v))...), nil
	case accel.Float64:
		return accel.Floats(name, accel.Values[float64](v)...), nil
	case accel.Int64:
		return accel.Ints(name, convert[int](accel.Values[int64](v))...), nil
	case accel.Int32:
		return accel.Ints(name, convert[int](accel.Values[int32](v))...), nil
	case accel.Int16:
		return accel.Ints(name, convert[int](accel.Values[int16](v))...), nil
	}
	return accel.Attr{}, fmt.Errorf("a tensor of %s: %w", v.DType, accel.ErrUnsupported)
}

func convert[To, From int | int16 | int32 | int64 | float32 | float64](in []From) []To {
	out := make([]To, len(in))
	for i, v := range in {
		out[i] = To(v)
	}
	return out
}

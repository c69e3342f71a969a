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
	c := &call{s: s, op: n.OpType, version: version, name: n.Name}
	if c.name == "" || s.prefix != "" {
		c.name = s.prefix + n.OpType
	}
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
	if err := s.im.count(); err != nil {
		return err
	}
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
		err := checkAttribute(a)
		if err == nil {
			err = c.attribute(a)
		}
		if err != nil {
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

// tensorInputs are the attributes that are tensors in ONNX and constant inputs
// in the graph, by operator.
var tensorInputs = map[string]map[string]int{
	"ConstantOfShape":         {"value": 1},
	"ai.onnx.ml.LabelEncoder": {"keys_tensor": 1, "values_tensor": 2, "default_tensor": 3},
}

// tensorAttribute makes an input of a tensor.
func (c *call) tensorAttribute(a *wire.Attribute) error {
	i, ok := tensorInputs[c.op][a.Name]
	if !ok {
		return fmt.Errorf("of type %v: %w", a.Type, accel.ErrUnsupported)
	}
	v, err := c.s.im.array(a.Tensor)
	if err == nil {
		c.setInput(i, c.constant(v))
	}
	return err
}

// typeAttribute is the type of an empty Optional: the graph has the name of the
// element type as the attribute type, and "tensor" or "sequence" as type_form.
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

// convert changes the type of numbers.
func convert[To, From int | int64 | float32 | float64](in []From) []To {
	out := make([]To, len(in))
	for i, v := range in {
		out[i] = To(v)
	}
	return out
}

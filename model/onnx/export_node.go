package onnx

import (
	"fmt"
	"strings"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
	"github.com/millrace-go/millrace/model/onnx/wire"
)

// node exports one node.
func (e *exporter) node(w *wire.Graph, n *graph.Node) error {
	out := &wire.Node{OpType: n.Op, Name: n.Name}
	attrs, inputs := n.Attrs, n.Inputs
	switch {
	case n.Op == "MaskedDropout" || n.Op == "StopGradient":
		out.OpType, attrs, inputs = "Identity", nil, n.Inputs[:1]
	case n.Op == "ConstantOfShape" && n.Input(1) != nil && n.Inputs[1].Kind != graph.Const:
		out.OpType, inputs = "Expand", []*graph.Value{n.Inputs[1], n.Inputs[0]}
	}
	var err error
	if inputs, out.Attributes, err = tensorAttributes(n, inputs); err != nil {
		return err
	}
	if err := e.need(out, attrs, inputs); err != nil {
		return err
	}
	for _, v := range inputs {
		out.Inputs = append(out.Inputs, e.name(v))
	}
	for _, v := range n.Outputs {
		out.Outputs = append(out.Outputs, e.name(v))
	}
	for _, a := range attrs {
		at, err := exportAttribute(a, attrs)
		if err != nil {
			return fmt.Errorf("attribute %q: %w", a.Name, err)
		}
		if at != nil {
			out.Attributes = append(out.Attributes, at)
		}
	}
	for _, b := range n.Graphs {
		inner, err := e.graph(b.Graph, nil, true)
		if err != nil {
			return fmt.Errorf("%s: %w", b.Attr, err)
		}
		out.Attributes = append(out.Attributes, &wire.Attribute{Name: b.Attr, Type: wire.AttributeGraph, Graph: inner})
	}
	w.Nodes = append(w.Nodes, out)
	return nil
}

// need notes what the operator sets must have for a node, and splits its domain off.
func (e *exporter) need(out *wire.Node, attrs accel.Attrs, inputs []*graph.Value) error {
	if i := strings.LastIndexByte(out.OpType, '.'); i >= 0 {
		out.Domain, out.OpType = out.OpType[:i], out.OpType[i+1:]
		if domains[out.Domain] == 0 {
			return fmt.Errorf("operator set %q: %w", out.Domain, accel.ErrUnsupported)
		}
		e.domains[out.Domain] = true
		return nil
	}
	since, ok := operators[out.OpType]
	if !ok {
		return fmt.Errorf("the operator is not one of ONNX: %w", accel.ErrUnsupported)
	}
	e.opset, e.types = max(e.opset, since.form), max(e.types, since.types)
	for _, a := range attrs {
		e.opset = max(e.opset, attributeSince[out.OpType+"."+a.Name])
	}
	switch {
	case out.OpType == "Attention" && len(inputs) > 6 && inputs[6] != nil:
		e.opset = max(e.opset, 24)
	case out.OpType == "Range" && inputs[0].Type.DType.IsHalf():
		e.opset = max(e.opset, 27)
	}
	return nil
}

// tensorAttributes makes attributes of the constant inputs that ONNX has as such.
func tensorAttributes(n *graph.Node, inputs []*graph.Value) ([]*graph.Value, []*wire.Attribute, error) {
	names := tensorInputs[n.Op]
	if len(names) == 0 || len(inputs) < 2 || n.Inputs[0] != inputs[0] {
		return inputs, nil, nil
	}
	var out []*wire.Attribute
	for _, name := range sortedKeys(names) {
		v := n.Input(names[name])
		if v == nil {
			continue
		}
		if v.Kind != graph.Const {
			return nil, nil, fmt.Errorf("%s is not a constant: %w", name, accel.ErrUnsupported)
		}
		shape := v.Data.Shape
		if n.Op == "ConstantOfShape" {
			shape = []int{1} // it may be a scalar in the graph
		}
		t, err := tensorOf(name, &accel.Array{DType: v.Data.DType, Shape: shape, Data: v.Data.Data})
		if err != nil {
			return nil, nil, err
		}
		out = append(out, &wire.Attribute{Name: name, Type: wire.AttributeTensor, Tensor: t})
	}
	return inputs[:1], out, nil
}

// exportAttribute is the inverse of call.attribute; nil for one that is a part of another.
func exportAttribute(a accel.Attr, attrs accel.Attrs) (*wire.Attribute, error) {
	out := &wire.Attribute{Name: a.Name}
	switch v := a.Value().(type) {
	case int:
		out.Type, out.I = wire.AttributeInt, int64(v)
	case float64:
		out.Type, out.F = wire.AttributeFloat, float32(v)
	case string:
		return textAttribute(a.Name, v, attrs)
	case []int:
		out.Type, out.Ints = wire.AttributeInts, convert[int64](v)
	case []float64:
		out.Type, out.Floats = wire.AttributeFloats, convert[float32](v)
	case []string:
		out.Type, out.Strings = wire.AttributeStrings, v
	}
	return out, nil
}

// textAttribute is a text, or an element type or a type by its name.
func textAttribute(name, v string, attrs accel.Attrs) (*wire.Attribute, error) {
	form := attrs.Str("type_form", "")
	switch {
	case name == "type_form":
		return nil, nil
	case !typeAttributes[name] && (name != "type" || form == ""):
		return &wire.Attribute{Name: name, Type: wire.AttributeString, S: v}, nil
	}
	t, err := accel.ParseDType(v)
	if err != nil {
		return nil, err
	}
	if name != "type" {
		return &wire.Attribute{Name: name, Type: wire.AttributeInt, I: int64(dataTypes[t])}, nil
	}
	typ := &wire.Type{Tensor: &wire.TensorType{Elem: dataTypes[t]}}
	if form == "sequence" {
		typ = &wire.Type{Sequence: &wire.SequenceType{Elem: typ}}
	}
	return &wire.Attribute{Name: name, Type: wire.AttributeTypeProto, TypeProto: typ}, nil
}

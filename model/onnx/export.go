package onnx

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
	"github.com/millrace-go/millrace/model/onnx/wire"
)

// ExportOptions describes the model that Export makes.
type ExportOptions struct {
	// Params are the values of the graph's parameters, in their order; they become
	// initializers. Without them parameters become inputs.
	Params []*accel.Array
	// Producer is the name of the program that writes the model.
	Producer string
	// Doc describes the model.
	Doc string
	// Metadata are properties of the model; they are written sorted by key.
	Metadata map[string]string
}

// Export turns a graph into a model of the oldest operator set that has all that
// the graph uses in its present form, 21 or newer. Write it with wire.Save or
// wire.Encode. The model shares the memory of constants and parameters.
//
// The graph must consist of ONNX's operators: export it before passes or
// Gradients add operators of their own. MaskedDropout and StopGradient
// become Identity. Outputs whose shapes are not known are written without; some
// readers refuse that.
func Export(g *graph.Graph, opt ExportOptions) (*wire.Model, error) {
	if opt.Params != nil && len(opt.Params) != len(g.Params) {
		return nil, fmt.Errorf("onnx: %d values for %d parameters", len(opt.Params), len(g.Params))
	}
	e := &exporter{opset: exportOpset, domains: map[string]bool{}, taken: names{}, names: map[*graph.Value]string{}}
	m := &wire.Model{ProducerName: opt.Producer, Doc: opt.Doc}
	var err error
	if m.Graph, err = e.graph(g, opt.Params, false); err != nil {
		return nil, fmt.Errorf("onnx: graph %q: %w", g.Name, err)
	}
	m.OperatorSets = []wire.OperatorSet{{Domain: "", Version: e.version()}}
	m.IRVersion = irVersions[e.version()]
	for _, d := range sortedKeys(e.domains) {
		m.OperatorSets = append(m.OperatorSets, wire.OperatorSet{Domain: d, Version: domains[d]})
	}
	for _, k := range sortedKeys(opt.Metadata) {
		m.Metadata = append(m.Metadata, wire.Entry{Key: k, Value: opt.Metadata[k]})
	}
	return m, nil
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// exporter names values and notes what the operator set must have.
type exporter struct {
	opset   int64 // that the operators' forms need
	types   int64 // that the operators' types need, where they are newer ones
	newer   bool  // there are element types that operator set 21 uses little or not at all
	domains map[string]bool
	taken   names
	names   map[*graph.Value]string
}

// version is the version of ONNX's operator set that the model needs.
func (e *exporter) version() int64 {
	if e.newer {
		return max(e.opset, e.types)
	}
	return e.opset
}

// name is the name of a value in the file: its own if that is free there, for
// bodies may have values called like those around them.
func (e *exporter) name(v *graph.Value) string {
	if v == nil {
		return ""
	}
	if name, ok := e.names[v]; ok {
		return name
	}
	name := e.taken.fresh(v.Name)
	e.names[v] = name
	e.uses(v.Type.DType)
	return name
}

// uses notes an element type.
func (e *exporter) uses(t accel.DType) {
	switch t {
	case accel.BFloat16, accel.Float4E2M1, accel.Float8E8M0, accel.Int2, accel.Uint2:
		e.newer = true
	}
	since := map[accel.DType]int64{accel.BFloat16: 22, accel.Float4E2M1: 23, accel.Float8E8M0: 24, accel.Int2: 25, accel.Uint2: 25}
	e.opset = max(e.opset, since[t])
}

// graph exports a graph, or a body.
func (e *exporter) graph(g *graph.Graph, params []*accel.Array, body bool) (*wire.Graph, error) {
	w := &wire.Graph{Name: g.Name}
	if w.Name == "" {
		w.Name = "graph"
	}
	inputs := g.Inputs
	if params == nil {
		inputs = slices.Concat(g.Inputs, g.Params)
	}
	for _, v := range inputs {
		w.Inputs = append(w.Inputs, &wire.ValueInfo{Name: e.name(v), Type: e.typeOf(g, v.Type)})
	}
	for i, a := range params {
		if err := e.initializer(w, g.Params[i], a); err != nil {
			return nil, err
		}
	}
	for _, v := range g.Consts {
		if err := e.initializer(w, v, v.Data); err != nil {
			return nil, err
		}
	}
	for _, n := range g.Nodes {
		if err := e.node(w, n); err != nil {
			return nil, fmt.Errorf("node %q (%s): %w", n.Name, n.Op, err)
		}
	}
	e.outputs(w, g, body)
	return w, nil
}

func (e *exporter) initializer(w *wire.Graph, v *graph.Value, a *accel.Array) error {
	if a == nil || a.DType != v.Type.DType || !slices.Equal(a.Shape, v.Type.Shape) {
		return fmt.Errorf("the value of %q is %v, want %s", v.Name, a, v.Type)
	}
	t, err := tensorOf(e.name(v), a)
	w.Initializers = append(w.Initializers, t)
	return err
}

// outputs exports a graph's outputs. ONNX wants each to be the result of a node,
// and none to come twice.
func (e *exporter) outputs(w *wire.Graph, g *graph.Graph, body bool) {
	types := map[*graph.Value]graph.Type{}
	if !body {
		types = outputTypes(g)
	}
	seen := map[string]bool{}
	for _, v := range g.Outputs {
		name := e.name(v)
		own := v.Kind == graph.Result && (!body || slices.Contains(g.Nodes, v.Producer))
		if seen[name] || !own {
			copied := e.taken.fresh(v.Name)
			w.Nodes = append(w.Nodes, &wire.Node{OpType: "Identity", Name: copied, Inputs: []string{name}, Outputs: []string{copied}})
			name = copied
		}
		seen[name] = true
		t, known := types[v]
		if !known {
			t = v.Type
		}
		w.Outputs = append(w.Outputs, &wire.ValueInfo{Name: name, Type: e.typeOf(g, t)})
	}
}

// outputTypes are the types of a graph's outputs as far as they can be found,
// where one is not known yet.
func outputTypes(g *graph.Graph) map[*graph.Value]graph.Type {
	out := map[*graph.Value]graph.Type{}
	if !slices.ContainsFunc(g.Outputs, func(v *graph.Value) bool { return v.Type.Form == graph.Unknown }) {
		return out
	}
	c, to := g.Clone()
	if c.Infer() != nil {
		return out // what only running it tells stays unknown
	}
	for _, v := range g.Outputs {
		if t := to[v].Type; t.Shape.Concrete() {
			out[v] = t
		}
	}
	return out
}

// typeOf is a type of the graph in a file, nil if nothing is known.
func (e *exporter) typeOf(g *graph.Graph, t graph.Type) *wire.Type {
	if t.DType == 0 {
		return nil
	}
	e.uses(t.DType)
	tensor := &wire.TensorType{Elem: dataTypes[t.DType]}
	switch t.Form {
	case graph.Sequence:
		return &wire.Type{Sequence: &wire.SequenceType{Elem: &wire.Type{Tensor: tensor}}}
	case graph.OptionalSequence:
		sequence := &wire.SequenceType{Elem: &wire.Type{Tensor: tensor}}
		return &wire.Type{Optional: &wire.OptionalType{Elem: &wire.Type{Sequence: sequence}}}
	case graph.Optional:
		return &wire.Type{Optional: &wire.OptionalType{Elem: &wire.Type{Tensor: tensor}}}
	case graph.Tensor:
		tensor.Shape = &wire.Shape{}
		for _, d := range t.Shape {
			dim := wire.Dim{Known: d >= 0, Value: int64(max(d, 0))}
			if d < 0 {
				dim.Param = g.SymbolName(d)
			}
			tensor.Shape.Dims = append(tensor.Shape.Dims, dim)
		}
	}
	return &wire.Type{Tensor: tensor}
}

package onnx

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu"
	"github.com/millrace-go/millrace/model/graph"
	"github.com/millrace-go/millrace/model/onnx/wire"
	"github.com/millrace-go/millrace/model/program"
)

// value is a float32 tensor as a model declares it; a dimension is an int, a
// name, or "" if it is unknown.
func value(name string, dims ...any) *wire.ValueInfo {
	s := &wire.Shape{}
	for _, d := range dims {
		dim := wire.Dim{}
		if n, ok := d.(int); ok {
			dim.Known, dim.Value = true, int64(n)
		} else {
			dim.Param = d.(string)
		}
		s.Dims = append(s.Dims, dim)
	}
	return &wire.ValueInfo{Name: name, Type: &wire.Type{Tensor: &wire.TensorType{Elem: wire.Float, Shape: s}}}
}

// op is a node; inputs and outputs are names with commas between.
func op(typ, inputs, outputs string, attrs ...*wire.Attribute) *wire.Node {
	return &wire.Node{OpType: typ, Name: "the " + outputs, Inputs: strings.Split(inputs, ","), Outputs: strings.Split(outputs, ","), Attributes: attrs}
}

// floats is an initializer.
func floats(name string, values ...float32) *wire.Tensor {
	return &wire.Tensor{Name: name, Type: wire.Float, Dims: []int64{int64(len(values))}, Floats: values}
}

// modelOf is a model of operator set 21 with an input x float32[2] and an output y.
func modelOf(nodes []*wire.Node, initializers ...*wire.Tensor) *wire.Model {
	return &wire.Model{IRVersion: 10, OperatorSets: []wire.OperatorSet{{Version: 21}}, Graph: &wire.Graph{Name: "g", Nodes: nodes,
		Inputs: []*wire.ValueInfo{value("x", 2)}, Outputs: []*wire.ValueInfo{value("y", 2)}, Initializers: initializers}}
}

// runModel imports a model and runs it on float32 vectors.
func runModel(t *testing.T, m *wire.Model, opt Options, inputs ...[]float32) []float32 {
	t.Helper()
	im, err := Convert(m, opt)
	if err != nil {
		t.Fatal(err)
	}
	var in []*accel.Array
	for _, v := range inputs {
		in = append(in, accel.ArrayOf(accel.Float32, []int{len(v)}, v))
	}
	out, err := program.New(im.Graph, cpu.New(), program.Options{}).Run(append(in, im.Params...)...)
	if err != nil {
		t.Fatal(err)
	}
	return accel.Values[float32](out[0])
}

func TestImport(t *testing.T) {
	nodes := []*wire.Node{op("Mul", "x,w", "a"), op("Add", "a,b", "y")}
	m := modelOf(nodes, floats("w", 2, 3), floats("b", 1, -1), &wire.Tensor{Name: "unused", Type: wire.String, Dims: []int64{1}, Strings: []string{"s"}})
	m.Metadata, m.ProducerName = []wire.Entry{{Key: "k", Value: "v"}}, "p"
	m.Graph.Inputs = append(m.Graph.Inputs, value("b", 2)) // older files list initializers as inputs
	for _, trainable := range []bool{false, true} {
		got := runModel(t, m, Options{Trainable: trainable}, []float32{10, 20})
		if want := []float32{21, 59}; !slices.Equal(got, want) {
			t.Errorf("trainable %v: got %v, want %v", trainable, got, want)
		}
		im, err := Convert(m, Options{Trainable: trainable})
		if err != nil {
			t.Fatal(err)
		}
		params, consts := 0, 2
		if trainable {
			params, consts = 2, 0
		}
		if len(im.Params) != params || len(im.Graph.Params) != params || len(im.Graph.Consts) != consts || len(im.Graph.Inputs) != 1 {
			t.Errorf("trainable %v: %d values of %d parameters, %d constants, %d inputs; want %d, %d, %d, 1", trainable,
				len(im.Params), len(im.Graph.Params), len(im.Graph.Consts), len(im.Graph.Inputs), params, params, consts)
		}
		if im.Producer != "p" || im.Metadata["k"] != "v" {
			t.Errorf("producer %q, metadata %v", im.Producer, im.Metadata)
		}
	}
}

// A file, with its data beside it, gives the same as a model in memory.
func TestImportFile(t *testing.T) {
	w := floats("w", make([]float32, 2000)...)
	for i := range w.Floats {
		w.Floats[i] = float32(i)
	}
	m := modelOf([]*wire.Node{op("ReduceSum", "w", "s", &wire.Attribute{Name: "keepdims", Type: wire.AttributeInt}), op("Add", "x,s", "y")}, w)
	path := filepath.Join(t.TempDir(), "m.onnx")
	if err := wire.Save(path, m, wire.SaveOptions{ExternalBytes: 1000}); err != nil {
		t.Fatal(err)
	}
	im, err := Import(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := program.New(im.Graph, cpu.New(), program.Options{}).Run(accel.ArrayOf(accel.Float32, []int{2}, []float32{0, 1}))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := accel.Values[float32](out[0]), []float32{1999000, 1999001}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if err := os.Truncate(path+".data", 100); err != nil {
		t.Fatal(err)
	}
	if _, err := Import(path, Options{}); err == nil || !strings.Contains(err.Error(), `tensor "w"`) || strings.Contains(err.Error(), "\n") {
		t.Errorf("external data cut short: got error %q, want one line that names the tensor", err)
	}
}

func TestReadAndUnmarshal(t *testing.T) {
	var b bytes.Buffer
	if err := wire.Encode(&b, modelOf([]*wire.Node{op("Neg", "x", "y")})); err != nil {
		t.Fatal(err)
	}
	for name, read := range map[string]func() (*Model, error){
		"Read":      func() (*Model, error) { return Read(bytes.NewReader(b.Bytes()), int64(b.Len()), Options{}) },
		"Unmarshal": func() (*Model, error) { return Unmarshal(b.Bytes(), Options{}) },
	} {
		m, err := read()
		if err != nil || len(m.Graph.Nodes) != 1 || m.Graph.Nodes[0].Op != "Neg" {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
	if _, err := Unmarshal(b.Bytes()[:b.Len()-1], Options{}); !errors.Is(err, wire.ErrSyntax) {
		t.Errorf("cut short: got error %v", err)
	}
}

// Symbolic dimensions keep their names; unknown ones differ from each other.
func TestSymbols(t *testing.T) {
	m := modelOf([]*wire.Node{op("Concat", "x,z", "y", &wire.Attribute{Name: "axis", Type: wire.AttributeInt, I: 1})})
	m.Graph.Inputs = []*wire.ValueInfo{value("x", "batch", 3, ""), value("z", "batch", "", -1)}
	im, err := Convert(m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	x, z := im.Graph.Inputs[0].Type.Shape, im.Graph.Inputs[1].Type.Shape
	if x[0] != z[0] || x[0] >= 0 || x[1] != 3 || x[2] >= 0 || z[1] >= 0 || z[2] >= 0 || x[2] == z[1] || x[2] == z[2] {
		t.Errorf("shapes %v and %v", []int(x), []int(z))
	}
	if got := im.Graph.SymbolName(x[0]); got != "batch" {
		t.Errorf("symbol %q, want batch", got)
	}
}

// Each fault is one error that names the node and the reason.
func TestImportErrors(t *testing.T) {
	intAttr := func(name string, v int64) *wire.Attribute {
		return &wire.Attribute{Name: name, Type: wire.AttributeInt, I: v}
	}
	body := &wire.Graph{Name: "inner", Nodes: []*wire.Node{op("Neg", "nowhere", "r")}, Outputs: []*wire.ValueInfo{value("r", 2)}}
	branch := func(name string) *wire.Attribute {
		return &wire.Attribute{Name: name, Type: wire.AttributeGraph, Graph: body}
	}
	call := func(typ string) *wire.Node {
		n := op(typ, "x", "y")
		n.Domain = "f"
		return n
	}
	withFunctions := func(m *wire.Model, f ...*wire.Function) *wire.Model {
		m.Functions = f
		m.OperatorSets = append(m.OperatorSets, wire.OperatorSet{Domain: "f", Version: 1})
		return m
	}
	recursive := &wire.Function{Name: "F", Domain: "f", Inputs: []string{"a"}, Outputs: []string{"b"},
		Nodes: []*wire.Node{{OpType: "F", Domain: "f", Inputs: []string{"a"}, Outputs: []string{"b"}}}}
	for _, c := range []struct {
		name        string
		m           *wire.Model
		unsupported bool
		want        []string
	}{
		{"no graph", &wire.Model{}, false, []string{"no graph"}},
		{"missing input", modelOf([]*wire.Node{op("Neg", "x", "a"), op("Add", "a,b", "y")}), false,
			[]string{`onnx: graph "g": node 1 "the y" (Add): input 1: "b" is computed by no node`}},
		{"missing output", modelOf([]*wire.Node{op("Neg", "x", "z")}), false, []string{`graph "g": output "y": "y" is computed by no node`}},
		{"cycle", modelOf([]*wire.Node{op("Add", "x,b", "a"), op("Neg", "a", "b"), op("Neg", "b", "y")}), false,
			[]string{"cycle", `node 0 "the a" (Add)`, `node 1 "the b" (Neg)`}},
		{"self", modelOf([]*wire.Node{op("Neg", "y", "y")}), false, []string{"cycle", `node 0 "the y" (Neg)`}},
		{"two producers", modelOf([]*wire.Node{op("Neg", "x", "y"), op("Abs", "x", "y")}), false, []string{`value "y" is computed twice, by node 0`, "node 1"}},
		{"computes an input", modelOf([]*wire.Node{op("Neg", "x", "x")}), false, []string{"cycle"}},
		{"computes an initializer", modelOf([]*wire.Node{op("Neg", "x", "w")}, floats("w", 1)), false, []string{`node 0 "the w" (Neg): value "w" is an input or initializer already`}},
		{"initializer twice", modelOf(nil, floats("w", 1), floats("w", 1)), false, []string{`initializer "w": the name is empty or comes twice`}},
		{"unknown operator", modelOf([]*wire.Node{op("Frobnicate", "x", "y")}), true, []string{`node 0 "the y" (Frobnicate)`, "operator Frobnicate: not supported"}},
		{"unknown domain", modelOf([]*wire.Node{{OpType: "Z", Domain: "d", Outputs: []string{"y"}}}), false, []string{`node 0 (Z)`, `domain "d", of which the model imports no operator set`}},
		{"newer operator set", &wire.Model{OperatorSets: []wire.OperatorSet{{Version: newestOpset + 1}}, Graph: &wire.Graph{}}, true, []string{"version 29"}},
		{"older operator set", &wire.Model{OperatorSets: []wire.OperatorSet{{Version: 6}}, Graph: modelOf([]*wire.Node{op("Add", "x,x", "y")}).Graph}, true,
			[]string{`node 0 "the y" (Add)`, "operator set 6"}},
		{"two operator sets", &wire.Model{OperatorSets: []wire.OperatorSet{{Version: 20}, {Domain: "ai.onnx", Version: 21}}, Graph: &wire.Graph{}}, false, []string{"version 20 and 21"}},
		{"attribute twice", modelOf([]*wire.Node{op("Softmax", "x", "y", intAttr("axis", 0), intAttr("axis", 1))}), false, []string{`attribute "axis" comes twice`}},
		{"attribute of another type", modelOf([]*wire.Node{op("Softmax", "x", "y", &wire.Attribute{Name: "axis", Type: wire.AttributeFloat, F: 0})}), false,
			[]string{`node 0 "the y" (Softmax): attribute "axis": of type FLOAT, want INT`}},
		{"attribute of no operator", modelOf([]*wire.Node{op("Relu", "x", "y", intAttr("frobnication", 0))}), true,
			[]string{`node 0 "the y" (Relu): attribute "frobnication": no operator has it`}},
		{"no operator set", &wire.Model{OperatorSets: []wire.OperatorSet{{Version: 0}}, Graph: &wire.Graph{}}, true, []string{"version 0 of operator set \"\", want 7 to 28"}},
		{"string type", modelOf([]*wire.Node{op("Cast", "x", "y", intAttr("to", 8))}), true, []string{`node 0 "the y" (Cast): attribute "to": element type STRING`}},
		{"string tensor", modelOf([]*wire.Node{op("Add", "x,w", "y")}, &wire.Tensor{Name: "w", Type: wire.String, Dims: []int64{1}, Strings: []string{"s"}}), true,
			[]string{`input 1: tensor "w": element type STRING`}},
		{"fault in a body", modelOf([]*wire.Node{op("If", "x", "y", branch("then_branch"), branch("else_branch"))}), false,
			[]string{`node 0 "the y" (If): attribute "then_branch": graph "inner": node 0 "the r" (Neg): input 0: "nowhere"`}},
		{"recursion", withFunctions(modelOf([]*wire.Node{call("F")}), recursive), false, []string{`node 0 "the y" (F)`, `function "F" calls itself`}},
		{"function twice", withFunctions(modelOf([]*wire.Node{call("F")}), recursive, recursive), false, []string{`function "F" of domain "f" is defined twice`}},
		{"too many arguments", withFunctions(modelOf([]*wire.Node{{OpType: "F", Domain: "f", Inputs: []string{"x", "x"}, Outputs: []string{"y"}}}), recursive), false,
			[]string{`2 inputs and 1 outputs, but function "F" has 1 and 1`}},
	} {
		_, err := Convert(c.m, Options{})
		if err == nil || errors.Is(err, accel.ErrUnsupported) != c.unsupported {
			t.Errorf("%s: got error %v, want one, unsupported %v", c.name, err, c.unsupported)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %q, want %q in it", c.name, err, want)
			}
		}
	}
}

// A wrong shape is found when the graph is bound, and names the node.
func TestWrongShape(t *testing.T) {
	im, err := Convert(modelOf([]*wire.Node{op("Add", "x,w", "y")}, floats("w", 1, 2, 3)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := im.Graph.Infer(); err == nil || !strings.Contains(err.Error(), "the y (Add)") || !strings.Contains(err.Error(), "[3]") {
		t.Errorf("got error %v, want one that names the node and the shapes", err)
	}
}

// What a small file may ask for is bounded.
func TestImportLimits(t *testing.T) {
	big := &wire.SparseTensor{Values: floats("w"), Dims: []int64{1 << 30, 1 << 10}}
	m := modelOf([]*wire.Node{op("Add", "x,w", "y")})
	m.Graph.SparseInitializers = []*wire.SparseTensor{big}
	if _, err := Convert(m, Options{}); !errors.Is(err, wire.ErrLimit) {
		t.Errorf("a sparse tensor of 4 TiB: got error %v", err)
	}
	if _, err := Convert(modelOf([]*wire.Node{op("Add", "x,w", "y")}, floats("w", 1, 2)), Options{MaxBytes: 7}); !errors.Is(err, wire.ErrLimit) {
		t.Errorf("8 bytes of a limit of 7: got error %v", err)
	}
	// Each function calls the one before twice: 2⁴⁰ nodes, or as many calls of a function
	// that hands on its input, or constants.
	for _, leaf := range []string{"Neg", "", "Constant"} {
		if _, err := Convert(manyCalls(leaf), Options{MaxNodes: 1000}); !errors.Is(err, wire.ErrLimit) {
			t.Errorf("2⁴⁰ of %q: got error %v", leaf, err)
		}
	}
}

// manyCalls is a model that calls a function of one node, a leaf, 2⁴⁰ times.
func manyCalls(leaf string) *wire.Model {
	m := modelOf([]*wire.Node{{OpType: "F39", Domain: "f", Inputs: []string{"x"}, Outputs: []string{"y"}}})
	m.OperatorSets = append(m.OperatorSets, wire.OperatorSet{Domain: "f", Version: 1})
	for i := range 40 {
		f := &wire.Function{Name: fmt.Sprintf("F%d", i), Domain: "f", Inputs: []string{"a"}, Outputs: []string{"c"}}
		switch {
		case i > 0:
			for _, names := range [][]string{{"a", "b"}, {"b", "c"}} {
				f.Nodes = append(f.Nodes, &wire.Node{OpType: fmt.Sprintf("F%d", i-1), Domain: "f", Inputs: names[:1], Outputs: names[1:]})
			}
		case leaf == "":
			f.Outputs = f.Inputs
		case leaf == "Constant":
			f.Nodes = []*wire.Node{{OpType: leaf, Outputs: []string{"c"}, Attributes: []*wire.Attribute{{Name: "value_int", Type: wire.AttributeInt}}}}
		default:
			f.Nodes = []*wire.Node{{OpType: leaf, Inputs: []string{"a"}, Outputs: []string{"c"}}}
		}
		m.Functions = append(m.Functions, f)
	}
	return m
}

// Names of nodes and values may be the same, and nodes may be unsorted or unnamed.
func TestNames(t *testing.T) {
	nodes := []*wire.Node{op("Neg", "b", "y"), op("Abs", "x", "a"), op("Exp", "a", "b")}
	nodes[0].Name, nodes[1].Name, nodes[2].Name = "a", "", "b"
	im, err := Convert(modelOf(nodes), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range im.Graph.Nodes {
		got = append(got, n.Name+"="+n.Op)
	}
	if want := []string{"Abs=Abs", "b=Exp", "a#2=Neg"}; !slices.Equal(got, want) {
		t.Errorf("nodes %q, want %q", got, want)
	}
	if im.Graph.Outputs[0].Name != "y" || im.Graph.Outputs[0].Kind != graph.Result {
		t.Errorf("output %v", im.Graph.Outputs[0])
	}
}

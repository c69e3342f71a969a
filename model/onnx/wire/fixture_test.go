package wire

import (
	"bytes"
	"os"
	"reflect"
	"testing"
)

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A model written by ONNX's Python package that sets every field; see testdata/make.py.
func TestEveryField(t *testing.T) {
	data := readFile(t, "testdata/every_field.onnx")
	m, out := roundTrip[Model](t, "every_field.onnx", data)
	if !bytes.Equal(out, data) {
		t.Errorf("written as\n%q, want\n%q", out, data)
	}
	// Once more, from what Go code would set: the fields that no test below names must not be zero.
	for name, v := range map[string]any{"model": m, "graph": m.Graph, "node": m.Graph.Nodes[0], "function": m.Functions[0],
		"training": m.Training[0], "annotation": m.Graph.Annotations[0], "value": m.Graph.Inputs[0], "sparse": m.Graph.SparseInitializers[0]} {
		s := reflect.ValueOf(v).Elem()
		for i := range s.NumField() {
			if s.Field(i).IsZero() {
				t.Errorf("%s: %s was not read", name, s.Type().Field(i).Name)
			}
		}
	}
	node := m.Graph.Nodes[0]
	if want := []string{"in", "", "c"}; !reflect.DeepEqual(node.Inputs, want) {
		t.Errorf("inputs %q, want %q", node.Inputs, want)
	}
	if o := node.Attributes[len(node.Attributes)-1]; o.Ref != "outer" || o.Type != AttributeInts {
		t.Errorf("reference read as %+v", o)
	}
	elsewhere := m.Graph.Initializers[1]
	want := Blob{src: &externalFile{"", "folder/weights.bin"}, off: 4096, n: 5}
	if elsewhere.Location != External || !reflect.DeepEqual(elsewhere.Raw, want) {
		t.Errorf("external tensor read as %+v, want %+v", elsewhere.Raw, want)
	}
}

func TestAttributeValues(t *testing.T) {
	m, err := Unmarshal[Model](readFile(t, "testdata/every_field.onnx"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]*Attribute{}
	for _, a := range m.Graph.Nodes[0].Attributes {
		got[a.Name] = a
	}
	for _, want := range []*Attribute{
		{Name: "f", Doc: "about f", Type: AttributeFloat, F: 1.25},
		{Name: "zero_f", Type: AttributeFloat},
		{Name: "i", Type: AttributeInt, I: -7},
		{Name: "zero_i", Type: AttributeInt},
		{Name: "s", Type: AttributeString, S: "bytes \xff"},
		{Name: "empty_s", Type: AttributeString},
		{Name: "floats", Type: AttributeFloats, Floats: []float32{1, -0.5}},
		{Name: "ints", Type: AttributeInts, Ints: []int64{1, -1, 1 << 62}},
		{Name: "strings", Type: AttributeStrings, Strings: []string{"a", "", "b"}},
		{Name: "t", Type: AttributeTensor, Tensor: &Tensor{Name: "t", Type: Float, Dims: []int64{1}, Floats: []float32{3}}},
		{Name: "type", Type: AttributeTypeProto, TypeProto: &Type{Map: &MapType{Int64, &Type{Tensor: &TensorType{String, &Shape{}}}}}},
	} {
		if !reflect.DeepEqual(got[want.Name], want) {
			t.Errorf("attribute %s read as %+v, want %+v", want.Name, got[want.Name], want)
		}
	}
	for name, n := range map[string]int{"tensors": len(got["tensors"].Tensors), "graphs": len(got["graphs"].Graphs),
		"sparses": len(got["sparses"].SparseTensors), "types": len(got["types"].TypeProtos)} {
		if n != 2 {
			t.Errorf("attribute %s: %d values, want 2", name, n)
		}
	}
	if g := got["g"].Graph; g == nil || g.Name != "inner" || len(g.Nodes) != 1 {
		t.Errorf("attribute g read as %+v", g)
	}
}

// The inputs of the model are one of each type.
func TestTypes(t *testing.T) {
	m, err := Unmarshal[Model](readFile(t, "testdata/every_field.onnx"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	tensor := &Type{Denotation: "TENSOR", Tensor: &TensorType{Float16, &Shape{[]Dim{
		{}, {Param: "batch", Denotation: "DATA_BATCH"}, {Known: true}, {Known: true, Value: 7}}}}}
	want := map[string]*Type{
		"tensor":       tensor,
		"scalar":       {Tensor: &TensorType{Double, &Shape{}}},
		"unknown_rank": {Tensor: &TensorType{Bool, nil}},
		"sequence":     {Sequence: &SequenceType{tensor}},
		"optional":     {Optional: &OptionalType{&Type{Sequence: &SequenceType{tensor}}}},
		"map":          {Map: &MapType{Int64, &Type{Tensor: &TensorType{String, &Shape{}}}}},
		"opaque":       {Opaque: &OpaqueType{"a.domain", "Thing"}},
		"sparse":       {SparseTensor: &TensorType{Int8, &Shape{[]Dim{{Known: true, Value: 3}, {Known: true, Value: 4}}}}},
	}
	for _, v := range m.Graph.Inputs {
		if !reflect.DeepEqual(v.Type, want[v.Name]) {
			t.Errorf("type %s read as %+v, want %+v", v.Name, v.Type, want[v.Name])
		}
		delete(want, v.Name)
	}
	if len(want) > 0 {
		t.Errorf("no inputs %v", want)
	}
}

// Each data type is in the file twice: in its typed field, then raw.
func TestDataOfEveryType(t *testing.T) {
	data := readFile(t, "testdata/tensors.pb")
	s, out := roundTrip[SequenceValue](t, "tensors.pb", data)
	if !bytes.Equal(out, data) {
		t.Errorf("written as\n%q, want\n%q", out, data)
	}
	if want := 2 * (len(layouts) - 2); len(s.Tensors) != want {
		t.Fatalf("%d tensors, want %d", len(s.Tensors), want)
	}
	for i := 0; i < len(s.Tensors); i += 2 {
		typed, raw := s.Tensors[i], s.Tensors[i+1]
		if typed.Name != typed.Type.String() || typed.Raw.Len() > 0 || raw.Raw.Len() == 0 {
			t.Errorf("tensor %s: type %v, %d and %d bytes raw", typed.Name, typed.Type, typed.Raw.Len(), raw.Raw.Len())
		}
		got, err := typed.Data()
		if err != nil {
			t.Error(err)
		}
		want, err := raw.Data()
		if err != nil {
			t.Error(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: got %x from the typed field, %x raw", typed.Name, got, want)
		}
	}
}

func TestValues(t *testing.T) {
	data := readFile(t, "testdata/values.pb")
	o, out := roundTrip[OptionalValue](t, "values.pb", data)
	if !bytes.Equal(out, data) {
		t.Errorf("written as\n%q, want\n%q", out, data)
	}
	maps := o.Sequence.Maps
	if len(maps) != 2 || !reflect.DeepEqual(maps[0].Keys, []int64{-1, 5}) || !reflect.DeepEqual(maps[1].StringKeys, []string{"a", "b"}) {
		t.Fatalf("maps read as %+v", maps)
	}
	if got := maps[0].Values.Tensors[1].Floats; !reflect.DeepEqual(got, []float32{2, 2}) {
		t.Errorf("value of key 5: %v, want [2 2]", got)
	}
	if got := maps[1].Values.Optionals; got[0].Tensor.Floats[0] != 3 || got[1].Kind != ElemUndefined {
		t.Errorf("optional values read as %+v", got)
	}
}

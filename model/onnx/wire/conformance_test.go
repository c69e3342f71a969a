package wire

import (
	"archive/zip"
	"bytes"
	"io"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/millrace-go/millrace/internal/shareddata"
)

// roundTrip decodes data, encodes the result, decodes that, and returns the
// message and its bytes.
func roundTrip[T Message](t *testing.T, name string, data []byte) (*T, []byte) {
	t.Helper()
	v, err := Unmarshal[T](data, Options{})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var out bytes.Buffer
	if err := Encode(&out, v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	again, err := Unmarshal[T](out.Bytes(), Options{})
	if err != nil {
		t.Fatalf("%s, written by Encode: %v", name, err)
	}
	if !reflect.DeepEqual(v, again) {
		t.Errorf("%s: decoded, encoded and decoded it differs:\n%+v\n%+v", name, v, again)
	}
	return v, out.Bytes()
}

// roundTripAs is roundTrip for a value of the type that a model declares. It
// returns the bytes and what message they are.
func roundTripAs(t *testing.T, typ *Type, name string, data []byte) (out []byte, kind string) {
	t.Helper()
	switch {
	case typ == nil:
		t.Fatalf("%s: of unknown type", name)
	case typ.Sequence != nil:
		_, out = roundTrip[SequenceValue](t, name, data)
		kind = "sequence"
	case typ.Optional != nil:
		_, out = roundTrip[OptionalValue](t, name, data)
		kind = "optional"
	default:
		var v *Tensor
		v, out = roundTrip[Tensor](t, name, data)
		kind = "tensor"
		if v.Type == String {
			break
		}
		if _, err := v.Data(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	return out, kind
}

// nested says, independently of the tables, which fields of a message are
// messages.
var nested = map[string]map[protowire.Number]string{
	"model":     {7: "graph", 25: "function"},
	"graph":     {1: "node", 5: "tensor"},
	"function":  {7: "node"},
	"node":      {5: "attribute"},
	"attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph"},
	"sequence":  {3: "tensor", 5: "sequence"},
	"optional":  {3: "tensor", 5: "sequence"},
	"tensor":    {},
}

// optional are the fields that some writers set although they are empty.
var optional = map[string][]protowire.Number{"node": {7}, "tensor": {8, 9}}

// withoutEmpty copies a message less the empty fields that Encode does not write.
func withoutEmpty(t *testing.T, kind string, data []byte) []byte {
	var out []byte
	for len(data) > 0 {
		num, typ, n := protowire.ConsumeField(data)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		field := data[:n]
		data = data[n:]
		if typ == protowire.BytesType {
			_, _, tag := protowire.ConsumeTag(field)
			value, _ := protowire.ConsumeBytes(field[tag:])
			if len(value) == 0 && slices.Contains(optional[kind], num) {
				continue
			}
			if inner, ok := nested[kind][num]; ok {
				field = protowire.AppendTag(nil, num, typ)
				field = protowire.AppendBytes(field, withoutEmpty(t, inner, value))
			}
		}
		out = append(out, field...)
	}
	return out
}

// Every file of ONNX's own node tests is read, and written byte for byte as it
// was, but for empty names, domains and raw data that were spelled out.
func TestNodeTests(t *testing.T) {
	files := unzip(t, shareddata.Path(t, "conformance/onnx-node.zip"))
	models, values := 0, 0
	for name, data := range files {
		if path.Base(name) != "model.onnx" {
			continue
		}
		models++
		m, out := roundTrip[Model](t, name, data)
		if want := withoutEmpty(t, "model", data); !bytes.Equal(out, want) {
			t.Errorf("%s: written as\n%q, want\n%q", name, out, want)
		}
		for value, typ := range valuesOf(m, path.Dir(name), files) {
			values++
			out, kind := roundTripAs(t, typ, value, files[value])
			if want := withoutEmpty(t, kind, files[value]); !bytes.Equal(out, want) {
				t.Errorf("%s: written as\n%q, want\n%q", value, out, want)
			}
		}
	}
	if models != 1209 || values != 4156 {
		t.Errorf("%d models and %d values, want 1209 and 4156", models, values)
	}
}

// valuesOf finds the test data of a model: <folder>/test_data_set_<i>/{input,output}_<j>.pb
// belongs to its j-th input or output.
func valuesOf(m *Model, folder string, files map[string][]byte) map[string]*Type {
	found := map[string]*Type{}
	for name := range files {
		side, number, ok := strings.Cut(strings.TrimSuffix(path.Base(name), ".pb"), "_")
		infos := map[string][]*ValueInfo{"input": m.Graph.Inputs, "output": m.Graph.Outputs}[side]
		j, err := strconv.Atoi(number)
		if ok && err == nil && j < len(infos) && path.Dir(path.Dir(name)) == folder {
			found[name] = infos[j].Type
		}
	}
	return found
}

// unzip returns the files of a zip archive by name.
func unzip(t *testing.T, name string) map[string][]byte {
	t.Helper()
	z, err := zip.OpenReader(name)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	files := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = data
	}
	return files
}

// A real model, with the data that was published with it.
func TestPublishedModel(t *testing.T) {
	f, err := Open(shareddata.Path(t, "weights/onnx_zoo_mnist/opt-mnist.onnx"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var ops []string
	for _, n := range f.Graph.Nodes {
		ops = append(ops, n.OpType)
	}
	if !slices.Contains(ops, "Conv") {
		t.Errorf("operators %q, want a Conv", ops)
	}
	for _, w := range f.Graph.Initializers {
		data, err := w.Data()
		if err != nil {
			t.Error(err)
		}
		if want, _ := DataBytes(w.Type, w.Dims); int64(len(data)) != want || want == 0 {
			t.Errorf("%s: %d bytes of %v %v, want %d", w.Name, len(data), w.Type, w.Dims, want)
		}
	}
}

package onnx

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/internal/shareddata"
	"github.com/millrace-go/millrace/model/graph"
	"github.com/millrace-go/millrace/model/onnx/wire"
)

// exportsVariable names a folder that TestExportSuite leaves its models in, for
// testdata/check_exports.py to run with ONNX Runtime.
const exportsVariable = "MILLRACE_ONNX_EXPORTS"

// exporting is cases whose models have been imported and exported.
type exporting struct {
	fs.FS
	models map[string][]byte
}

func (x exporting) Open(name string) (fs.File, error) { return x.FS.Open(name) }

// ReadFile is fs.ReadFileFS's.
func (x exporting) ReadFile(name string) ([]byte, error) {
	if data, ok := x.models[name]; ok {
		return data, nil
	}
	return fs.ReadFile(x.FS, name)
}

// The graph of each node test, exported and imported again, gives the same.
func TestExportSuite(t *testing.T) {
	c, err := openCases(shareddata.Path(t, "conformance/onnx-node.zip"))
	if err != nil {
		t.Fatal(err)
	}
	out := os.Getenv(exportsVariable)
	exported := 0
	for _, dir := range c.dirs {
		before := c.run(dir)
		if before.result != passed {
			continue
		}
		name := path.Join(dir, "model.onnx")
		data, err := exportCase(c, name)
		if err != nil {
			t.Errorf("%s: %v", dir, err)
			continue
		}
		again := &cases{files: exporting{c.files, map[string][]byte{name: data}}}
		if o := again.run(dir); o.result != passed {
			t.Errorf("%s exported: %s: %s", dir, o.result, o.reason)
		}
		exported++
		if out != "" {
			leave(t, c, dir, data, out)
		}
	}
	if exported < 800 {
		t.Errorf("%d models exported, want at least 800", exported)
	}
}

func exportCase(c *cases, name string) ([]byte, error) {
	data, err := fs.ReadFile(c.files, name)
	if err != nil {
		return nil, err
	}
	m, err := Unmarshal(data, Options{})
	if err != nil {
		return nil, err
	}
	w, err := Export(m.Graph, ExportOptions{})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = wire.Encode(&b, w)
	return b.Bytes(), err
}

// leave copies a case with its exported model to a folder.
func leave(t *testing.T, c *cases, dir string, model []byte, out string) {
	write := func(name string, data []byte) {
		p := filepath.Join(out, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, data, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	write(path.Join(dir, "model.onnx"), model)
	files, err := fs.Glob(c.files, path.Join(dir, "test_data_set_*", "*.pb"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		data, err := fs.ReadFile(c.files, name)
		if err != nil {
			t.Fatal(err)
		}
		write(name, data)
	}
}

// A graph made by Go code: parameters become initializers, symbols names, and
// the operator set is the oldest that will do.
func TestExport(t *testing.T) {
	g := graph.New("net")
	x, err := g.Input("x", accel.Float32, graph.N, 2)
	if err != nil {
		t.Fatal(err)
	}
	w, err := g.Param("w", accel.Float32, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	b := g.Build("")
	h := b.MatMul(x, w)
	y := b.Op("StopGradient", nil, b.Cast(b.Add(h, b.Like(h, 0.5)), accel.Float64))
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	g.Outputs = []*graph.Value{y, x, y}
	params := []*accel.Array{accel.ArrayOf(accel.Float32, []int{2, 3}, []float32{1, 2, 3, 4, 5, 6})}
	m, err := Export(g, ExportOptions{Params: params, Producer: "test", Metadata: map[string]string{"b": "2", "a": "1"}})
	if err != nil {
		t.Fatal(err)
	}
	if m.OperatorSets[0].Version != exportOpset || m.IRVersion != 10 || m.ProducerName != "test" || m.Metadata[0].Key != "a" {
		t.Errorf("operator sets %v, IR version %d, producer %q, metadata %v", m.OperatorSets, m.IRVersion, m.ProducerName, m.Metadata)
	}
	if got := m.Graph.Inputs; len(got) != 1 || got[0].Type.Tensor.Shape.Dims[0].Param != "N" || got[0].Type.Tensor.Shape.Dims[1].Value != 2 {
		t.Errorf("inputs %+v", got)
	}
	var names []string
	for _, v := range m.Graph.Outputs {
		names = append(names, v.Name)
	}
	if slices.Sort(names); len(slices.Compact(names)) != 3 || slices.Contains(names, "x") {
		t.Errorf("outputs %q, want 3 that are results of nodes", names)
	}
	again, err := Convert(m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(again.Graph.Consts[0].Data); got != "float32[2 3]" || len(again.Graph.Inputs) != 1 {
		t.Errorf("imported again: constant %s, %d inputs", got, len(again.Graph.Inputs))
	}
	if _, err := Export(g, ExportOptions{Params: params[:0]}); err == nil {
		t.Error("no values for a parameter: no error")
	}
	if m, err := Export(g, ExportOptions{}); err != nil || len(m.Graph.Inputs) != 2 {
		t.Errorf("without values the parameters are to be inputs: %v", err)
	}
}

func TestExportOperatorSets(t *testing.T) {
	for _, c := range []struct {
		op   string
		typ  accel.DType
		at   accel.Attrs
		want int64
	}{
		{"Neg", accel.Float32, nil, 21},
		{"Neg", accel.BFloat16, nil, 22},
		{"Round", accel.BFloat16, nil, 22},
		{"Cast", accel.Float32, accel.Attrs{accel.String("to", "float16")}, 21},
		{"Cast", accel.Float32, accel.Attrs{accel.String("to", "float8e8m0"), accel.String("round_mode", "up")}, 28},
		{"CumSum", accel.Float32, nil, 21},
	} {
		g := graph.New("g")
		x, err := g.InputOf("x", graph.Type{DType: c.typ, Shape: graph.Shape{2}})
		if err != nil {
			t.Fatal(err)
		}
		in := []*graph.Value{x}
		if c.op == "CumSum" {
			in = append(in, g.Const("axis", accel.ArrayOf(accel.Int64, []int{}, []int64{0})))
		}
		y, err := g.Apply(c.op, "", c.at, in...)
		if err != nil {
			t.Fatal(err)
		}
		g.Outputs = []*graph.Value{y}
		m, err := Export(g, ExportOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := m.OperatorSets[0].Version; got != c.want || m.IRVersion != irVersions[c.want] {
			t.Errorf("%s%s of %s: operator set %d, IR version %d; want %d, %d", c.op, c.at, c.typ, got, m.IRVersion, c.want, irVersions[c.want])
		}
	}
}

// What ONNX has not is refused by name.
func TestExportRefuses(t *testing.T) {
	g := graph.New("g")
	x, err := g.Input("x", accel.Float32, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	y, err := g.Apply("FusedMatMul", "fused", nil, x, g.Const("w", accel.NewArray(accel.Float32, 3, 2)))
	if err != nil {
		t.Fatal(err)
	}
	g.Outputs = []*graph.Value{y}
	if _, err := Export(g, ExportOptions{}); !errors.Is(err, accel.ErrUnsupported) || !strings.Contains(err.Error(), `node "fused" (FusedMatMul)`) {
		t.Errorf("got error %v, want one that names the node", err)
	}
}

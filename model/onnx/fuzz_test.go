package onnx

import (
	"bytes"
	"io/fs"
	"path"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu"
	"github.com/millrace-go/millrace/model/graph"
	"github.com/millrace-go/millrace/model/onnx/wire"
	"github.com/millrace-go/millrace/model/program"
)

// Whatever a file holds, importing, inferring types, exporting and running give
// a result or an error. What was exported can be imported.
func FuzzImport(f *testing.F) {
	c, err := openCases("testdata/upgrades.zip")
	if err != nil {
		f.Fatal(err)
	}
	for _, dir := range c.dirs {
		data, err := fs.ReadFile(c.files, path.Join(dir, "model.onnx"))
		if err != nil {
			f.Fatal(err)
		}
		if len(data) < 1000 { // mutations of short ones hit something
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		opt := Options{Wire: wire.Options{MaxBytes: 1 << 20}, MaxBytes: 1 << 20, MaxNodes: 1000}
		m, err := Unmarshal(data, opt)
		if err != nil {
			return
		}
		if w, err := Export(m.Graph, ExportOptions{}); err == nil {
			var b bytes.Buffer
			if err := wire.Encode(&b, w); err != nil {
				t.Fatal(err)
			}
			if _, err := Unmarshal(b.Bytes(), Options{}); err != nil {
				t.Fatalf("exported, but not imported again: %v", err)
			}
		}
		if m.Graph.Infer() == nil {
			runZeros(m.Graph)
		}
	})
}

// runZeros runs a small graph on zeros. That it fails is fine.
func runZeros(g *graph.Graph) {
	var in []*accel.Array
	for _, v := range g.Inputs {
		shape := v.Type.Shape.At(2)
		for i, d := range shape {
			if shape[i] = d; d < 0 {
				shape[i] = 2
			}
		}
		if v.Type.Form != graph.Tensor || accel.Size(shape) < 0 || accel.Size(shape) > 1<<12 {
			return
		}
		in = append(in, accel.NewArray(v.Type.DType, shape...))
	}
	exec, err := program.New(g, cpu.New(), program.Options{}).Compiled(in...)
	if err != nil || exec.Workspace() > 1<<22 {
		return
	}
	for _, t := range exec.Outputs() {
		if accel.Size(t.Shape) > 1<<20 {
			return
		}
	}
	_, _ = exec.Run(in...)
}

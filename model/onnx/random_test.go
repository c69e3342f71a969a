package onnx

import (
	"bytes"
	"slices"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu"
	"github.com/millrace-go/millrace/model/onnx/wire"
	"github.com/millrace-go/millrace/model/program"
)

// TestImportRandom: the operators that draw random numbers give the type and the
// shape that their attributes say, the same numbers in each run, on any number of
// threads and with or without passes, and others in nodes of other names.
func TestImportRandom(t *testing.T) {
	integer := func(name string, v int64) *wire.Attribute {
		return &wire.Attribute{Name: name, Type: wire.AttributeInt, I: v}
	}
	shape := &wire.Attribute{Name: "shape", Type: wire.AttributeInts, Ints: []int64{40, 50}}
	double, half := integer("dtype", int64(wire.Double)), integer("dtype", int64(wire.Float16))
	for _, c := range []struct {
		op    string
		attrs []*wire.Attribute
		in    *accel.Array // nil for none
		want  accel.DType
		shape []int
	}{
		{"RandomNormal", []*wire.Attribute{shape}, nil, accel.Float32, []int{40, 50}},
		{"RandomNormal", []*wire.Attribute{shape, half}, nil, accel.Float16, []int{40, 50}},
		{"RandomUniform", []*wire.Attribute{shape, double}, nil, accel.Float64, []int{40, 50}},
		{"RandomNormalLike", nil, accel.NewArray(accel.Float32, 30, 7), accel.Float32, []int{30, 7}},
		{"RandomUniformLike", []*wire.Attribute{double}, accel.NewArray(accel.Float32, 30, 7), accel.Float64, []int{30, 7}},
		{"Bernoulli", []*wire.Attribute{integer("dtype", int64(wire.Int32))}, halves(30, 7), accel.Int32, []int{30, 7}},
		{"Multinomial", []*wire.Attribute{integer("sample_size", 80), integer("dtype", int64(wire.Int64))}, halves(3, 7), accel.Int64, []int{3, 80}},
	} {
		a, b := op(c.op, "x", "y", c.attrs...), op(c.op, "x", "z", c.attrs...)
		m := modelOf([]*wire.Node{a, b})
		m.Graph.Outputs = append(m.Graph.Outputs, &wire.ValueInfo{Name: "z"})
		m.Graph.Outputs[0] = &wire.ValueInfo{Name: "y"}
		var in []*accel.Array
		if c.in == nil {
			a.Inputs, b.Inputs, m.Graph.Inputs = nil, nil, nil
		} else {
			m.Graph.Inputs, in = []*wire.ValueInfo{value("x", "rows", "cols")}, []*accel.Array{c.in}
		}
		im, err := Convert(m, Options{})
		if err != nil {
			t.Fatalf("%s: %v", c.op, err)
		}
		var first []byte
		for _, threads := range []int{1, 3} {
			for _, skip := range [][]string{nil, {"all"}} {
				out, err := program.New(im.Graph, cpu.WithThreads(threads), program.Options{SkipPasses: skip}).Run(in...)
				if err != nil {
					t.Fatalf("%s: %v", c.op, err)
				}
				if out[0].DType != c.want || !slices.Equal(out[0].Shape, c.shape) {
					t.Errorf("%s: got %v, want %s%v", c.op, out[0], c.want, c.shape)
				}
				if bytes.Equal(out[0].Data, out[1].Data) {
					t.Errorf("%s: two nodes draw the same numbers", c.op)
				}
				if first == nil {
					first = slices.Clone(out[0].Data)
				}
				if !bytes.Equal(out[0].Data, first) {
					t.Errorf("%s: %d threads, skipping %v: other numbers", c.op, threads, skip)
				}
			}
		}
	}
}

// halves is a float32 array of 0.5.
func halves(shape ...int) *accel.Array {
	a := accel.NewArray(accel.Float32, shape...)
	for i := range accel.Values[float32](a) {
		accel.Values[float32](a)[i] = 0.5
	}
	return a
}

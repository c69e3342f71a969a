// Package onnx turns ONNX models into graphs and graphs into ONNX models.
//
// Models of operator set 7 and newer are read; every node is brought into the
// form of the newest operator set, which is the one that package graph speaks.
// Functions of the model are written out where they are called. The
// definition of ONNX is at https://onnx.ai/onnx/repo-docs/IR.html.
package onnx

import (
	"errors"
	"fmt"
	"io"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
	"github.com/millrace-go/millrace/model/onnx/wire"
)

// Options are settings of Import; the zero value is usable.
type Options struct {
	// Wire bounds what decoding the file may cost, and names the folder of external data.
	Wire wire.Options
	// MaxBytes bounds the memory of the tensors that the graph is given as
	// constants or parameters. The default is 16 GiB.
	MaxBytes int64
	// MaxNodes bounds the nodes of the graph, constants and calls of functions
	// included, to which a model can grow when its functions are written out. The
	// default is 262,144.
	MaxNodes int
	// Trainable makes parameters of the floating-point initializers of the main
	// graph, instead of constants.
	Trainable bool
}

// Model is an imported model.
type Model struct {
	Graph *graph.Graph
	// Params are the values of the graph's parameters, in their order. There are
	// none unless Options.Trainable.
	Params []*accel.Array
	// Producer is the program that wrote the file, as it calls itself.
	Producer string
	// Doc is the model's description.
	Doc string
	// Metadata are the properties that the file gives the model.
	Metadata map[string]string
}

// Import reads a model file and makes a graph of it. The tensors that the graph
// needs are read at once, those it does not are not; the file is closed.
//
// The graph's inputs are the model's, less those that have an initializer. Types of
// results are not known yet: see graph.Infer. An error names the node it is
// about; it wraps accel.ErrUnsupported if the model is sound but goes beyond
// what this package and the graph know.
func Import(path string, opt Options) (m *Model, err error) {
	f, err := wire.Open(path, opt.Wire)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return Convert(f.Model, opt)
}

// Read is Import from size bytes of r.
func Read(r io.ReaderAt, size int64, opt Options) (*Model, error) {
	m, err := wire.Decode[wire.Model](r, size, opt.Wire)
	if err != nil {
		return nil, err
	}
	return Convert(m, opt)
}

// Unmarshal is Import from memory.
func Unmarshal(data []byte, opt Options) (*Model, error) {
	m, err := wire.Unmarshal[wire.Model](data, opt.Wire)
	if err != nil {
		return nil, err
	}
	return Convert(m, opt)
}

// Convert is Import of a decoded model.
func Convert(m *wire.Model, opt Options) (*Model, error) {
	if opt.MaxBytes == 0 {
		opt.MaxBytes = 16 << 30
	}
	if opt.MaxNodes == 0 {
		opt.MaxNodes = 1 << 18
	}
	im := &importer{left: opt.MaxBytes, opt: opt, functions: map[functionKey]*wire.Function{}, active: map[functionKey]bool{}}
	im.out = &Model{Producer: m.ProducerName, Doc: m.Doc, Metadata: map[string]string{}}
	for _, e := range m.Metadata {
		im.out.Metadata[e.Key] = e.Value
	}
	if err := im.model(m); err != nil {
		return nil, fmt.Errorf("onnx: %w", bare(err))
	}
	return im.out, nil
}

// bare drops the package's name from an error of package wire, to say it once.
func bare(err error) error {
	if e, ok := err.(*wire.Error); ok {
		return fmt.Errorf("%s: %w", e.Path, e.Err)
	}
	return err
}

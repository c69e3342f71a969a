package onnx

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
	"github.com/millrace-go/millrace/model/onnx/wire"
)

// dtypes are the element types that both sides know.
var dtypes = map[wire.DataType]accel.DType{
	wire.Float: accel.Float32, wire.Double: accel.Float64, wire.Float16: accel.Float16, wire.Bfloat16: accel.BFloat16,
	wire.Int8: accel.Int8, wire.Int16: accel.Int16, wire.Int32: accel.Int32, wire.Int64: accel.Int64,
	wire.Uint8: accel.Uint8, wire.Uint16: accel.Uint16, wire.Uint32: accel.Uint32, wire.Uint64: accel.Uint64,
	wire.Bool:         accel.Bool,
	wire.Float8E4M3FN: accel.Float8E4M3FN, wire.Float8E4M3FNUZ: accel.Float8E4M3FNUZ,
	wire.Float8E5M2: accel.Float8E5M2, wire.Float8E5M2FNUZ: accel.Float8E5M2FNUZ,
	wire.Float8E8M0: accel.Float8E8M0, wire.Float4E2M1: accel.Float4E2M1,
	wire.Int4: accel.Int4, wire.Uint4: accel.Uint4, wire.Int2: accel.Int2, wire.Uint2: accel.Uint2,
}

// dataTypes is the inverse of dtypes.
var dataTypes = func() map[accel.DType]wire.DataType {
	out := map[accel.DType]wire.DataType{}
	for w, t := range dtypes {
		out[t] = w
	}
	return out
}()

// dtypeOf returns the element type that the graph calls t.
func dtypeOf(t wire.DataType) (accel.DType, error) {
	if a, ok := dtypes[t]; ok {
		return a, nil
	}
	return 0, fmt.Errorf("element type %v: %w", t, accel.ErrUnsupported)
}

// typeOf returns the type of a graph's input. Dimensions without a number or
// a name become symbols of their own, named for the input.
func typeOf(g *graph.Graph, v *wire.ValueInfo) (graph.Type, error) {
	t := v.Type
	switch {
	case t == nil:
		return graph.Type{Form: graph.Unknown}, nil
	case t.Tensor != nil:
		return tensorType(g, v.Name, t.Tensor)
	case t.Sequence != nil:
		return elementType(graph.Sequence, t.Sequence.Elem)
	case t.Optional != nil:
		return elementType(graph.Optional, t.Optional.Elem)
	case t.Map != nil || t.SparseTensor != nil || t.Opaque != nil:
		return graph.Type{}, fmt.Errorf("a map, sparse tensor or opaque value: %w", accel.ErrUnsupported)
	}
	return graph.Type{Form: graph.Unknown}, nil
}

func tensorType(g *graph.Graph, name string, t *wire.TensorType) (graph.Type, error) {
	if t.Elem == wire.Undefined {
		return graph.Type{Form: graph.Unknown}, nil
	}
	dtype, err := dtypeOf(t.Elem)
	if err != nil {
		return graph.Type{}, err
	}
	if t.Shape == nil {
		return graph.Type{DType: dtype, Form: graph.Unknown}, nil
	}
	shape := make(graph.Shape, len(t.Shape.Dims))
	for i, d := range t.Shape.Dims {
		switch {
		case d.Known && d.Value >= 0 && d.Value <= maxDim:
			shape[i] = int(d.Value)
		case d.Known && d.Value > maxDim:
			return graph.Type{}, fmt.Errorf("dimension %d is too large", d.Value)
		case d.Param != "":
			shape[i] = g.Symbol(d.Param)
		default:
			shape[i] = g.Symbol(fmt.Sprintf("%s:%d", name, i))
		}
	}
	return graph.Type{DType: dtype, Shape: shape}, nil
}

// maxDim bounds a dimension: more elements fit into no memory.
const maxDim = 1 << 47

// elementType is the type of a sequence or optional of tensors, or of an optional
// sequence of them.
func elementType(form graph.Form, elem *wire.Type) (graph.Type, error) {
	if form == graph.Optional && elem != nil && elem.Sequence != nil {
		form, elem = graph.OptionalSequence, elem.Sequence.Elem
	}
	if elem == nil || elem.Tensor == nil {
		return graph.Type{}, fmt.Errorf("a sequence or optional of something else than tensors: %w", accel.ErrUnsupported)
	}
	dtype, err := dtypeOf(elem.Tensor.Elem)
	return graph.Type{DType: dtype, Form: form}, err
}

package wire

import "google.golang.org/protobuf/encoding/protowire"

func (s *schema) defineTensor() {
	s.tensor.define("tensor",
		integers(1, "dims", false, func(t *Tensor) *[]int64 { return &t.Dims }),
		number(2, "data_type", func(t *Tensor) *DataType { return &t.Type }),
		one(3, "segment", &s.segment, func(t *Tensor) **Segment { return &t.Segment }),
		unmoved(floats(4, "float_data", true, func(t *Tensor) *[]float32 { return &t.Floats })),
		unmoved(integers(5, "int32_data", true, func(t *Tensor) *[]int32 { return &t.Int32s })),
		texts(6, "string_data", func(t *Tensor) *[]string { return &t.Strings }),
		unmoved(integers(7, "int64_data", true, func(t *Tensor) *[]int64 { return &t.Int64s })),
		title(8, "name", func(t *Tensor) *string { return &t.Name }),
		unmoved(rawData()),
		unmoved(doubles(10, "double_data", func(t *Tensor) *[]float64 { return &t.Doubles })),
		unmoved(integers(11, "uint64_data", true, func(t *Tensor) *[]uint64 { return &t.Uint64s })),
		text(12, "doc_string", func(t *Tensor) *string { return &t.Doc }),
		s.externalData(),
		dataLocation(),
		list(16, "metadata_props", &s.entry, func(t *Tensor) *[]Entry { return &t.Metadata }),
	)
	s.tensor.check = (*Tensor).check
	s.tensor.located = (*decoder).locate
	s.segment.define("segment",
		integer(1, "begin", func(s *Segment) *int64 { return &s.Begin }),
		integer(2, "end", func(s *Segment) *int64 { return &s.End }),
	)
	s.sparse.define("sparse tensor",
		one(1, "values", &s.tensor, func(t *SparseTensor) **Tensor { return &t.Values }),
		one(2, "indices", &s.tensor, func(t *SparseTensor) **Tensor { return &t.Indices }),
		integers(3, "dims", false, func(t *SparseTensor) *[]int64 { return &t.Dims }),
	)
	s.sparse.check = (*SparseTensor).check
}

// unmoved leaves a field out where the tensor's data goes to another file.
func unmoved(f field[Tensor]) field[Tensor] {
	write := f.write
	f.write = func(e *encoder, t *Tensor) {
		if _, moved := e.moved[t]; !moved {
			write(e, t)
		}
	}
	return f
}

// rawData is a field of bytes that may stay in the file.
func rawData() field[Tensor] {
	return field[Tensor]{num: 9, name: "raw_data",
		read: func(d *decoder, t *Tensor, typ protowire.Type) (err error) {
			if typ != protowire.BytesType {
				return wrongType(typ, protowire.BytesType)
			}
			t.Raw, err = d.blob()
			return err
		},
		write: func(e *encoder, t *Tensor) {
			if t.Location == Inline && t.Raw.Len() > 0 {
				e.blob(9, t.Raw)
			}
		},
	}
}

// externalData writes where moved data has gone, in place of the tensor's own entries.
func (s *schema) externalData() field[Tensor] {
	f := list(13, "external_data", &s.entry, func(t *Tensor) *[]Entry { return &t.External })
	write := f.write
	f.write = func(e *encoder, t *Tensor) {
		if entries, moved := e.moved[t]; moved {
			write(e, &Tensor{External: entries})
		} else if t.Location == External {
			write(e, t)
		}
	}
	return f
}

func dataLocation() field[Tensor] {
	f := integer(14, "data_location", func(t *Tensor) *Location { return &t.Location })
	write := f.write
	f.write = func(e *encoder, t *Tensor) {
		if _, moved := e.moved[t]; moved {
			write(e, &Tensor{Location: External})
		} else {
			write(e, t)
		}
	}
	return f
}

// locate makes the data of an external file a tensor's raw data.
func (d *decoder) locate(t *Tensor) error {
	if t.Location != External {
		return nil
	}
	if t.Raw.Len() > 0 {
		return invalid("data both in the message and in an external file")
	}
	want, err := DataBytes(t.Type, t.Dims)
	if err != nil {
		return err
	}
	t.Raw, err = externalBlob(d.opt.Folder, t.External, want)
	return err
}

func (s *schema) defineTypes() {
	s.valueInfo.define("value",
		title(1, "name", func(v *ValueInfo) *string { return &v.Name }),
		one(2, "type", &s.typ, func(v *ValueInfo) **Type { return &v.Type }),
		text(3, "doc_string", func(v *ValueInfo) *string { return &v.Doc }),
		list(4, "metadata_props", &s.entry, func(v *ValueInfo) *[]Entry { return &v.Metadata }),
	)
	clear := func(t *Type) { *t = Type{Denotation: t.Denotation} }
	s.typ.define("type",
		clearing(clear, one(1, "tensor_type", &s.tensorType, func(t *Type) **TensorType { return &t.Tensor })),
		clearing(clear, one(4, "sequence_type", &s.sequenceType, func(t *Type) **SequenceType { return &t.Sequence })),
		clearing(clear, one(5, "map_type", &s.mapType, func(t *Type) **MapType { return &t.Map })),
		text(6, "denotation", func(t *Type) *string { return &t.Denotation }),
		clearing(clear, one(7, "opaque_type", &s.opaqueType, func(t *Type) **OpaqueType { return &t.Opaque })),
		clearing(clear, one(8, "sparse_tensor_type", &s.tensorType, func(t *Type) **TensorType { return &t.SparseTensor })),
		clearing(clear, one(9, "optional_type", &s.optionalType, func(t *Type) **OptionalType { return &t.Optional })),
	)
	s.tensorType.define("tensor type",
		integer(1, "elem_type", func(t *TensorType) *DataType { return &t.Elem }),
		one(2, "shape", &s.shape, func(t *TensorType) **Shape { return &t.Shape }),
	)
	s.sequenceType.define("sequence type",
		one(1, "elem_type", &s.typ, func(t *SequenceType) **Type { return &t.Elem }),
	)
	s.mapType.define("map type",
		integer(1, "key_type", func(t *MapType) *DataType { return &t.Key }),
		one(2, "value_type", &s.typ, func(t *MapType) **Type { return &t.Value }),
	)
	s.optionalType.define("optional type",
		one(1, "elem_type", &s.typ, func(t *OptionalType) **Type { return &t.Elem }),
	)
	s.opaqueType.define("opaque type",
		text(1, "domain", func(t *OpaqueType) *string { return &t.Domain }),
		text(2, "name", func(t *OpaqueType) *string { return &t.Name }),
	)
}

func (s *schema) defineShape() {
	s.shape.define("shape",
		list(1, "dim", &s.dim, func(t *Shape) *[]Dim { return &t.Dims }),
	)
	clear := func(v *Dim) { *v = Dim{Denotation: v.Denotation} }
	known := func(v *Dim) { clear(v); v.Known = true }
	s.dim.define("dim",
		clearing(known, when(func(v *Dim) bool { return v.Known }, number(1, "dim_value", func(v *Dim) *int64 { return &v.Value }))),
		clearing(clear, when(func(v *Dim) bool { return !v.Known }, text(2, "dim_param", func(v *Dim) *string { return &v.Param }))),
		text(3, "denotation", func(v *Dim) *string { return &v.Denotation }),
	)
}

func (s *schema) defineValues() {
	s.sequence.define("sequence",
		title(1, "name", func(v *SequenceValue) *string { return &v.Name }),
		number(2, "elem_type", func(v *SequenceValue) *ElemKind { return &v.Kind }),
		many(3, "tensor", &s.tensor, func(v *SequenceValue) *[]*Tensor { return &v.Tensors }),
		many(4, "sparse_tensor", &s.sparse, func(v *SequenceValue) *[]*SparseTensor { return &v.SparseTensors }),
		many(5, "sequence", &s.sequence, func(v *SequenceValue) *[]*SequenceValue { return &v.Sequences }),
		many(6, "map", &s.mapping, func(v *SequenceValue) *[]*MapValue { return &v.Maps }),
		many(7, "optional", &s.optional, func(v *SequenceValue) *[]*OptionalValue { return &v.Optionals }),
	)
	s.sequence.check = (*SequenceValue).check
	s.mapping.define("map",
		title(1, "name", func(v *MapValue) *string { return &v.Name }),
		number(2, "key_type", func(v *MapValue) *DataType { return &v.Key }),
		integers(3, "keys", false, func(v *MapValue) *[]int64 { return &v.Keys }),
		texts(4, "string_keys", func(v *MapValue) *[]string { return &v.StringKeys }),
		one(5, "values", &s.sequence, func(v *MapValue) **SequenceValue { return &v.Values }),
	)
	s.mapping.check = (*MapValue).check
	s.optional.define("optional",
		title(1, "name", func(v *OptionalValue) *string { return &v.Name }),
		number(2, "elem_type", func(v *OptionalValue) *ElemKind { return &v.Kind }),
		one(3, "tensor", &s.tensor, func(v *OptionalValue) **Tensor { return &v.Tensor }),
		one(4, "sparse_tensor", &s.sparse, func(v *OptionalValue) **SparseTensor { return &v.SparseTensor }),
		one(5, "sequence", &s.sequence, func(v *OptionalValue) **SequenceValue { return &v.Sequence }),
		one(6, "map", &s.mapping, func(v *OptionalValue) **MapValue { return &v.Map }),
		one(7, "optional", &s.optional, func(v *OptionalValue) **OptionalValue { return &v.Optional }),
	)
	s.optional.check = (*OptionalValue).check
}

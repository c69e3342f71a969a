package wire

import "fmt"

// ValueInfo is a ValueInfoProto: the name and type of a value.
type ValueInfo struct {
	Name     string
	Type     *Type // nil: unknown
	Doc      string
	Metadata []Entry
}

// Type is a TypeProto; at most one of the pointers is set.
type Type struct {
	Tensor       *TensorType
	Sequence     *SequenceType
	Map          *MapType
	Opaque       *OpaqueType
	SparseTensor *TensorType
	Optional     *OptionalType
	Denotation   string
}

// TensorType is a TypeProto.Tensor or TypeProto.SparseTensor.
type TensorType struct {
	Elem  DataType
	Shape *Shape // nil: of unknown rank
}

// SequenceType is a TypeProto.Sequence.
type SequenceType struct{ Elem *Type }

// MapType is a TypeProto.Map.
type MapType struct {
	Key   DataType
	Value *Type
}

// OptionalType is a TypeProto.Optional.
type OptionalType struct{ Elem *Type }

// OpaqueType is a TypeProto.Opaque.
type OpaqueType struct{ Domain, Name string }

// Shape is a TensorShapeProto; no dims make a scalar.
type Shape struct{ Dims []Dim }

// Dim is a dimension: a number if Known, which some exporters make negative to
// mean an unknown one, else a symbol if Param is not empty, else unknown.
type Dim struct {
	Value      int64
	Known      bool
	Param      string
	Denotation string
}

// ElemKind says what a SequenceValue or OptionalValue holds.
type ElemKind int32

// The kinds, with the numbers of the protobuf definition. An OptionalValue of
// kind ElemUndefined is empty.
const (
	ElemUndefined    ElemKind = 0
	ElemTensor       ElemKind = 1
	ElemSparseTensor ElemKind = 2
	ElemSequence     ElemKind = 3
	ElemMap          ElemKind = 4
	ElemOptional     ElemKind = 5
)

var elemKinds = [...]string{"UNDEFINED", "TENSOR", "SPARSE_TENSOR", "SEQUENCE", "MAP", "OPTIONAL"}

// String returns the kind's name in the protobuf definition.
func (k ElemKind) String() string { return enumName(elemKinds[:], int32(k), "element type") }

// SequenceValue is a SequenceProto: a list in the field that Kind names.
type SequenceValue struct {
	Name          string
	Kind          ElemKind
	Tensors       []*Tensor
	SparseTensors []*SparseTensor
	Sequences     []*SequenceValue
	Maps          []*MapValue
	Optionals     []*OptionalValue
}

// MapValue is a MapProto: integer or string keys, and as many values.
type MapValue struct {
	Name       string
	Key        DataType
	Keys       []int64
	StringKeys []string
	Values     *SequenceValue
}

// OptionalValue is an OptionalProto: a value in the field that Kind names, or none.
type OptionalValue struct {
	Name         string
	Kind         ElemKind
	Tensor       *Tensor
	SparseTensor *SparseTensor
	Sequence     *SequenceValue
	Map          *MapValue
	Optional     *OptionalValue
}

func (s *SequenceValue) check() error {
	return checkKind(s.Kind, map[ElemKind]bool{
		ElemTensor: len(s.Tensors) > 0, ElemSparseTensor: len(s.SparseTensors) > 0, ElemSequence: len(s.Sequences) > 0,
		ElemMap: len(s.Maps) > 0, ElemOptional: len(s.Optionals) > 0,
	})
}

func (o *OptionalValue) check() error {
	return checkKind(o.Kind, map[ElemKind]bool{
		ElemTensor: o.Tensor != nil, ElemSparseTensor: o.SparseTensor != nil, ElemSequence: o.Sequence != nil,
		ElemMap: o.Map != nil, ElemOptional: o.Optional != nil,
	})
}

// checkKind verifies that nothing is set but what kind allows.
func checkKind(kind ElemKind, set map[ElemKind]bool) error {
	if kind < ElemUndefined || kind > ElemOptional {
		return invalid("%v", kind)
	}
	for k := ElemTensor; k <= ElemOptional; k++ {
		if set[k] && k != kind {
			return invalid("a value of type %v where the element type is %v", k, kind)
		}
	}
	return nil
}

func (m *MapValue) check() error {
	if len(m.Keys) > 0 && len(m.StringKeys) > 0 {
		return invalid("both integer and string keys in a map")
	}
	if len(m.StringKeys) > 0 && m.Key != String || len(m.Keys) > 0 && m.Key == String {
		return invalid("keys of the wrong kind in a map of key type %v", m.Key)
	}
	keys, values := len(m.Keys)+len(m.StringKeys), 0
	if s := m.Values; s != nil {
		values = len(s.Tensors) + len(s.SparseTensors) + len(s.Sequences) + len(s.Maps) + len(s.Optionals)
	}
	if keys != values {
		return invalid("%d keys and %d values in a map", keys, values)
	}
	return nil
}

// enumName is a value's name, or says that there is none.
func enumName(names []string, v int32, what string) string {
	if v < 0 || int(v) >= len(names) {
		return fmt.Sprintf("unknown %s %d", what, v)
	}
	return names[v]
}

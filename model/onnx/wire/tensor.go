package wire

import "math/bits"

// Tensor is a TensorProto. The elements, row-major, are in Raw or in the typed
// field of the data type, see https://onnx.ai/onnx/api/classes.html#tensorproto.
type Tensor struct {
	Name string
	Type DataType
	Dims []int64

	Floats  []float32 // Float, Complex64
	Int32s  []int32   // integers of up to 32 bits, Bool, floats of up to 16 bits as their codes
	Strings []string  // String
	Int64s  []int64   // Int64
	Doubles []float64 // Double, Complex128
	Uint64s []uint64  // Uint32, Uint64

	// Raw is the elements' bytes, little-endian, as DataType.Bytes counts them.
	// If Location is External, they are in the file that External names.
	Raw      Blob
	Location Location
	External []Entry

	// Segment is set where the tensor is a part of a larger one. No known
	// program writes that; it is refused.
	Segment  *Segment
	Doc      string
	Metadata []Entry
}

// Segment is a TensorProto.Segment.
type Segment struct{ Begin, End int64 }

// Location says where Raw is stored, TensorProto.DataLocation.
type Location int32

// The locations, with the numbers of the protobuf definition.
const (
	Inline   Location = 0
	External Location = 1
)

// SparseTensor is a SparseTensorProto: Values, of rank 1, stand at Indices of
// a tensor of zeros. Indices are Int64, ascending, and linear if of rank 1 or
// coordinates if of rank 2.
type SparseTensor struct {
	Values, Indices *Tensor
	Dims            []int64
}

// Elements is the number of elements of a tensor of these dims. It fails on a
// negative dimension, and if the product overflows, a dimension 0 left out.
func Elements(dims []int64) (int64, error) {
	n, empty := uint64(1), false
	for _, d := range dims {
		if d < 0 {
			return 0, invalid("dims %v: negative", clip(dims))
		}
		if d == 0 {
			empty = true
			continue
		}
		hi, lo := bits.Mul64(n, uint64(d))
		if hi != 0 || lo >= 1<<63 {
			return 0, invalid("dims %v: their product overflows", clip(dims))
		}
		n = lo
	}
	if empty {
		return 0, nil
	}
	return int64(n), nil
}

// clip is the part of dims that an error shows.
func clip(dims []int64) []int64 { return dims[:min(len(dims), 16)] }

// lengths are those of the typed fields, by store.
func (t *Tensor) lengths() [inUint64s + 1]int {
	return [...]int{inFloats: len(t.Floats), inInt32s: len(t.Int32s), inStrings: len(t.Strings),
		inInt64s: len(t.Int64s), inDoubles: len(t.Doubles), inUint64s: len(t.Uint64s)}
}

// check verifies that the elements are in the right field and as many as Dims say.
func (t *Tensor) check() error {
	l, ok := t.Type.layout()
	if !ok {
		return invalid("%v", t.Type)
	}
	n, err := Elements(t.Dims)
	if err != nil {
		return err
	}
	if t.Segment != nil {
		return invalid("a segment of a larger tensor is not supported")
	}
	typed := false
	for s, length := range t.lengths() {
		if length > 0 && store(s) != l.in {
			return invalid("a tensor of type %v with data in the field of another type", t.Type)
		}
		typed = typed || length > 0
	}
	if typed && (t.Raw.Len() > 0 || t.Location == External) {
		return invalid("data both in a typed field and as bytes")
	}
	if t.Location != Inline && t.Location != External {
		return invalid("unknown data location %d", t.Location)
	}
	if l.bits > 0 && (t.Location == External || t.Raw.Len() > 0) {
		return t.checkRaw(n)
	}
	return t.checkTyped(l, n)
}

// checkRaw verifies the length of the bytes of n elements.
func (t *Tensor) checkRaw(n int64) error {
	want, err := t.Type.Bytes(n)
	if err != nil {
		return err
	}
	if t.Location == External && t.Raw.Len() == 0 {
		return nil // bound by the reader, or made by hand to refer to a file
	}
	if got := t.Raw.Len(); got != want {
		return invalid("%d bytes of data, want %d for %v %v", got, want, t.Type, clip(t.Dims))
	}
	return nil
}

// checkTyped verifies the length of the typed field that holds n elements.
func (t *Tensor) checkTyped(l layout, n int64) error {
	if l.bits == 0 && (t.Raw.Len() > 0 || t.Location == External) {
		return invalid("raw data of type %v", t.Type)
	}
	if l.bits > 0 {
		if _, err := t.Type.Bytes(n); err != nil { // so that it can be made raw
			return err
		}
	}
	want := n
	if l.per < 0 {
		want = n * int64(-l.per) // fits, for the bytes fit
	} else {
		want = n/int64(l.per) + min(n%int64(l.per), 1)
	}
	if got := int64(t.lengths()[l.in]); got != want {
		return invalid("%d values of data, want %d for %v %v", got, want, t.Type, clip(t.Dims))
	}
	return nil
}

// check verifies types and shapes, not the indices themselves.
func (s *SparseTensor) check() error {
	if s.Values == nil || len(s.Values.Dims) != 1 {
		return invalid("a sparse tensor needs values of rank 1")
	}
	if _, err := Elements(s.Dims); err != nil {
		return err
	}
	count := s.Values.Dims[0]
	if s.Indices == nil {
		if count != 0 {
			return invalid("a sparse tensor with %d values and no indices", count)
		}
		return nil
	}
	if s.Indices.Type != Int64 {
		return invalid("indices of a sparse tensor of type %v, want %v", s.Indices.Type, Int64)
	}
	d := s.Indices.Dims
	linear := len(d) == 1 && d[0] == count
	coordinates := len(d) == 2 && d[0] == count && d[1] == int64(len(s.Dims))
	if !linear && !coordinates {
		return invalid("indices of a sparse tensor with dims %v, want [%d] or [%[2]d %d]", clip(d), count, len(s.Dims))
	}
	return nil
}

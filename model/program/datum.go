package program

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
)

// Datum is what a value of a graph holds: a tensor, a sequence of tensors, or an
// optional without anything in it. An optional with something in it is that thing.
// The zero Datum is an input that was left out.
type Datum struct {
	Form  graph.Form // Tensor, Sequence or Optional
	Array *accel.Array
	Seq   []*accel.Array
	DType accel.DType // of the elements of a sequence or an optional
}

// String prints float32[2 3], or sequence(float32) of 4 and the like.
func (d Datum) String() string {
	switch {
	case d.Form == graph.Sequence:
		return fmt.Sprintf("%s of %d", graph.Type{DType: d.DType, Form: d.Form}, len(d.Seq))
	case d.Form == graph.Optional:
		return graph.Type{DType: d.DType, Form: d.Form}.String()
	case d.Array == nil:
		return "nothing"
	}
	return d.Array.String()
}

// tensor is a datum that must be a tensor.
func (d Datum) tensor() (*accel.Array, error) {
	if d.Form != graph.Tensor || d.Array == nil {
		return nil, fmt.Errorf("%s, want a tensor", d)
	}
	return d.Array, nil
}

// sequence is a datum that must be a sequence.
func (d Datum) sequence() ([]*accel.Array, error) {
	if d.Form != graph.Sequence {
		return nil, fmt.Errorf("%s, want a sequence", d)
	}
	return d.Seq, nil
}

// truth is a datum that must be a bool of one element.
func (d Datum) truth() (bool, error) {
	a, err := d.tensor()
	if err != nil {
		return false, err
	}
	if a.DType != accel.Bool || a.Len() != 1 {
		return false, fmt.Errorf("%s, want one bool", a)
	}
	return accel.Values[bool](a)[0], nil
}

// integers is a datum that must be a tensor of int32 or int64.
func (d Datum) integers() ([]int, error) {
	a, err := d.tensor()
	if err != nil {
		return nil, err
	}
	out := make([]int, a.Len())
	switch a.DType {
	case accel.Int64:
		for i, v := range accel.Values[int64](a) {
			out[i] = int(v)
		}
	case accel.Int32:
		for i, v := range accel.Values[int32](a) {
			out[i] = int(v)
		}
	default:
		return nil, fmt.Errorf("%s, want int32 or int64", a)
	}
	return out, nil
}

// integer is a datum that must be one int32 or int64.
func (d Datum) integer() (int, error) {
	v, err := d.integers()
	if err != nil {
		return 0, err
	}
	if len(v) != 1 {
		return 0, fmt.Errorf("%s, want one element", d)
	}
	return v[0], nil
}

func scalar[T accel.Number | ~bool](t accel.DType, v T) Datum {
	return Datum{Array: accel.ArrayOf(t, []int{}, []T{v})}
}

// Package weights holds named parameter tensors: the host side of a model.
package weights

import (
	"fmt"

	"gorgonia.org/tensor"
)

// Tensor is one named float32 parameter.
type Tensor struct {
	Name  string
	Dense *tensor.Dense // float32, contiguous, row-major
}

// New returns a zero tensor.
func New(name string, shape ...int) Tensor {
	return Tensor{name, tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(shape...))}
}

// Data is the tensor's backing slice, in row-major order: one element for a
// scalar, none where a dimension is 0.
func (t Tensor) Data() []float32 { return t.Dense.Float32s() } // Dense.Data gives a scalar's value, and panics on no elements

// Shape is the tensor's shape; do not write to it.
func (t Tensor) Shape() []int { return t.Dense.Shape() }

// Set is an ordered list of parameters; the order is the model's own and is
// part of what is reproducible.
type Set []Tensor

// Len is the number of scalars in the set.
func (s Set) Len() int {
	n := 0
	for _, t := range s {
		n += len(t.Data())
	}
	return n
}

// Clone returns a deep copy.
func (s Set) Clone() Set {
	out := make(Set, len(s))
	for i, t := range s {
		out[i] = New(t.Name, t.Shape()...)
		copy(out[i].Data(), t.Data())
	}
	return out
}

// Zeros returns a zero set of the same names and shapes.
func (s Set) Zeros() Set {
	out := make(Set, len(s))
	for i, t := range s {
		out[i] = New(t.Name, t.Shape()...)
	}
	return out
}

// Get returns the tensor of a name.
func (s Set) Get(name string) (Tensor, error) {
	for _, t := range s {
		if t.Name == name {
			return t, nil
		}
	}
	return Tensor{}, fmt.Errorf("weights: no tensor %q", name)
}

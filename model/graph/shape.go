package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/millrace-go/millrace/accel"
)

// Shape is a list of dimensions, each ≥ 0 or a symbol of the graph, which is
// negative; empty for a scalar.
type Shape []int

// N is the symbol that every graph has: the batch dimension.
const N = -1

// Form says what a value is.
type Form uint8

// The forms of values.
const (
	Tensor   Form = iota
	Unknown       // a tensor of unknown rank, or with DType 0 of unknown type
	Sequence      // of tensors of type DType
	Optional      // a tensor of type DType, or nothing
	// OptionalSequence is a sequence of tensors of type DType, or nothing.
	OptionalSequence
)

// Type is what is known of a value before it is computed.
type Type struct {
	DType accel.DType
	Shape Shape // of a Tensor
	Form  Form
}

// Concrete reports whether no dimension is symbolic.
func (s Shape) Concrete() bool {
	for _, d := range s {
		if d < 0 {
			return false
		}
	}
	return true
}

// At returns the shape for a batch of n rows. Other symbols stay.
func (s Shape) At(n int) []int {
	out := make([]int, len(s))
	for i, d := range s {
		out[i] = d
		if d == N {
			out[i] = n
		}
	}
	return out
}

// Len is the number of elements for a batch of n rows.
func (s Shape) Len(n int) int { return accel.Size(s.At(n)) }

// Equal reports whether both are the same for every value of the symbols.
func (s Shape) Equal(t Shape) bool { return slices.Equal(s, t) }

// String prints [N 3 8 8]; symbols other than N print as ?2, ?3, ….
func (s Shape) String() string {
	return s.format(func(d int) string {
		if d == N {
			return "N"
		}
		return fmt.Sprintf("?%d", -d)
	})
}

func (s Shape) format(symbol func(int) string) string {
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = fmt.Sprint(d)
		if d < 0 {
			parts[i] = symbol(d)
		}
	}
	return "[" + strings.Join(parts, " ") + "]"
}

// String prints float32[N 64], sequence(float32) and the like.
func (t Type) String() string { return t.format(Shape.String) }

func (t Type) format(shape func(Shape) string) string {
	name := "?"
	if t.DType != 0 {
		name = t.DType.String()
	}
	switch t.Form {
	case Unknown:
		return name + "[...]"
	case Sequence:
		return "sequence(" + name + ")"
	case Optional:
		return "optional(" + name + ")"
	case OptionalSequence:
		return "optional(sequence(" + name + "))"
	}
	return name + shape(t.Shape)
}

// String prints the value's name and type.
func (v *Value) String() string {
	if v == nil {
		return "-"
	}
	return v.Name + " " + v.Type.String()
}

func typeList(vs []*Value) string {
	parts := make([]string, len(vs))
	for i, v := range vs {
		parts[i] = v.String()
	}
	return strings.Join(parts, ", ")
}

func (g *Graph) checkType(t Type) error {
	if !t.DType.Valid() && t.Form != Unknown {
		return fmt.Errorf("unknown element type %s", t.DType)
	}
	for _, d := range t.Shape {
		if d < -len(g.symbols) {
			return fmt.Errorf("shape %v: no symbol %d", []int(t.Shape), d)
		}
	}
	if t.Shape.Concrete() && accel.Size(t.Shape) < 0 {
		return fmt.Errorf("shape %v has too many elements", t.Shape)
	}
	return nil
}

// Broadcast is numpy's rule for concrete shapes: align right; sizes are equal
// or one of them is 1.
func Broadcast(shapes ...[]int) ([]int, error) {
	rank := 0
	for _, s := range shapes {
		rank = max(rank, len(s))
	}
	out := make([]int, rank)
	for i := range out {
		out[i] = 1
		for _, s := range shapes {
			j := i - (rank - len(s))
			if j < 0 || s[j] == 1 || s[j] == out[i] {
				continue
			}
			if out[i] != 1 {
				return nil, fmt.Errorf("shapes %v do not broadcast", shapes)
			}
			out[i] = s[j]
		}
	}
	return out, nil
}

// axisOf turns an axis that may count from the end into an index.
func axisOf(axis, rank int) (int, error) {
	a := axis
	if a < 0 {
		a += rank
	}
	if a < 0 || a >= rank {
		return 0, fmt.Errorf("axis %d of a tensor of rank %d", axis, rank)
	}
	return a, nil
}

// axesOf turns axes that may count from the end into indices; none may come twice.
func axesOf(axes []int, rank int) ([]int, error) {
	out := make([]int, len(axes))
	for i, axis := range axes {
		a, err := axisOf(axis, rank)
		if err != nil {
			return nil, err
		}
		if slices.Contains(out[:i], a) {
			return nil, fmt.Errorf("axis %d comes twice in %v", axis, axes)
		}
		out[i] = a
	}
	return out, nil
}

package graph

import (
	"fmt"
	"slices"
	"strings"
)

// At returns the shape for a batch of n rows.
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
func (s Shape) Len(n int) int {
	l := 1
	for _, d := range s.At(n) {
		l *= d
	}
	return l
}

// Equal reports whether both are the same for every batch size.
func (s Shape) Equal(t Shape) bool { return slices.Equal(s, t) }

// String prints [N 3 8 8].
func (s Shape) String() string {
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = fmt.Sprint(d)
		if d == N {
			parts[i] = "N"
		}
	}
	return "[" + strings.Join(parts, " ") + "]"
}

// String prints float32[N 64].
func (t Type) String() string { return t.DType.String() + t.Shape.String() }

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

// size splits the number of elements into a constant and the power of N.
func (s Shape) size() (constant, power int) {
	constant = 1
	for _, d := range s {
		if d == N {
			power++
		} else {
			constant *= d
		}
	}
	return constant, power
}

// broadcast is numpy's rule: align right; sizes are equal or one of them is 1.
func broadcast(a, b Shape) (Shape, error) {
	out := make(Shape, max(len(a), len(b)))
	for i := range out {
		x, y := fromRight(a, len(out)-1-i), fromRight(b, len(out)-1-i)
		switch {
		case x == y || y == 1:
			out[i] = x
		case x == 1:
			out[i] = y
		default:
			return nil, fmt.Errorf("shapes %s and %s do not broadcast", a, b)
		}
	}
	return out, nil
}

// fromRight is the i-th dimension from the right, 1 beyond the first.
func fromRight(s Shape, i int) int {
	if i >= len(s) {
		return 1
	}
	return s[len(s)-1-i]
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

package accel

import (
	"fmt"
	"strings"
)

// Attr is one attribute of an operator. Exactly one of the value fields
// matters, which one the operator's definition says.
type Attr struct {
	Name   string
	I      int
	F      float64
	S      string
	Ints   []int
	Floats []float64
	Strs   []string
	kind   attrKind
}

type attrKind uint8

const (
	kindInt attrKind = iota
	kindFloat
	kindString
	kindInts
	kindFloats
	kindStrings
)

// Int is an integer attribute.
func Int(name string, v int) Attr { return Attr{Name: name, I: v, kind: kindInt} }

// Float is a real attribute.
func Float(name string, v float64) Attr { return Attr{Name: name, F: v, kind: kindFloat} }

// String is a text attribute.
func String(name, v string) Attr { return Attr{Name: name, S: v, kind: kindString} }

// Ints is a list attribute; it keeps the slice.
func Ints(name string, v ...int) Attr { return Attr{Name: name, Ints: v, kind: kindInts} }

// Floats is a list attribute; it keeps the slice.
func Floats(name string, v ...float64) Attr { return Attr{Name: name, Floats: v, kind: kindFloats} }

// Strings is a list attribute; it keeps the slice.
func Strings(name string, v ...string) Attr { return Attr{Name: name, Strs: v, kind: kindStrings} }

// Attrs are an operator's attributes, in the order they were given.
type Attrs []Attr

func (a Attrs) find(name string, k attrKind) (Attr, bool) {
	for _, at := range a {
		if at.Name == name && at.kind == k {
			return at, true
		}
	}
	return Attr{}, false
}

// Has reports whether there is an attribute of that name, of any kind.
func (a Attrs) Has(name string) bool {
	for _, at := range a {
		if at.Name == name {
			return true
		}
	}
	return false
}

// Int returns an integer attribute, or def if there is none.
func (a Attrs) Int(name string, def int) int {
	if at, ok := a.find(name, kindInt); ok {
		return at.I
	}
	return def
}

// Bool returns an integer attribute as a truth value, or def if there is none.
func (a Attrs) Bool(name string, def bool) bool {
	if at, ok := a.find(name, kindInt); ok {
		return at.I != 0
	}
	return def
}

// Float returns a real attribute, or def if there is none.
func (a Attrs) Float(name string, def float64) float64 {
	if at, ok := a.find(name, kindFloat); ok {
		return at.F
	}
	return def
}

// Str returns a text attribute, or def if there is none.
func (a Attrs) Str(name, def string) string {
	if at, ok := a.find(name, kindString); ok {
		return at.S
	}
	return def
}

// Ints returns a list attribute, or nil if there is none. Do not write to it.
func (a Attrs) Ints(name string) []int {
	at, _ := a.find(name, kindInts)
	return at.Ints
}

// Floats returns a list attribute, or nil if there is none. Do not write to it.
func (a Attrs) Floats(name string) []float64 {
	at, _ := a.find(name, kindFloats)
	return at.Floats
}

// Strs returns a list attribute, or nil if there is none. Do not write to it.
func (a Attrs) Strs(name string) []string {
	at, _ := a.find(name, kindStrings)
	return at.Strs
}

// With returns a copy in which the attribute takes the place of one of its
// name, or comes last.
func (a Attrs) With(at Attr) Attrs {
	out := make(Attrs, 0, len(a)+1)
	for _, old := range a {
		if old.Name != at.Name {
			out = append(out, old)
		}
	}
	return append(out, at)
}

// Without returns a copy without the attributes of these names.
func (a Attrs) Without(names ...string) Attrs {
	var out Attrs
	for _, at := range a {
		keep := true
		for _, n := range names {
			keep = keep && at.Name != n
		}
		if keep {
			out = append(out, at)
		}
	}
	return out
}

// String prints {name=value, …}, or nothing if there are none.
func (a Attrs) String() string {
	if len(a) == 0 {
		return ""
	}
	parts := make([]string, len(a))
	for i, at := range a {
		parts[i] = at.Name + "=" + at.value()
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// Value returns the value: an int, float64, string, []int, []float64 or
// []string. Do not write to it.
func (a Attr) Value() any {
	switch a.kind {
	case kindFloat:
		return a.F
	case kindString:
		return a.S
	case kindInts:
		return a.Ints
	case kindFloats:
		return a.Floats
	case kindStrings:
		return a.Strs
	}
	return a.I
}

func (a Attr) value() string {
	if a.kind == kindFloat {
		return fmt.Sprintf("%g", a.F)
	}
	return fmt.Sprint(a.Value())
}

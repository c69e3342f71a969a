package accel

import (
	"fmt"
	"strings"
)

// Attr is one attribute of an operator. Exactly one of the value fields
// matters, which one the operator's definition says.
type Attr struct {
	Name string
	I    int
	F    float64
	S    string
	Ints []int
	kind attrKind
}

type attrKind uint8

const (
	kindInt attrKind = iota
	kindFloat
	kindString
	kindInts
)

// Int is an integer attribute.
func Int(name string, v int) Attr { return Attr{Name: name, I: v, kind: kindInt} }

// Float is a real attribute.
func Float(name string, v float64) Attr { return Attr{Name: name, F: v, kind: kindFloat} }

// String is a text attribute.
func String(name, v string) Attr { return Attr{Name: name, S: v, kind: kindString} }

// Ints is a list attribute; it keeps the slice.
func Ints(name string, v ...int) Attr { return Attr{Name: name, Ints: v, kind: kindInts} }

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

// Int returns an integer attribute, or def if there is none.
func (a Attrs) Int(name string, def int) int {
	if at, ok := a.find(name, kindInt); ok {
		return at.I
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

func (a Attr) value() string {
	switch a.kind {
	case kindFloat:
		return fmt.Sprintf("%g", a.F)
	case kindString:
		return a.S
	case kindInts:
		return fmt.Sprint(a.Ints)
	}
	return fmt.Sprint(a.I)
}

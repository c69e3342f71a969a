package expression

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"

	"github.com/millrace-go/millrace/internal/names"
)

// function is one function: how it is called and what it makes of the kinds of
// its arguments; ok is false if it does not take them.
type function struct {
	name, takes string
	make        func(args []node) (n node, ok bool)
}

var functions = []function{
	{"len", "a text", onText(func(x node) node {
		return fromTexts(Int64, x, func(s string) int64 { return int64(utf8.RuneCountInString(s)) })
	})},
	{"lower", "a text", onText(func(x node) node { return mapTexts(x, strings.ToLower) })},
	{"upper", "a text", onText(func(x node) node { return mapTexts(x, strings.ToUpper) })},
	{"trim", "a text", onText(func(x node) node { return mapTexts(x, strings.TrimSpace) })},
	{"abs", "a number", abs},
	{"floor", "a number", onNumber(math.Floor)},
	{"ceil", "a number", onNumber(math.Ceil)},
	{"round", "a number", onNumber(math.Round)},
	{"sqrt", "a number", sqrt},
	{"min", "two or more numbers, dates, timestamps or texts", extreme("<")},
	{"max", "two or more numbers, dates, timestamps or texts", extreme(">")},
	{"int", "a number or bool", toInt},
	{"float", "a number or bool", toReal},
	{"string", "an int64, bool or text", toText},
	{"date", "a timestamp or date", toDate},
	{"year", "a date or timestamp", datePart(func(t time.Time) int { return t.Year() })},
	{"month", "a date or timestamp", datePart(func(t time.Time) int { return int(t.Month()) })},
	{"day", "a date or timestamp", datePart(func(t time.Time) int { return t.Day() })},
	{"weekday", "a date or timestamp", datePart(func(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 })},
	{"hour", "a timestamp", hour},
}

func (c *compiler) call(n ast.Node, name string, list []ast.Node) (node, error) {
	i := slices.IndexFunc(functions, func(f function) bool { return f.name == name })
	if i < 0 {
		known := make([]string, len(functions))
		for k, f := range functions {
			known[k] = f.name
		}
		return node{}, at(n.Location(), "no function %s; did you mean %s?", name, names.Nearest(name, known))
	}
	args, err := c.compileAll(list)
	if err != nil {
		return node{}, err
	}
	out, ok := functions[i].make(args)
	if !ok {
		return node{}, at(n.Location(), "%s takes %s, got (%s)", name, functions[i].takes, kindsOf(args))
	}
	return out, nil
}

func onText(f func(node) node) func([]node) (node, bool) {
	return func(args []node) (node, bool) {
		if len(args) != 1 || args[0].kind != String {
			return node{}, false
		}
		return f(args[0]), true
	}
}

// onNumber leaves integers as they are.
func onNumber(op func(float64) float64) func([]node) (node, bool) {
	return func(args []node) (node, bool) {
		if len(args) != 1 || !args[0].kind.number() {
			return node{}, false
		}
		if args[0].kind == Int64 {
			return args[0], true
		}
		return mapFloats(args[0], op), true
	}
}

func abs(args []node) (node, bool) {
	if len(args) == 1 && args[0].kind == Int64 {
		return mapInts(Int64, args[0], func(v int64) (int64, bool) { return magnitude(v), v != math.MinInt64 }), true
	}
	return onNumber(math.Abs)(args)
}

func sqrt(args []node) (node, bool) {
	if len(args) != 1 || !args[0].kind.number() {
		return node{}, false
	}
	return mapFloats(toFloat(args[0]), math.Sqrt), true
}

// extreme is the least or greatest of all arguments, null if one is.
func extreme(operator string) func([]node) (node, bool) {
	return func(args []node) (node, bool) {
		if len(args) < 2 {
			return node{}, false
		}
		for range 2 { // the second time all take the kind that the first found
			for i := 1; i < len(args); i++ {
				var ok bool
				if args[0], args[i], ok = alike(args[0], args[i]); !ok {
					return node{}, false
				}
			}
		}
		switch args[0].kind {
		case null, Bool:
			return node{}, false
		case Float64:
			return extremeOf(operator, args, func(v *Vector) *[]float64 { return &v.Floats }), true
		case String:
			return extremeOf(operator, args, func(v *Vector) *[]string { return &v.Texts }), true
		}
		return extremeOf(operator, args, func(v *Vector) *[]int64 { return &v.Ints }), true
	}
}

func extremeOf[T cmp.Ordered](operator string, args []node, of func(*Vector) *[]T) node {
	return node{kind: args[0].kind, eval: func(f *frame) *Vector {
		first := args[0].eval(f)
		out := &Vector{Kind: first.Kind, Valid: both(first.Valid, nil)}
		best := slices.Clone(*of(first))
		for _, n := range args[1:] {
			v := n.eval(f)
			out.Valid = both(out.Valid, v.Valid)
			for i, x := range *of(v) {
				if less := x < best[i]; less == (operator == "<") && x != best[i] {
					best[i] = x
				}
			}
		}
		*of(out) = best
		return out
	}}
}

func toInt(args []node) (node, bool) {
	if len(args) != 1 {
		return node{}, false
	}
	x := args[0]
	switch x.kind {
	case Int64:
		return x, true
	case Bool:
		return mapInts(Int64, x, func(v int64) (int64, bool) { return v, true }), true
	case Float64:
		return node{kind: Int64, eval: func(f *frame) *Vector {
			v := x.eval(f)
			out := &Vector{Kind: Int64, Ints: make([]int64, f.n), Valid: both(v.Valid, nil)}
			for i, r := range v.Floats {
				if !(r >= -0x1p63 && r < 0x1p63) {
					out.setNull(i, f.n)
					continue
				}
				out.Ints[i] = int64(r)
			}
			return out
		}}, true
	}
	return node{}, false
}

func toReal(args []node) (node, bool) {
	if len(args) == 1 && args[0].kind == Bool {
		whole, _ := toInt(args)
		return toFloat(whole), true
	}
	if len(args) != 1 || !args[0].kind.number() {
		return node{}, false
	}
	return toFloat(args[0]), true
}

func toText(args []node) (node, bool) {
	if len(args) != 1 {
		return node{}, false
	}
	switch x := args[0]; x.kind {
	case String:
		return x, true
	case Int64:
		return intsToTexts(x, func(v int64) string { return strconv.FormatInt(v, 10) }), true
	case Bool:
		return intsToTexts(x, func(v int64) string { return strconv.FormatBool(v != 0) }), true
	}
	return node{}, false
}

func intsToTexts(x node, op func(int64) string) node {
	return node{kind: String, eval: func(f *frame) *Vector {
		v := x.eval(f)
		out := &Vector{Kind: String, Texts: make([]string, f.n), Valid: v.Valid}
		for i, n := range v.Ints {
			if !v.IsNull(i) {
				out.Texts[i] = op(n)
			}
		}
		return out
	}}
}

func fromTexts(k Kind, x node, op func(string) int64) node {
	return node{kind: k, eval: func(f *frame) *Vector {
		v := x.eval(f)
		out := &Vector{Kind: k, Ints: make([]int64, f.n), Valid: v.Valid}
		for i, s := range v.Texts {
			out.Ints[i] = op(s)
		}
		return out
	}}
}

func mapTexts(x node, op func(string) string) node {
	return node{kind: String, eval: func(f *frame) *Vector {
		v := x.eval(f)
		out := &Vector{Kind: String, Texts: make([]string, f.n), Valid: v.Valid}
		for i, s := range v.Texts {
			out.Texts[i] = op(s)
		}
		return out
	}}
}

const microsPerDay = 86400 * 1_000_000

func toDate(args []node) (node, bool) {
	switch {
	case len(args) != 1:
		return node{}, false
	case args[0].kind == Date:
		return args[0], true
	case args[0].kind == String && args[0].constant:
		return asTime(args[0], Date)
	}
	return mapInts(Date, args[0], func(v int64) (int64, bool) {
		day := floorDiv(v, microsPerDay)
		return day, day == int64(int32(day))
	}), args[0].kind == Timestamp
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func datePart(part func(time.Time) int) func([]node) (node, bool) {
	return func(args []node) (node, bool) {
		if len(args) != 1 {
			return node{}, false
		}
		switch x := args[0]; x.kind {
		case Date:
			return mapInts(Int64, x, func(v int64) (int64, bool) { return int64(part(time.Unix(v*86400, 0).UTC())), true }), true
		case Timestamp:
			return mapInts(Int64, x, func(v int64) (int64, bool) { return int64(part(time.UnixMicro(v).UTC())), true }), true
		}
		return node{}, false
	}
}

func hour(args []node) (node, bool) {
	if len(args) != 1 || args[0].kind != Timestamp {
		return node{}, false
	}
	return mapInts(Int64, args[0], func(v int64) (int64, bool) {
		return (v - floorDiv(v, microsPerDay)*microsPerDay) / (3600 * 1_000_000), true
	}), true
}

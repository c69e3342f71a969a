package expression

import (
	"cmp"
	"math"
	"math/bits"
	"regexp"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
)

func (c *compiler) unary(n *ast.UnaryNode) (node, error) {
	x, err := c.compile(n.Node)
	if err != nil {
		return node{}, err
	}
	switch {
	case (n.Operator == "!" || n.Operator == "not") && x.kind == Bool:
		return mapInts(Bool, x, func(v int64) (int64, bool) { return 1 - v, true }), nil
	case n.Operator == "+" && x.kind.number():
		return x, nil
	case n.Operator == "-" && x.kind == Int64 && x.constant:
		return wholeOf(Int64, -x.whole), nil
	case n.Operator == "-" && x.kind == Float64 && x.constant:
		return realOf(-x.real), nil
	case n.Operator == "-" && x.kind == Int64:
		return mapInts(Int64, x, func(v int64) (int64, bool) { return -v, v != math.MinInt64 }), nil
	case n.Operator == "-" && x.kind == Float64:
		return mapFloats(x, func(v float64) float64 { return -v }), nil
	}
	return node{}, at(n.Location(), "%s takes no %v", n.Operator, x.kind)
}

func (c *compiler) binary(n *ast.BinaryNode) (node, error) {
	if n.Operator == "in" {
		return c.in(n)
	}
	a, err := c.compile(n.Left)
	if err != nil {
		return node{}, err
	}
	b, err := c.compile(n.Right)
	if err != nil {
		return node{}, err
	}
	var out node
	var ok bool
	switch n.Operator {
	case "&&", "and", "||", "or":
		out, ok = logic(n.Operator, a, b)
	case "==", "!=", "<", "<=", ">", ">=":
		out, ok = compare(n.Operator, a, b)
	case "+", "-", "*", "/", "%":
		out, ok = arithmetic(n.Operator, a, b)
	case "??":
		out, ok = coalesce(a, b)
	case "contains", "startsWith", "endsWith":
		out, ok = inText(n.Operator, a, b)
	case "matches":
		return matches(n, a, b)
	default:
		return node{}, at(n.Location(), "the operator %s is not supported", n.Operator)
	}
	if !ok {
		return node{}, at(n.Location(), "%s takes no %v and %v", n.Operator, a.kind, b.kind)
	}
	return out, nil
}

// alike makes the kinds of a and b equal, if they can be compared or chosen from.
func alike(a, b node) (node, node, bool) {
	switch {
	case a.kind == b.kind:
		return a, b, true
	case a.kind.number() && b.kind.number():
		return toFloat(a), toFloat(b), true
	case b.kind == String && b.constant:
		b, ok := asTime(b, a.kind)
		return a, b, ok
	case a.kind == String && a.constant:
		a, ok := asTime(a, b.kind)
		return a, b, ok
	}
	return a, b, false
}

// asTime reads a constant text as a date or timestamp.
func asTime(n node, k Kind) (node, bool) {
	if k != Date && k != Timestamp {
		return n, false
	}
	for _, layout := range []string{"2006-01-02", "2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999"} {
		t, err := time.Parse(layout, n.text)
		switch {
		case err != nil:
		case k == Timestamp:
			return wholeOf(k, t.UnixMicro()), true
		default:
			return wholeOf(k, t.Unix()/86400), len(layout) == 10
		}
	}
	return n, false
}

// logic is Kleene's: what is known decides.
func logic(operator string, a, b node) (node, bool) {
	if a.kind != Bool || b.kind != Bool {
		return node{}, false
	}
	decides := int64(0) // the value that needs no other
	if operator == "||" || operator == "or" {
		decides = 1
	}
	return node{kind: Bool, eval: func(f *frame) *Vector {
		x, y := a.eval(f), b.eval(f)
		out := &Vector{Kind: Bool, Ints: make([]int64, f.n), Valid: both(x.Valid, y.Valid)}
		if decides == 1 {
			for i, v := range x.Ints {
				out.Ints[i] = v | y.Ints[i]
			}
		} else {
			for i, v := range x.Ints {
				out.Ints[i] = v & y.Ints[i]
			}
		}
		if out.Valid == nil {
			return out
		}
		for i := range out.Ints {
			if x.Ints[i] == decides && !x.IsNull(i) || y.Ints[i] == decides && !y.IsNull(i) {
				out.Ints[i] = decides
				out.Valid[i/8] |= 1 << (i % 8)
			}
		}
		return out
	}}, true
}

func compare(operator string, a, b node) (node, bool) {
	if a.kind == null || b.kind == null {
		return compareNil(operator, a, b)
	}
	a, b, ok := alike(a, b)
	if !ok || a.kind == Bool && operator != "==" && operator != "!=" {
		return node{}, false
	}
	switch a.kind {
	case Float64:
		return compared(operator, a, b, func(v *Vector) []float64 { return v.Floats }), true
	case String:
		return compared(operator, a, b, func(v *Vector) []string { return v.Texts }), true
	}
	return compared(operator, a, b, func(v *Vector) []int64 { return v.Ints }), true
}

// compareNil is x == nil or x != nil.
func compareNil(operator string, a, b node) (node, bool) {
	if a.kind == null {
		a = b
	}
	if a.kind == null || operator != "==" && operator != "!=" {
		return node{}, false
	}
	ofNull := int64(0)
	if operator == "==" {
		ofNull = 1
	}
	return node{kind: Bool, eval: func(f *frame) *Vector {
		x := a.eval(f)
		out := &Vector{Kind: Bool, Ints: repeat(1-ofNull, f.n)}
		if x.Valid == nil {
			return out
		}
		for i := range out.Ints {
			if x.IsNull(i) {
				out.Ints[i] = ofNull
			}
		}
		return out
	}}, true
}

func compared[T cmp.Ordered](operator string, a, b node, of func(*Vector) []T) node {
	return node{kind: Bool, eval: func(f *frame) *Vector {
		x, y := a.eval(f), b.eval(f)
		out := &Vector{Kind: Bool, Ints: make([]int64, f.n), Valid: both(x.Valid, y.Valid)}
		compareLoop(operator, out.Ints, of(x), of(y))
		return out
	}}
}

// compareLoop has a loop for each operator, so that none is chosen by row.
func compareLoop[T cmp.Ordered](operator string, out []int64, x, y []T) {
	y = y[:len(x)]
	switch operator {
	case "==":
		for i := range x {
			out[i] = bit(x[i] == y[i])
		}
	case "!=":
		for i := range x {
			out[i] = bit(x[i] != y[i])
		}
	case "<":
		for i := range x {
			out[i] = bit(x[i] < y[i])
		}
	case "<=":
		for i := range x {
			out[i] = bit(x[i] <= y[i])
		}
	case ">":
		for i := range x {
			out[i] = bit(x[i] > y[i])
		}
	case ">=":
		for i := range x {
			out[i] = bit(x[i] >= y[i])
		}
	}
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func arithmetic(operator string, a, b node) (node, bool) {
	switch {
	case operator == "+" && a.kind == String && b.kind == String:
		return zipTexts(a, b, func(x, y string) string { return x + y }), true
	case operator == "%":
		return zipInts(Int64, a, b, remainder), a.kind == Int64 && b.kind == Int64
	case operator == "/":
		return zipFloats(toFloat(a), toFloat(b), operator), a.kind.number() && b.kind.number()
	case a.kind == Int64 && b.kind == Int64:
		return zipInts(Int64, a, b, wholes[operator]), true
	case a.kind.number() && b.kind.number():
		return zipFloats(toFloat(a), toFloat(b), operator), true
	case a.kind == Date && b.kind == Int64 && operator != "*":
		return zipInts(Date, a, b, days(wholes[operator])), true
	case a.kind == Int64 && b.kind == Date && operator == "+":
		return zipInts(Date, a, b, days(wholes[operator])), true
	}
	if a, b, ok := alike(a, b); ok && operator == "-" {
		switch a.kind {
		case Date:
			return zipInts(Int64, a, b, wholes["-"]), true
		case Timestamp:
			micros := zipInts(Int64, a, b, wholes["-"])
			return zipFloats(toFloat(micros), realOf(1e6), "/"), true
		}
	}
	return node{}, false
}

// wholes are the operations on integers; false is an overflow.
var wholes = map[string]func(x, y int64) (int64, bool){
	"+": func(x, y int64) (int64, bool) { s := x + y; return s, (s > x) == (y > 0) },
	"-": func(x, y int64) (int64, bool) { d := x - y; return d, (d < x) == (y > 0) },
	"*": product,
}

func product(x, y int64) (int64, bool) {
	high, low := bits.Mul64(uint64(magnitude(x)), uint64(magnitude(y)))
	if high != 0 {
		return 0, false
	}
	if (x < 0) != (y < 0) {
		return -int64(low), low <= 1<<63
	}
	return int64(low), low < 1<<63
}

// magnitude is |x|, as an unsigned number of 64 bits.
func magnitude(x int64) int64 {
	if x < 0 {
		return -x
	}
	return x
}

func remainder(x, y int64) (int64, bool) {
	if y == 0 || y == -1 { // the least int64 % -1 would overflow
		return 0, y != 0
	}
	return x % y, true
}

// days keeps dates in the range that a batch can hold.
func days(f func(x, y int64) (int64, bool)) func(x, y int64) (int64, bool) {
	return func(x, y int64) (int64, bool) {
		d, ok := f(x, y)
		return d, ok && d == int64(int32(d))
	}
}

func zipInts(k Kind, a, b node, op func(x, y int64) (int64, bool)) node {
	return node{kind: k, eval: func(f *frame) *Vector {
		x, y := a.eval(f), b.eval(f)
		out := &Vector{Kind: k, Ints: make([]int64, f.n), Valid: both(x.Valid, y.Valid)}
		for i, v := range x.Ints {
			r, ok := op(v, y.Ints[i])
			if !ok {
				out.setNull(i, f.n)
			}
			out.Ints[i] = r
		}
		return out
	}}
}

func zipFloats(a, b node, operator string) node {
	return node{kind: Float64, eval: func(f *frame) *Vector {
		x, y := a.eval(f), b.eval(f)
		out := &Vector{Kind: Float64, Floats: make([]float64, f.n), Valid: both(x.Valid, y.Valid)}
		floatLoop(operator, out.Floats, x.Floats, y.Floats)
		out.dropNonFinite(f.n)
		return out
	}}
}

func floatLoop(operator string, out, x, y []float64) {
	x, y = x[:len(out)], y[:len(out)]
	switch operator {
	case "+":
		for i := range out {
			out[i] = x[i] + y[i]
		}
	case "-":
		for i := range out {
			out[i] = x[i] - y[i]
		}
	case "*":
		for i := range out {
			out[i] = x[i] * y[i]
		}
	case "/":
		for i := range out {
			out[i] = x[i] / y[i]
		}
	}
}

// dropNonFinite makes infinities and NaN null.
func (v *Vector) dropNonFinite(n int) {
	for i, x := range v.Floats {
		if x-x != 0 {
			v.setNull(i, n)
		}
	}
}

func zipTexts(a, b node, op func(x, y string) string) node {
	return node{kind: String, eval: func(f *frame) *Vector {
		x, y := a.eval(f), b.eval(f)
		out := &Vector{Kind: String, Texts: make([]string, f.n), Valid: both(x.Valid, y.Valid)}
		for i := range out.Texts {
			if !out.IsNull(i) {
				out.Texts[i] = op(x.Texts[i], y.Texts[i])
			}
		}
		return out
	}}
}

func mapInts(k Kind, a node, op func(int64) (int64, bool)) node {
	return node{kind: k, eval: func(f *frame) *Vector {
		x := a.eval(f)
		out := &Vector{Kind: k, Ints: make([]int64, f.n), Valid: both(x.Valid, nil)}
		for i, v := range x.Ints {
			r, ok := op(v)
			if !ok {
				out.setNull(i, f.n)
			}
			out.Ints[i] = r
		}
		return out
	}}
}

func mapFloats(a node, op func(float64) float64) node {
	return node{kind: Float64, eval: func(f *frame) *Vector {
		x := a.eval(f)
		out := &Vector{Kind: Float64, Floats: make([]float64, f.n), Valid: both(x.Valid, nil)}
		for i, v := range x.Floats {
			out.Floats[i] = op(v)
		}
		out.dropNonFinite(f.n)
		return out
	}}
}

// testTexts is a bool of a text.
func testTexts(a node, test func(string) bool) node {
	return node{kind: Bool, eval: func(f *frame) *Vector {
		x := a.eval(f)
		out := &Vector{Kind: Bool, Ints: make([]int64, f.n), Valid: x.Valid}
		for i, s := range x.Texts {
			out.Ints[i] = bit(test(s))
		}
		return out
	}}
}

func inText(operator string, a, b node) (node, bool) {
	if a.kind != String || b.kind != String {
		return node{}, false
	}
	test := map[string]func(s, part string) bool{"contains": strings.Contains, "startsWith": strings.HasPrefix, "endsWith": strings.HasSuffix}[operator]
	if b.constant {
		return testTexts(a, func(s string) bool { return test(s, b.text) }), true
	}
	return node{kind: Bool, eval: func(f *frame) *Vector {
		x, y := a.eval(f), b.eval(f)
		out := &Vector{Kind: Bool, Ints: make([]int64, f.n), Valid: both(x.Valid, y.Valid)}
		for i, s := range x.Texts {
			out.Ints[i] = bit(test(s, y.Texts[i]))
		}
		return out
	}}, true
}

func matches(n *ast.BinaryNode, a, b node) (node, error) {
	if a.kind != String || b.kind != String || !b.constant {
		return node{}, at(n.Location(), "matches takes a text and a constant pattern, got %v and %v", a.kind, b.kind)
	}
	re, err := regexp.Compile(b.text)
	if err != nil {
		return node{}, at(n.Right.Location(), "%w", err)
	}
	return testTexts(a, re.MatchString), nil
}

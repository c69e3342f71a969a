// Package expression evaluates expressions on columns: "tip <= 0.5 * fare", a
// batch of rows at a time.
//
// The syntax is that of github.com/expr-lang/expr, whose parser reads it.
// Types are checked against the columns when an expression is compiled, and
// each operator is a loop over whole columns, not an interpreter for each row:
//
//	columns      name, or $env["a name with blanks"]
//	constants    1  2.5  "text"  true  nil
//	arithmetic   + - * of int64 and float64; / is float64; % of int64
//	             date + days, date - days, date - date in days, timestamp - timestamp in seconds; text + text
//	comparison   == != < <= > >=; of a date or timestamp with a constant text in ISO 8601, too
//	             x in [1, 2, 3]; x in 1..9; x not in […]
//	logic        && || !, also and, or, not; c ? a : b; a ?? b is b where a is null
//	text         contains, startsWith, endsWith, matches (an RE2 expression, anywhere in the text)
//	functions    len (in characters), lower, upper, trim, abs, floor, ceil, round (halves away from zero), sqrt,
//	             min, max, int (towards zero), float, string, year, month, day, weekday (1 is Monday), hour, date
//
// An int64 beside a float64 is converted to it. A result that does not exist is
// null: an int64 that overflows, a float64 that is not finite, a division by
// zero.
//
// Null is unknown, as in SQL: an operator or function of null is null, but
// x == nil and x != nil are never null, false && null is false, true || null is
// true.
//
// Every operation is rounded on its own, and what differs between processors
// (powers, logarithms) is left out, as are clocks and random numbers: a result
// depends on the row alone.
package expression

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"

	"github.com/millrace-go/millrace/internal/names"
)

// Kind is the type of a column.
type Kind uint8

// The kinds, in the order of those of clean.
const (
	String Kind = iota
	Int64
	Float64
	Bool
	Date
	Timestamp
	null // of nil, which has no type of its own
)

var kindNames = []string{"string", "int64", "float64", "bool", "date", "timestamp", "nil"}

func (k Kind) String() string { return kindNames[k] }

func (k Kind) number() bool { return k == Int64 || k == Float64 }

// Vector is a column. Texts holds the values of a String, Floats those of a
// Float64, Ints all others: a bool as 0 and 1, a date as days since 1970, a
// timestamp as microseconds since then. Valid has a bit a row, the lowest of a
// byte first, set if the row has a value; nil: all have. The value of a null
// means nothing. Vectors are never written to once they are made.
type Vector struct {
	Kind   Kind
	Ints   []int64
	Floats []float64
	Texts  []string
	Valid  []byte
}

// IsNull tells whether row i has no value.
func (v *Vector) IsNull(i int) bool { return v.Valid != nil && v.Valid[i/8]>>(i%8)&1 == 0 }

// setNull takes the value of row i of n away.
func (v *Vector) setNull(i, n int) {
	if v.Valid == nil {
		v.Valid = allValid(n)
	}
	v.Valid[i/8] &^= 1 << (i % 8)
}

func allValid(n int) []byte {
	valid := make([]byte, (n+7)/8)
	for i := range valid {
		valid[i] = 0xff
	}
	return valid
}

// both is where two columns have values.
func both(a, b []byte) []byte {
	if a == nil {
		return slices.Clone(b)
	}
	out := slices.Clone(a)
	for i := range b {
		out[i] &= b[i]
	}
	return out
}

// Program is a compiled expression. It is immutable.
type Program struct {
	root    node
	columns []string
}

// frame is one evaluation.
type frame struct {
	n       int
	columns []*Vector // by position among Program.columns
}

// node is a compiled part of an expression: its kind and how it is computed.
type node struct {
	kind Kind
	eval func(*frame) *Vector

	constant bool // of a literal, whose value is text, whole or real
	text     string
	whole    int64
	real     float64
}

// Kind is the type of the result.
func (p *Program) Kind() Kind { return p.root.kind }

// Columns lists the columns that the expression reads, in order of appearance.
func (p *Program) Columns() []string { return p.columns }

// Eval computes the expression on n rows of the columns that Columns lists, in
// that order. The result may share their memory.
func (p *Program) Eval(n int, columns []*Vector) *Vector {
	return p.root.eval(&frame{n: n, columns: columns})
}

// False lists the rows of n in which a Bool is false, ascending: null is not.
func False(v *Vector, n int) []int {
	var rows []int
	for i, x := range v.Ints[:n] {
		if x == 0 && !v.IsNull(i) {
			rows = append(rows, i)
		}
	}
	return rows
}

// Names lists the columns that an expression reads, whatever their types. It
// fails if the text is no expression.
func Names(text string) ([]string, error) {
	tree, err := parse(text)
	if err != nil {
		return nil, err
	}
	c := &compiler{}
	ast.Walk(&tree, namesOf{c})
	return c.columns, nil
}

// namesOf collects the columns of a tree.
type namesOf struct{ *compiler }

func (v namesOf) Visit(n *ast.Node) {
	if name, ok := columnName(*n); ok {
		v.position(name)
	}
}

// columnName is the column that a node stands for.
func columnName(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value, n.Value != wholeRow
	case *ast.MemberNode:
		of, ok := n.Node.(*ast.IdentifierNode)
		name, text := n.Property.(*ast.StringNode)
		if ok && text && of.Value == wholeRow {
			return name.Value, true
		}
	}
	return "", false
}

// wholeRow is the parser's name for all columns.
const wholeRow = "$env"

// maxBytes bounds the text of an expression: nodes nest at most as deep.
const maxBytes = 1 << 14

func parse(text string) (ast.Node, error) {
	if len(text) > maxBytes {
		return nil, fmt.Errorf("an expression of %d bytes, want at most %d", len(text), maxBytes)
	}
	tree, err := parser.Parse(text)
	if err == nil {
		return tree.Node, nil
	}
	if e, ok := err.(*file.Error); ok {
		return nil, at(e.Location, "%s", e.Message)
	}
	return nil, err
}

// at is an error at a place of the expression, counted in characters from 1.
func at(l file.Location, format string, args ...any) error {
	return fmt.Errorf("at character %d: %w", l.From+1, fmt.Errorf(format, args...))
}

// Compile reads an expression and checks it against the columns there are.
func Compile(text string, columns map[string]Kind) (*Program, error) {
	tree, err := parse(text)
	if err != nil {
		return nil, err
	}
	c := &compiler{kinds: columns}
	root, err := c.compile(tree)
	if err != nil {
		return nil, err
	}
	if root.kind == null {
		return nil, fmt.Errorf("the expression is always nil")
	}
	return &Program{root: root, columns: c.columns}, nil
}

// compiler turns a syntax tree into nodes.
type compiler struct {
	kinds   map[string]Kind
	columns []string
	nodes   int // compiled so far
}

// maxNodes bounds the work of an expression: a < b < c stands for a < b && b < c,
// so that what is written once may be computed twice.
const maxNodes = 1 << 12

// position is where a column comes among those that are read.
func (c *compiler) position(name string) int {
	i := slices.Index(c.columns, name)
	if i < 0 {
		i = len(c.columns)
		c.columns = append(c.columns, name)
	}
	return i
}

func (c *compiler) compile(n ast.Node) (node, error) {
	if c.nodes++; c.nodes > maxNodes {
		return node{}, at(n.Location(), "more than %d operations", maxNodes)
	}
	switch n := n.(type) {
	case *ast.NilNode:
		return node{kind: null}, nil
	case *ast.IntegerNode:
		return wholeOf(Int64, int64(n.Value)), nil
	case *ast.FloatNode:
		return realOf(n.Value), nil
	case *ast.BoolNode:
		if n.Value {
			return wholeOf(Bool, 1), nil
		}
		return wholeOf(Bool, 0), nil
	case *ast.StringNode:
		return textOf(n.Value), nil
	case *ast.IdentifierNode, *ast.MemberNode:
		if name, ok := columnName(n); ok {
			return c.column(n, name)
		}
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ConditionalNode:
		return c.conditional(n)
	case *ast.BuiltinNode:
		return c.call(n, n.Name, n.Arguments)
	case *ast.CallNode:
		if name, ok := n.Callee.(*ast.IdentifierNode); ok {
			return c.call(n, name.Value, n.Arguments)
		}
	}
	return node{}, at(n.Location(), "%s is not supported; see the list of operators and functions", n)
}

func (c *compiler) column(n ast.Node, name string) (node, error) {
	kind, ok := c.kinds[name]
	if !ok {
		known := make([]string, 0, len(c.kinds))
		for k := range c.kinds {
			known = append(known, k)
		}
		slices.Sort(known)
		return node{}, at(n.Location(), "no column %q; did you mean %q?", name, names.Nearest(name, known))
	}
	i := c.position(name)
	return node{kind: kind, eval: func(f *frame) *Vector { return f.columns[i] }}, nil
}

// wholeOf is a constant of a kind that is held as an integer.
func wholeOf(k Kind, v int64) node {
	return node{kind: k, constant: true, whole: v, eval: func(f *frame) *Vector {
		return &Vector{Kind: k, Ints: repeat(v, f.n)}
	}}
}

func realOf(v float64) node {
	return node{kind: Float64, constant: true, real: v, eval: func(f *frame) *Vector {
		return &Vector{Kind: Float64, Floats: repeat(v, f.n)}
	}}
}

func textOf(v string) node {
	return node{kind: String, constant: true, text: v, eval: func(f *frame) *Vector {
		return &Vector{Kind: String, Texts: repeat(v, f.n)}
	}}
}

func repeat[T any](v T, n int) []T {
	s := make([]T, n)
	for i := range s {
		s[i] = v
	}
	return s
}

// compileAll compiles the arguments of a function.
func (c *compiler) compileAll(list []ast.Node) ([]node, error) {
	out := make([]node, len(list))
	for i, n := range list {
		var err error
		if out[i], err = c.compile(n); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// kindsOf lists the kinds of nodes, for messages.
func kindsOf(list []node) string {
	words := make([]string, len(list))
	for i, n := range list {
		words[i] = n.kind.String()
	}
	return strings.Join(words, ", ")
}

// toFloat converts a number; others stay.
func toFloat(n node) node {
	if n.kind != Int64 {
		return n
	}
	if n.constant {
		return realOf(float64(n.whole))
	}
	return node{kind: Float64, eval: func(f *frame) *Vector {
		v := n.eval(f)
		out := &Vector{Kind: Float64, Floats: make([]float64, f.n), Valid: v.Valid}
		for i, x := range v.Ints {
			out.Floats[i] = float64(x)
		}
		return out
	}}
}

// count is the number of rows that have a value.
func (v *Vector) count(n int) int {
	if v.Valid == nil {
		return n
	}
	c := 0
	for i, b := range v.Valid {
		if left := n - 8*i; left < 8 {
			b &= 1<<left - 1
		}
		c += bits.OnesCount8(b)
	}
	return c
}

package expression

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// in is membership in a list of constants or a range of integers.
func (c *compiler) in(n *ast.BinaryNode) (node, error) {
	x, err := c.compile(n.Left)
	if err != nil {
		return node{}, err
	}
	switch list := n.Right.(type) {
	case *ast.ArrayNode:
		values, err := c.compileAll(list.Nodes)
		if err != nil {
			return node{}, err
		}
		return c.member(n, x, values)
	case *ast.BinaryNode:
		if list.Operator != ".." {
			break
		}
		ends, err := c.compileAll([]ast.Node{list.Left, list.Right})
		if err != nil {
			return node{}, err
		}
		if x.kind != Int64 || ends[0].kind != Int64 || ends[1].kind != Int64 {
			return node{}, at(n.Location(), "a range is for int64, got %v in %s", x.kind, kindsOf(ends))
		}
		return between(x, ends[0], ends[1]), nil
	}
	return node{}, at(n.Right.Location(), "in wants a list like [1, 2] or a range like 1..9")
}

func between(x, low, high node) node {
	return node{kind: Bool, eval: func(f *frame) *Vector {
		v, a, b := x.eval(f), low.eval(f), high.eval(f)
		out := &Vector{Kind: Bool, Ints: make([]int64, f.n), Valid: both(v.Valid, both(a.Valid, b.Valid))}
		for i, n := range v.Ints {
			out.Ints[i] = bit(n >= a.Ints[i] && n <= b.Ints[i])
		}
		return out
	}}
}

func (c *compiler) member(n *ast.BinaryNode, x node, values []node) (node, error) {
	for i, v := range values {
		a, b, ok := alike(x, v)
		if !ok || x.kind == null || !v.constant {
			return node{}, at(n.Right.Location(), "a list for %v holds constants of that type, got %v", x.kind, v.kind)
		}
		x, values[i] = a, b
	}
	if len(values) == 0 {
		return node{}, at(n.Right.Location(), "an empty list holds nothing")
	}
	switch x.kind {
	case Float64:
		return among(x, values, func(n node) float64 { return toFloat(n).real }, func(v *Vector) []float64 { return v.Floats }), nil
	case String:
		return among(x, values, func(n node) string { return n.text }, func(v *Vector) []string { return v.Texts }), nil
	}
	return among(x, values, func(n node) int64 { return n.whole }, func(v *Vector) []int64 { return v.Ints }), nil
}

// shortList is how many values are compared one after the other.
const shortList = 8

func among[T comparable](x node, values []node, value func(node) T, of func(*Vector) []T) node {
	list, set := make([]T, len(values)), make(map[T]struct{}, len(values))
	for i, v := range values {
		list[i] = value(v)
		set[list[i]] = struct{}{}
	}
	return node{kind: Bool, eval: func(f *frame) *Vector {
		v := x.eval(f)
		out := &Vector{Kind: Bool, Ints: make([]int64, f.n), Valid: v.Valid}
		for i, value := range of(v) {
			if len(list) <= shortList {
				out.Ints[i] = bit(slices.Contains(list, value))
				continue
			}
			_, found := set[value]
			out.Ints[i] = bit(found)
		}
		return out
	}}
}

func (c *compiler) conditional(n *ast.ConditionalNode) (node, error) {
	parts, err := c.compileAll([]ast.Node{n.Cond, n.Exp1, n.Exp2})
	if err != nil {
		return node{}, err
	}
	cond, a, b := parts[0], parts[1], parts[2]
	if cond.kind != Bool {
		return node{}, at(n.Cond.Location(), "a condition is a bool, got %v", cond.kind)
	}
	a, b, ok := choices(a, b)
	if !ok {
		return node{}, at(n.Location(), "the two results are of one type, got %v and %v", a.kind, b.kind)
	}
	return chosen(a, b, func(f *frame, _ *Vector) (first, known func(int) bool) {
		v := cond.eval(f)
		return func(i int) bool { return v.Ints[i] == 1 }, func(i int) bool { return !v.IsNull(i) }
	}), nil
}

// choices makes the kinds of two alternatives equal; nil is of any kind.
func choices(a, b node) (node, node, bool) {
	switch {
	case a.kind == null && b.kind == null:
		return a, b, false
	case a.kind == null:
		return nothing(b.kind), b, true
	case b.kind == null:
		return a, nothing(a.kind), true
	}
	return alike(a, b)
}

// nothing is a column of nulls.
func nothing(k Kind) node {
	return node{kind: k, eval: func(f *frame) *Vector {
		v := &Vector{Kind: k, Valid: make([]byte, (f.n+7)/8)}
		switch k {
		case String:
			v.Texts = make([]string, f.n)
		case Float64:
			v.Floats = make([]float64, f.n)
		default:
			v.Ints = make([]int64, f.n)
		}
		return v
	}}
}

func coalesce(a, b node) (node, bool) {
	a, b, ok := choices(a, b)
	if !ok {
		return node{}, false
	}
	return chosen(a, b, func(_ *frame, x *Vector) (first, known func(int) bool) {
		return func(i int) bool { return !x.IsNull(i) }, func(int) bool { return true }
	}), true
}

// chosen takes each row from a or b: first says from which, known whether
// there is a value at all.
func chosen(a, b node, by func(f *frame, a *Vector) (first, known func(int) bool)) node {
	return node{kind: a.kind, eval: func(f *frame) *Vector {
		x, y := a.eval(f), b.eval(f)
		first, known := by(f, x)
		out := nothing(a.kind).eval(f)
		for i := range f.n {
			from := y
			if first(i) {
				from = x
			}
			if !known(i) || from.IsNull(i) {
				continue
			}
			out.Valid[i/8] |= 1 << (i % 8)
			switch a.kind {
			case String:
				out.Texts[i] = from.Texts[i]
			case Float64:
				out.Floats[i] = from.Floats[i]
			default:
				out.Ints[i] = from.Ints[i]
			}
		}
		if out.count(f.n) == f.n {
			out.Valid = nil
		}
		return out
	}}
}

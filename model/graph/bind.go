package graph

import (
	"errors"
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// Binding makes a graph concrete.
type Binding struct {
	// Shapes are the shapes of inputs, by name; those without symbols may be left out.
	Shapes map[string][]int
	// Values makes constants of inputs, by name: those that shapes depend on.
	Values map[string]*accel.Array
	// Symbols are the numbers of declared symbols, by name, instead of Shapes.
	Symbols map[string]int
	// DTypes are the element types of inputs that are declared without one, by name.
	DTypes map[string]accel.DType
	// MaxUnroll is the number of nodes that the rounds of one Loop or Scan may
	// be written out to. The default is 4096.
	MaxUnroll int
	// NoFold leaves constant expressions in the graph, where shapes do not
	// depend on them.
	NoFold bool
}

// Bind returns a concrete copy of the graph, and the copy of each value: all
// shapes are numbers, values that depend on constants and shapes alone are
// constants, and functions are written out. It fails with NeedsValue where the
// value of an input would have to be known too, and with Dynamic where data
// decides.
func (g *Graph) Bind(with Binding) (*Graph, map[*Value]*Value, error) {
	b := &binder{from: g, to: New(g.Name), with: with, values: map[*Value]*Value{nil: nil}, symbols: map[int]int{}}
	if err := b.declare(); err != nil {
		return nil, nil, err
	}
	for i, n := range g.Nodes {
		if err := b.node(n); err != nil {
			return nil, nil, &NodeError{Node: n, Index: i, Err: err}
		}
	}
	for _, v := range g.Outputs {
		w := b.values[v]
		if w == nil {
			return nil, nil, fmt.Errorf("graph: output %s is not computed", v.Name)
		}
		b.to.Outputs = append(b.to.Outputs, w)
	}
	return b.to, b.values, nil
}

type binder struct {
	from, to *Graph
	with     Binding
	values   map[*Value]*Value
	symbols  map[int]int
	prefix   string // of the names of nodes: the round of a loop
	depth    int    // of definitions in definitions
}

// NodeError is the error of a node of a graph that is bound.
type NodeError struct {
	Node  *Node
	Index int // in the graph's nodes
	Err   error
}

// Error names the node.
func (e *NodeError) Error() string {
	return fmt.Sprintf("graph: %s (%s): %v", e.Node.Name, e.Node.Op, e.Err)
}

// Unwrap is the cause.
func (e *NodeError) Unwrap() error { return e.Err }

// Expanded returns a concrete graph with all functions written out: the graph
// itself if there are none, else a copy. What Gradients and Apply add to a bound
// graph may be functions again.
func (g *Graph) Expanded() (*Graph, error) {
	for _, n := range g.Nodes {
		if o := table[n.Op]; o.expand != nil && (o.when == nil || o.when(n)) {
			out, _, err := g.Bind(Binding{})
			return out, err
		}
	}
	return g, nil
}

// declare copies inputs, parameters and constants.
func (b *binder) declare() error {
	for name, n := range b.with.Symbols {
		b.symbols[b.from.Symbol(name)] = n
	}
	for _, v := range b.from.Inputs {
		if a := b.with.Values[v.Name]; a != nil {
			b.values[v] = b.to.Const(v.Name, a)
			continue
		}
		shape, err := b.shapeOf(v)
		if err != nil {
			return fmt.Errorf("graph: input %q: %w", v.Name, err)
		}
		t := v.Type.DType
		if t == 0 {
			t = b.with.DTypes[v.Name]
		}
		if b.values[v], err = b.to.Input(v.Name, t, shape...); err != nil {
			return err
		}
	}
	for _, v := range b.from.Params {
		w, err := b.to.Param(v.Name, v.Type.DType, v.Type.Shape...)
		if err != nil {
			return err
		}
		b.values[v] = w
	}
	for _, v := range b.from.Consts {
		b.values[v] = b.to.Const(v.Name, v.Data)
	}
	return nil
}

// shapeOf is the concrete shape of an input: given, or with the symbols replaced.
func (b *binder) shapeOf(v *Value) ([]int, error) {
	given, ok := b.with.Shapes[v.Name]
	switch {
	case v.Type.Form != Tensor && v.Type.Form != Unknown:
		return nil, &Dynamic{&Node{Op: "an input of type " + v.Type.String(), Name: v.Name}}
	case v.Type.Form == Unknown && !ok:
		return nil, fmt.Errorf("its rank is unknown; give its shape")
	case v.Type.Form == Unknown:
		return given, nil
	case ok && len(given) != len(v.Type.Shape):
		return nil, fmt.Errorf("shape %v, want %s", given, v.Type.format(b.from.shapeText))
	}
	out := make([]int, len(v.Type.Shape))
	for i, d := range v.Type.Shape {
		out[i] = d
		if ok {
			out[i] = given[i]
		} else if n, known := b.symbols[d]; known {
			out[i] = n
		}
		if out[i] < 0 {
			return nil, fmt.Errorf("dimension %s has no number; give the shape", b.from.symbolName(d))
		}
		if err := b.settle(d, out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// settle checks that a dimension is what was declared, and equal symbols equal numbers.
func (b *binder) settle(d, n int) error {
	if d >= 0 {
		if d != n {
			return fmt.Errorf("a dimension of %d, want %d", n, d)
		}
		return nil
	}
	if old, ok := b.symbols[d]; ok && old != n {
		return fmt.Errorf("dimension %s is %d, and %d elsewhere", b.from.symbolName(d), n, old)
	}
	b.symbols[d] = n
	return nil
}

// node copies, folds or expands one node.
func (b *binder) node(n *Node) error {
	if !slices.ContainsFunc(n.Outputs, func(v *Value) bool { return v != nil }) {
		return nil // nobody can read anything of it
	}
	in := make([]*Value, len(n.Inputs))
	for i, v := range n.Inputs {
		w, ok := b.values[v]
		if !ok {
			return fmt.Errorf("input %s is not computed before it is read", v.Name)
		}
		in[i] = w
	}
	if body := branch(n, in); body != nil {
		return b.inline(n, body)
	}
	if n.Op == "Loop" || n.Op == "Scan" {
		return b.unroll(n, in)
	}
	if n.Op == "Identity" && len(in) == 1 && in[0] != nil && len(n.Outputs) == 1 {
		b.values[n.Outputs[0]] = in[0]
		return nil
	}
	o := table[n.Op]
	m := &Node{Op: n.Op, Name: b.prefix + n.Name, Inputs: in, Attrs: n.Attrs, Graphs: n.Graphs, Outputs: n.Outputs}
	if len(n.Graphs) > 0 && o.expand == nil {
		return &Dynamic{n}
	}
	types, err := b.to.infer(m)
	if err != nil {
		return err
	}
	if len(types) < len(n.Outputs) {
		return fmt.Errorf("%d outputs, want at most %d", len(n.Outputs), len(types))
	}
	if values := b.shapeValue(m); values != nil {
		b.values[n.Outputs[0]] = b.to.Const(n.Outputs[0].Name, values)
		return nil
	}
	if foldable(m, types) && !b.with.NoFold {
		return b.fold(n, m)
	}
	if o.expand != nil && (o.when == nil || o.when(m)) {
		return b.expand(n, m, o.expand)
	}
	return b.keep(n, m)
}

// shapeValue is the value of Shape and Size, which no constant input is needed for.
func (b *binder) shapeValue(n *Node) *accel.Array {
	switch n.Op {
	case "Shape":
		s := n.Inputs[0].Type.Shape
		from, to := shapeRange(n, len(s))
		return accel.Ints64(s[from:to]...)
	case "Size":
		return accel.ArrayOf(accel.Int64, []int{}, []int64{int64(accel.Size(n.Inputs[0].Type.Shape))})
	}
	return nil
}

// fold replaces a node by its value.
func (b *binder) fold(n, m *Node) error {
	out, err := Evaluate(m)
	if err != nil {
		return err
	}
	for i, v := range n.Outputs {
		if v != nil {
			b.values[v] = b.to.Const(v.Name, out[i])
		}
	}
	return nil
}

// maxDepth bounds how deep definitions lie in definitions: one that led back to itself
// would end in a crash, not in an error. Those there are take a handful.
const maxDepth = 100

var errEndless = fmt.Errorf("its definition leads back to itself: %w", accel.ErrUnsupported)

// expand writes a node as others, as the definition says, which are bound in
// their turn.
func (b *binder) expand(n, m *Node, definition func(*B, *Node) []*Value) error {
	if b.depth >= maxDepth {
		return errEndless
	}
	inner := New(n.Name)
	view := *m
	view.Inputs = make([]*Value, len(m.Inputs))
	outer := map[*Value]*Value{nil: nil}
	for i, v := range m.Inputs {
		if v == nil {
			continue
		}
		w := &Value{Name: v.Name, Type: v.Type, Kind: v.Kind, Data: v.Data}
		if w.Kind == Result || w.Kind == Param {
			w.Kind = Input
		}
		inner.names[v.Name] = true
		view.Inputs[i] = w
		outer[w] = v
	}
	build := inner.Build(n.Name)
	outs := definition(build, &view)
	if build.err != nil {
		return build.err
	}
	sub := &binder{from: inner, to: b.to, with: Binding{NoFold: b.with.NoFold, MaxUnroll: b.with.MaxUnroll}, values: outer, symbols: b.symbols, depth: b.depth + 1}
	for _, v := range inner.Consts {
		outer[v] = b.to.Const(v.Name, v.Data)
	}
	for _, k := range inner.Nodes {
		if err := sub.node(k); errors.Is(err, errEndless) {
			return err // said once, not at every level
		} else if err != nil {
			return fmt.Errorf("%s in its definition: %w", k.Op, err)
		}
	}
	for i, v := range n.Outputs {
		if v == nil {
			continue
		}
		if i >= len(outs) || outs[i] == nil {
			return fmt.Errorf("output %d: %w", i, accel.ErrUnsupported)
		}
		b.values[v] = outer[outs[i]]
		if w := b.values[v]; w != nil && w.Kind == Result {
			b.to.rename(w, v.Name)
		}
	}
	return nil
}

// keep copies a node.
func (b *binder) keep(n, m *Node) error {
	k, err := b.to.ApplyNode(m.Op, m.Name, m.Attrs, m.Inputs...)
	if err != nil {
		return errors.Unwrap(err)
	}
	for i, v := range n.Outputs {
		if v == nil {
			continue
		}
		w, err := b.to.Ask(k, i)
		if err != nil {
			return err
		}
		b.to.rename(w, v.Name)
		b.values[v] = w
	}
	return nil
}

// Infer finds the types of the graph's values as far as they can be known
// without running it, by binding it to several assignments of its symbols.
func (g *Graph) Infer() error {
	var found [probes]map[*Value]*Value
	for p := range found {
		with := Binding{Shapes: map[string][]int{}}
		for _, v := range g.Inputs {
			if v.Type.Form == Tensor {
				with.Shapes[v.Name] = g.probe(v.Type.Shape, p)
			}
		}
		_, values, err := g.Bind(with)
		if err != nil {
			return err
		}
		found[p] = values
	}
	for _, n := range g.Nodes {
		for _, v := range n.Outputs {
			if v != nil {
				g.learn(v, found)
			}
		}
	}
	return nil
}

// learn gives v the type that its copies have.
func (g *Graph) learn(v *Value, found [probes]map[*Value]*Value) {
	var types [probes][]Type
	for p := range types {
		w := found[p][v]
		if w == nil {
			return
		}
		types[p] = []Type{w.Type}
	}
	if t, err := g.fitTypes(types); err == nil {
		v.Type = t[0]
	}
}

func (g *Graph) shapeText(s Shape) string { return s.format(g.symbolName) }

// shapeRange is the part of a shape that the attributes of Shape ask for.
func shapeRange(n *Node, rank int) (from, to int) {
	from, to = n.Attrs.Int("start", 0), n.Attrs.Int("end", rank)
	if from < 0 {
		from += rank
	}
	if to < 0 {
		to += rank
	}
	from = min(max(from, 0), rank)
	return from, max(from, min(max(to, 0), rank))
}

// Clone returns a deep copy and the copy of each value; attributes, constants'
// data and bodies are shared.
func (g *Graph) Clone() (*Graph, map[*Value]*Value) {
	c := &Graph{Name: g.Name, names: map[string]bool{}, numbers: map[string]int{}, symbols: slices.Clone(g.symbols)}
	for name := range g.names {
		c.names[name] = true
	}
	to := map[*Value]*Value{nil: nil}
	copyOf := func(v *Value) *Value {
		if v == nil {
			return nil
		}
		w := *v
		to[v] = &w
		return &w
	}
	copyAll := func(vs []*Value) (out []*Value) {
		for _, v := range vs {
			out = append(out, copyOf(v))
		}
		return out
	}
	c.Inputs, c.Params, c.Consts = copyAll(g.Inputs), copyAll(g.Params), copyAll(g.Consts)
	for _, n := range g.Nodes {
		m := *n
		m.Inputs = nil
		for _, v := range n.Inputs {
			m.Inputs = append(m.Inputs, to[v])
		}
		m.Outputs = copyAll(n.Outputs)
		for _, v := range m.Outputs {
			if v != nil {
				v.Producer = &m
			}
		}
		c.Nodes = append(c.Nodes, &m)
	}
	for _, v := range g.Outputs {
		c.Outputs = append(c.Outputs, to[v])
	}
	return c, to
}

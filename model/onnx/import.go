package onnx

import (
	"fmt"
	"slices"
	"sync"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
	"github.com/millrace-go/millrace/model/onnx/wire"
)

// importer holds what is common to all graphs of a model.
type importer struct {
	opt       Options
	out       *Model
	functions map[functionKey]*wire.Function
	active    map[functionKey]bool // being written out
	left      int64                // bytes of tensors that may still be read
	nodes     int                  // made, constants and calls of functions included
}

// maxCalls bounds how deep functions call functions.
const maxCalls = 64

// supported is the set of operators that the graph has.
var supported = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	for _, op := range graph.Ops() {
		out[op] = true
	}
	return out
})

// functionKey identifies a function of the model.
type functionKey struct{ domain, name, overload string }

// scope is where names of a file mean values: a graph, or a function in a graph.
type scope struct {
	im      *importer
	g       *graph.Graph
	opsets  map[string]int64
	taken   names
	values  map[string]*graph.Value
	rename  map[string]string                       // results that are called otherwise in g
	pending map[string]func() (*accel.Array, error) // initializers nobody has read yet
	outer   *scope                                  // the graph around this one
	prefix  string                                  // of the names of a function's values
	refs    map[string]*wire.Attribute              // attributes of a function's call; nil outside of functions
}

// model imports everything.
func (im *importer) model(m *wire.Model) error {
	if m.Graph == nil {
		return fmt.Errorf("the model has no graph")
	}
	for _, f := range m.Functions {
		k := functionKey{domainOf(f.Domain), f.Name, f.Overload}
		if im.functions[k] != nil {
			return fmt.Errorf("function %q of domain %q is defined twice", f.Name, f.Domain)
		}
		im.functions[k] = f
	}
	opsets, err := opsetsOf(m.OperatorSets)
	if err != nil {
		return err
	}
	im.out.Graph = graph.New(m.Graph.Name)
	s := &scope{im: im, g: im.out.Graph, opsets: opsets}
	return s.graph(m.Graph)
}

// domainOf is a domain's one name: ONNX's own has two.
func domainOf(domain string) string {
	if domain == "ai.onnx" {
		return ""
	}
	return domain
}

func opsetsOf(sets []wire.OperatorSet) (map[string]int64, error) {
	out := map[string]int64{}
	for _, o := range sets {
		d := domainOf(o.Domain)
		if v, twice := out[d]; twice && v != o.Version {
			return nil, fmt.Errorf("operator set %q is imported as version %d and %d", d, v, o.Version)
		}
		if o.Version < 1 || d == "" && o.Version > newestOpset {
			return nil, fmt.Errorf("version %d of operator set %q, want %d to %d: %w", o.Version, d, oldestOpset, newestOpset, accel.ErrUnsupported)
		}
		out[d] = o.Version
	}
	return out, nil
}

// graph imports a main graph or a body into the scope's empty graph.
func (s *scope) graph(w *wire.Graph) error {
	if err := s.fill(w); err != nil {
		if w.Name != "" {
			return fmt.Errorf("graph %q: %w", w.Name, bare(err))
		}
		return bare(err)
	}
	return nil
}

func (s *scope) fill(w *wire.Graph) error {
	s.taken, s.values = names{}, map[string]*graph.Value{}
	if err := s.initializers(w); err != nil {
		return err
	}
	for _, v := range w.Inputs {
		if err := s.input(v); err != nil {
			return fmt.Errorf("input %q: %w", v.Name, err)
		}
	}
	nodes, err := inOrder(w.Nodes)
	if err != nil {
		return err
	}
	for i, n := range nodes {
		for _, name := range n.Outputs {
			if s.defines(name) {
				return fmt.Errorf("%s: value %q is an input or initializer already", describe(i, n), name)
			}
			s.taken.take(name)
		}
	}
	if err := s.nodes(nodes); err != nil {
		return err
	}
	for _, v := range w.Outputs {
		x, err := s.value(v.Name)
		if err == nil && x == nil {
			err = fmt.Errorf("it has no name")
		}
		if err != nil {
			return fmt.Errorf("output %q: %w", v.Name, err)
		}
		if err := s.declared(x, v); err != nil {
			return fmt.Errorf("output %q: %w", v.Name, err)
		}
		s.g.Outputs = append(s.g.Outputs, x)
	}
	return nil
}

// declared gives an output of the main graph the type that the file says it has.
// Nothing depends on it: types are inferred when the graph is bound.
func (s *scope) declared(x *graph.Value, v *wire.ValueInfo) error {
	if s.outer != nil || x.Kind != graph.Result {
		return nil
	}
	t, err := typeOf(s.g, v)
	x.Type = t
	return err
}

// defines says whether name is one of this scope's inputs or initializers.
func (s *scope) defines(name string) bool {
	_, value := s.values[name]
	return name != "" && (value || s.pending[name] != nil)
}

// initializers notes where the values of initializers come from. They are
// read when a node asks for them.
func (s *scope) initializers(w *wire.Graph) error {
	s.pending = map[string]func() (*accel.Array, error){}
	add := func(name string, read func() (*accel.Array, error)) error {
		if name == "" || s.pending[name] != nil {
			return fmt.Errorf("initializer %q: the name is empty or comes twice", name)
		}
		s.pending[name] = read
		s.taken.take(name)
		return nil
	}
	for _, t := range w.Initializers {
		if err := add(t.Name, func() (*accel.Array, error) { return s.im.array(t) }); err != nil {
			return err
		}
	}
	for _, t := range w.SparseInitializers {
		if err := add(t.Values.Name, func() (*accel.Array, error) { return s.im.dense(t) }); err != nil {
			return err
		}
	}
	return nil
}

// input declares an input of the graph. One with an initializer is a constant:
// older files list all initializers as inputs.
func (s *scope) input(v *wire.ValueInfo) error {
	if s.pending[v.Name] != nil {
		return nil
	}
	t, err := typeOf(s.g, v)
	if err != nil {
		return err
	}
	if s.outer != nil && t.Form == graph.Tensor { // shapes may change from one round to the next
		t = graph.Type{DType: t.DType, Form: graph.Unknown}
	}
	x, err := s.g.InputOf(v.Name, t)
	s.values[v.Name] = x
	s.taken.take(v.Name)
	return err
}

// nodes imports nodes in order.
func (s *scope) nodes(list []*wire.Node) error {
	for i, n := range list {
		if err := s.node(n); err != nil {
			return fmt.Errorf("%s: %w", describe(i, n), bare(err))
		}
	}
	return nil
}

// value is what a name stands for here; nil for the name of an optional input left out.
func (s *scope) value(name string) (*graph.Value, error) {
	if name == "" {
		return nil, nil
	}
	for at := s; at != nil; at = at.outer {
		if v, ok := at.values[name]; ok {
			return v, nil
		}
		if read := at.pending[name]; read != nil {
			return at.constant(name, read)
		}
	}
	return nil, fmt.Errorf("%q is computed by no node before, and is no input or initializer", name)
}

// constant makes a value of an initializer.
func (s *scope) constant(name string, read func() (*accel.Array, error)) (*graph.Value, error) {
	a, err := read()
	if err != nil {
		return nil, err
	}
	var v *graph.Value
	if s.im.opt.Trainable && s.outer == nil && a.DType.IsFloat() {
		if v, err = s.g.Param(name, a.DType, a.Shape...); err != nil {
			return nil, err
		}
		s.im.out.Params = append(s.im.out.Params, a)
	} else {
		v = s.g.Const(name, a)
	}
	s.values[name] = v
	return v, nil
}

// outputs are the names in the graph of a node's results, "" for those left out.
func (s *scope) outputs(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		switch called, ok := s.rename[name]; {
		case name == "":
		case ok:
			out[i] = called
		case s.prefix != "":
			out[i] = s.taken.fresh(s.prefix + name)
		default:
			out[i] = name
		}
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

// inputs are the values of names, without those left out at the end.
func (s *scope) inputs(names []string) ([]*graph.Value, error) {
	var in []*graph.Value
	for i, name := range names {
		v, err := s.value(name)
		if err != nil {
			return nil, fmt.Errorf("input %d: %w", i, err)
		}
		in = append(in, v)
	}
	return trimmed(in), nil
}

func trimmed(in []*graph.Value) []*graph.Value {
	for len(in) > 0 && in[len(in)-1] == nil {
		in = in[:len(in)-1]
	}
	return in
}

// body imports a graph that is an attribute of a node.
func (s *scope) body(w *wire.Graph) (*graph.Graph, error) {
	inner := &scope{im: s.im, g: graph.New(w.Name), opsets: s.opsets, outer: s, refs: s.refs}
	if err := inner.graph(w); err != nil {
		return nil, err
	}
	return inner.g, nil
}

// function writes out the call of a function of the model.
func (s *scope) function(n *wire.Node, k functionKey, f *wire.Function) error {
	if err := s.im.count(); err != nil {
		return err
	}
	if s.im.active[k] {
		return fmt.Errorf("function %q calls itself", f.Name)
	}
	if len(s.im.active) >= maxCalls {
		return fmt.Errorf("functions call each other more than %d deep: %w", maxCalls, wire.ErrLimit)
	}
	s.im.active[k] = true
	defer delete(s.im.active, k)
	opsets, err := opsetsOf(f.OperatorSets)
	if err != nil {
		return err
	}
	for d, v := range s.opsets { // older files leave out those that the model imports
		if _, ok := opsets[d]; !ok {
			opsets[d] = v
		}
	}
	name := n.Name
	if name == "" {
		name = n.OpType
	}
	in := &scope{im: s.im, g: s.g, opsets: opsets, taken: s.taken, values: map[string]*graph.Value{}, rename: map[string]string{},
		prefix: s.taken.fresh(name) + "/", refs: map[string]*wire.Attribute{}}
	if err := s.bindCall(in, n, f); err != nil {
		return err
	}
	nodes, err := inOrder(f.Nodes)
	if err == nil {
		err = in.nodes(nodes)
	}
	if err == nil {
		err = s.results(in, n, f)
	}
	if err != nil {
		return fmt.Errorf("function %q: %w", f.Name, bare(err))
	}
	return nil
}

// bindCall gives a function's scope the inputs, attributes and output names of a call.
func (s *scope) bindCall(in *scope, n *wire.Node, f *wire.Function) error {
	if len(n.Inputs) > len(f.Inputs) || len(n.Outputs) > len(f.Outputs) {
		return fmt.Errorf("%d inputs and %d outputs, but function %q has %d and %d", len(n.Inputs), len(n.Outputs), f.Name, len(f.Inputs), len(f.Outputs))
	}
	for i, name := range f.Inputs {
		in.values[name] = nil
		if i < len(n.Inputs) {
			v, err := s.value(n.Inputs[i])
			if err != nil {
				return fmt.Errorf("input %d: %w", i, err)
			}
			in.values[name] = v
		}
	}
	for _, a := range f.AttributeDefaults {
		in.refs[a.Name] = a
	}
	for _, a := range n.Attributes {
		if a, ok := s.resolve(a); ok {
			in.refs[a.Name] = a
		}
	}
	for i, outer := range s.outputs(n.Outputs) {
		_, input := in.values[f.Outputs[i]]
		if _, twice := in.rename[f.Outputs[i]]; outer != "" && !twice && !input {
			in.rename[f.Outputs[i]] = outer
		}
	}
	return nil
}

// results names the outputs of a function's call.
func (s *scope) results(in *scope, n *wire.Node, f *wire.Function) error {
	for i, name := range n.Outputs {
		if name == "" {
			continue
		}
		v, err := in.value(f.Outputs[i])
		if err != nil {
			return fmt.Errorf("output %d: %w", i, err)
		}
		if v == nil {
			return fmt.Errorf("output %q is an input that was left out", f.Outputs[i])
		}
		s.values[name] = v
	}
	return nil
}

// resolve replaces a reference to an attribute of the enclosing function by
// that attribute; false if the call does not give it.
func (s *scope) resolve(a *wire.Attribute) (*wire.Attribute, bool) {
	if a.Ref == "" {
		return a, true
	}
	given, ok := s.refs[a.Ref]
	if !ok {
		return nil, false
	}
	out := *given
	out.Name = a.Name
	return &out, true
}

// count takes a node, a constant or a call from those there may be.
func (im *importer) count() error {
	if im.nodes++; im.nodes > im.opt.MaxNodes {
		return fmt.Errorf("more than %d nodes: %w", im.opt.MaxNodes, wire.ErrLimit)
	}
	return nil
}

// add appends a node in its newest form.
func (s *scope) add(n *graph.Node, outputs []string) error {
	n.Inputs = trimmed(slices.Clone(n.Inputs))
	if !slices.Contains(outputs, n.Name) { // many writers call a node like its result
		n.Name = s.taken.fresh(n.Name)
	}
	if err := s.im.count(); err != nil {
		return err
	}
	if !supported()[n.Op] {
		return fmt.Errorf("operator %s: %w", n.Op, accel.ErrUnsupported)
	}
	return s.g.Append(n, outputs)
}

package graph

import (
	"math"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/extent"
)

// rewriter changes a concrete graph pattern by pattern. What it replaces stays
// in the graph, unread, until Prune.
type rewriter struct {
	g       *Graph
	readers map[*Value][]*Node
	output  map[*Value]bool
}

func newRewriter(g *Graph) *rewriter {
	r := &rewriter{g: g, readers: map[*Value][]*Node{}, output: map[*Value]bool{}}
	for _, n := range g.Nodes {
		r.reads(n)
	}
	for _, v := range g.Outputs {
		r.output[v] = true
	}
	return r
}

func (r *rewriter) reads(n *Node) {
	for _, v := range n.Inputs {
		if v != nil && !slices.Contains(r.readers[v], n) {
			r.readers[v] = append(r.readers[v], n)
		}
	}
}

// reader is the only node that reads v, or nil if there are none or several, or
// if v is an output of the graph.
func (r *rewriter) reader(v *Value) *Node {
	if len(r.readers[v]) != 1 || r.output[v] {
		return nil
	}
	return r.readers[v][0]
}

// producer is the node that computes v, if it is of operator op, nobody but one
// node reads v and v is no output: then a pattern may swallow it. Else nil.
func (r *rewriter) producer(v *Value, op string) *Node {
	if v == nil || v.Producer == nil || v.Producer.Op != op || r.reader(v) == nil {
		return nil
	}
	return v.Producer
}

// replace makes everybody who reads old read by instead.
func (r *rewriter) replace(old, by *Value) {
	for _, n := range r.readers[old] {
		for i, v := range n.Inputs {
			if v == old {
				n.Inputs[i] = by
			}
		}
		if !slices.Contains(r.readers[by], n) {
			r.readers[by] = append(r.readers[by], n)
		}
	}
	delete(r.readers, old)
	for i, v := range r.g.Outputs {
		if v == old {
			r.g.Outputs[i] = by
			r.output[by] = true
		}
	}
	delete(r.output, old)
}

// before adds nodes in front of n, named after it.
func (r *rewriter) before(n *Node, add func(b *B) *Value) (*Value, error) {
	first := len(r.g.Nodes)
	b := r.g.Build(n.Name)
	v := add(b)
	if b.err != nil {
		return nil, b.err
	}
	added := slices.Clone(r.g.Nodes[first:])
	at := slices.Index(r.g.Nodes, n)
	r.g.Nodes = slices.Insert(r.g.Nodes[:first], at, added...)
	for _, m := range added {
		r.reads(m)
	}
	return v, nil
}

// swap replaces output 0 of n by what add makes. A new result takes the name of
// what it replaces, so that messages still speak of that.
func (r *rewriter) swap(n *Node, add func(b *B) *Value) error {
	v, err := r.before(n, add)
	if err != nil {
		return err
	}
	r.handOver(n, v)
	return nil
}

// handOver makes v the result of n, which nobody reads any more. A result that had no
// reader, or becomes an output, takes the name.
func (r *rewriter) handOver(n *Node, v *Value) {
	old := n.Outputs[0]
	if v.Kind == Result && !r.output[v] && (len(r.readers[v]) == 0 || r.output[old]) {
		old.Name, v.Name = v.Name, old.Name
	}
	r.replace(old, v)
	r.unread(n)
}

// unread forgets that n reads its inputs, because nobody reads n any more; nor do those
// that computed them for n alone read theirs.
func (r *rewriter) unread(n *Node) {
	for _, v := range n.Inputs {
		if v == nil || !slices.Contains(r.readers[v], n) {
			continue
		}
		r.readers[v] = slices.DeleteFunc(r.readers[v], func(m *Node) bool { return m == n })
		if p := v.Producer; p != nil && !slices.ContainsFunc(p.Outputs, r.wanted) {
			r.unread(p)
		}
	}
}

// wanted reports whether v is an output or somebody reads it.
func (r *rewriter) wanted(v *Value) bool { return v != nil && (r.output[v] || len(r.readers[v]) > 0) }

// each calls f for every node of operator op that was there at first and still counts.
func (r *rewriter) each(op string, f func(n *Node) error) error {
	return r.sweep(map[string]func(*Node) error{op: f})
}

// sweep calls for every node, in their order, the rule of its operator. Nodes that
// rules add are not visited.
func (r *rewriter) sweep(rules map[string]func(n *Node) error) error {
	for _, n := range slices.Clone(r.g.Nodes) {
		f := rules[n.Op]
		if f == nil || len(n.Outputs) == 0 || !r.wanted(n.Outputs[0]) {
			continue // no rule, or replaced already
		}
		if err := f(n); err != nil {
			return err
		}
	}
	return nil
}

// scalarOf is the value of a float constant of one element.
func scalarOf(v *Value) (float64, bool) {
	if v == nil || v.Kind != Const || !v.Type.DType.IsFloat() || v.Data.Len() != 1 {
		return 0, false
	}
	return extent.Float(v.Data, 0), true
}

// isScalar reports whether v is a float constant of one element that is x, to
// the precision of float32.
func isScalar(v *Value, x float64) bool {
	s, ok := scalarOf(v)
	return ok && float32(s) == float32(x)
}

// near reports whether a is b, rounded to elements of type t or written with six digits.
func near(t accel.DType, a, b float64) bool {
	tolerance := 1e-6
	switch t {
	case accel.Float16:
		tolerance = 0x1p-9
	case accel.BFloat16:
		tolerance = 0x1p-6
	}
	return math.Abs(a-b) <= tolerance*math.Abs(b)
}

// other splits the inputs of a commutative node into a constant scalar and the
// rest; ok is false if there is none.
func other(n *Node) (scalar float64, x *Value, ok bool) {
	for i := range 2 {
		if s, is := scalarOf(n.Inputs[i]); is {
			return s, n.Inputs[1-i], true
		}
	}
	return 0, nil, false
}

// argument is the input of the node of operator op that computes v, or nil.
func argument(v *Value, op string) *Value {
	if v == nil || v.Producer == nil || v.Producer.Op != op {
		return nil
	}
	return v.Producer.Inputs[0]
}

// beside is the other input of a node of two, or nil if both are v.
func beside(n *Node, v *Value) *Value {
	if n.Inputs[0] != v {
		return n.Inputs[0]
	}
	if n.Inputs[1] != v {
		return n.Inputs[1]
	}
	return nil
}

// filled is a constant of that shape, every element of which is v.
func (b *B) filled(t accel.DType, v float64, shape ...int) *Value {
	one := b.Scalar(t, v)
	if b.err != nil {
		return nil
	}
	a, err := b.G.evaluate("Expand", nil, one.Data, accel.Ints64(shape...))
	if err != nil {
		b.Fail(err)
		return nil
	}
	return b.Const(a)
}

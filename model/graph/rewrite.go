package graph

import (
	"slices"

	"github.com/millrace-go/millrace/accel"
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
}

// before adds nodes in front of n, named after it. The result takes the name of
// the value that it replaces, so that messages still speak of it.
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

// swap replaces output 0 of n by what add makes.
func (r *rewriter) swap(n *Node, add func(b *B) *Value) error {
	v, err := r.before(n, add)
	if err != nil {
		return err
	}
	r.unread(n)
	old := n.Outputs[0]
	old.Name, v.Name = v.Name, old.Name
	r.replace(old, v)
	return nil
}

// unread forgets that n reads its inputs: nobody reads n any more.
func (r *rewriter) unread(n *Node) {
	for _, v := range n.Inputs {
		if v != nil {
			r.readers[v] = slices.DeleteFunc(r.readers[v], func(m *Node) bool { return m == n })
		}
	}
}

// each calls f for every node that was there at first and still counts.
func (r *rewriter) each(op string, f func(n *Node) error) error {
	for _, n := range slices.Clone(r.g.Nodes) {
		if n.Op != op || n.Outputs[0] == nil {
			continue
		}
		if len(r.readers[n.Outputs[0]]) == 0 && !r.output[n.Outputs[0]] {
			continue // replaced already
		}
		if err := f(n); err != nil {
			return err
		}
	}
	return nil
}

// scalarOf is the value of a float constant of one element.
func scalarOf(v *Value) (float64, bool) {
	if v == nil || v.Kind != Const || v.Data.Len() != 1 {
		return 0, false
	}
	switch v.Data.DType {
	case accel.Float32:
		return float64(accel.Values[float32](v.Data)[0]), true
	case accel.Float64:
		return accel.Values[float64](v.Data)[0], true
	}
	return 0, false
}

// isScalar reports whether v is a float constant of one element that is x, to
// the precision of float32.
func isScalar(v *Value, x float64) bool {
	s, ok := scalarOf(v)
	return ok && float32(s) == float32(x)
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

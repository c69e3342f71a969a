package graph

import (
	"bytes"
	"fmt"
	"strings"
)

// mergeEqual is common-subexpression elimination: of nodes with the same operator,
// attributes and inputs the first stays; and of constants with the same type and bytes.
func mergeEqual(g *Graph) error {
	r := newRewriter(g)
	consts := map[string][]*Value{}
	for _, v := range g.Consts {
		key := constKey(v)
		if first := equalConst(consts[key], v); first != nil {
			r.replace(v, first)
			continue
		}
		consts[key] = append(consts[key], v)
	}
	seen := map[string]*Node{}
	for _, n := range g.Nodes {
		if table[n.Op].random || len(n.Graphs) > 0 {
			continue
		}
		key := expressionKey(n)
		first, ok := seen[key]
		if !ok {
			seen[key] = n
			continue
		}
		if err := mergeNode(r, first, n); err != nil {
			return err
		}
	}
	g.Prune()
	return nil
}

// constKey is the same for equal constants, and cheap.
func constKey(v *Value) string {
	data := v.Data.Data
	return fmt.Sprintf("%s %x %x", v.Type, data[:min(64, len(data))], data[max(0, len(data)-64):])
}

// equalConst finds the constant with v's bytes among those with its key.
func equalConst(list []*Value, v *Value) *Value {
	for _, w := range list {
		if bytes.Equal(w.Data.Data, v.Data.Data) {
			return w
		}
	}
	return nil
}

func expressionKey(n *Node) string {
	var b strings.Builder
	b.WriteString(n.Op)
	for _, a := range n.Attrs { // as a program would write them: 1 is not 1.0, one text not two
		fmt.Fprintf(&b, " %s=%T%#v", a.Name, a.Value(), a.Value())
	}
	for _, v := range n.Inputs {
		fmt.Fprintf(&b, " %p", v)
	}
	return b.String()
}

// mergeNode replaces the outputs of n by those of first, but for outputs of the
// graph, which stay tensors of their own.
func mergeNode(r *rewriter, first, n *Node) error {
	for i, v := range n.Outputs {
		if v == nil || r.output[v] {
			continue
		}
		w, err := r.g.Ask(first, i)
		if err != nil {
			return err
		}
		r.replace(v, w)
	}
	return nil
}

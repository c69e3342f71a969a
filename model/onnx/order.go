package onnx

import (
	"container/heap"
	"fmt"
	"strings"

	"github.com/millrace-go/millrace/model/onnx/wire"
)

// inOrder returns the nodes of a graph in an order in which they can be executed:
// the one they have, as ONNX asks for, or one as near to it as can be. It fails
// on cycles and on values that two nodes compute.
func inOrder(nodes []*wire.Node) ([]*wire.Node, error) {
	producer := map[string]int{}
	for i, n := range nodes {
		for _, name := range n.Outputs {
			if name == "" {
				continue
			}
			if j, twice := producer[name]; twice {
				return nil, fmt.Errorf("value %q is computed twice, by %s and %s", name, describe(j, nodes[j]), describe(i, n))
			}
			producer[name] = i
		}
	}
	needs := make([][]int, len(nodes)) // the nodes that each one reads from
	sorted := true
	for i, n := range nodes {
		for name := range reads(n) {
			if j, ok := producer[name]; ok {
				needs[i] = append(needs[i], j)
				sorted = sorted && j < i
			}
		}
	}
	if sorted {
		return nodes, nil
	}
	return sortNodes(nodes, needs)
}

// reads is the set of names that a node reads, those that the graphs in its
// attributes take from around them included.
func reads(n *wire.Node) map[string]bool {
	out := map[string]bool{}
	for _, name := range n.Inputs {
		out[name] = true
	}
	for _, a := range n.Attributes {
		if a.Graph != nil {
			captures(a.Graph, out)
		}
		for _, g := range a.Graphs {
			captures(g, out)
		}
	}
	delete(out, "")
	return out
}

// captures adds the names that g reads and does not define.
func captures(g *wire.Graph, out map[string]bool) {
	own := map[string]bool{}
	for _, v := range g.Inputs {
		own[v.Name] = true
	}
	for _, t := range g.Initializers {
		own[t.Name] = true
	}
	for _, t := range g.SparseInitializers {
		own[t.Values.Name] = true
	}
	for _, n := range g.Nodes {
		for _, name := range n.Outputs {
			own[name] = true
		}
	}
	add := func(name string) {
		if !own[name] {
			out[name] = true
		}
	}
	for _, n := range g.Nodes {
		for name := range reads(n) {
			add(name)
		}
	}
	for _, v := range g.Outputs {
		add(v.Name)
	}
}

// ready is a heap of the nodes that can come next, the earliest first.
type ready []int

func (r ready) Len() int           { return len(r) }
func (r ready) Less(i, j int) bool { return r[i] < r[j] }
func (r ready) Swap(i, j int)      { r[i], r[j] = r[j], r[i] }
func (r *ready) Push(x any)        { *r = append(*r, x.(int)) }
func (r *ready) Pop() any {
	last := len(*r) - 1
	x := (*r)[last]
	*r = (*r)[:last]
	return x
}

// sortNodes is Kahn's algorithm; of the nodes that could come next the first does.
func sortNodes(nodes []*wire.Node, needs [][]int) ([]*wire.Node, error) {
	waits := make([]int, len(nodes))
	users := make([][]int, len(nodes))
	next := &ready{}
	for i, list := range needs {
		waits[i] = len(list)
		for _, j := range list {
			users[j] = append(users[j], i)
		}
		if len(list) == 0 {
			heap.Push(next, i)
		}
	}
	var out []*wire.Node
	for next.Len() > 0 {
		i := heap.Pop(next).(int)
		out = append(out, nodes[i])
		for _, j := range users[i] {
			if waits[j]--; waits[j] == 0 {
				heap.Push(next, j)
			}
		}
	}
	if len(out) == len(nodes) {
		return out, nil
	}
	return nil, cycle(nodes, needs, waits)
}

// cycle names the nodes of a cycle, of which there is one among those that wait.
func cycle(nodes []*wire.Node, needs [][]int, waits []int) error {
	at := 0
	for waits[at] == 0 {
		at++
	}
	seen := map[int]int{}
	var path []int
	for {
		if start, again := seen[at]; again {
			path = path[start:]
			break
		}
		seen[at] = len(path)
		path = append(path, at)
		best := -1
		for _, j := range needs[at] { // the set has no order: take the first node
			if waits[j] > 0 && (best < 0 || j < best) {
				best = j
			}
		}
		at = best
	}
	var names []string
	for k, i := range path {
		if k == 8 {
			names = append(names, "…")
			break
		}
		names = append(names, describe(i, nodes[i]))
	}
	return fmt.Errorf("the nodes depend on each other in a cycle: %s", strings.Join(names, " reads from "))
}

// describe names a node in an error.
func describe(i int, n *wire.Node) string {
	if n.Name == "" {
		return fmt.Sprintf("node %d (%s)", i, n.OpType)
	}
	return fmt.Sprintf("node %d %q (%s)", i, n.Name, n.OpType)
}

package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// Compile turns the graph into code for a batch of n rows. The code's
// arguments are the inputs, the parameters, then outputs, each in its own
// buffer; what lies between shares memory by its lifetime. outputs nil means
// the graph's own. The graph is not changed.
func Compile(g *Graph, n int, outputs []*Value) (*accel.Code, error) {
	if n < 1 {
		return nil, fmt.Errorf("graph.Compile: batch of %d rows", n)
	}
	if outputs == nil {
		outputs = g.Outputs
	}
	c := &compiler{batch: n, code: &accel.Code{}, ids: map[*Value]int{nil: -1}, root: map[int]int{}, uses: map[int]int{}}
	for _, v := range slices.Concat(g.Inputs, g.Params) {
		c.ids[v] = c.argument(v)
	}
	c.place(outputs)
	c.count(g)
	for _, node := range g.Nodes {
		if err := c.emit(node); err != nil {
			return nil, fmt.Errorf("graph.Compile: %s: %w", node.Name, err)
		}
	}
	if err := c.copies(); err != nil {
		return nil, err
	}
	c.code.ArenaBytes = c.mem.size
	return c.code, nil
}

// compiler is the state of one Compile.
type compiler struct {
	batch int
	code  *accel.Code
	ids   map[*Value]int // tensor of each value; nil is absent
	root  map[int]int    // the tensor whose memory a view looks at
	uses  map[int]int    // reads still to come of each arena tensor
	reads map[*Value]int
	extra []extraOutput
	mem   arena
}

// extraOutput is an output that is an input, or an output already: it is copied at the end.
type extraOutput struct {
	from *Value
	to   int
}

// tensor adds a tensor of v's type.
func (c *compiler) tensor(v *Value, arg, offset int) int {
	c.code.Tensors = append(c.code.Tensors, accel.Tensor{
		Name: v.Name, DType: v.Type.DType, Shape: v.Type.Shape.At(c.batch), Arg: arg, Offset: offset,
	})
	return len(c.code.Tensors) - 1
}

func (c *compiler) argument(v *Value) int {
	c.code.Args++
	return c.tensor(v, c.code.Args-1, 0)
}

// place gives the outputs their arguments before any node runs.
func (c *compiler) place(outputs []*Value) {
	for _, v := range outputs {
		id := c.argument(v)
		if _, taken := c.ids[v]; taken {
			c.extra = append(c.extra, extraOutput{v, id})
			continue
		}
		c.ids[v] = id
	}
}

// count notes how often each value is read.
func (c *compiler) count(g *Graph) {
	c.reads = map[*Value]int{}
	for _, n := range g.Nodes {
		for _, v := range n.Inputs {
			c.reads[v]++
		}
	}
}

// emit adds the instruction of one node, unless its output is a view.
func (c *compiler) emit(n *Node) error {
	in := make([]int, len(n.Inputs))
	for i, v := range n.Inputs {
		id, ok := c.ids[v]
		if !ok {
			return fmt.Errorf("input %s is not computed before it is read", v.Name)
		}
		in[i] = id
	}
	if _, output := c.ids[n.Outputs[0]]; table[n.Op].view && !output {
		c.view(n.Outputs[0], in[0])
	} else {
		out := make([]int, len(n.Outputs))
		for i, v := range n.Outputs {
			out[i] = c.result(v)
		}
		c.code.Instrs = append(c.code.Instrs, accel.Instr{Op: n.Op, Name: n.Name, In: in, Out: out, Attrs: n.Attrs})
	}
	for _, id := range in {
		c.release(id, 1)
	}
	for _, v := range n.Outputs {
		if v != nil && c.reads[v] == 0 {
			c.release(c.ids[v], 0)
		}
	}
	return nil
}

// view makes v the same memory as tensor of, which lives until v's reads are done too.
func (c *compiler) view(v *Value, of int) {
	base := c.code.Tensors[of]
	id := c.tensor(v, base.Arg, base.Offset)
	r := c.rootOf(of)
	c.ids[v], c.root[id] = id, r
	c.uses[r] += c.reads[v]
}

func (c *compiler) rootOf(id int) int {
	if r, ok := c.root[id]; ok {
		return r
	}
	return id
}

// result finds memory for an output of a node.
func (c *compiler) result(v *Value) int {
	if id, ok := c.ids[v]; ok {
		return id // absent, or an argument
	}
	id := c.tensor(v, -1, 0)
	c.code.Tensors[id].Offset = c.mem.take(c.code.Tensors[id].Bytes())
	c.ids[v], c.uses[id] = id, c.reads[v]
	return id
}

// release counts reads that are done, and gives memory back after the last.
func (c *compiler) release(id, reads int) {
	if id < 0 {
		return
	}
	r := c.rootOf(id)
	t := c.code.Tensors[r]
	if t.Arg >= 0 {
		return
	}
	c.uses[r] -= reads
	if c.uses[r] == 0 {
		c.uses[r] = -1 // given back: a view that nobody reads must not do it again
		c.mem.give(t.Offset, t.Bytes())
	}
}

// copies adds an Identity for each extra output.
func (c *compiler) copies() error {
	for _, e := range c.extra {
		id, ok := c.ids[e.from]
		if !ok || c.code.Tensors[id].Arg < 0 {
			return fmt.Errorf("graph.Compile: output %s has no memory of its own", e.from.Name)
		}
		c.code.Instrs = append(c.code.Instrs, accel.Instr{Op: "Identity", Name: e.from.Name, In: []int{id}, Out: []int{e.to}})
	}
	return nil
}

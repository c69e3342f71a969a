package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// Compile turns a concrete graph into code. The code's arguments are the inputs,
// the parameters, then outputs, each in its own buffer; what lies between shares
// memory by its lifetime. outputs nil means the graph's own. The graph is not changed.
func Compile(g *Graph, outputs []*Value) (*accel.Code, error) {
	if outputs == nil {
		outputs = g.Outputs
	}
	c := &compiler{code: &accel.Code{}, ids: map[*Value]int{nil: -1}, blocks: map[int]*block{}}
	for _, v := range slices.Concat(g.Inputs, g.Params) {
		c.ids[v] = c.argument(v)
	}
	c.count(g)
	c.place(outputs)
	for i, n := range g.Nodes {
		if err := c.emit(n, i); err != nil {
			return nil, fmt.Errorf("graph.Compile: %s: %w", n.Name, err)
		}
	}
	if err := c.copies(); err != nil {
		return nil, err
	}
	c.finish()
	return c.code, nil
}

// compiler is the state of one Compile.
type compiler struct {
	code   *accel.Code
	ids    map[*Value]int // tensor of each value; nil is absent
	blocks map[int]*block // the arena memory of a tensor, by id
	all    []*block
	reads  map[*Value]int
	extra  []extraOutput
}

// extraOutput is an output that is an input or a constant, or an output already:
// it is copied at the end.
type extraOutput struct {
	from *Value
	to   int
}

// block is memory in the arena from one instruction to another. Views and
// results computed in place share the block of what they were made of.
type block struct {
	bytes       int
	first, last int // instructions
	offset      int
	reads       int // still to come
	tensors     []int
}

// tensor adds a tensor of v's type.
func (c *compiler) tensor(v *Value, arg int) int {
	c.code.Tensors = append(c.code.Tensors, accel.Tensor{Name: v.Name, DType: v.Type.DType, Shape: v.Type.Shape, Arg: arg})
	return len(c.code.Tensors) - 1
}

func (c *compiler) argument(v *Value) int {
	c.code.Args++
	return c.tensor(v, c.code.Args-1)
}

// place gives the outputs their arguments before any node runs.
func (c *compiler) place(outputs []*Value) {
	for _, v := range outputs {
		id := c.argument(v)
		if _, taken := c.ids[v]; taken || v.Kind == Const {
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

// id is the tensor of a value that is read. A constant becomes one at its first use.
func (c *compiler) id(v *Value) (int, error) {
	if id, ok := c.ids[v]; ok {
		return id, nil
	}
	if v.Kind != Const {
		return 0, fmt.Errorf("input %s is not computed before it is read", v.Name)
	}
	id := c.tensor(v, -1)
	c.code.Tensors[id].Data = v.Data.Data
	c.ids[v] = id
	return id, nil
}

// emit adds the instruction of one node, unless its output is a view.
func (c *compiler) emit(n *Node, at int) error {
	in := make([]int, len(n.Inputs))
	for i, v := range n.Inputs {
		id, err := c.id(v)
		if err != nil {
			return err
		}
		in[i] = id
	}
	if c.isView(n, in) {
		c.view(n.Outputs[0], in[0], at)
	} else {
		out := make([]int, len(n.Outputs))
		for i, v := range n.Outputs {
			out[i] = c.result(n, i, v, in, at)
		}
		c.code.Instrs = append(c.code.Instrs, accel.Instr{Op: n.Op, Name: n.Name, In: in, Out: out, Attrs: n.Attrs})
	}
	for _, id := range in {
		if b := c.blocks[id]; b != nil {
			b.reads--
			b.last = at
		}
	}
	return nil
}

func (c *compiler) isView(n *Node, in []int) bool {
	if !table[n.Op].view || c.code.Tensors[in[0]].Const() {
		return false
	}
	_, output := c.ids[n.Outputs[0]]
	return !output
}

// view makes v the same memory as tensor of, which lives until v's reads are done too.
func (c *compiler) view(v *Value, of, at int) {
	id := c.tensor(v, c.code.Tensors[of].Arg)
	c.ids[v] = id
	if b := c.blocks[of]; b != nil {
		b.reads += c.reads[v]
		b.last = at
		b.tensors = append(b.tensors, id)
		c.blocks[id] = b
	}
}

// result finds memory for an output of a node.
func (c *compiler) result(n *Node, i int, v *Value, in []int, at int) int {
	if id, ok := c.ids[v]; ok {
		return id // absent, or an argument
	}
	id := c.tensor(v, -1)
	c.ids[v] = id
	bytes := c.code.Tensors[id].Bytes()
	if i == 0 {
		if b := c.inPlace(n, in, bytes); b != nil {
			b.reads += c.reads[v]
			b.tensors = append(b.tensors, id)
			c.blocks[id] = b
			return id
		}
	}
	b := &block{bytes: bytes, first: at, last: at, reads: c.reads[v], tensors: []int{id}}
	c.blocks[id] = b
	c.all = append(c.all, b)
	return id
}

// inPlace is the block of an input that dies with this node and may hold its result.
func (c *compiler) inPlace(n *Node, in []int, bytes int) *block {
	for _, i := range table[n.Op].inplace {
		if i >= len(in) || in[i] < 0 {
			continue
		}
		b := c.blocks[in[i]]
		if b == nil || c.code.Tensors[in[i]].Bytes() != bytes || b.bytes != bytes {
			continue
		}
		mine := 0
		for _, id := range in {
			if c.blocks[id] == b {
				mine++
			}
		}
		if mine == 1 && b.reads == 1 {
			return b
		}
	}
	return nil
}

// copies adds an Identity for each extra output.
func (c *compiler) copies() error {
	for _, e := range c.extra {
		id, err := c.id(e.from)
		if err != nil {
			return fmt.Errorf("graph.Compile: output %s: %w", e.from.Name, err)
		}
		if b := c.blocks[id]; b != nil {
			b.last = len(c.code.Instrs) + 1<<30 // after every node
		}
		c.code.Instrs = append(c.code.Instrs, accel.Instr{Op: "Identity", Name: e.from.Name, In: []int{id}, Out: []int{e.to}})
	}
	return nil
}

// finish plans the arena.
func (c *compiler) finish() {
	c.code.ArenaBytes, c.code.LiveBytes = plan(c.all), liveBytes(c.all)
	for _, b := range c.all {
		for _, id := range b.tensors {
			c.code.Tensors[id].Offset = b.offset
		}
	}
}

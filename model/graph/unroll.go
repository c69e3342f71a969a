package graph

import (
	"errors"
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// maxUnroll is the default of Binding.MaxUnroll.
const maxUnroll = 4096

// truth is the value of a constant condition.
func truth(v *Value) (value, known bool) {
	if v == nil || v.Kind != Const || v.Data.DType != accel.Bool || v.Data.Len() != 1 {
		return false, false
	}
	return accel.Values[bool](v.Data)[0], true
}

// branch is the body that an If with a known condition takes, else nil.
func branch(n *Node, in []*Value) *Graph {
	if n.Op != "If" || len(in) != 1 {
		return nil
	}
	taken, known := truth(in[0])
	switch {
	case !known:
		return nil
	case taken:
		return n.Body("then_branch")
	}
	return n.Body("else_branch")
}

// inline binds the nodes of a body in place of the node.
func (b *binder) inline(n *Node, body *Graph) error {
	outs, err := b.round(body, nil)
	if err != nil {
		return err
	}
	return b.become(n, outs)
}

// become makes outs the outputs of a node that is not kept.
func (b *binder) become(n *Node, outs []*Value) error {
	if len(outs) < len(n.Outputs) {
		return fmt.Errorf("%d outputs, want at most %d", len(n.Outputs), len(outs))
	}
	for i, v := range n.Outputs {
		if v != nil {
			b.values[v] = outs[i]
		}
	}
	return nil
}

// round binds the nodes of a body for these inputs and returns its outputs.
func (b *binder) round(body *Graph, in []*Value) ([]*Value, error) {
	if len(in) != len(body.Inputs) {
		return nil, fmt.Errorf("a body of %d inputs, want %d", len(body.Inputs), len(in))
	}
	for i, v := range body.Inputs {
		if t := v.Type.DType; t != 0 && in[i].Type.DType != t {
			return nil, fmt.Errorf("input %q of the body is %s, want %s", v.Name, in[i].Type, t)
		}
		b.values[v] = in[i]
	}
	for _, v := range body.Consts {
		if _, ok := b.values[v]; !ok {
			b.values[v] = b.to.Const(b.prefix+v.Name, v.Data)
		}
	}
	for _, n := range body.Nodes {
		if err := b.node(n); err != nil {
			return nil, fmt.Errorf("%s (%s): %w", n.Name, n.Op, err)
		}
	}
	out := make([]*Value, len(body.Outputs))
	for i, v := range body.Outputs {
		if out[i] = b.values[v]; out[i] == nil {
			return nil, fmt.Errorf("output %d of the body is not computed", i)
		}
	}
	return out, nil
}

// rounds is the work of writing out a Loop or Scan.
type rounds struct {
	*binder
	n       *Node
	body    *Graph
	first   int // nodes of the graph before
	limit   int
	state   []*Value
	scanned [][]*Value // by output, then round
}

// unroll writes out the rounds of a Loop or Scan, if their number is known and they
// come to no more nodes than Binding.MaxUnroll. Else it fails with Dynamic.
func (b *binder) unroll(n *Node, in []*Value) error {
	u := &rounds{binder: b, n: n, body: n.Body("body"), first: len(b.to.Nodes), limit: b.with.MaxUnroll}
	if u.limit == 0 {
		u.limit = maxUnroll
	}
	if u.body == nil {
		return errors.New("no body")
	}
	if err := table[n.Op].checkInputs(&Node{Inputs: in}); err != nil {
		return err
	}
	before := b.prefix
	defer func() { b.prefix = before }()
	if n.Op == "Loop" {
		return u.loop(in)
	}
	return u.scan(in)
}

// run binds round i with the inputs that come before the state, and those after it.
func (u *rounds) run(before string, i, skip int, head, tail []*Value) ([]*Value, error) {
	if len(u.to.Nodes)-u.first > u.limit {
		return nil, &Dynamic{u.n}
	}
	u.prefix = fmt.Sprintf("%s%s[%d].", before, u.n.Name, i)
	out, err := u.round(u.body, slices.Concat(head, u.state, tail))
	if err != nil {
		return nil, fmt.Errorf("round %d: %w", i, err)
	}
	rest := len(out) - skip - len(u.state)
	if rest < 0 {
		return nil, fmt.Errorf("a body of %d outputs, want at least %d", len(out), skip+len(u.state))
	}
	copy(u.state, out[skip:])
	if u.scanned == nil {
		u.scanned = make([][]*Value, rest)
	}
	for k := range u.scanned {
		u.scanned[k] = append(u.scanned[k], out[len(out)-rest+k])
	}
	return out, nil
}

// loop writes out a Loop whose limit and conditions are constants.
func (u *rounds) loop(in []*Value) error {
	in = slices.Concat(in, make([]*Value, max(0, 2-len(in))))
	if slices.Contains(in[2:], nil) {
		return errors.New("a state is absent")
	}
	count, ask := u.limit+1, in[1] != nil
	if v := in[0]; v != nil {
		if v.Kind != Const || v.Data.DType != accel.Int64 || v.Data.Len() != 1 {
			return &Dynamic{u.n}
		}
		count = int(min(accel.Values[int64](v.Data)[0], int64(count)))
	}
	more, known := true, true
	condition := u.to.Const("", accel.ArrayOf(accel.Bool, []int{}, []bool{true}))
	if ask {
		more, known = truth(in[1])
		condition = in[1]
	}
	u.state = slices.Clone(in[2:])
	before, i := u.prefix, 0
	for ; known && more && i < count; i++ {
		if i > u.limit {
			return &Dynamic{u.n}
		}
		round := u.to.Const("", accel.ArrayOf(accel.Int64, []int{}, []int64{int64(i)}))
		out, err := u.run(before, i, 1, []*Value{round, condition}, nil)
		if err != nil {
			return err
		}
		if ask {
			more, known = truth(out[0])
			condition = out[0]
		}
	}
	if !known || i > u.limit {
		return &Dynamic{u.n}
	}
	return u.finish(nil, nil)
}

// scan writes out a Scan.
func (u *rounds) scan(in []*Value) error {
	sc, err := ScanOf(u.n)
	if err != nil {
		return err
	}
	u.state = slices.Clone(in[:sc.States])
	count := -1
	elements := make([][]*Value, sc.Inputs)
	for k, x := range in[sc.States:] {
		axis, err := axisOf(sc.InputAxes[k], len(x.Type.Shape))
		if err != nil {
			return err
		}
		size := x.Type.Shape[axis]
		if count >= 0 && size != count {
			return fmt.Errorf("sequences of %d and %d elements", count, size)
		}
		if count = size; size*max(1, len(u.body.Nodes)) > u.limit {
			return &Dynamic{u.n}
		}
		if elements[k], err = u.elements(x, axis, sc.InputReversed[k]); err != nil {
			return err
		}
	}
	before := u.prefix
	for i := range count {
		var tail []*Value
		for _, e := range elements {
			tail = append(tail, e[i])
		}
		if _, err := u.run(before, i, 0, nil, tail); err != nil {
			return err
		}
	}
	return u.finish(sc.OutputAxes, sc.OutputReversed)
}

// elements are the slices of x along an axis, which they do not have.
func (u *rounds) elements(x *Value, axis int, reversed bool) ([]*Value, error) {
	size := x.Type.Shape[axis]
	if size == 0 {
		return nil, nil
	}
	b := u.to.Build(u.n.Name)
	parts := []*Value{x}
	if size > 1 {
		parts = b.Split(x, axis, slices.Repeat([]int{1}, size)...)
	}
	shape := slices.Delete(slices.Clone(x.Type.Shape), axis, axis+1)
	for i, v := range parts {
		parts[i] = b.Reshape(v, shape...)
	}
	if reversed {
		slices.Reverse(parts)
	}
	return parts, b.err
}

// finish stacks what was scanned, along the axes given or 0.
func (u *rounds) finish(axes []int, reversed []bool) error {
	if u.scanned == nil && len(u.n.Outputs) > len(u.state) {
		return &Dynamic{u.n} // no round told what the outputs are
	}
	outs := u.state
	b := u.to.Build(u.n.Name)
	for k, vs := range u.scanned {
		axis, shape := 0, slices.Clone(vs[0].Type.Shape)
		if axes != nil {
			a, err := axisOf(axes[k], len(shape)+1)
			if err != nil {
				return err
			}
			if axis = a; reversed[k] {
				slices.Reverse(vs)
			}
		}
		for i, v := range vs {
			if !v.Type.Shape.Equal(shape) {
				return fmt.Errorf("round %d scans %s, the first %s", i, v.Type, vs[0].Type)
			}
		}
		shape = slices.Insert(shape, axis, 1)
		for i, v := range vs {
			vs[i] = b.Reshape(v, shape...)
		}
		outs = append(outs, b.Concat(axis, vs...))
	}
	if b.err != nil {
		return b.err
	}
	return u.become(u.n, outs)
}

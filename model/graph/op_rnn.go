package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// The recurrent operators take x (T, B, I), w (directions, gates·H, I), r
// (directions, gates·H, H), a bias (directions, 2·gates·H) that holds one for w and
// one for r, the lengths of the sequences (B) in int32, and the first state
// (directions, B, H); they give the states of all steps (T, directions, B, H), which
// are 0 behind a sequence's end, and the last ones (directions, B, H). With
// layout 1 the batch comes first.
//
// Attributes: activations with activation_alpha and activation_beta, which the
// activations that have such a number take in turn; clip, a bound on what goes into
// them; direction: forward, reverse or bidirectional; hidden_size; layout.
//
// There are kernels for float32; for other types and for gradients they are
// written out step by step. The product of x with w is one for all steps.
var (
	// opRNN is h = f(x·wᵀ + h·rᵀ + b), by default with f = Tanh.
	opRNN = recurrent("RNN", 1, 6, rnnStep)
	// opGRU has gates z, r and h, by default with f = Sigmoid, g = Tanh:
	//
	//	z = f(…), r = f(…), n = g(x·wᵀ + (r∘h)·rᵀ + b), h = (1-z)∘n + z∘h
	//
	// With linear_before_reset, r multiplies h·rᵀ and its bias instead. See Cho et
	// al., https://arxiv.org/abs/1406.1078.
	opGRU = recurrent("GRU", 3, 6, gruStep)
	// opLSTM has gates i, o, f and c and a cell, whose first state (directions, B,
	// H) is input 6, and peepholes (directions, 3·H) for i, o and f, input 7; by
	// default f = Sigmoid, g = h = Tanh:
	//
	//	i = f(… + p∘c), f = f(… + p∘c), c = f∘c + i∘g(…), o = f(… + p∘c), h = o∘h(c)
	//
	// With input_forget, f is 1 - i. The third output is the last cell. See
	// Hochreiter & Schmidhuber, Neural Computation 9, 1997, and Gers & Schmidhuber,
	// IJCNN 2000, for the peepholes.
	opLSTM = recurrent("LSTM", 4, 8, lstmStep)
)

func recurrent(name string, gates, inputs int, step func(*recurrence, *Value) *Value) operator {
	return operator{
		name: name, min: 3, max: inputs,
		shapes:     func(c *Context) ([]Type, error) { return recurrentRule(c, gates) },
		definition: func(b *B, n *Node) []*Value { return expandRecurrent(b, n, gates, step) },
		when:       func(n *Node) bool { return !n.recurrentKernel() },
		expand: func(b *B, n *Node) []*Value {
			x := n.Inputs[0]
			if n.Attrs.Int("layout", 0) == 0 || !n.recurrentSizes() {
				return expandRecurrent(b, n, gates, step)
			}
			return b.timeFirst(n, x)
		},
	}
}

// recurrentSizes reports whether the type and the sizes are such that there is a kernel.
func (n *Node) recurrentSizes() bool {
	t := n.Inputs[0].Type.DType
	return (t == accel.Float32 || t.IsHalf()) && accel.Size(n.Inputs[0].Type.Shape) > 0 && accel.Size(n.Inputs[2].Type.Shape) > 0
}

// recurrentKernel reports whether there is a kernel for a recurrent node.
func (n *Node) recurrentKernel() bool { return n.recurrentSizes() && n.Attrs.Int("layout", 0) == 0 }

// timeFirst writes a recurrent node with layout 1 as one with layout 0.
func (b *B) timeFirst(n *Node, x *Value) []*Value {
	in := slices.Clone(n.Inputs)
	in[0] = b.Transpose(x, 1, 0, 2)
	for i := 5; i < min(7, len(in)); i++ {
		if in[i] != nil {
			in[i] = b.Transpose(in[i], 1, 0, 2)
		}
	}
	out := b.Ops(n.Op, max(1, len(n.Outputs)), n.Attrs.Without("layout"), in...)
	if b.err != nil {
		return nil
	}
	out[0] = b.Transpose(out[0], 2, 0, 1, 3)
	for i := 1; i < len(out); i++ {
		out[i] = b.Transpose(out[i], 1, 0, 2)
	}
	return out
}

// recurrentSizes are the sizes of a recurrent node.
type recurrentSizes struct{ steps, batch, in, hidden, directions int }

func recurrentSizesOf(at accel.Attrs, x, w, r []int, gates int) (recurrentSizes, error) {
	if len(x) != 3 || len(w) != 3 || len(r) != 3 {
		return recurrentSizes{}, fmt.Errorf("x %v, w %v, r %v: want three dimensions", x, w, r)
	}
	s := recurrentSizes{steps: x[0], batch: x[1], in: x[2], hidden: r[2], directions: 1}
	if at.Int("layout", 0) != 0 {
		s.steps, s.batch = x[1], x[0]
	}
	switch d := at.Str("direction", "forward"); d {
	case "forward", "reverse":
	case "bidirectional":
		s.directions = 2
	default:
		return s, fmt.Errorf("direction %q", d)
	}
	if !slices.Equal(w, []int{s.directions, gates * s.hidden, s.in}) || !slices.Equal(r, []int{s.directions, gates * s.hidden, s.hidden}) || at.Int("hidden_size", s.hidden) != s.hidden {
		return s, fmt.Errorf("x %v, w %v and r %v do not fit together, in %d directions", x, w, r, s.directions)
	}
	return s, nil
}

func recurrentRule(c *Context, gates int) ([]Type, error) {
	if err := c.IsA(0, floatTypes...); err != nil {
		return nil, err
	}
	if err := c.Same(0, 1, 2, 3, 5, 6, 7); err != nil {
		return nil, err
	}
	if err := c.IsA(4, accel.Int32, accel.Int64); err != nil {
		return nil, err
	}
	s, err := recurrentSizesOf(c.Attrs, c.Shape(0), c.Shape(1), c.Shape(2), gates)
	if err != nil {
		return nil, err
	}
	all, state := Shape{s.steps, s.directions, s.batch, s.hidden}, Shape{s.directions, s.batch, s.hidden}
	if c.Attrs.Int("layout", 0) != 0 {
		all, state = Shape{s.batch, s.steps, s.directions, s.hidden}, Shape{s.batch, s.directions, s.hidden}
	}
	want := map[int][]int{3: {s.directions, 2 * gates * s.hidden}, 4: {s.batch}, 5: state, 6: state, 7: {s.directions, 3 * s.hidden}}
	for i := 3; i < len(c.Inputs); i++ {
		if c.Has(i) && !slices.Equal(c.Shape(i), want[i]) {
			return nil, fmt.Errorf("input %d is %v, want %v", i, c.Shape(i), want[i])
		}
	}
	if _, err := activationsOf(c.Node, s.directions, gates); err != nil {
		return nil, err
	}
	types := []Type{{DType: c.DType(0), Shape: all}, {DType: c.DType(0), Shape: state}}
	if gates == 4 {
		types = append(types, types[1])
	}
	return types, nil
}

// recurrence is one direction of a recurrent node while it is written out.
type recurrence struct {
	*B
	n      *Node
	size   recurrentSizes
	gates  int
	acts   []cellActivation
	h, c   *Value   // (B, H)
	r      *Value   // (gates·H, H)
	bias   *Value   // of r's last gate alone, (H), where the step adds it itself
	peep   []*Value // of i, o, f, (H); nil if there are none
	length *Value   // (B, 1), or nil
}

func expandRecurrent(b *B, n *Node, gates int, step func(*recurrence, *Value) *Value) []*Value {
	s, err := recurrentSizesOf(n.Attrs, n.Inputs[0].Type.Shape, n.Inputs[1].Type.Shape, n.Inputs[2].Type.Shape, gates)
	b.Fail(err)
	acts, err := activationsOf(n, s.directions, gates)
	b.Fail(err)
	if b.err != nil {
		return nil
	}
	batchFirst := n.Attrs.Int("layout", 0) != 0
	x := n.Inputs[0]
	if batchFirst {
		x = b.Transpose(x, 1, 0, 2)
	}
	var all, last, cells []*Value
	for d := range s.directions {
		r := &recurrence{B: b, n: n, size: s, gates: gates, acts: acts[d*len(acts)/s.directions : (d+1)*len(acts)/s.directions]}
		r.start(d, batchFirst)
		y := r.run(x, d, step)
		all, last, cells = append(all, y), append(last, r.h), append(cells, r.c)
	}
	out := []*Value{b.Concat(1, all...), b.joinStates(last, s, batchFirst), nil}
	if batchFirst {
		out[0] = b.Transpose(out[0], 2, 0, 1, 3)
	}
	if gates == 4 {
		out[2] = b.joinStates(cells, s, batchFirst)
	}
	return out
}

// joinStates makes (directions, B, H) or (B, directions, H) of states (B, H).
func (b *B) joinStates(states []*Value, s recurrentSizes, batchFirst bool) *Value {
	axis, shape := 0, []int{1, s.batch, s.hidden}
	if batchFirst {
		axis, shape = 1, []int{s.batch, 1, s.hidden}
	}
	parts := make([]*Value, len(states))
	for i, v := range states {
		parts[i] = b.Reshape(v, shape...)
	}
	return b.Concat(axis, parts...)
}

// of is direction d of an input, nil if it is absent.
func (r *recurrence) of(i, d, axis int, shape ...int) *Value {
	v := r.n.Input(i)
	if v == nil {
		return nil
	}
	if r.size.directions > 1 {
		v = r.Slice(v, axis, d, d+1)
	}
	return r.Reshape(v, shape...)
}

// start reads the weights and first states of a direction.
func (r *recurrence) start(d int, batchFirst bool) {
	s, axis := r.size, 0
	if batchFirst {
		axis = 1
	}
	t := r.n.Inputs[0].Type.DType
	r.r = r.of(2, d, 0, r.gates*s.hidden, s.hidden)
	if r.h = r.of(5, d, axis, s.batch, s.hidden); r.h == nil {
		r.h = r.Zeros(t, s.batch, s.hidden)
	}
	if r.gates == 4 {
		if r.c = r.of(6, d, axis, s.batch, s.hidden); r.c == nil {
			r.c = r.Zeros(t, s.batch, s.hidden)
		}
		if p := r.of(7, d, 0, 3*s.hidden); p != nil {
			r.peep = r.Split(p, 0, s.hidden, s.hidden, s.hidden)
		}
	}
	if v := r.n.Input(4); v != nil {
		r.length = r.Cast(r.Reshape(v, s.batch, 1), accel.Int64)
	}
}

// run writes out the steps, the last first in a reverse direction, and gives all
// states (T, 1, B, H).
func (r *recurrence) run(x *Value, d int, step func(*recurrence, *Value) *Value) *Value {
	s := r.size
	width := r.gates * s.hidden
	in := []*Value{r.Reshape(x, s.steps*s.batch, s.in), r.of(1, d, 0, width, s.in)}
	if bias := r.of(3, d, 0, 2*width); bias != nil {
		parts := r.Split(bias, 0, width, width)
		if r.n.Attrs.Int("linear_before_reset", 0) != 0 {
			keep := r.Split(parts[1], 0, width-s.hidden, s.hidden)
			r.bias = keep[1]
			parts[1] = r.Concat(0, keep[0], r.Zeros(keep[1].Type.DType, s.hidden))
		}
		in = append(in, r.Add(parts[0], parts[1]))
	}
	product := r.Op("FusedMatMul", accel.Attrs{accel.Int("transB", 1)}, in...)
	inputs := r.unstack(r.Reshape(product, s.steps, s.batch, width), 0)
	states := make([]*Value, s.steps)
	for i := range s.steps {
		t := i
		if r.n.Attrs.Str("direction", "forward") == "reverse" || d == 1 {
			t = s.steps - 1 - i
		}
		h, c := r.h, r.c
		r.h = step(r, inputs[t])
		y := r.h
		if r.length != nil {
			on := r.Op("Less", nil, r.Ints(t), r.length)
			y = r.Op("Where", nil, on, r.h, r.Like(r.h, 0))
			r.h = r.Op("Where", nil, on, r.h, h)
			if c != nil {
				r.c = r.Op("Where", nil, on, r.c, c)
			}
		}
		states[t] = r.Reshape(y, 1, 1, s.batch, s.hidden)
	}
	if s.steps == 0 {
		return r.Zeros(x.Type.DType, 0, 1, s.batch, s.hidden)
	}
	return r.Concat(0, states...)
}

// times is x·wᵀ + z.
func (r *recurrence) times(x, w, z *Value) *Value {
	return r.Op("FusedMatMul", accel.Attrs{accel.Int("transB", 1)}, x, w, nil, z)
}

// act clips x and applies activation i.
func (r *recurrence) act(i int, x *Value) *Value {
	if clip := r.n.Attrs.Float("clip", 0); clip > 0 {
		x = r.Op("Clip", nil, x, r.Like(x, -clip), r.Like(x, clip))
	}
	return r.acts[i].apply(r.B, x)
}

func rnnStep(r *recurrence, x *Value) *Value { return r.act(0, r.times(r.h, r.r, x)) }

func gruStep(r *recurrence, x *Value) *Value {
	n := r.size.hidden
	w := r.Split(r.r, 0, 2*n, n)
	parts := r.Split(x, 1, 2*n, n)
	gates := r.Split(r.act(0, r.times(r.h, w[0], parts[0])), 1, n, n)
	z, reset := gates[0], gates[1]
	var next *Value
	if r.n.Attrs.Int("linear_before_reset", 0) != 0 {
		linear := r.Op("FusedMatMul", accel.Attrs{accel.Int("transB", 1)}, r.h, w[1], r.bias)
		next = r.act(1, r.Add(r.Mul(reset, linear), parts[1]))
	} else {
		next = r.act(1, r.times(r.Mul(reset, r.h), w[1], parts[1]))
	}
	return r.Add(next, r.Mul(z, r.Sub(r.h, next)))
}

func lstmStep(r *recurrence, x *Value) *Value {
	n := r.size.hidden
	gates := r.Split(r.times(r.h, r.r, x), 1, n, n, n, n) // i, o, f, c
	peep := func(i int, c *Value) *Value {
		if r.peep == nil {
			return gates[i]
		}
		return r.Add(gates[i], r.Mul(r.peep[i], c))
	}
	in := r.act(0, peep(0, r.c))
	var forget *Value
	if r.n.Attrs.Int("input_forget", 0) != 0 {
		forget = r.Sub(r.Like(in, 1), in)
	} else {
		forget = r.act(0, peep(2, r.c))
	}
	r.c = r.Add(r.Mul(forget, r.c), r.Mul(in, r.act(1, gates[3])))
	out := r.act(0, peep(1, r.c))
	return r.Mul(out, r.acts[2].apply(r.B, r.c))
}

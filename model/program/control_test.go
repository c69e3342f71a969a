package program

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu"
	"github.com/millrace-go/millrace/model/graph"
)

// sketch builds graphs as an importer does: by name, without types.
type sketch struct {
	t *testing.T
	g *graph.Graph
}

func newSketch(t *testing.T) sketch { return sketch{t, graph.New("g")} }

func (s sketch) input(name string, typ graph.Type) *graph.Value {
	s.t.Helper()
	v, err := s.g.InputOf(name, typ)
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

// any is an input of which nothing is known.
func (s sketch) any(name string) *graph.Value {
	return s.input(name, graph.Type{Form: graph.Unknown})
}

func (s sketch) node(n graph.Node, in []*graph.Value, out ...string) []*graph.Value {
	s.t.Helper()
	n.Inputs = in
	if err := s.g.Append(&n, out); err != nil {
		s.t.Fatal(err)
	}
	return n.Outputs
}

// op is node for operators with one output and no attributes.
func (s sketch) op(op string, in ...*graph.Value) *graph.Value {
	s.t.Helper()
	return s.node(graph.Node{Op: op}, in, fmt.Sprintf("%s %d", op, len(s.g.Nodes)))[0]
}

func (s sketch) program(outs ...*graph.Value) *Program {
	s.g.Outputs = outs
	return New(s.g, cpu.New(), Options{})
}

func (s sketch) body(attr string, outs ...*graph.Value) []graph.Body {
	s.g.Outputs = outs
	return []graph.Body{{Attr: attr, Graph: s.g}}
}

func floats(v ...float32) *accel.Array { return accel.ArrayOf(accel.Float32, []int{len(v)}, v) }

func int64s(v int64) *accel.Array { return accel.ArrayOf(accel.Int64, []int{}, []int64{v}) }

func truths(v bool) *accel.Array { return accel.ArrayOf(accel.Bool, []int{}, []bool{v}) }

func wantFloats(t *testing.T, got *accel.Array, shape []int, want ...float32) {
	t.Helper()
	if got.DType != accel.Float32 || !slices.Equal(got.Shape, shape) || !slices.Equal(accel.Values[float32](got), want) {
		t.Errorf("got %s %v, want %v %v", got, accel.Values[float32](got), shape, want)
	}
}

func run(t *testing.T, p *Program, in ...*accel.Array) []*accel.Array {
	t.Helper()
	out, err := p.Run(in...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// ifGraph is x+x if c, else -x, which both branches read from around them.
func ifGraph(t *testing.T) *Program {
	s := newSketch(t)
	c, x := s.any("c"), s.any("x")
	double := s.node(graph.Node{Op: "Add"}, []*graph.Value{x, x}, "double")[0]
	yes, no := newSketch(t), newSketch(t)
	a := yes.node(graph.Node{Op: "Identity"}, []*graph.Value{double}, "a")[0]
	b := no.node(graph.Node{Op: "Neg"}, []*graph.Value{x}, "b")[0]
	bodies := append(yes.body("then_branch", a), no.body("else_branch", b)...)
	return s.program(s.node(graph.Node{Op: "If", Graphs: bodies}, []*graph.Value{c}, "y")...)
}

func TestIf(t *testing.T) {
	p := ifGraph(t)
	x := floats(1, -2, 3)
	wantFloats(t, run(t, p, truths(true), x)[0], []int{3}, 2, -4, 6)
	wantFloats(t, run(t, p, truths(false), x)[0], []int{3}, -1, 2, -3)
	if _, err := p.Run(x, x); err == nil || !strings.Contains(err.Error(), "want one bool") {
		t.Errorf("a condition that is no bool: %v", err)
	}
}

// loopGraph doubles the state until its round is the third, or as often as m says:
// (m, condition, x) -> (x, and x and the round of each round). The state grows by
// its first element in each round.
func loopGraph(t *testing.T, m, more *accel.Array) *Program {
	s, b := newSketch(t), newSketch(t)
	value := func(name string, a *accel.Array) *graph.Value {
		if a == nil {
			return s.any(name)
		}
		return s.g.Const(name, a)
	}
	limit, condition, x := value("m", m), value("more", more), s.any("x")
	last := s.g.Const("last", int64s(2))
	round := b.input("round", graph.Type{DType: accel.Int64})
	b.any("condition")
	state := b.any("state")
	next := b.op("Add", state, state)
	first := b.op("Gather", next, b.g.Const("", accel.Ints64(0)))
	next = b.node(graph.Node{Op: "Concat", Attrs: accel.Attrs{accel.Int("axis", 0)}}, []*graph.Value{next, first}, "next")[0]
	go3 := b.op("Less", round, last)
	bodies := b.body("body", go3, next, first, round)
	return s.program(s.node(graph.Node{Op: "Loop", Graphs: bodies}, []*graph.Value{limit, condition, x}, "y", "firsts", "rounds")...)
}

func TestLoop(t *testing.T) {
	for _, c := range []struct {
		rounds int64
		more   bool
		want   []float32
		firsts []float32
	}{
		{rounds: 2, more: true, want: []float32{4, 8, 4, 4}, firsts: []float32{2, 4}},
		{rounds: 9, more: true, want: []float32{8, 16, 8, 8, 8}, firsts: []float32{2, 4, 8}}, // the condition ends it
		{rounds: 0, more: true, want: []float32{1, 2}},
		{rounds: -3, more: true, want: []float32{1, 2}},
		{rounds: 4, more: false, want: []float32{1, 2}},
	} {
		m, more, x := int64s(c.rounds), truths(c.more), floats(1, 2)
		host, constant := loopGraph(t, nil, nil), loopGraph(t, m, more)
		for name, out := range map[string][]*accel.Array{"host": run(t, host, m, more, x), "unrolled": run(t, constant, x)} {
			t.Log(c, name)
			wantFloats(t, out[0], []int{len(c.want)}, c.want...)
			wantFloats(t, out[1], []int{len(c.firsts), 1}, c.firsts...)
			if out[2].Len() != len(c.firsts) || out[2].DType != accel.Int64 {
				t.Errorf("rounds are %s, want %d", out[2], len(c.firsts))
			}
			clear(out[0].Data) // not the caller's x
			wantFloats(t, x, []int{2}, 1, 2)
		}
		if _, err := constant.Compiled(x); (err == nil) != (len(c.firsts) > 0) {
			t.Errorf("%v: compiled: %v", c, err)
		}
	}
}

func TestLoopIsBounded(t *testing.T) {
	s, b := newSketch(t), newSketch(t)
	x := s.any("x")
	b.any("round")
	more := b.any("more")
	y := b.op("Neg", b.any("state"))
	bodies := b.body("body", more, y)
	s.g.Outputs = s.node(graph.Node{Op: "Loop", Graphs: bodies}, []*graph.Value{nil, nil, x}, "y")
	p := New(s.g, cpu.New(), Options{MaxRounds: 5000})
	if _, err := p.Run(floats(1)); err == nil || !strings.Contains(err.Error(), "more than 5000 rounds") {
		t.Errorf("a loop without an end: %v", err)
	}
}

// TestScan sums along axis 1 of x from the end, for lengths that are unrolled and
// some that are not. The sums are stacked along axis 1, from the end too.
func TestScan(t *testing.T) {
	s, b := newSketch(t), newSketch(t)
	sum0, x := s.any("sum0"), s.any("x")
	sum := b.op("Add", b.any("sum"), b.any("element"))
	bodies := b.body("body", sum, sum)
	attrs := accel.Attrs{
		accel.Int("num_scan_inputs", 1), accel.Ints("scan_input_axes", 1), accel.Ints("scan_output_axes", -1),
		accel.Ints("scan_input_directions", 1), accel.Ints("scan_output_directions", 1),
	}
	p := s.program(s.node(graph.Node{Op: "Scan", Attrs: attrs, Graphs: bodies}, []*graph.Value{sum0, x}, "last", "sums")...)
	for _, n := range []int{1, 3, 4096, 4097, 0} {
		x := accel.NewArray(accel.Float32, 2, n)
		want := make([]float32, 2*n)
		last := []float32{10, 20}
		for i := range want { // whole numbers: every sum is exact
			accel.Values[float32](x)[i] = float32(i % 5)
		}
		for r := range 2 {
			for i := n - 1; i >= 0; i-- {
				last[r] += float32((r*n + i) % 5)
				want[r*n+i] = last[r]
			}
		}
		out := run(t, p, floats(10, 20), x)
		wantFloats(t, out[0], []int{2}, last...)
		wantFloats(t, out[1], []int{2, n}, want...)
	}
	if _, err := p.Run(floats(10, 20), floats(1)); err == nil {
		t.Error("no error for a tensor without the scanned axis")
	}
}

func TestSequences(t *testing.T) {
	s := newSketch(t)
	x, y, at := s.any("x"), s.any("y"), s.any("at")
	list := s.op("SequenceInsert", s.op("Identity", s.op("SequenceConstruct", x, y)), s.op("Neg", x), at)
	joined := s.node(graph.Node{Op: "ConcatFromSequence", Attrs: accel.Attrs{accel.Int("axis", 0)}}, []*graph.Value{list}, "joined")[0]
	shorter := s.op("SequenceErase", list, at)
	p := s.program(joined, s.op("SequenceAt", shorter, s.g.Const("", int64s(-1))), s.op("SequenceLength", list), shorter)
	in := []Datum{{Array: floats(1)}, {Array: floats(2, 3)}, {}}
	for at, want := range map[int64][]float32{0: {-1, 1, 2, 3}, 1: {1, -1, 2, 3}, 2: {1, 2, 3, -1}, -1: {1, -1, 2, 3}, -2: {-1, 1, 2, 3}} {
		in[2].Array = int64s(at)
		out, err := p.RunData(in...)
		if err != nil {
			t.Fatal(err)
		}
		wantFloats(t, out[0].Array, []int{4}, want...)
		if n := accel.Values[int64](out[2].Array)[0]; n != 3 || out[3].Form != graph.Sequence || len(out[3].Seq) != 2 {
			t.Errorf("%d elements, %s without one", n, out[3])
		}
		clear(out[3].Seq[0].Data) // a copy
		wantFloats(t, in[0].Array, []int{1}, 1)
	}
	in[2].Array = int64s(3)
	if _, err := p.RunData(in...); err == nil || !strings.Contains(err.Error(), "position 3 in a sequence of 2") {
		t.Errorf("a position beyond the end: %v", err)
	}
	if _, err := p.Run(floats(1), floats(2, 3), int64s(0)); err == nil || !strings.Contains(err.Error(), "RunData") {
		t.Errorf("Run with an output that is a sequence: %v", err)
	}
}

// TestCutAtData runs a graph in which a shape depends on data: the indices of
// the positive elements, as numbers, doubled.
func TestCutAtData(t *testing.T) {
	s := newSketch(t)
	x := s.any("x")
	at := s.op("NonZero", s.op("Relu", x))
	p := s.program(s.op("Add", at, at))
	for _, c := range []struct {
		x    []float32
		want []int64
	}{{[]float32{1, -1, 2}, []int64{0, 4}}, {[]float32{-1, -1, -1}, nil}, {[]float32{0, 1, 2}, []int64{2, 4}}} {
		out := run(t, p, floats(c.x...))
		if got := accel.Values[int64](out[0]); !slices.Equal(got, c.want) || !slices.Equal(out[0].Shape, []int{1, len(c.want)}) {
			t.Errorf("%v: got %s %v, want %v", c.x, out[0], got, c.want)
		}
	}
	if len(p.parts) != 3 {
		t.Errorf("%d parts, want 3: before, the node, after", len(p.parts))
	}
}

// TestValuesThatChangeAllTheTime slices at a place that is an input: at first it
// is compiled for each place, and in the end only the Slice is.
func TestValuesThatChangeAllTheTime(t *testing.T) {
	s := newSketch(t)
	x, from, to := s.any("x"), s.any("from"), s.any("to")
	p := s.program(s.op("Neg", s.op("Slice", s.op("Neg", x), from, to)))
	p.opts.MaxBuckets = 2
	for i := range 20 {
		wantFloats(t, run(t, p, counting(30), accel.Ints64(i), accel.Ints64(i+1))[0], []int{1}, accel.Values[float32](counting(30))[i])
	}
	if !p.isCut {
		t.Error("the program still compiles the whole graph for each value")
	}
}

// TestMissingInputs runs each operator of the host without inputs, and with some
// that are absent: what is wrong is said, and nothing panics.
func TestMissingInputs(t *testing.T) {
	fine := map[string]int{"SequenceEmpty": 1, "OptionalHasElement": 2} // as many cases of those below
	for op := range hostOps {
		for i, in := range [][]*graph.Value{{}, {nil}, {nil, nil, nil}} {
			s := newSketch(t)
			list := s.op("SequenceConstruct", s.any("x"))
			out := s.node(graph.Node{Op: op}, in, "y")
			_, err := s.program(append(out, list)...).RunData(Datum{Array: floats(1)})
			if (err == nil) != (i < fine[op]) {
				t.Errorf("%s of %d absent inputs: %v", op, len(in), err)
			}
		}
	}
}

func TestMalformedBodies(t *testing.T) {
	empty := func(attr string) []graph.Body { return []graph.Body{{Attr: attr, Graph: graph.New("body")}} }
	for _, n := range []graph.Node{
		{Op: "If"}, {Op: "If", Graphs: empty("then_branch")},
		{Op: "Loop"}, {Op: "Loop", Graphs: empty("body")},
		{Op: "Scan"}, {Op: "Scan", Graphs: empty("body")},
		{Op: "Scan", Graphs: empty("body"), Attrs: accel.Attrs{accel.Int("num_scan_inputs", 1), accel.Ints("scan_input_axes", 1, 2)}},
		{Op: "Scan", Graphs: empty("body"), Attrs: accel.Attrs{accel.Int("num_scan_inputs", 7)}},
		{Op: "SequenceMap"}, {Op: "SequenceMap", Graphs: empty("body")},
	} {
		for _, in := range []*accel.Array{truths(true), int64s(2), floats(1)} {
			s := newSketch(t)
			p := s.program(s.node(n, []*graph.Value{s.any("x")}, "y")...)
			if _, err := p.Run(in); err == nil {
				t.Errorf("%s(%s) with bodies %v: no error", n.Op, in, n.Graphs)
			}
		}
	}
}

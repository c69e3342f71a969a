package program

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu"
	"github.com/millrace-go/millrace/model/graph"
)

// mlp is relu(x·w1 + b1)·w2 for any batch, with weights of small whole numbers.
func mlp(t *testing.T) *graph.Graph {
	t.Helper()
	g := graph.New("mlp")
	x, err := g.Input("x", accel.Float32, graph.N, 6)
	if err != nil {
		t.Fatal(err)
	}
	b := g.Build("")
	h := b.Add(b.MatMul(x, b.Const(counting(6, 5))), b.Const(counting(5)))
	y := b.MatMul(b.Op("Relu", nil, h), b.Const(counting(5, 3)))
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	g.Outputs = []*graph.Value{y}
	return g
}

func counting(shape ...int) *accel.Array {
	a := accel.NewArray(accel.Float32, shape...)
	for i := range accel.Values[float32](a) {
		accel.Values[float32](a)[i] = float32(i*7%13) - 6
	}
	return a
}

// Batches of no matrices give no matrices, in every kernel.
func TestEmptyBatches(t *testing.T) {
	for name, op := range map[string]struct {
		t     accel.DType
		apply func(b *graph.B, x, y *graph.Value) *graph.Value
	}{
		"float32": {accel.Float32, func(b *graph.B, x, y *graph.Value) *graph.Value { return b.MatMul(x, y) }},
		"float64": {accel.Float64, func(b *graph.B, x, y *graph.Value) *graph.Value { return b.MatMul(x, y) }},
		"float16": {accel.Float16, func(b *graph.B, x, y *graph.Value) *graph.Value { return b.MatMul(x, y) }},
		"rounded": {accel.Float32, func(b *graph.B, x, y *graph.Value) *graph.Value {
			return b.Op("FusedMatMul", accel.Attrs{accel.String("compute", "bfloat16"), accel.String("activation", "Gelu")}, x, y)
		}},
		"bytes": {accel.Uint8, func(b *graph.B, x, y *graph.Value) *graph.Value { return b.Op("MatMulInteger", nil, x, y) }},
		"codes": {accel.Uint8, func(b *graph.B, x, y *graph.Value) *graph.Value {
			s := b.Scalar(accel.Float32, 0.5)
			return b.Op("QuantMatMul", nil, x, s, b.Scalar(accel.Uint8, 3), y, s)
		}},
	} {
		for _, shapes := range [][2][]int{{{0, 2, 3}, {0, 3, 4}}, {{0, 2, 3}, {3, 4}}, {{1, 2, 3}, {0, 3, 4}}, {{5, 0, 3}, {3, 4}}, {{5, 2, 3}, {5, 3, 0}}} {
			g := graph.New(name)
			x, _ := g.Input("x", op.t, shapes[0]...)
			y, _ := g.Input("y", op.t, shapes[1]...)
			b := g.Build("")
			g.Outputs = []*graph.Value{op.apply(b, x, y)}
			if b.Err() != nil {
				t.Fatal(b.Err())
			}
			out, err := New(g, cpu.New(), Options{}).Run(accel.NewArray(op.t, shapes[0]...), accel.NewArray(op.t, shapes[1]...))
			if err != nil || out[0].Len() != 0 {
				t.Errorf("%s: %v: %v, %v", name, shapes, out, err)
			}
		}
	}
}

// Arrays that are not what a run needs are errors that name them.
func TestRunIntoChecks(t *testing.T) {
	e, err := New(mlp(t), cpu.New(), Options{}).Compiled(counting(2, 6))
	if err != nil {
		t.Fatal(err)
	}
	short := counting(2, 6)
	short.Data = short.Data[:8]
	for _, c := range []struct {
		in, out *accel.Array
		want    string
	}{
		{nil, counting(2, 3), `input "x" is absent, want float32[2 6]`},
		{short, counting(2, 3), `input "x" is float32[2 6] of 8 bytes`},
		{counting(3, 6), counting(2, 3), `input "x" is float32[3 6] of 72 bytes`},
		{counting(2, 6), nil, "room for output 0 is absent"},
		{counting(2, 6), short, "room for output 0 is float32[2 6] of 8 bytes"},
	} {
		if err := e.RunInto([]*accel.Array{c.out}, []*accel.Array{c.in}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %s in it", err, c.want)
		}
	}
}

// A graph that asks for more memory than it may have is an error that says where.
func TestMemoryIsBounded(t *testing.T) {
	g := graph.New("g")
	x, _ := g.Input("x", accel.Float32, 2)
	b := g.Build("")
	large := b.Op("Expand", nil, x, b.Ints(1<<33, 2))
	g.Outputs = []*graph.Value{b.ReduceSum(b.Op("Exp", nil, large), false, 0)}
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	if _, err := New(g, cpu.New(), Options{}).Run(counting(2)); err == nil || !strings.Contains(err.Error(), "more than 68719476736 bytes; its largest result is Expand") {
		t.Errorf("128 GiB: error %v", err)
	}
	p := New(mlp(t), cpu.New(), Options{MaxBytes: 60})
	if _, err := p.Run(counting(1, 6)); err == nil {
		t.Error("more than 60 bytes: no error")
	}
	if _, err := New(mlp(t), cpu.New(), Options{MaxBytes: 4096}).Run(counting(1, 6)); err != nil {
		t.Error(err)
	}
}

func TestAsynchronousDeviceGivesTheSame(t *testing.T) {
	here, there := New(mlp(t), cpu.New(), Options{}), New(mlp(t), newAsyncDevice(), Options{})
	for _, rows := range []int{1, 4, 9, 4} {
		want, err := here.Run(counting(rows, 6))
		if err != nil {
			t.Fatal(err)
		}
		got, err := there.Run(counting(rows, 6))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got[0].Data, want[0].Data) || !slices.Equal(got[0].Shape, []int{rows, 3}) {
			t.Errorf("%d rows: %v, want %v", rows, accel.Values[float32](got[0]), accel.Values[float32](want[0]))
		}
	}
	if n := there.dev.(*asyncDevice).compiled; n != 3 {
		t.Errorf("compiled %d times, want once for each of 3 shapes", n)
	}
}

func TestLateErrorComesOut(t *testing.T) {
	dev := newAsyncDevice()
	p := New(mlp(t), dev, Options{})
	lost := errors.New("device lost")
	dev.fail = lost
	if _, err := p.Run(counting(2, 6)); !errors.Is(err, lost) {
		t.Errorf("error %v, want %v", err, lost)
	}
	if _, err := p.Run(counting(2, 6)); err != nil {
		t.Errorf("the run after a failed one: %v", err)
	}
}

func TestConcurrentRuns(t *testing.T) {
	p := New(mlp(t), cpu.New(), Options{})
	want, err := p.Run(counting(4, 6))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				got, err := p.Run(counting(4, 6))
				if err != nil || !bytes.Equal(got[0].Data, want[0].Data) {
					t.Errorf("%v, %v; want %v", got, err, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	p := New(mlp(t), cpu.WithThreads(2), Options{})
	in := []*accel.Array{counting(64, 6)}
	exec, err := p.Compiled(in...)
	if err != nil {
		t.Fatal(err)
	}
	out := []*accel.Array{accel.NewArray(accel.Float32, 64, 3)}
	run := func() {
		if err := exec.RunInto(out, in); err != nil {
			t.Fatal(err)
		}
	}
	run()
	if n := testing.AllocsPerRun(50, run); n != 0 {
		t.Errorf("%g allocations a run, want 0", n)
	}
}

func TestBucketsAreBounded(t *testing.T) {
	p := New(mlp(t), cpu.New(), Options{MaxBuckets: 2})
	for rows := range 5 {
		if _, err := p.Run(counting(rows+1, 6)); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.buckets) != 2 {
		t.Errorf("%d buckets, want 2", len(p.buckets))
	}
}

func TestShapeFromAValue(t *testing.T) {
	g := graph.New("g")
	x, _ := g.Input("x", accel.Float32, 6)
	s, _ := g.InputOf("shape", graph.Type{DType: accel.Int64, Shape: graph.Shape{2}})
	n := &graph.Node{Op: "Reshape", Inputs: []*graph.Value{x, s}}
	if err := g.Append(n, []string{"y"}); err != nil {
		t.Fatal(err)
	}
	g.Outputs = n.Outputs
	p := New(g, cpu.New(), Options{})
	for _, want := range [][]int{{2, 3}, {3, 2}, {2, 3}} {
		out, err := p.Run(counting(6), accel.Ints64(want...))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(out[0].Shape, want) {
			t.Errorf("shape %v, want %v", out[0].Shape, want)
		}
	}
}

func TestWrongInputsAreNamed(t *testing.T) {
	p := New(mlp(t), cpu.New(), Options{})
	for _, c := range []struct {
		in   []*accel.Array
		want string
	}{
		{nil, "0 inputs, want 1"},
		{[]*accel.Array{counting(2, 7)}, `input "x": a dimension of 7, want 6`},
		{[]*accel.Array{counting(6)}, `input "x" is float32[6], want float32[N 6]`},
		{[]*accel.Array{accel.NewArray(accel.Float64, 2, 6)}, `input "x" is float64[2 6], want float32[N 6]`},
	} {
		if _, err := p.Run(c.in...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
}

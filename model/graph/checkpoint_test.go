package graph

import (
	"bytes"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/accel"
)

// layers is a network of depth residual layers on x (rows, width), with dropout,
// and the outputs of the layers.
func layers(t *testing.T, depth, rows, width int) (g *Graph, loss *Value, outputs []*Value) {
	t.Helper()
	g = New("deep")
	x, _ := g.Input("x", accel.Float32, rows, width)
	seed, _ := g.Input("seed", accel.Uint64)
	b := g.Build("")
	for i := range depth {
		w, err := g.Param("w"+string(rune('a'+i)), accel.Float32, width, width)
		if err != nil {
			t.Fatal(err)
		}
		h := b.Op("Tanh", nil, b.MatMul(x, w))
		h = b.Op("MaskedDropout", accel.Attrs{accel.Float("ratio", 0.25), accel.Int("salt", i+1)}, b.Op("Sigmoid", nil, h), seed)
		x = b.Add(x, b.Op("Softmax", nil, b.Mul(h, h)))
		outputs = append(outputs, x)
	}
	loss = b.ReduceSum(b.Mul(x, x), false, 0, 1)
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	return g, loss, outputs
}

// TestCheckpointsSaveMemory: the same gradients to the bit, in less memory, and
// in the more so the more layers there are.
func TestCheckpointsSaveMemory(t *testing.T) {
	const depth, rows, width = 9, 64, 48
	var want []*accel.Array
	var plain int
	for _, keep := range [][]int{nil, {2, 5}, {1, 3, 5, 7}, {0, 1, 2, 3, 4, 5, 6, 7, 8}} {
		g, loss, outputs := layers(t, depth, rows, width)
		var at []*Value
		for _, i := range keep {
			at = append(at, outputs[i])
		}
		grads, err := Gradients(g, loss, append(g.Params, g.Inputs[0]), Checkpoint(at...))
		if err != nil {
			t.Fatal(err)
		}
		g.Outputs = append([]*Value{loss}, grads...)
		if err := g.Optimize(); err != nil {
			t.Fatal(err)
		}
		code, err := Compile(g, nil)
		if err != nil {
			t.Fatal(err)
		}
		args := []*accel.Array{convertFloats(uniform(1, -1, 1, rows, width), accel.Float32), accel.ArrayOf(accel.Uint64, []int{}, []uint64{7})}
		for i := range g.Params {
			args = append(args, convertFloats(uniform(uint64(10+i), -0.3, 0.3, width, width), accel.Float32))
		}
		got := compiled(t, g, g.Outputs)(args)
		if keep == nil {
			want, plain = got, code.ArenaBytes
			continue
		}
		for i := range want {
			if !bytes.Equal(got[i].Data, want[i].Data) {
				t.Errorf("checkpoints after layers %v: output %d has other bits", keep, i)
			}
		}
		// Without checkpoints four tensors a layer stay, with them one.
		if code.ArenaBytes*10 > plain*7 {
			t.Errorf("checkpoints after layers %v: arena of %d bytes, %d without", keep, code.ArenaBytes, plain)
		}
	}
}

// TestCheckpointsOfTheGraphOnly has values that no node of the graph computes.
func TestCheckpointsOfTheGraphOnly(t *testing.T) {
	g, loss, _ := layers(t, 1, 2, 3)
	if _, err := Gradients(g, loss, g.Params, Checkpoint(g.Inputs[0])); err == nil || !strings.Contains(err.Error(), "not the result of a node") {
		t.Errorf("got error %v", err)
	}
}

// TestCheckpointsKeepRandomNumbers: noise that is drawn by the node itself is not
// drawn again.
func TestCheckpointsKeepRandomNumbers(t *testing.T) {
	g := New("noise")
	x, _ := g.Input("x", accel.Float32, 4, 5)
	b := g.Build("")
	noise := b.Op("RandomNormalLike", accel.Attrs{accel.Float("seed", 3)}, x)
	y := b.Mul(b.Op("Tanh", nil, b.Mul(x, noise)), noise)
	loss := b.ReduceSum(b.Mul(y, y), false, 0, 1)
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	if _, err := Gradients(g, loss, []*Value{x}, Checkpoint(y)); err != nil {
		t.Fatal(err)
	}
	draws, tanhs := 0, 0
	for _, n := range g.Nodes {
		switch n.Op {
		case "RandomNormalLike":
			draws++
		case "Tanh":
			tanhs++
		}
	}
	if draws != 1 || tanhs != 2 {
		t.Errorf("%d draws and %d Tanh, want 1 and 2:\n%s", draws, tanhs, g)
	}
}

// TestStopGradientInACheckpoint: what is stopped stays so when it is computed again.
func TestStopGradientInACheckpoint(t *testing.T) {
	gradient := func(again bool) []float64 {
		g := New("stop")
		x, _ := g.Input("x", accel.Float64, 3)
		b := g.Build("")
		s := b.Op("Sigmoid", nil, x)
		y := b.Mul(b.Op("Tanh", nil, s), b.Op("StopGradient", nil, b.Mul(s, s)))
		loss := b.ReduceSum(b.Mul(y, y), false, 0)
		if b.Err() != nil {
			t.Fatal(b.Err())
		}
		var options []GradientOption
		if again {
			options = append(options, Checkpoint(y))
		}
		grads, err := Gradients(g, loss, []*Value{x}, options...)
		if err != nil {
			t.Fatal(err)
		}
		return accel.Values[float64](compiled(t, g, grads)([]*accel.Array{float64s([]int{3}, -1, 0.2, 2)})[0])
	}
	want, got := gradient(false), gradient(true)
	for i := range want {
		if got[i] != want[i] || want[i] == 0 {
			t.Errorf("element %d: %g with a checkpoint, %g without", i, got[i], want[i])
		}
	}
}

// TestAccumulate cuts a batch of six rows into three parts.
func TestAccumulate(t *testing.T) {
	gradient := func(rows, parts int) (*Graph, []*Value) {
		g := New("part")
		x, _ := g.Input("x", accel.Float64, rows, 4)
		w, _ := g.Param("w", accel.Float64, 4, 3)
		b := g.Build("")
		loss := b.ReduceMean(b.Op("Tanh", nil, b.MatMul(x, w)), false, 0, 1)
		grads, err := Gradients(g, loss, []*Value{w})
		if err != nil {
			t.Fatal(err)
		}
		if grads, err = Accumulate(g, grads, parts); err != nil {
			t.Fatal(err)
		}
		return g, grads
	}
	x, w, zero := uniform(1, -1, 1, 6, 4), uniform(2, -1, 1, 4, 3), accel.NewArray(accel.Float64, 4, 3)
	whole, grads := gradient(6, 1)
	want := accel.Values[float64](compiled(t, whole, grads)([]*accel.Array{x, zero, w})[0])
	part, grads := gradient(2, 3)
	run, sum := compiled(t, part, grads), zero
	for i := range 3 {
		rows := float64s([]int{2, 4}, accel.Values[float64](x)[8*i:8*i+8]...)
		got := run([]*accel.Array{rows, sum, w})[0]
		sum = float64s(got.Shape, append([]float64{}, accel.Values[float64](got)...)...)
	}
	for i, v := range accel.Values[float64](sum) {
		if diff := v - want[i]; !(diff <= 0x1p-50 && diff >= -0x1p-50) {
			t.Errorf("element %d: %g, want %g", i, v, want[i])
		}
	}
	if _, err := Accumulate(part, grads, 0); err == nil {
		t.Error("no parts: no error")
	}
}

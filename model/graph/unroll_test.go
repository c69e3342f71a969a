package graph

import (
	"fmt"
	"testing"

	"github.com/millrace-go/millrace/accel"
)

// TestGradientThroughScan compares the gradient of a recurrent cell with
// differences: state = tanh(x·w + state·u), with w and u from around the body.
func TestGradientThroughScan(t *testing.T) {
	g := New("rnn")
	in := map[string][]int{"state": {2, 3}, "x": {2, 4, 5}, "w": {5, 3}, "u": {3, 3}}
	var wrt []*Value
	var args []*accel.Array
	for i, name := range []string{"state", "x", "w", "u"} {
		v, err := g.Input(name, accel.Float64, in[name]...)
		if err != nil {
			t.Fatal(err)
		}
		a := accel.NewArray(accel.Float64, in[name]...)
		for k := range accel.Values[float64](a) {
			accel.Values[float64](a)[k] = float64((k*7+i*5)%11-5) / 8
		}
		wrt, args = append(wrt, v), append(args, a)
	}
	body := New("cell")
	state, _ := body.InputOf("state", Type{DType: accel.Float64, Form: Unknown})
	x, _ := body.InputOf("x", Type{DType: accel.Float64, Form: Unknown})
	body.Outputs = []*Value{state}
	for i, n := range []*Node{
		{Op: "MatMul", Inputs: []*Value{x, wrt[2]}}, {Op: "MatMul", Inputs: []*Value{state, wrt[3]}}, {Op: "Add"}, {Op: "Tanh"},
	} {
		switch i {
		case 2:
			n.Inputs = []*Value{body.Nodes[0].Outputs[0], body.Nodes[1].Outputs[0]}
		case 3:
			n.Inputs = body.Nodes[2].Outputs
		}
		if err := body.Append(n, []string{fmt.Sprint("v", i)}); err != nil {
			t.Fatal(err)
		}
	}
	last := body.Nodes[3].Outputs[0]
	body.Outputs = []*Value{last, last}
	scan := &Node{Op: "Scan", Inputs: wrt[:2], Graphs: []Body{{"body", body}},
		Attrs: accel.Attrs{accel.Int("num_scan_inputs", 1), accel.Ints("scan_input_axes", 1)}}
	if err := g.Append(scan, []string{"last", "all"}); err != nil {
		t.Fatal(err)
	}
	g.Outputs = scan.Outputs
	bound, to, err := g.Bind(Binding{})
	if err != nil {
		t.Fatal(err)
	}
	if got := bound.Outputs[1].Type.String(); got != "float64[4 2 3]" {
		t.Errorf("scanned %s, want float64[4 2 3]", got)
	}
	for i, v := range wrt {
		wrt[i] = to[v]
	}
	b := bound.Build("")
	loss := weightedSum(b, bound.Outputs)
	grads, err := Gradients(bound, loss, wrt)
	if err != nil {
		t.Fatal(err)
	}
	got := compiled(t, bound, grads)(args)
	objective := compiled(t, bound, []*Value{loss})
	for i, a := range args {
		compareWithDifferences(t, wrt[i].Name, accel.Values[float64](got[i]), accel.Values[float64](a), func() float64 {
			return accel.Values[float64](objective(args)[0])[0]
		})
	}
}

// TestUnrollIsBounded binds a Scan of 8 elements with room for more or fewer nodes.
func TestUnrollIsBounded(t *testing.T) {
	g := New("g")
	x, _ := g.Input("x", accel.Float32, 8)
	body := New("body")
	e, _ := body.InputOf("e", Type{Form: Unknown})
	if err := body.Append(&Node{Op: "Neg", Inputs: []*Value{e}}, []string{"y"}); err != nil {
		t.Fatal(err)
	}
	body.Outputs = body.Nodes[0].Outputs
	n := &Node{Op: "Scan", Inputs: []*Value{x}, Graphs: []Body{{"body", body}}, Attrs: accel.Attrs{accel.Int("num_scan_inputs", 1)}}
	if err := g.Append(n, []string{"ys"}); err != nil {
		t.Fatal(err)
	}
	g.Outputs = n.Outputs
	if _, _, err := g.Bind(Binding{MaxUnroll: 7}); err == nil {
		t.Error("8 rounds in 7 nodes: no error")
	}
	if _, _, err := g.Bind(Binding{MaxUnroll: 100}); err != nil {
		t.Error(err)
	}
}

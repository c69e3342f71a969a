package graph

import (
	"testing"

	"github.com/millrace-go/millrace/accel"
)

// appended adds a node with a body, whose outputs get the names, and infers the
// types of what it gives.
func appended(t *testing.T, b *B, n *Node, outputs ...string) []*Value {
	t.Helper()
	if err := b.G.Append(n, outputs); err != nil {
		t.Fatal(err)
	}
	if err := b.G.Infer(); err != nil {
		t.Fatal(err)
	}
	return n.Outputs
}

// TestGradientsThroughScan is a recurrent cell with weights from outside.
func TestGradientsThroughScan(t *testing.T) {
	in := []*accel.Array{uniform(1, -1, 1, 2, 3), uniform(2, -1, 1, 4, 2, 3), uniform(3, -1, 1, 3, 3)}
	for _, reversed := range []int{0, 1} {
		checkGradients(t, in, func(b *B, x []*Value) []*Value {
			body := New("cell")
			h, _ := body.Input("h", accel.Float64, 2, 3)
			e, _ := body.Input("e", accel.Float64, 2, 3)
			c := body.Build("")
			next := c.Op("Tanh", nil, c.Add(c.MatMul(h, x[2]), e))
			body.Outputs = []*Value{next, c.Mul(next, e)}
			if c.Err() != nil {
				t.Fatal(c.Err())
			}
			at := accel.Attrs{accel.Int("num_scan_inputs", 1), accel.Ints("scan_input_directions", reversed)}
			return appended(t, b, &Node{Op: "Scan", Inputs: x[:2], Attrs: at, Graphs: []Body{{"body", body}}}, "last", "all")
		})
	}
}

// TestGradientsThroughLoop is Newton's iteration for a square root, three times,
// in the branch of an If that is taken.
func TestGradientsThroughLoop(t *testing.T) {
	checkGradients(t, []*accel.Array{uniform(1, 0.5, 2, 3)}, func(b *B, x []*Value) []*Value {
		body := New("newton")
		_, _ = body.Input("round", accel.Int64)
		on, _ := body.Input("on", accel.Bool)
		r, _ := body.Input("r", accel.Float64, 3)
		c := body.Build("")
		body.Outputs = []*Value{on, c.Mul(c.Add(r, c.Div(x[0], r)), c.Like(r, 0.5))}
		loop := &Node{Op: "Loop", Graphs: []Body{{"body", body}}, Inputs: []*Value{b.Const(ints64([]int{}, 3)), nil, x[0]}}
		root := appended(t, b, loop, "root")[0]
		taken, left := New("taken"), New("left")
		v, w := taken.Build(""), left.Build("")
		taken.Outputs = []*Value{v.Mul(root, root)}
		left.Outputs = []*Value{w.Op("Neg", nil, root)}
		choice := &Node{Op: "If", Graphs: []Body{{"then_branch", taken}, {"else_branch", left}}, Inputs: []*Value{b.Scalar(accel.Bool, 1)}}
		return append(appended(t, b, choice, "chosen"), root)
	})
}

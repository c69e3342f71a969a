package graph

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/accel"
)

func TestSymbolsByProbing(t *testing.T) {
	g := New("g")
	s := g.Symbol("S")
	x, err := g.Input("x", accel.Float32, N, s, 4)
	if err != nil {
		t.Fatal(err)
	}
	y, err := g.Apply("Add", "", nil, x, x)
	if err != nil {
		t.Fatal(err)
	}
	if !y.Type.Shape.Equal(Shape{N, s, 4}) {
		t.Errorf("x + x: shape %v, want that of x", y.Type.Shape)
	}
	flat, err := g.Apply("Reshape", "", nil, x, g.Const("", accel.Ints64(-1, 4)))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := g.shapeText(flat.Type.Shape), "[N*S 4]"; got != want {
		t.Errorf("flattened: %s, want %s", got, want)
	}
}

func TestBindFoldsShapes(t *testing.T) {
	g := New("g")
	x, _ := g.Input("x", accel.Float32, N, 6)
	shape, err := g.Apply("Shape", "", nil, x)
	if err != nil {
		t.Fatal(err)
	}
	doubled, err := g.Apply("Add", "", nil, shape, shape)
	if err != nil {
		t.Fatal(err)
	}
	g.Outputs = []*Value{doubled}
	bound, _, err := g.Bind(Binding{Shapes: map[string][]int{"x": {5, 6}}})
	if err != nil {
		t.Fatal(err)
	}
	out := bound.Outputs[0]
	if out.Kind != Const || !slices.Equal(accel.Values[int64](out.Data), []int64{10, 12}) {
		t.Errorf("2·shape = %v, want the constant [10 12]\n%s", out, bound)
	}
}

// A definition that leads back to its operator is an error, not a stack that overflows.
func TestDefinitionThatLeadsBack(t *testing.T) {
	table["Ouroboros"] = operator{name: "Ouroboros", min: 1, shapes: like, expand: func(b *B, n *Node) []*Value {
		return []*Value{b.Op("Ouroboros", nil, n.Inputs[0])}
	}}
	defer delete(table, "Ouroboros")
	g := New("g")
	x, _ := g.Input("x", accel.Float32, 2)
	y, err := g.Apply("Ouroboros", "", nil, x)
	if err != nil {
		t.Fatal(err)
	}
	g.Outputs = []*Value{y}
	if _, _, err := g.Bind(Binding{}); !errors.Is(err, accel.ErrUnsupported) || err.Error() != "graph: Ouroboros (Ouroboros): its definition leads back to itself: "+accel.ErrUnsupported.Error() {
		t.Errorf("error %v", err)
	}
}

// Scales are floating-point numbers; of others the division is not defined here.
func TestQuantizeByIntegers(t *testing.T) {
	g := New("g")
	x, _ := g.Input("x", accel.Int32, 2)
	s, _ := g.Input("s", accel.Int32)
	if _, err := g.Apply("QuantizeLinear", "q", nil, x, s); !errors.Is(err, accel.ErrUnsupported) || !strings.Contains(err.Error(), "int32 by a scale of int32") {
		t.Errorf("error %v", err)
	}
}

// Dropouts whose results a body reads are gone there too, and inputs that a body or
// the outputs still have stay.
func TestInferenceInBodies(t *testing.T) {
	g := New("g")
	x, _ := g.Input("x", accel.Float32, 2)
	seed, _ := g.Input("seed", accel.Uint64)
	kept, _ := g.Input("kept", accel.Uint64)
	cond, _ := g.Input("cond", accel.Bool)
	drop := func(v, s *Value) *Value {
		d, err := g.Apply("MaskedDropout", "", accel.Attrs{accel.Float("ratio", 0.5)}, v, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := drop(drop(x, seed), kept)
	then, other := New("then"), New("else")
	v, err := then.Apply("Neg", "", nil, d)
	if err != nil {
		t.Fatal(err)
	}
	then.Outputs, other.Outputs = []*Value{v}, []*Value{d}
	n := &Node{Op: "If", Inputs: []*Value{cond}, Graphs: []Body{{"then_branch", then}, {"else_branch", other}}}
	if err := g.Append(n, []string{"y"}); err != nil {
		t.Fatal(err)
	}
	g.Outputs = []*Value{n.Outputs[0], kept}
	g.Inference()
	if then.Nodes[0].Inputs[0] != x || other.Outputs[0] != x || len(g.Nodes) != 1 {
		t.Errorf("the bodies read %v and %v, want x\n%s", then.Nodes[0].Inputs[0], other.Outputs[0], g)
	}
	if want := []*Value{x, kept, cond}; !slices.Equal(g.Inputs, want) {
		t.Errorf("inputs %v, want %v", g.Inputs, want)
	}
}

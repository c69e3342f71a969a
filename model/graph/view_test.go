package graph

import (
	"strings"
	"testing"

	"github.com/millrace-go/millrace/accel"
)

func TestViews(t *testing.T) {
	g := New(`a "quoted" name`)
	x, err := g.Input(`x "1"`, accel.Float32, N, 4)
	if err != nil {
		t.Fatal(err)
	}
	y, err := g.Apply("LeakyRelu", "", accel.Attrs{accel.Float("alpha", 0.1)}, x)
	if err != nil {
		t.Fatal(err)
	}
	z, err := g.Apply("Add", "", nil, y, g.Const("", accel.ArrayOf(accel.Float32, []int{}, []float32{1})))
	if err != nil {
		t.Fatal(err)
	}
	g.Outputs = []*Value{z}
	var dot, mermaid strings.Builder
	if err := g.Dot(&dot); err != nil {
		t.Fatal(err)
	}
	if err := g.Mermaid(&mermaid); err != nil {
		t.Fatal(err)
	}
	wantDot := `digraph "a \"quoted\" name" {
  rankdir=TB; node [shape=box, fontsize=10]; edge [fontsize=9];
  n1 [label="x \"1\" float32[N 4]", shape=box, style=rounded];
  n2 [label="LeakyRelu{alpha=0.1}"];
  n1 -> n2 [label="float32[N 4]"];
  n3 [label="Add"];
  n2 -> n3 [label="float32[N 4]"];
  n4 [label="Add", shape=box, style=rounded];
  n3 -> n4 [label="float32[N 4]"];
}
`
	wantMermaid := `flowchart TB
  n1("x #quot;1#quot; float32[N 4]")
  n2["LeakyRelu{alpha=0.1}"]
  n1 -- "float32[N 4]" --> n2
  n3["Add"]
  n2 -- "float32[N 4]" --> n3
  n4("Add")
  n3 -- "float32[N 4]" --> n4
`
	if dot.String() != wantDot {
		t.Errorf("Dot:\n%s\nwant:\n%s", &dot, wantDot)
	}
	if mermaid.String() != wantMermaid {
		t.Errorf("Mermaid:\n%s\nwant:\n%s", &mermaid, wantMermaid)
	}
}

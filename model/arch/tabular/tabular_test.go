package tabular_test

import (
	"strings"
	"testing"

	"github.com/millrace-go/millrace/model/arch/archtest"
	"github.com/millrace-go/millrace/model/arch/tabular"
	"github.com/millrace-go/millrace/model/nn"
)

var mixed = []nn.Input{
	{Name: "features", DType: "float32", Shape: []int{7}},
	{Name: "airport", DType: "int32", Shape: []int{}, Cardinality: 30, Dim: 3},
	{Name: "more", DType: "float32", Shape: []int{2}},
	{Name: "month", DType: "int32", Cardinality: 12},
}

// TestMixed: 7 + 3 + 2 + 7 numbers reach fc1; ceil(1.6·12^0.56) = ceil(6.43) = 7.
func TestMixed(t *testing.T) {
	archtest.Run(t, archtest.Case{
		Build: func() (*nn.Model, error) {
			return tabular.Build(tabular.Config{Hidden: []int{20, 10}, Dropout: 0.05}, mixed, 2)
		},
		Params: []nn.Param{
			{Name: "embed.airport.weight", Shape: []int{30, 3}}, {Name: "embed.month.weight", Shape: []int{12, 7}},
			{Name: "fc1.weight", Shape: []int{20, 19}}, {Name: "fc1.bias", Shape: []int{20}},
			{Name: "fc2.weight", Shape: []int{10, 20}}, {Name: "fc2.bias", Shape: []int{10}},
			{Name: "logits.weight", Shape: []int{2, 10}}, {Name: "logits.bias", Shape: []int{2}},
		},
		Scalars: 30*3 + 12*7 + 20*19 + 20 + 10*20 + 10 + 2*10 + 2, // 806
	})
}

// TestOneColumn of ids only, to more classes than it has numbers.
func TestOneColumn(t *testing.T) {
	archtest.Run(t, archtest.Case{
		Build: func() (*nn.Model, error) {
			return tabular.Build(tabular.Config{Hidden: []int{32}}, []nn.Input{
				{Name: "id", DType: "int32", Cardinality: 500},
			}, 3)
		},
		Params: []nn.Param{
			{Name: "embed.id.weight", Shape: []int{500, 16}},
			{Name: "fc1.weight", Shape: []int{32, 16}}, {Name: "fc1.bias", Shape: []int{32}},
			{Name: "logits.weight", Shape: []int{3, 32}}, {Name: "logits.bias", Shape: []int{3}},
		},
		Scalars: 500*16 + 32*16 + 32 + 3*32 + 3, // 8,643
	})
}

// TestDefaultDim holds the rule to values computed with 50 digits: 1.6·2^0.56 =
// 2.36, 1.6·10^0.56 = 5.81, 1.6·61^0.56 = 15.99, 1.6·62^0.56 = 16.14.
func TestDefaultDim(t *testing.T) {
	for card, want := range map[int]int{1: 2, 2: 3, 3: 3, 10: 6, 12: 7, 61: 16, 62: 16, 1000000: 16} {
		if got := tabular.DefaultDim(card); got != want {
			t.Errorf("DefaultDim(%d) = %d, want %d", card, got, want)
		}
	}
}

// TestNames: columns may be called like layers, parameters or each other's.
func TestNames(t *testing.T) {
	var inputs []nn.Input
	for _, name := range []string{"fc1.weight", "logits", "seed", "labels", "a.weight", "a", "class weights", "columns"} {
		inputs = append(inputs, nn.Input{Name: name, DType: "int32", Cardinality: 4})
	}
	m, err := tabular.Build(tabular.Config{Hidden: []int{3}, Dropout: 0.1}, inputs, 2)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(m.Params), len(inputs)+4; got != want {
		t.Errorf("%d parameters, want %d", got, want)
	}
	seen := map[string]bool{}
	for _, p := range m.Params {
		if seen[p.Name] {
			t.Errorf("two parameters are called %q", p.Name)
		}
		seen[p.Name] = true
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name  string
		input nn.Input
		want  string
	}{
		{"matrix", nn.Input{Name: "x", DType: "float32", Shape: []int{2, 2}}, `input "x" is float32[2 2]`},
		{"text", nn.Input{Name: "x", DType: "utf8"}, `input "x" is utf8[]`},
		{"empty vocabulary", nn.Input{Name: "x", DType: "int32"}, "cardinality 0"},
		{"dimension", nn.Input{Name: "x", DType: "int32", Cardinality: 3, Dim: -1}, `embedding of "x" has dimension -1`},
	} {
		if _, err := tabular.Build(tabular.Config{}, []nn.Input{c.input}, 2); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

package graph

import (
	"errors"
	"fmt"
	"slices"
)

// ScanSpec is what the attributes of a Scan say.
type ScanSpec struct {
	States         int // inputs that are states; as many outputs are
	Inputs         int // inputs that are scanned
	InputAxes      []int
	InputReversed  []bool
	OutputAxes     []int
	OutputReversed []bool
}

// ScanOf reads the attributes of a Scan and checks them against its body.
func ScanOf(n *Node) (ScanSpec, error) {
	s := ScanSpec{Inputs: n.Attrs.Int("num_scan_inputs", 0)}
	body := n.Body("body")
	if body == nil {
		return s, errors.New("no body")
	}
	if s.Inputs < 1 || s.Inputs > len(n.Inputs) {
		return s, fmt.Errorf("num_scan_inputs is %d of %d inputs", s.Inputs, len(n.Inputs))
	}
	if slices.Contains(n.Inputs, nil) {
		return s, errors.New("an input is absent")
	}
	s.States = len(n.Inputs) - s.Inputs
	outputs := len(body.Outputs) - s.States
	if outputs < 0 || len(body.Inputs) != len(n.Inputs) {
		return s, fmt.Errorf("a body of %d inputs and %d outputs for %d inputs, of which %d are scanned", len(body.Inputs), len(body.Outputs), len(n.Inputs), s.Inputs)
	}
	var err error
	list := func(name string, size int) []int {
		v := n.Attrs.Ints(name)
		if v == nil {
			return make([]int, size)
		}
		if len(v) != size && err == nil {
			err = fmt.Errorf("%s has %d elements, want %d", name, len(v), size)
		}
		return v
	}
	s.InputAxes, s.OutputAxes = list("scan_input_axes", s.Inputs), list("scan_output_axes", outputs)
	s.InputReversed = reversed(list("scan_input_directions", s.Inputs))
	s.OutputReversed = reversed(list("scan_output_directions", outputs))
	return s, err
}

func reversed(directions []int) []bool {
	out := make([]bool, len(directions))
	for i, d := range directions {
		out[i] = d == 1
	}
	return out
}

package nn

import (
	"fmt"
	"slices"

	"gorgonia.org/tensor"

	"github.com/millrace-go/millrace/model/weights"
)

// checkSet compares a parameter set with the model: names, order, shapes.
func (m *Model) checkSet(what string, set weights.Set) error {
	if len(set) != len(m.Params) {
		return fmt.Errorf("%s: %d tensors, the model has %d", what, len(set), len(m.Params))
	}
	for i, p := range m.Params {
		if set[i].Name != p.Name || !slices.Equal(set[i].Shape(), p.Shape) {
			return fmt.Errorf("%s: tensor %d is %q %v, the model has %q %v", what, i, set[i].Name, []int(set[i].Shape()), p.Name, p.Shape)
		}
		if _, err := bytesOf(set[i].Dense); err != nil {
			return fmt.Errorf("%s: tensor %q: %w", what, p.Name, err)
		}
	}
	return nil
}

// checkBatch checks the inputs against the model, ids included.
func (m *Model) checkBatch(b Batch) error {
	if b.N < 1 {
		return fmt.Errorf("batch of %d rows, want at least 1", b.N)
	}
	for _, in := range m.Inputs {
		d := b.Inputs[in.Name]
		if d == nil {
			return fmt.Errorf("input %q is missing", in.Name)
		}
		if err := in.check(d, b.N); err != nil {
			return fmt.Errorf("input %q: %w", in.Name, err)
		}
	}
	return nil
}

func (in Input) check(d *tensor.Dense, n int) error {
	if s := d.Shape(); len(s) != len(in.Shape)+1 || s[0] != n || !slices.Equal(s[1:], in.Shape) {
		return fmt.Errorf("shape %v, want %v", []int(s), append([]int{n}, in.Shape...))
	}
	if _, err := bytesOf(d); err != nil {
		return err
	}
	if in.DType == "int32" {
		ids, ok := d.Data().([]int32)
		if !ok {
			return fmt.Errorf("type %v, want int32", d.Dtype())
		}
		return checkIDs(ids, in.Cardinality, max(1, len(ids)/n))
	}
	if _, ok := d.Data().([]float32); !ok {
		return fmt.Errorf("type %v, want float32", d.Dtype())
	}
	return nil
}

func checkIDs(ids []int32, cardinality, perRow int) error {
	for i, id := range ids {
		if id < 0 || int(id) >= cardinality {
			return fmt.Errorf("row %d: id %d, want 0 <= id < %d", i/perRow, id, cardinality)
		}
	}
	return nil
}

func (m *Model) checkLabels(b Batch) error {
	if len(b.Labels) != b.N {
		return fmt.Errorf("%d labels for %d rows", len(b.Labels), b.N)
	}
	for i, l := range b.Labels {
		if l < 0 || int(l) >= m.Classes {
			return fmt.Errorf("row %d: label %d, want 0 <= label < %d", i, l, m.Classes)
		}
	}
	return nil
}

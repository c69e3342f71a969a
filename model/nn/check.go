package nn

import (
	"fmt"
	"slices"

	"gorgonia.org/tensor"

	"github.com/millrace-go/millrace/accel"
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
		if _, err := hostOf(set[i].Dense); err != nil {
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
	h, err := hostOf(d)
	if err != nil {
		return err
	}
	if in.DType == "int32" {
		if h.I32 == nil {
			return fmt.Errorf("type %v, want int32", d.Dtype())
		}
		return checkIDs(h.I32, in.Cardinality, max(1, len(h.I32)/n))
	}
	if h.F32 == nil {
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

// hostOf is the backing slice of a tensor, which must be plain row-major.
func hostOf(d *tensor.Dense) (accel.Host, error) {
	if d.RequiresIterator() || d.DataOrder().IsColMajor() || d.IsMasked() {
		return accel.Host{}, fmt.Errorf("tensor is a view, masked or column-major, want contiguous row-major")
	}
	switch s := d.Data().(type) {
	case []float32:
		return accel.HostF32(s), nil
	case []int32:
		return accel.HostI32(s), nil
	}
	return accel.Host{}, fmt.Errorf("tensor of type %v, want float32 or int32 with at least one dimension", d.Dtype())
}

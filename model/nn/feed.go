package nn

import (
	"fmt"

	"gorgonia.org/tensor"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/weights"
)

// feed sets the arguments of a run that a model has in every graph made of it:
// its inputs, in the order in which they were declared, and its parameters, last.
// It returns how many inputs it set; those of training follow them.
func (m *Model) feed(z *size, params weights.Set, b Batch, seed []uint64) (int, error) {
	next := 0
	for i, v := range m.Graph.Inputs {
		if v.Name == seedName {
			z.inputs[i].Data = accel.Bytes(seed)
			continue
		}
		data, err := bytesOf(b.Inputs[m.Inputs[next].Name])
		if err != nil {
			return 0, err
		}
		z.inputs[i].Data = data
		next++
	}
	first := len(z.inputs) - len(params)
	for i, p := range params {
		z.inputs[first+i].Data = accel.Bytes(p.Data())
	}
	return len(m.Graph.Inputs), nil
}

// bytesOf is the backing memory of a tensor, which must be plain row-major.
func bytesOf(d *tensor.Dense) ([]byte, error) {
	if d.RequiresIterator() || d.DataOrder().IsColMajor() || d.IsMasked() {
		return nil, fmt.Errorf("tensor is a view, masked or column-major, want contiguous row-major")
	}
	switch s := d.Data().(type) {
	case []float32:
		return accel.Bytes(s), nil
	case []int32:
		return accel.Bytes(s), nil
	}
	return nil, fmt.Errorf("tensor of type %v, want float32 or int32 with at least one dimension", d.Dtype())
}

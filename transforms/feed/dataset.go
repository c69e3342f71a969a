package feed

import (
	"context"
	"fmt"
	"sort"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"gorgonia.org/tensor"

	"github.com/millrace-go/millrace/io/ipcio"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/model/nn"
	"github.com/millrace-go/millrace/transforms/ledger"
)

// Dataset is a sequence of prepared rows: pieces one after the other, numbered
// from 0. It holds none of them in memory.
type Dataset struct {
	store  store.Store
	parts  []ledger.Part
	starts []int64 // first row of each part; one more at the end
	inputs []nn.Input
}

// Open makes a dataset of parts in the order of their rows.
func Open(s store.Store, parts []ledger.Part, inputs []nn.Input) *Dataset {
	d := &Dataset{store: s, parts: parts, inputs: inputs, starts: []int64{0}}
	for _, p := range parts {
		d.starts = append(d.starts, d.Rows()+p.Rows)
	}
	return d
}

// Rows is the number of rows.
func (d *Dataset) Rows() int64 { return d.starts[len(d.starts)-1] }

// Load reads the rows from (included) to to (excluded) into memory.
func (d *Dataset) Load(ctx context.Context, from, to int64) (*Rows, error) {
	out := newRows(d.inputs, int(to-from))
	first := sort.Search(len(d.parts), func(i int) bool { return d.starts[i+1] > from })
	for i := first; i < len(d.parts) && d.starts[i] < to; i++ {
		lo, hi := max(from, d.starts[i])-d.starts[i], min(to, d.starts[i+1])-d.starts[i]
		if err := d.loadPart(ctx, d.parts[i], lo, hi, out); err != nil {
			return nil, fmt.Errorf("%s: %w; remove it and run again", d.parts[i].Object.Name, err)
		}
	}
	return out, nil
}

func (d *Dataset) loadPart(ctx context.Context, part ledger.Part, from, to int64, out *Rows) error {
	if err := store.Verify(ctx, d.store, part.Object); err != nil {
		return err
	}
	object, err := d.store.Open(ctx, part.Object.Name)
	if err != nil {
		return err
	}
	defer object.Close()
	piece, err := ipcio.Open(object, object.Size())
	if err != nil {
		return err
	}
	if piece.Rows() != part.Rows {
		return fmt.Errorf("has %d rows, want %d", piece.Rows(), part.Rows)
	}
	return piece.Read(from, to, out.append)
}

// Rows holds prepared rows as flat columns, ready to be gathered.
type Rows struct {
	inputs []nn.Input
	floats map[string][]float32 // rows * width
	ids    map[string][]int32
	labels []int32
}

func newRows(inputs []nn.Input, n int) *Rows {
	r := &Rows{inputs: inputs, floats: map[string][]float32{}, ids: map[string][]int32{}, labels: make([]int32, 0, n)}
	for _, in := range inputs {
		if in.DType == "float32" {
			r.floats[in.Name] = make([]float32, 0, n*Width(in))
		} else {
			r.ids[in.Name] = make([]int32, 0, n*Width(in))
		}
	}
	return r
}

// Width is the number of values a row has in an input.
func Width(in nn.Input) int {
	width := 1
	for _, d := range in.Shape {
		width *= d
	}
	return width
}

// N is the number of rows.
func (r *Rows) N() int { return len(r.labels) }

// Bytes is the memory the rows take.
func (r *Rows) Bytes() int64 {
	n := int64(len(r.labels))
	for _, v := range r.floats {
		n += int64(len(v))
	}
	for _, v := range r.ids {
		n += int64(len(v))
	}
	return 4 * n
}

// append adds the rows of a prepared record.
func (r *Rows) append(rec arrow.Record) error {
	for _, in := range r.inputs {
		if err := r.appendInput(rec, in); err != nil {
			return err
		}
	}
	if found := rec.Schema().FieldIndices("label"); len(found) == 1 {
		labels, ok := rec.Column(found[0]).(*array.Int32)
		if !ok {
			return fmt.Errorf(`column "label" is %s, want int32`, rec.Column(found[0]).DataType())
		}
		r.labels = append(r.labels, labels.Int32Values()...)
	} else {
		r.labels = append(r.labels, make([]int32, rec.NumRows())...)
	}
	return nil
}

func (r *Rows) appendInput(rec arrow.Record, in nn.Input) error {
	found := rec.Schema().FieldIndices(in.Name)
	if len(found) != 1 {
		return fmt.Errorf("no column %q", in.Name)
	}
	switch col := rec.Column(found[0]).(type) {
	case *array.FixedSizeList:
		width := Width(in)
		from := col.Data().Offset() * width
		switch values := col.ListValues().(type) {
		case *array.Float32:
			if in.DType == "float32" && listLength(col) == width {
				r.floats[in.Name] = append(r.floats[in.Name], values.Float32Values()[from:from+col.Len()*width]...)
				return nil
			}
		case *array.Int32:
			if in.DType == "int32" && listLength(col) == width {
				r.ids[in.Name] = append(r.ids[in.Name], values.Int32Values()[from:from+col.Len()*width]...)
				return nil
			}
		}
		return fmt.Errorf("column %q is %s, want %d %s", in.Name, col.DataType(), width, in.DType)
	case *array.Int32:
		if width := Width(in); width != 1 {
			return fmt.Errorf("column %q is %s, want %d of them", in.Name, col.DataType(), width)
		}
		r.ids[in.Name] = append(r.ids[in.Name], col.Int32Values()...)
	default:
		return fmt.Errorf("column %q is %s, want %s", in.Name, col.DataType(), in.DType)
	}
	return nil
}

func listLength(col *array.FixedSizeList) int {
	return int(col.DataType().(*arrow.FixedSizeListType).Len())
}

// Gather copies the rows at index into a batch of a model, with labels.
func (r *Rows) Gather(index []int32) nn.Batch {
	b := nn.Batch{N: len(index), Inputs: map[string]*tensor.Dense{}, Labels: make([]int32, len(index))}
	for i, row := range index {
		b.Labels[i] = r.labels[row]
	}
	for _, in := range r.inputs {
		shape := append([]int{len(index)}, in.Shape...)
		var values any
		if in.DType == "float32" {
			values = gather(r.floats[in.Name], index, Width(in))
		} else {
			values = gather(r.ids[in.Name], index, Width(in))
		}
		b.Inputs[in.Name] = tensor.New(tensor.WithShape(shape...), tensor.WithBacking(values))
	}
	return b
}

// gather copies the rows at index, each of width values.
func gather[T float32 | int32](from []T, index []int32, width int) []T {
	values := make([]T, len(index)*width)
	if width == 1 {
		for i, row := range index {
			values[i] = from[row]
		}
		return values
	}
	for i, row := range index {
		copy(values[i*width:(i+1)*width], from[int(row)*width:])
	}
	return values
}

// Slice returns the rows from (included) to to (excluded) as a batch of a
// model, with labels. The batch shares memory with r.
func (r *Rows) Slice(from, to int) nn.Batch {
	b := nn.Batch{N: to - from, Inputs: map[string]*tensor.Dense{}, Labels: r.labels[from:to]}
	for _, in := range r.inputs {
		shape := append([]int{to - from}, in.Shape...)
		if in.DType == "float32" {
			width := Width(in)
			b.Inputs[in.Name] = tensor.New(tensor.WithShape(shape...), tensor.WithBacking(r.floats[in.Name][from*width:to*width:to*width]))
		} else {
			width := Width(in)
			b.Inputs[in.Name] = tensor.New(tensor.WithShape(shape...), tensor.WithBacking(r.ids[in.Name][from*width:to*width:to*width]))
		}
	}
	return b
}

// Of returns the rows of a prepared record; without a label column all labels are 0.
func Of(b arrow.Record, inputs []nn.Input) (*Rows, error) {
	r := newRows(inputs, int(b.NumRows()))
	return r, r.append(b)
}

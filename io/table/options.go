package table

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
)

// The defaults of Options.
const (
	DefaultBatchRows    = 4096
	DefaultSpanBytes    = 8 << 20
	DefaultMaxCellBytes = 1 << 20
	DefaultDelimiter    = ","
)

// MaxBatchBytes is where a format closes a batch that has not reached
// BatchRows rows yet, so that rows of long cells do not add up. A batch is longer by at most its last row.
const MaxBatchBytes = 4 << 20

// WithDefaults replaces the zero fields by the defaults and checks the rest.
func (o Options) WithDefaults() (Options, error) {
	if o.BatchRows < 0 || o.SpanBytes < 0 || o.MaxCellBytes < 0 {
		return o, fmt.Errorf("table.Options: BatchRows %d, SpanBytes %d, MaxCellBytes %d: want none negative (0 is the default)",
			o.BatchRows, o.SpanBytes, o.MaxCellBytes)
	}
	if o.BatchRows == 0 {
		o.BatchRows = DefaultBatchRows
	}
	if o.SpanBytes == 0 {
		o.SpanBytes = DefaultSpanBytes
	}
	if o.MaxCellBytes == 0 {
		o.MaxCellBytes = DefaultMaxCellBytes
	}
	if o.Delimiter == "" {
		o.Delimiter = DefaultDelimiter
	}
	return o, nil
}

// Select returns the indices in schema, ascending, of the named columns, or of
// all if columns is empty. Batches have the file's column order, whatever the order of columns.
func Select(schema *arrow.Schema, columns []string) ([]int, error) {
	var idx []int
	if len(columns) == 0 {
		for i := range schema.NumFields() {
			idx = append(idx, i)
		}
		return idx, nil
	}
	for _, name := range columns {
		at := schema.FieldIndices(name)
		switch len(at) {
		case 0:
			return nil, fmt.Errorf("no column %q: the file has %s", name, list(schema))
		case 1:
			idx = append(idx, at[0])
		default:
			return nil, fmt.Errorf("column %q: the file has %d columns of that name, want one", name, len(at))
		}
	}
	slices.Sort(idx)
	return slices.Compact(idx), nil
}

// Project is the schema of the columns idx of schema.
func Project(schema *arrow.Schema, idx []int) *arrow.Schema {
	fields := make([]arrow.Field, len(idx))
	for i, at := range idx {
		fields[i] = schema.Field(at)
	}
	meta := schema.Metadata()
	return arrow.NewSchema(fields, &meta)
}

// list quotes the first names of a schema.
func list(schema *arrow.Schema) string {
	const most = 20
	var b strings.Builder
	for i := range min(schema.NumFields(), most) {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", schema.Field(i).Name)
	}
	if n := schema.NumFields() - most; n > 0 {
		fmt.Fprintf(&b, " and %d more", n)
	}
	return b.String()
}

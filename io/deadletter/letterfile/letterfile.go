// Package letterfile writes dead letters as Parquet files, and reads them.
package letterfile

import (
	"context"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/parquetio"
)

// Schema is that of a file of dead letters, one row a letter.
var Schema = arrow.NewSchema([]arrow.Field{
	{Name: "file", Type: arrow.BinaryTypes.String},
	{Name: "row", Type: arrow.PrimitiveTypes.Int64},
	{Name: "line", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, // null if unknown
	{Name: "rule", Type: arrow.BinaryTypes.String},
	{Name: "column", Type: arrow.BinaryTypes.String, Nullable: true}, // null if the fault is the whole row's
	{Name: "value", Type: arrow.BinaryTypes.String},
	{Name: "reason", Type: arrow.BinaryTypes.String},
}, nil)

// pendingRows bounds the letters that a Writer holds as rows.
const pendingRows = 4096

// Writer writes letters in the order given. It holds at most some thousands
// of them, and a compressed row group.
type Writer struct {
	out  *parquetio.Writer
	rows *array.RecordBuilder
	n    int
}

// NewWriter returns a Writer to w, which the caller closes after Close.
func NewWriter(w io.Writer) (*Writer, error) {
	out, err := parquetio.NewWriter(w, Schema, parquetio.WriterOptions{})
	if err != nil {
		return nil, fmt.Errorf("letterfile: %w", err)
	}
	return &Writer{out: out, rows: array.NewRecordBuilder(memory.NewGoAllocator(), Schema)}, nil
}

// Write adds letters. Their texts are made valid UTF-8, and Value is cut at
// deadletter.MaxValueBytes, as deadletter.Cut does.
func (w *Writer) Write(letters ...deadletter.Letter) error {
	for _, l := range letters {
		w.text(0, l.File)
		w.rows.Field(1).(*array.Int64Builder).Append(l.Row)
		if line := w.rows.Field(2).(*array.Int64Builder); l.Line > 0 {
			line.Append(l.Line)
		} else {
			line.AppendNull()
		}
		w.text(3, l.Rule)
		if l.Column == "" {
			w.rows.Field(4).AppendNull()
		} else {
			w.text(4, l.Column)
		}
		w.text(5, deadletter.Cut(l.Value))
		w.text(6, l.Reason)
		if w.n++; w.n == pendingRows {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *Writer) text(field int, s string) {
	w.rows.Field(field).(*array.StringBuilder).Append(deadletter.Printable(s))
}

func (w *Writer) flush() error {
	if w.n == 0 {
		return nil
	}
	w.n = 0
	if err := w.out.Write(w.rows.NewRecord()); err != nil {
		return fmt.Errorf("letterfile: %w", err)
	}
	return nil
}

// Close writes what is pending and the footer. A file without letters is valid.
func (w *Writer) Close() error {
	if err := w.flush(); err != nil {
		return err
	}
	if err := w.out.Close(); err != nil {
		return fmt.Errorf("letterfile: %w", err)
	}
	return nil
}

// Read calls emit for the letters of the file in the first size bytes of r, in
// order. name is for messages.
func Read(name string, r io.ReaderAt, size int64, emit func(deadletter.Letter) error) error {
	f, err := parquetio.Open(name, r, size)
	if err != nil {
		return err
	}
	if !f.Schema().Equal(Schema) {
		return fmt.Errorf("parquet file %s: no file of dead letters: its columns are %s", name, f.Schema())
	}
	for g := range f.RowGroups() {
		err := f.Read(context.Background(), g, parquetio.ReadOptions{}, func(p parquetio.Part) error {
			return each(p.Record, emit)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func each(rec arrow.Record, emit func(deadletter.Letter) error) error {
	text := func(column, row int) string {
		return rec.Column(column).(*array.String).Value(row) // "" if null
	}
	for i := range int(rec.NumRows()) {
		l := deadletter.Letter{
			File: text(0, i), Row: rec.Column(1).(*array.Int64).Value(i), Line: rec.Column(2).(*array.Int64).Value(i),
			Rule: text(3, i), Column: text(4, i), Value: text(5, i), Reason: text(6, i),
		}
		if err := emit(l); err != nil {
			return err
		}
	}
	return nil
}

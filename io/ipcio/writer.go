// Package ipcio writes and reads prepared pieces: Arrow IPC files in which
// every record batch has the same number of rows but the last, so that any
// range of rows is found without an index and read without the rest.
//
// Buffers are not compressed: a training step reads its rows as fast as the
// page cache gives them.
package ipcio

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/internal/arrays"
	"github.com/millrace-go/millrace/internal/arrowsafe"
)

// batchRowsKey is the key in the file's schema metadata of the rows a batch.
const batchRowsKey = "millrace.batch_rows"

// Writer writes one piece. Its bytes depend on the schema, the rows and
// batchRows alone, not on the records that brought the rows.
type Writer struct {
	out    *ipc.FileWriter
	chunks arrays.Rechunker
	rows   int64
	err    error
	closed bool
}

// NewWriter returns a Writer of a piece with batches of batchRows rows. The
// caller closes w after Close. At most batchRows rows, and the records that
// brought them, are held in memory.
func NewWriter(w io.Writer, schema *arrow.Schema, batchRows int) (*Writer, error) {
	if batchRows < 1 {
		return nil, fmt.Errorf("ipcio.NewWriter: %d rows a batch, want at least 1", batchRows)
	}
	if schema.Metadata().FindKey(batchRowsKey) >= 0 {
		return nil, fmt.Errorf("ipcio.NewWriter: schema metadata %q is reserved", batchRowsKey)
	}
	for _, f := range schema.Fields() {
		if err := checkType(f.Type); err != nil {
			return nil, fmt.Errorf("ipcio.NewWriter: column %q: %w", f.Name, err)
		}
	}
	meta := arrow.NewMetadata(
		append(slices.Clone(schema.Metadata().Keys()), batchRowsKey),
		append(slices.Clone(schema.Metadata().Values()), strconv.Itoa(batchRows)))
	marked := arrow.NewSchema(schema.Fields(), &meta)
	out, err := ipc.NewFileWriter(&position{w: w}, ipc.WithSchema(marked), ipc.WithAllocator(memory.NewGoAllocator()))
	if err != nil {
		return nil, fmt.Errorf("ipcio.NewWriter: %w", err)
	}
	p := &Writer{out: out}
	p.chunks = arrays.Rechunker{Schema: marked, Rows: batchRows, Emit: p.emit}
	return p, nil
}

// checkType refuses the types whose file form is not one block a batch.
func checkType(dt arrow.DataType) error {
	switch t := dt.(type) {
	case *arrow.DictionaryType:
		return fmt.Errorf("type %s: a piece holds no dictionaries, decode it first", dt)
	case *arrow.FixedSizeListType:
		return checkType(t.Elem())
	case *arrow.BooleanType, *arrow.StringType, *arrow.BinaryType:
		return nil
	case arrow.ExtensionType:
	case arrow.FixedWidthDataType:
		return nil
	}
	return fmt.Errorf("type %s is not supported in a piece", dt)
}

// Write adds the rows of rec, whose columns must have the names and types of
// the schema. After an error every call returns that error.
func (p *Writer) Write(rec arrow.Record) error {
	if p.closed {
		return errors.New("ipcio.Writer: Write after Close")
	}
	if p.err == nil {
		if err := p.chunks.Write(rec); err != nil {
			p.err = fmt.Errorf("ipcio.Writer: %w", err)
		}
	}
	return p.err
}

func (p *Writer) emit(rec arrow.Record) (err error) {
	defer arrowsafe.RecoverWrite(&err, "writing a batch")
	p.rows += rec.NumRows()
	return p.out.Write(rec)
}

// Close writes what is pending and the file's footer, and returns the number
// of rows of the piece. A piece without rows is a valid file.
func (p *Writer) Close() (rows int64, err error) {
	if p.closed {
		return p.rows, p.err
	}
	p.closed = true
	if p.err == nil {
		p.err = p.chunks.Flush()
	}
	if p.err == nil {
		p.err = p.out.Close()
	}
	if p.err != nil {
		p.err = fmt.Errorf("ipcio.Writer: %w", p.err)
	}
	return p.rows, p.err
}

// position gives Arrow's file writer the only seek that it asks for.
type position struct {
	w io.Writer
	n int64
}

func (p *position) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	p.n += int64(n)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return n, err
}

func (p *position) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekCurrent {
		return 0, errors.New("only the position can be asked for")
	}
	return p.n, nil
}

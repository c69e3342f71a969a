package batch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/millrace-go/millrace/internal/arrays"
	"github.com/millrace-go/millrace/internal/arrowsafe"
)

const (
	fileKey = "millrace.file" // schema metadata: Batch.File
	spanKey = "millrace.span" // schema metadata: Batch.Span
	rowsCol = "millrace.row"  // name of the last column of the stream: Batch.Rows

	// MaxEncodedBytes bounds what Decode reads.
	MaxEncodedBytes = math.MaxInt32
)

// Beam needs coders registered when a program starts.
func init() {
	beam.RegisterCoder(reflect.TypeFor[*Batch](), encodeBytes, decodeBytes)
}

func encodeBytes(b *Batch) ([]byte, error) {
	var buf bytes.Buffer
	if err := Encode(b, &buf); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func decodeBytes(p []byte) (*Batch, error) { return decode(p) }

// Encode writes b as an Arrow IPC stream of one record batch. The name of the
// file is in the schema's metadata and the row numbers are the last column.
func Encode(b *Batch, w io.Writer) error {
	rec, err := withProvenance(b)
	if err != nil {
		return err
	}
	if rec.NumRows() == 0 { // Arrow's writer fails on some empty slices
		if rec, err = arrays.TakeRecord(rec, nil); err != nil {
			return fmt.Errorf("batch.Encode: %s: %w", b.File, err)
		}
	}
	out := ipc.NewWriter(w, ipc.WithSchema(rec.Schema()), ipc.WithAllocator(memory.NewGoAllocator()))
	if err := out.Write(rec); err != nil {
		return fmt.Errorf("batch.Encode: %s: %w", b.File, err)
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("batch.Encode: %s: %w", b.File, err)
	}
	return nil
}

func withProvenance(b *Batch) (arrow.Record, error) {
	s := b.Record.Schema()
	for _, key := range []string{fileKey, spanKey} {
		if s.Metadata().FindKey(key) >= 0 {
			return nil, fmt.Errorf("batch.Encode: %s: schema metadata %q is reserved", b.File, key)
		}
	}
	meta := arrow.NewMetadata(
		append(slices.Clone(s.Metadata().Keys()), fileKey, spanKey),
		append(slices.Clone(s.Metadata().Values()), b.File, strconv.Itoa(b.Span)))
	fields := append(slices.Clone(s.Fields()), arrow.Field{Name: rowsCol, Type: arrow.PrimitiveTypes.Int64})
	cols := append(slices.Clone(b.Record.Columns()), int64Array(b.Rows))
	return array.NewRecord(arrow.NewSchema(fields, &meta), cols, b.Record.NumRows()), nil
}

// int64Array shares the memory of v.
func int64Array(v []int64) arrow.Array {
	data := array.NewData(arrow.PrimitiveTypes.Int64, len(v),
		[]*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int64Traits.CastToBytes(v))}, nil, 0, 0)
	return array.NewInt64Data(data)
}

// Decode reads what Encode wrote, to the end of r and at most MaxEncodedBytes.
// Damaged bytes give an error, never a panic or a batch that reads out of its
// memory, and need no more memory than a small multiple of their number.
func Decode(r io.Reader) (*Batch, error) {
	p, err := io.ReadAll(io.LimitReader(r, MaxEncodedBytes+1))
	if err != nil {
		return nil, fmt.Errorf("batch.Decode: %w", err)
	}
	return decode(p)
}

func decode(p []byte) (b *Batch, err error) {
	defer arrowsafe.Recover(&err, "batch.Decode")
	if len(p) > MaxEncodedBytes {
		return nil, fmt.Errorf("batch.Decode: more than %d bytes", MaxEncodedBytes)
	}
	if err := arrowsafe.CheckStream(p); err != nil {
		return nil, fmt.Errorf("batch.Decode: %w", err)
	}
	// A buffer is read twice, into its message and then into its array.
	mem := arrowsafe.NewBudget(4*len(p) + 1<<16)
	in, err := ipc.NewReader(bytes.NewReader(p), ipc.WithAllocator(mem))
	if err != nil {
		return nil, fmt.Errorf("batch.Decode: %w", err)
	}
	rec, err := in.Read()
	if err == io.EOF {
		err = errors.New("no record batch")
	}
	if err != nil {
		return nil, fmt.Errorf("batch.Decode: %w", err)
	}
	if err := arrays.Validate(rec); err != nil {
		return nil, fmt.Errorf("batch.Decode: %w", err)
	}
	rec.Retain() // the next Read releases it
	if _, err := in.Read(); err != io.EOF {
		return nil, fmt.Errorf("batch.Decode: more than one record batch (%v)", err)
	}
	return withoutProvenance(rec)
}

func withoutProvenance(rec arrow.Record) (*Batch, error) {
	s := rec.Schema()
	last := s.NumFields() - 1
	n := s.Metadata().Len() - 2
	keys, values := s.Metadata().Keys(), s.Metadata().Values()
	if last < 0 || n < 0 || keys[n] != fileKey || keys[n+1] != spanKey {
		return nil, errors.New("batch.Decode: no provenance in the stream")
	}
	span, err := strconv.Atoi(values[n+1])
	if err != nil {
		return nil, fmt.Errorf("batch.Decode: schema metadata %q: %w", spanKey, err)
	}
	col, ok := rec.Column(last).(*array.Int64)
	if !ok || s.Field(last).Name != rowsCol || col.NullN() > 0 {
		return nil, fmt.Errorf("batch.Decode: last column %s, want %s of int64 without nulls", s.Field(last), rowsCol)
	}
	meta := arrow.NewMetadata(keys[:n:n], values[:n:n])
	schema := arrow.NewSchema(s.Fields()[:last:last], &meta)
	out, err := New(array.NewRecord(schema, rec.Columns()[:last:last], rec.NumRows()), values[n], col.Int64Values())
	if err != nil {
		return nil, fmt.Errorf("batch.Decode: %w", err)
	}
	out.Span = span
	return out, nil
}

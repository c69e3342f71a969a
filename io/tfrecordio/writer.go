package tfrecordio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"google.golang.org/protobuf/encoding/protowire"
)

// WriterOptions are a Writer's settings; the zero value means the defaults.
type WriterOptions struct {
	// Narrow says that float64 columns are written as the nearest float32, which is all that a
	// tf.Example holds. Without it they are refused.
	Narrow bool
}

// Writer writes a TFRecord file of tf.Example, or of tf.SequenceExample if the schema has
// sequences. Its bytes depend on the schema, the rows and the options alone.
type Writer struct {
	w        io.Writer
	schema   *arrow.Schema
	features []encoder // in the order of their names, sequences last
	rows     int64
	buf      []byte
	err      error
	closed   bool
}

// NewWriter returns a Writer to w, which the caller closes after Close, and which does the compressing if there is to be any.
// Columns are of type bool, an integer, float32, utf8 or binary, or lists of these. A list
// of lists is a sequence feature, as is a list that Read has read from one. A null is
// written as a feature of no kind; that of a sequence is not written.
func NewWriter(w io.Writer, schema *arrow.Schema, opts WriterOptions) (*Writer, error) {
	out := &Writer{w: w, schema: schema}
	seen := map[string]bool{}
	for i, f := range schema.Fields() {
		e, err := newEncoder(f, i, opts)
		if err != nil {
			return nil, fmt.Errorf("tfrecordio.NewWriter: column %q: %w", f.Name, err)
		}
		key := fmt.Sprintf("%t %s", e.sequence, e.name)
		if e.name == "" || !utf8.ValidString(e.name) || seen[key] {
			return nil, fmt.Errorf("tfrecordio.NewWriter: column %q: want a name of valid UTF-8 that no other column has", f.Name)
		}
		seen[key] = true
		out.features = append(out.features, e)
	}
	slices.SortFunc(out.features, func(a, b encoder) int {
		if a.sequence != b.sequence {
			return space(a.sequence) - space(b.sequence)
		}
		return strings.Compare(a.name, b.name)
	})
	return out, nil
}

// Write adds the rows of rec, whose columns must have the names and types of
// the schema. After an error every call returns that error.
func (w *Writer) Write(rec arrow.Record) error {
	if w.closed {
		return errors.New("tfrecordio.Writer: Write after Close")
	}
	if w.err == nil {
		if w.err = w.write(rec); w.err != nil {
			w.err = fmt.Errorf("tfrecordio.Writer: %w", w.err)
		}
	}
	return w.err
}

func (w *Writer) write(rec arrow.Record) error {
	if int(rec.NumCols()) != w.schema.NumFields() {
		return fmt.Errorf("record has %d columns, want %d", rec.NumCols(), w.schema.NumFields())
	}
	for i, f := range w.schema.Fields() {
		if got := rec.Schema().Field(i); got.Name != f.Name || !arrow.TypeEqual(got.Type, f.Type) {
			return fmt.Errorf("column %d is %q of type %s, want %q of type %s", i+1, got.Name, got.Type, f.Name, f.Type)
		}
	}
	for i := range w.features {
		f := &w.features[i]
		f.values = rec.Column(f.at)
	}
	for row := range int(rec.NumRows()) {
		if err := w.row(row); err != nil {
			return fmt.Errorf("row %d: %w", w.rows+1, err)
		}
		w.rows++
		if len(w.buf) >= blockBytes {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// row appends a record to the buffer.
func (w *Writer) row(row int) error {
	head := len(w.buf)
	w.buf = append(w.buf, make([]byte, headBytes)...)
	for i := 0; i < len(w.features); {
		// The features of one map; its field of the message comes first.
		end := i
		size := 0
		for end < len(w.features) && w.features[end].sequence == w.features[i].sequence {
			if err := w.features[end].encode(row); err != nil {
				return fmt.Errorf("column %q: %w", w.schema.Field(w.features[end].at).Name, err)
			}
			size += len(w.features[end].entry)
			end++
		}
		w.buf = protowire.AppendTag(w.buf, protowire.Number(1+space(w.features[i].sequence)), protowire.BytesType)
		w.buf = protowire.AppendVarint(w.buf, uint64(size))
		for ; i < end; i++ {
			w.buf = append(w.buf, w.features[i].entry...)
		}
	}
	data := w.buf[head+headBytes:]
	if len(data) > maxRecordBytes {
		return fmt.Errorf("a record of %d bytes, want at most %d", len(data), maxRecordBytes)
	}
	binary.LittleEndian.PutUint64(w.buf[head:], uint64(len(data)))
	binary.LittleEndian.PutUint32(w.buf[head+8:], masked(w.buf[head:head+8]))
	w.buf = binary.LittleEndian.AppendUint32(w.buf, masked(data))
	return nil
}

func (w *Writer) flush() error {
	n, err := w.w.Write(w.buf)
	if err == nil && n < len(w.buf) {
		err = io.ErrShortWrite
	}
	w.buf = w.buf[:0]
	return err
}

// Close writes what is pending.
func (w *Writer) Close() error {
	if w.closed {
		return w.err
	}
	w.closed = true
	if w.err == nil {
		if err := w.flush(); err != nil {
			w.err = fmt.Errorf("tfrecordio.Writer: %w", err)
		}
	}
	return w.err
}

// encoder writes the entries of one feature.
type encoder struct {
	name     string
	at       int // of the column in the schema
	sequence bool
	depth    int // of the lists around a value
	kind     kind
	values   arrow.Array // of the record being written

	entry, value, list []byte
}

func newEncoder(f arrow.Field, at int, opts WriterOptions) (encoder, error) {
	e := encoder{at: at}
	e.name, e.sequence = featureOf(f)
	dt := f.Type
	for {
		inner, ok := dt.(arrow.ListLikeType)
		if !ok || dt.ID() == arrow.MAP {
			break
		}
		dt = inner.Elem()
		e.depth++
	}
	e.sequence = e.sequence || e.depth == 2
	switch dt.ID() {
	case arrow.NULL:
	case arrow.BOOL, arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64:
		e.kind = intKind
	case arrow.FLOAT32:
		e.kind = floatKind
	case arrow.FLOAT64:
		if !opts.Narrow {
			return e, fmt.Errorf("type %s: a tf.Example holds only float32: set Narrow, or cast it", f.Type)
		}
		e.kind = floatKind
	case arrow.STRING, arrow.BINARY:
		e.kind = bytesKind
	default:
		return e, fmt.Errorf("type %s cannot be written: cast it to int64, float32, utf8 or binary", f.Type)
	}
	if e.depth > 2 || e.sequence && e.depth == 0 && e.kind != noKind {
		return e, fmt.Errorf("type %s cannot be written: want at most a list of lists", f.Type)
	}
	return e, nil
}

// encode makes the entry of a row.
func (e *encoder) encode(row int) error {
	e.value, e.entry = e.value[:0], e.entry[:0]
	valid := e.values.IsValid(row) && e.kind != noKind
	if e.sequence && !valid {
		return nil
	}
	if valid {
		if err := e.feature(e.values, row, e.sequence); err != nil {
			return err
		}
	}
	size := protowire.SizeTag(1) + protowire.SizeBytes(len(e.name)) + protowire.SizeTag(2) + protowire.SizeBytes(len(e.value))
	e.entry = protowire.AppendTag(e.entry, 1, protowire.BytesType)
	e.entry = protowire.AppendVarint(e.entry, uint64(size))
	e.entry = protowire.AppendTag(e.entry, 1, protowire.BytesType)
	e.entry = protowire.AppendString(e.entry, e.name)
	e.entry = protowire.AppendTag(e.entry, 2, protowire.BytesType)
	e.entry = protowire.AppendBytes(e.entry, e.value)
	return nil
}

// feature appends to value the tf.Feature of a valid cell of a, or, of a sequence, the features of its steps.
func (e *encoder) feature(a arrow.Array, row int, sequence bool) error {
	from, to := row, row+1
	list, isList := a.(array.ListLike)
	if isList {
		first, last := list.ValueOffsets(row)
		a, from, to = list.ListValues(), int(first), int(last)
	}
	if !sequence {
		if err := e.appendList(a, from, to); err != nil {
			return err
		}
		e.value = protowire.AppendTag(e.value, protowire.Number(e.kind), protowire.BytesType)
		e.value = protowire.AppendBytes(e.value, e.list)
		return nil
	}
	for i := from; i < to; i++ {
		start := len(e.value)
		if a.IsValid(i) {
			if err := e.feature(a, i, false); err != nil {
				return err
			}
		}
		step := slices.Clone(e.value[start:])
		e.value = protowire.AppendTag(e.value[:start], 1, protowire.BytesType)
		e.value = protowire.AppendBytes(e.value, step)
	}
	return nil
}

package avroio

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// WriterOptions are a Writer's settings; the zero value means the defaults.
type WriterOptions struct {
	// Codec is "null", "deflate", "snappy" or "zstandard". The default is "deflate", which every reader has.
	Codec string
	// BlockBytes ends a block once it has so many bytes before compression. The default is 64 KiB.
	BlockBytes int
	// Name is the name of the record type. The default is "Row".
	Name string
}

// Writer writes an Avro object container file. Its bytes, the markers between blocks too, depend on the
// schema, the rows and the options alone.
type Writer struct {
	w        io.Writer
	schema   *arrow.Schema
	fields   []encoder
	opts     WriterOptions
	compress func([]byte) ([]byte, error)
	sync     [syncBytes]byte
	block    []byte // the records of the block being filled
	pending  int64  // their number
	rows     int64
	err      error
	closed   bool
}

// NewWriter returns a Writer to w, which the caller closes after Close. Columns are of type
// null, bool, an integer, float32, float64, utf8, binary, date32, time32[ms], time64[us], timestamp
// (ms, µs, ns), or lists and structs of these. Names are those that Avro has: letters, digits and
// underscores, no digit first.
func NewWriter(w io.Writer, schema *arrow.Schema, opts WriterOptions) (*Writer, error) {
	if opts.Codec == "" {
		opts.Codec = "deflate"
	}
	if opts.BlockBytes <= 0 {
		opts.BlockBytes = 64 << 10
	}
	if opts.Name == "" {
		opts.Name = "Row"
	}
	out := &Writer{w: w, schema: schema, opts: opts}
	var err error
	if out.compress, err = compressor(opts.Codec); err != nil {
		return nil, fmt.Errorf("avroio.NewWriter: %w", err)
	}
	names := &namer{outer: opts.Name}
	text, fields, err := names.record(opts.Name, schema.Fields(), "")
	if err != nil {
		return nil, fmt.Errorf("avroio.NewWriter: %w", err)
	}
	out.fields = fields
	header, err := json.Marshal(text)
	if err != nil {
		return nil, fmt.Errorf("avroio.NewWriter: %w", err)
	}
	digest := sha256.Sum256(append(header, opts.Codec...))
	copy(out.sync[:], digest[:])
	out.err = out.header(header)
	return out, out.err
}

// header writes the header.
func (w *Writer) header(schema []byte) error {
	b := []byte(magic)
	b = appendLong(b, 2)
	for _, s := range []string{"avro.codec", w.opts.Codec, "avro.schema", string(schema)} {
		b = appendLong(b, int64(len(s)))
		b = append(b, s...)
	}
	b = append(appendLong(b, 0), w.sync[:]...)
	return w.write(b)
}

func (w *Writer) write(b []byte) error {
	n, err := w.w.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("avroio.Writer: %w", err)
	}
	return nil
}

// Write adds the rows of rec, whose columns must have the names and types of
// the schema. After an error every call returns that error.
func (w *Writer) Write(rec arrow.Record) error {
	if w.closed {
		return errors.New("avroio.Writer: Write after Close")
	}
	if w.err == nil {
		w.err = w.record(rec)
	}
	return w.err
}

func (w *Writer) record(rec arrow.Record) error {
	if int(rec.NumCols()) != w.schema.NumFields() {
		return fmt.Errorf("avroio.Writer: record has %d columns, want %d", rec.NumCols(), w.schema.NumFields())
	}
	for i, f := range w.schema.Fields() {
		if got := rec.Schema().Field(i); got.Name != f.Name || !arrow.TypeEqual(got.Type, f.Type) {
			return fmt.Errorf("avroio.Writer: column %d is %q of type %s, want %q of type %s", i+1, got.Name, got.Type, f.Name, f.Type)
		}
	}
	for row := range int(rec.NumRows()) {
		for i, encode := range w.fields {
			var err error
			if w.block, err = encode(w.block, rec.Column(i), row); err != nil {
				return fmt.Errorf("avroio.Writer: row %d: column %q: %w", w.rows+1, w.schema.Field(i).Name, err)
			}
		}
		w.rows++
		w.pending++
		if len(w.block) >= w.opts.BlockBytes {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush writes the block.
func (w *Writer) flush() error {
	if w.pending == 0 {
		return nil
	}
	data, err := w.compress(w.block)
	if err != nil {
		return fmt.Errorf("avroio.Writer: %w", err)
	}
	b := appendLong(nil, w.pending)
	b = appendLong(b, int64(len(data)))
	b = append(b, data...)
	w.block, w.pending = w.block[:0], 0
	return w.write(append(b, w.sync[:]...))
}

// Close writes what is pending.
func (w *Writer) Close() error {
	if !w.closed && w.err == nil {
		w.err = w.flush()
	}
	w.closed = true
	return w.err
}

// compressor returns what compresses a block; its result is valid until the next.
func compressor(codec string) (func([]byte) ([]byte, error), error) {
	var buf []byte
	switch codec {
	case "null":
		return func(b []byte) ([]byte, error) { return b, nil }, nil
	case "snappy":
		return func(b []byte) ([]byte, error) {
			buf = snappy.Encode(buf[:cap(buf)], b)
			buf = binary.BigEndian.AppendUint32(buf, crc32.ChecksumIEEE(b))
			return buf, nil
		}, nil
	case "deflate":
		var out bytes.Buffer
		w, err := flate.NewWriter(&out, flate.DefaultCompression)
		return func(b []byte) ([]byte, error) {
			out.Reset()
			w.Reset(&out)
			if _, err := w.Write(b); err != nil {
				return nil, err
			}
			err := w.Close()
			return out.Bytes(), err
		}, err
	case "zstandard":
		z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
		return func(b []byte) ([]byte, error) {
			buf = z.EncodeAll(b, buf[:0])
			return buf, nil
		}, err
	}
	return nil, fmt.Errorf("codec %q: want null, deflate, snappy or zstandard", codec)
}

func appendLong(b []byte, v int64) []byte {
	return binary.AppendUvarint(b, uint64(v)<<1^uint64(v>>63))
}

package parquetio

import (
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"

	"github.com/millrace-go/millrace/internal/arrays"
	"github.com/millrace-go/millrace/internal/arrowsafe"
)

// WriterOptions are a Writer's settings; the zero value means the defaults.
type WriterOptions struct {
	// RowGroupRows is the number of rows of a row group, rounded up to a
	// multiple of 16,384. The default is 131,072.
	RowGroupRows int
	// RowGroupBytes ends a row group early, once it has so many bytes before
	// compression. The default is 64 MiB. A row group is in memory, compressed.
	RowGroupBytes int64
	// Compression is "snappy", "zstd" or "none". The default is "snappy".
	Compression string
}

// chunkRows is how many rows are handed to Arrow's writer at a time. It looks
// at the size of a page between them, so a fixed number makes the file the
// same for any cut of the rows into records.
const chunkRows = 16384

// createdBy goes into the file; it does not change with the version.
const createdBy = "millrace"

// Writer writes a Parquet file. Its bytes depend on the schema, the rows and
// the options alone.
type Writer struct {
	sink   *sink
	out    *pqarrow.FileWriter
	opts   WriterOptions
	chunks arrays.Rechunker
	group  int   // rows of the row group being filled
	bytes  int64 // of its columns before compression
	err    error
	closed bool
}

// NewWriter returns a Writer to w, which the caller closes after Close.
// Columns are of type bool, int8 to int64, uint8 to uint64, float32, float64,
// utf8, binary, date32 or timestamp (ms, µs, ns). Arrow's writer marks a
// timestamp without a zone as UTC, so it is read back as that.
func NewWriter(w io.Writer, schema *arrow.Schema, opts WriterOptions) (p *Writer, err error) {
	sink := &sink{w: w}
	defer sink.report(&err)
	defer arrowsafe.RecoverWrite(&err, "opening")
	codec, ok := map[string]compress.Compression{
		"": compress.Codecs.Snappy, "snappy": compress.Codecs.Snappy,
		"zstd": compress.Codecs.Zstd, "none": compress.Codecs.Uncompressed,
	}[opts.Compression]
	if !ok {
		return nil, fmt.Errorf("parquetio.NewWriter: compression %q, want snappy, zstd or none", opts.Compression)
	}
	for _, f := range schema.Fields() {
		if !writable(f.Type) {
			return nil, fmt.Errorf("parquetio.NewWriter: column %q: type %s cannot be written", f.Name, f.Type)
		}
	}
	if opts.RowGroupRows <= 0 {
		opts.RowGroupRows = 8 * chunkRows
	}
	opts.RowGroupRows = (opts.RowGroupRows + chunkRows - 1) / chunkRows * chunkRows
	if opts.RowGroupBytes <= 0 {
		opts.RowGroupBytes = 64 << 20
	}
	mem := memory.NewGoAllocator()
	props := parquet.NewWriterProperties(
		parquet.WithAllocator(mem), parquet.WithCreatedBy(createdBy), parquet.WithCompression(codec),
		parquet.WithDictionaryDefault(false), parquet.WithDataPageVersion(parquet.DataPageV2),
		parquet.WithMaxRowGroupLength(int64(opts.RowGroupRows)))
	p = &Writer{sink: sink, opts: opts}
	p.out, err = pqarrow.NewFileWriter(schema, p.sink, props, pqarrow.NewArrowWriterProperties(pqarrow.WithAllocator(mem)))
	if err != nil {
		return nil, fmt.Errorf("parquetio.NewWriter: %w", err)
	}
	p.chunks = arrays.Rechunker{Schema: schema, Rows: chunkRows, Emit: p.emit}
	return p, nil
}

func writable(dt arrow.DataType) bool {
	switch dt.ID() {
	case arrow.BOOL, arrow.STRING, arrow.BINARY, arrow.DATE32, arrow.FLOAT32, arrow.FLOAT64,
		arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64,
		arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64:
		return true
	case arrow.TIMESTAMP:
		return dt.(*arrow.TimestampType).Unit != arrow.Second
	}
	return false
}

// Write adds the rows of rec, whose columns must have the names and types of
// the schema. After an error every call returns that error.
func (p *Writer) Write(rec arrow.Record) error {
	if p.closed {
		return errors.New("parquetio.Writer: Write after Close")
	}
	if p.err == nil {
		p.err = named(p.chunks.Write(rec))
	}
	return p.err
}

func (p *Writer) emit(rec arrow.Record) (err error) {
	defer p.sink.report(&err)
	defer arrowsafe.RecoverWrite(&err, "writing")
	if p.group == 0 {
		p.out.NewBufferedRowGroup()
		p.bytes = 0
	}
	if err := p.out.WriteBuffered(rec); err != nil {
		return err
	}
	p.group += int(rec.NumRows())
	for _, c := range rec.Columns() {
		p.bytes += int64(bytesOf(c))
	}
	if p.group >= p.opts.RowGroupRows || p.bytes >= p.opts.RowGroupBytes {
		p.group = 0
	}
	return nil
}

// Close writes what is pending and the footer.
func (p *Writer) Close() error {
	if p.closed {
		return p.err
	}
	p.closed = true
	if p.err == nil {
		p.err = named(p.finish())
	}
	return p.err
}

func (p *Writer) finish() (err error) {
	defer p.sink.report(&err)
	defer arrowsafe.RecoverWrite(&err, "writing the footer")
	if err := p.chunks.Flush(); err != nil {
		return err
	}
	return p.out.Close()
}

func named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("parquetio.Writer: %w", err)
}

// sink keeps the first error of w: Arrow's writer drops some.
type sink struct {
	w   io.Writer
	err error
}

func (s *sink) Write(b []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.w.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	s.err = err
	return n, err
}

// report makes the first error of w the result, instead of what Arrow made of it.
func (s *sink) report(err *error) {
	if s.err != nil {
		*err = s.err
	}
}

package ipcio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/ipc"

	"github.com/millrace-go/millrace/internal/arrowsafe"
)

// Reader reads ranges of a piece's rows. It may be used by several goroutines
// at once if its ReaderAt may.
type Reader struct {
	r         io.ReaderAt
	schema    *arrow.Schema // without batchRowsKey
	batches   []arrowsafe.Block
	batchRows int64
	rows      int64
}

// The frame of an Arrow IPC file: the magic, padded to 8 bytes, at its start,
// and the length of the footer and the magic at its end.
const (
	magic     = "ARROW1"
	frameHead = 8
	frameTail = 4 + len(magic)
	maxFooter = 64 << 20
	maxRows   = 1<<31 - 1
)

// Open reads the footer of the piece in the first size bytes of r, which stay
// in use. It checks the file's structure, not its content: compare the digest
// of the file first.
func Open(r io.ReaderAt, size int64) (*Reader, error) {
	p, err := open(r, size)
	if err != nil {
		return nil, fmt.Errorf("ipcio.Open: not a whole Arrow file: %w", err)
	}
	return p, nil
}

func open(r io.ReaderAt, size int64) (p *Reader, err error) {
	defer arrowsafe.Recover(&err, "footer")
	footer, err := readFooter(r, size)
	if err != nil {
		return nil, err
	}
	p = &Reader{r: r}
	if p.batches, err = arrowsafe.CheckFooter(footer, size-int64(frameTail)-int64(len(footer))); err != nil {
		return nil, err
	}
	f, err := ipc.NewFileReader(io.NewSectionReader(r, 0, size), ipc.WithAllocator(arrowsafe.NewBudget(1<<20)))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if f.NumDictionaries() > 0 {
		return nil, errors.New("it has dictionaries, which a piece has not")
	}
	if err := p.readSchema(f.Schema()); err != nil {
		return nil, err
	}
	if err := p.countRows(); err != nil {
		return nil, err
	}
	return p, nil
}

func readFooter(r io.ReaderAt, size int64) ([]byte, error) {
	if size < int64(frameHead+frameTail) {
		return nil, fmt.Errorf("%d bytes, want at least %d", size, frameHead+frameTail)
	}
	head, tail := make([]byte, len(magic)), make([]byte, frameTail)
	if err := readAt(r, head, 0); err != nil {
		return nil, err
	}
	if err := readAt(r, tail, size-int64(frameTail)); err != nil {
		return nil, err
	}
	if string(head) != magic || string(tail[4:]) != magic {
		return nil, fmt.Errorf("it does not begin and end with %q", magic)
	}
	n := int64(binary.LittleEndian.Uint32(tail))
	if n < 8 || n > maxFooter || n > size-int64(frameHead+frameTail) {
		return nil, fmt.Errorf("a footer of %d bytes in a file of %d", n, size)
	}
	footer := make([]byte, n)
	return footer, readAt(r, footer, size-int64(frameTail)-n)
}

func (p *Reader) readSchema(s *arrow.Schema) error {
	for _, f := range s.Fields() {
		if err := checkType(f.Type); err != nil {
			return fmt.Errorf("column %q: %w", f.Name, err)
		}
	}
	at := s.Metadata().FindKey(batchRowsKey)
	if at < 0 {
		return fmt.Errorf("schema metadata has no %q: it is not a piece", batchRowsKey)
	}
	keys, values := slices.Clone(s.Metadata().Keys()), slices.Clone(s.Metadata().Values())
	n, err := strconv.ParseInt(values[at], 10, 32)
	if err != nil || n < 1 {
		return fmt.Errorf("schema metadata %q is %q, want a positive integer", batchRowsKey, values[at])
	}
	meta := arrow.NewMetadata(slices.Delete(keys, at, at+1), slices.Delete(values, at, at+1))
	p.batchRows, p.schema = n, arrow.NewSchema(s.Fields(), &meta)
	return nil
}

// countRows needs only the last batch: the others are full, which Read checks.
func (p *Reader) countRows() error {
	n := int64(len(p.batches))
	if n == 0 {
		return nil
	}
	last, err := p.metadata(n - 1)
	if err != nil {
		return err
	}
	if last.Rows < 1 || last.Rows > p.batchRows {
		return fmt.Errorf("last batch of %d rows, want 1 to %d", last.Rows, p.batchRows)
	}
	p.rows = (n-1)*p.batchRows + last.Rows
	return nil
}

func (p *Reader) metadata(i int64) (*arrowsafe.Batch, error) {
	b := p.batches[i]
	if b.Metadata > maxFooter {
		return nil, fmt.Errorf("batch %d: metadata of %d bytes", i, b.Metadata)
	}
	meta := make([]byte, b.Metadata)
	if err := readAt(p.r, meta, b.Offset); err != nil {
		return nil, err
	}
	batch, err := arrowsafe.CheckBatch(meta, b.Body)
	if err != nil {
		return nil, fmt.Errorf("batch %d: %w", i, err)
	}
	return batch, nil
}

// Rows is the number of rows of the piece.
func (p *Reader) Rows() int64 { return p.rows }

// Schema is the schema that the piece was written with.
func (p *Reader) Schema() *arrow.Schema { return p.schema }

// Read calls emit for the rows [from, to) in order, in records of at most the
// piece's rows a batch; emit may keep them. One batch is in memory at a time.
// It is an error, before any call, if the range is not within the piece.
func (p *Reader) Read(from, to int64, emit func(arrow.Record) error) error {
	if from < 0 || to < from || to > p.rows {
		return fmt.Errorf("ipcio.Reader: rows [%d, %d) of a piece of %d", from, to, p.rows)
	}
	if from == to {
		return nil
	}
	for i := from / p.batchRows; i*p.batchRows < to; i++ {
		rec, err := p.batch(i)
		if err != nil {
			return fmt.Errorf("ipcio.Reader: batch %d: %w", i, err)
		}
		start := i * p.batchRows
		lo, hi := max(from-start, 0), min(to-start, rec.NumRows())
		if lo > 0 || hi < rec.NumRows() {
			rec = rec.NewSlice(lo, hi)
		}
		if err := emit(rec); err != nil {
			return err
		}
	}
	return nil
}

// batch reads, decodes and checks batch i.
func (p *Reader) batch(i int64) (arrow.Record, error) {
	meta, err := p.metadata(i)
	if err != nil {
		return nil, err
	}
	if want := min(p.batchRows, p.rows-i*p.batchRows); meta.Rows != want {
		return nil, fmt.Errorf("%d rows, want %d", meta.Rows, want)
	}
	b := p.batches[i]
	body := make([]byte, b.Body)
	if err := readAt(p.r, body, b.Offset+int64(b.Metadata)); err != nil {
		return nil, err
	}
	return decode(p.schema, meta, body)
}

func readAt(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("reading %d bytes at %d: %w", len(b), at, err)
}

// Package idxio reads idx files, the arrays of numbers of the MNIST family of data sets
// (http://yann.lecun.com/exdb/mnist/): each item of the first dimension is a row.
//
// An array of one dimension is a column value, one of more a column pixels: a fixed-size list of the numbers of an
// item, the last dimension fastest. Labels in a file of their own may be joined on as a column label.
package idxio

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"path"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/stream"
	"github.com/millrace-go/millrace/io/table"
)

// Format is the table.Format of idx files.
type Format struct{}

var _ table.Format = Format{}

// Name implements table.Format.
func (Format) Name() string { return "idx" }

const (
	maxDims = 8
	maxItem = 32 << 20 // bytes of an item
)

// types are the kinds of numbers, by the third byte of a file.
var types = map[byte]arrow.FixedWidthDataType{
	0x08: &arrow.Uint8Type{}, 0x09: &arrow.Int8Type{}, 0x0b: &arrow.Int16Type{},
	0x0c: &arrow.Int32Type{}, 0x0d: &arrow.Float32Type{}, 0x0e: &arrow.Float64Type{},
}

// header is the beginning of an idx file.
type header struct {
	typ   arrow.FixedWidthDataType
	rows  int64
	item  int // numbers of an item
	dims  int
	bytes int64 // of the header
}

// rowBytes is the size of an item.
func (h *header) rowBytes() int64 { return int64(h.item) * int64(h.typ.Bytes()) }

// column is the column of the items.
func (h *header) column() arrow.Field {
	if h.dims == 1 {
		return arrow.Field{Name: "value", Type: h.typ, Nullable: true}
	}
	return arrow.Field{Name: "pixels", Type: arrow.FixedSizeListOf(int32(h.item), h.typ), Nullable: true}
}

var errShort = errors.New("the file is truncated; fetch or write it again")

func readHeader(r io.Reader) (*header, error) {
	var b [4]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return nil, short(err)
	}
	h := &header{typ: types[b[2]], dims: int(b[3]), item: 1, bytes: 4 + 4*int64(b[3])}
	if b[0] != 0 || b[1] != 0 || h.typ == nil || h.dims < 1 || h.dims > maxDims {
		return nil, fmt.Errorf("it begins with the bytes %x: no idx file", b)
	}
	for i := range h.dims {
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return nil, short(err)
		}
		n := int64(binary.BigEndian.Uint32(b[:]))
		switch {
		case i == 0:
			h.rows = n
		case n < 1 || n > maxItem/h.rowBytes():
			return nil, fmt.Errorf("items with a side of %d, want items of at most %d MiB: is the file damaged?", n, maxItem>>20)
		default:
			h.item *= int(n)
		}
	}
	return h, nil
}

// short tells the end of the file from other errors.
func short(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errShort
	}
	return err
}

// Survey implements table.Format: one pass over the bytes, which must be as many as the header says. A plain file
// is cut into spans of about SpanBytes, a compressed one is one span.
func (Format) Survey(ctx context.Context, s store.Store, name string, o table.Options) (*table.File, error) {
	file, err := survey(ctx, s, name, o)
	if err != nil {
		return nil, fmt.Errorf("idxio: %s: %w", name, err)
	}
	return file, nil
}

func survey(ctx context.Context, s store.Store, name string, o table.Options) (*table.File, error) {
	o, err := o.WithDefaults()
	if err != nil {
		return nil, err
	}
	digest := sha256.New()
	h, size, plain, err := scan(ctx, s, name, digest)
	if err != nil {
		return nil, err
	}
	if h.rows == 0 {
		return nil, fmt.Errorf("no data rows: its first dimension is 0")
	}
	file := &table.File{Name: name, Bytes: size, Rows: h.rows}
	file.SHA256 = hex.EncodeToString(digest.Sum(nil))
	fields := []arrow.Field{h.column()}
	if o.IDX.Labels {
		label, err := surveyLabels(ctx, s, name, h.rows, file)
		if err != nil {
			return nil, err
		}
		fields = append(fields, label)
	}
	file.Schema = arrow.NewSchema(fields, nil)
	if _, err := table.Select(file.Schema, o.Columns); err != nil {
		return nil, err
	}
	per := h.rows
	if plain {
		per = max(1, (o.SpanBytes+h.rowBytes()-1)/h.rowBytes())
	}
	for first := int64(0); first < h.rows; first += per {
		n := min(per, h.rows-first)
		file.Spans = append(file.Spans, table.Span{File: name, Format: "idx", Index: len(file.Spans),
			Offset: h.bytes + first*h.rowBytes(), Length: n * h.rowBytes(), FirstRow: first + 1, Rows: n})
	}
	return file, nil
}

// surveyLabels adds the file of labels to what is known of file.
func surveyLabels(ctx context.Context, s store.Store, name string, rows int64, file *table.File) (arrow.Field, error) {
	labels, err := labelsOf(name)
	if err != nil {
		return arrow.Field{}, err
	}
	digest := sha256.New()
	h, size, _, err := scan(ctx, s, labels, digest)
	if err == nil {
		err = h.labels(rows)
	}
	if err != nil {
		return arrow.Field{}, fmt.Errorf("labels %s: %w", labels, err)
	}
	both := sha256.Sum256([]byte(file.SHA256 + " " + hex.EncodeToString(digest.Sum(nil))))
	file.SHA256 = hex.EncodeToString(both[:])
	file.Bytes += size
	return arrow.Field{Name: "label", Type: h.typ, Nullable: true}, nil
}

// labels checks that h is of the labels of so many rows.
func (h *header) labels(rows int64) error {
	if h.dims != 1 || h.rows != rows {
		return fmt.Errorf("%d items of %d dimensions, want %d of one", h.rows, h.dims, rows)
	}
	return nil
}

// labelsOf is the name of the file of labels beside name.
func labelsOf(name string) (string, error) {
	dir, base := path.Split(name)
	labels := strings.Replace(strings.Replace(base, "images", "labels", 1), "idx3", "idx1", 1)
	if labels == base {
		return "", fmt.Errorf("no file of labels goes with it: want \"images\" or \"idx3\" in its name")
	}
	return dir + labels, nil
}

// scan reads a file through, and says if it is not compressed.
func scan(ctx context.Context, s store.Store, name string, digest hash.Hash) (h *header, size int64, plain bool, err error) {
	src, err := stream.Open(ctx, s, name, digest)
	if err != nil {
		return nil, 0, false, err
	}
	defer src.Close()
	if h, err = readHeader(src); err != nil {
		return nil, 0, false, err
	}
	want := h.rows * h.rowBytes()
	buf := make([]byte, stream.BlockBytes)
	for got := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return nil, 0, false, err
		}
		n, err := src.Read(buf)
		got += int64(n)
		switch {
		case got > want:
			return nil, 0, false, fmt.Errorf("there are bytes behind its %d items: the file is damaged, or no idx file", h.rows)
		case err == io.EOF && got < want:
			return nil, 0, false, fmt.Errorf("%d bytes of items, want %d: %w", got, want, errShort)
		case err == io.EOF:
			return h, src.File.Size(), src.Plain(), nil
		case err != nil:
			return nil, 0, false, stream.AfterRow(err, got/h.rowBytes())
		}
	}
}

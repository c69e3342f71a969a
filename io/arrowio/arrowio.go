// Package arrowio reads Arrow IPC files (Feather version 2) and streams, as batches of bounded size.
//
// Metadata is read and checked by internal/arrowsafe, buffers by decoders of this
// package, a range of rows at a time: a record batch need not fit in memory, unless its
// buffers are compressed. Arrow's own reader takes whole record batches, trusts what they say
// and panics where that is wrong.
//
// Columns come as the plain type of their values. Dictionaries and runs are decoded, views, large
// offsets and list views become utf8, binary and lists, maps lists of their entries, extensions what
// stores them, decimals of 32 and 64 bits those of 128. Metadata of schemas and columns is not kept.
package arrowio

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/millrace-go/millrace/internal/arrowsafe"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/stream"
	"github.com/millrace-go/millrace/io/table"
)

// The rules by which Read turns rows away.
const (
	RuleUTF8 = "arrow.utf8" // a text is not valid UTF-8
	RuleCell = "arrow.cell" // a cell is too large
)

// Format is the table.Format of Arrow IPC files and streams.
type Format struct{}

var _ table.Format = Format{}

// Name implements table.Format.
func (Format) Name() string { return "arrow" }

// Survey implements table.Format: one pass over the bytes, and the metadata of each record
// batch. A span is a range of record batches of about SpanBytes; a stream that is compressed as a
// whole is one span. A column that cannot be read has type null in the schema, and
// reading it is an error. A file without rows or columns is an error.
func (Format) Survey(ctx context.Context, s store.Store, name string, o table.Options) (*table.File, error) {
	file, err := survey(ctx, s, name, o)
	if err != nil {
		return nil, fmt.Errorf("arrow file %s: %w", name, err)
	}
	return file, nil
}

func survey(ctx context.Context, s store.Store, name string, o table.Options) (*table.File, error) {
	o, err := o.WithDefaults()
	if err != nil {
		return nil, err
	}
	digest := sha256.New()
	src, err := stream.Open(ctx, s, name, digest)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	v := &surveyor{file: &table.File{Name: name, Bytes: src.File.Size()}, spanBytes: o.SpanBytes, columns: o.Columns}
	inFile := false
	if src.Plain() {
		if inFile, err = isFile(src.File); err != nil {
			return nil, err
		}
	} else {
		v.spanBytes = 1<<63 - 1
	}
	if inFile {
		err = v.ofFile(ctx, src)
	} else {
		err = v.ofStream(ctx, src)
	}
	if err != nil {
		return nil, stream.AfterRow(err, v.file.Rows)
	}
	if v.file.Rows == 0 || v.file.Schema.NumFields() == 0 {
		return nil, fmt.Errorf("it has %d rows of %d columns: nothing to read", v.file.Rows, v.file.Schema.NumFields())
	}
	v.file.SHA256 = hex.EncodeToString(digest.Sum(nil))
	return v.file, nil
}

// surveyor fills in a table.File.
type surveyor struct {
	file      *table.File
	spanBytes int64
	columns   []string
	batches   int // record batches so far
}

// schema takes the columns, of which those that are wanted must be readable.
func (v *surveyor) schema(s *arrowsafe.Schema) error {
	nodes, err := plan(s)
	if err != nil {
		return err
	}
	v.file.Schema = schemaOf(nodes)
	_, err = choose(nodes, v.columns)
	return err
}

// batch counts a record batch, whose message takes the bytes [from, to).
func (v *surveyor) batch(rows, from, to int64) error {
	v.batches++
	if rows == 0 {
		return nil
	}
	if rows > maxRows {
		return fmt.Errorf("record batch %d has %d rows: it is damaged, fetch or write it again", v.batches-1, rows)
	}
	spans := v.file.Spans
	if len(spans) == 0 || from-spans[len(spans)-1].Offset >= v.spanBytes {
		spans = append(spans, table.Span{File: v.file.Name, Format: "arrow", Index: len(spans),
			RowGroup: v.batches - 1, Offset: from, FirstRow: v.file.Rows + 1})
	}
	last := &spans[len(spans)-1]
	last.Rows += rows
	last.Length = to - last.Offset
	v.file.Rows += rows
	v.file.Spans = spans
	return nil
}

func (v *surveyor) ofStream(ctx context.Context, src *stream.Source) error {
	seq := passingSequence(ctx, src)
	schema, err := seq.schema()
	if err != nil {
		return err
	}
	if err := v.schema(schema); err != nil {
		return err
	}
	for {
		from := seq.at
		m, err := seq.next()
		switch {
		case err != nil || m == nil:
			return err
		case m.Kind == arrowsafe.SchemaMessage:
			return fmt.Errorf("a second schema at %d: one stream a file", from)
		case m.Kind == arrowsafe.BatchMessage:
			if err := v.batch(m.Batch.Rows, from, seq.at); err != nil {
				return err
			}
		}
	}
}

func (v *surveyor) ofFile(ctx context.Context, src *stream.Source) error {
	c, err := openContainer(src.File, src.File.Size())
	if err != nil {
		return err
	}
	if err := v.schema(c.footer.Schema); err != nil {
		return err
	}
	for _, b := range c.footer.Dictionaries {
		if _, err := c.message(b, arrowsafe.DictionaryMessage); err != nil {
			return err
		}
	}
	for _, b := range c.footer.Batches {
		if err := ctx.Err(); err != nil {
			return err
		}
		m, err := c.message(b, arrowsafe.BatchMessage)
		if err != nil {
			return err
		}
		if err := v.batch(m.Batch.Rows, b.Offset, b.Offset+int64(b.Metadata)+b.Body); err != nil {
			return err
		}
	}
	return readThrough(ctx, src)
}

// readThrough reads what is left, for the digest.
func readThrough(ctx context.Context, src io.Reader) error {
	buf := make([]byte, stream.BlockBytes)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		switch _, err := src.Read(buf); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

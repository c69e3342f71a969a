package avroio

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/stream"
	"github.com/millrace-go/millrace/io/table"
)

// Survey implements table.Format: one pass over the heads and markers of the blocks, which are not
// decompressed. A span is a run of blocks of about SpanBytes in the file; a file that is itself
// compressed, which can only be read from its beginning, is one span. A file without records
// is an error, as is a schema that a table cannot hold.
func (f Format) Survey(ctx context.Context, s store.Store, name string, o table.Options) (*table.File, error) {
	file, err := survey(ctx, s, name, o)
	return file, named(name, err)
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
	if !src.Plain() {
		o.SpanBytes = math.MaxInt64
	}
	b := &blocks{r: bufio.NewReaderSize(src, int(min(src.Block(), readBytes)))}
	file := &table.File{Name: name, Bytes: src.File.Size()}
	_, least, err := open(b, file, o)
	if err == nil {
		err = findSpans(ctx, b, file, least, o.SpanBytes)
	}
	if err != nil {
		return nil, stream.AfterRow(err, file.Rows)
	}
	if file.Rows == 0 {
		return nil, errors.New("no records: the file has only a header")
	}
	if !src.Plain() {
		file.Spans[0].Offset, file.Spans[0].Length = 0, 0
	}
	file.SHA256 = hex.EncodeToString(digest.Sum(nil))
	return file, nil
}

// open reads the header and sets the file's schema; least are the fewest bytes of a record, where
// blocks say what they hold without being decompressed.
func open(b *blocks, file *table.File, o table.Options) (root *flat, least int, err error) {
	h, err := b.header()
	if err != nil {
		return nil, 0, err
	}
	var c *codec
	if c, err = newCodec(h.codec); err != nil {
		return nil, 0, err
	}
	c.close()
	if root, file.Schema, err = columnsOf(h); err != nil {
		return nil, 0, err
	}
	if _, err = table.Select(file.Schema, o.Columns); err != nil {
		return nil, 0, err
	}
	if h.codec == "null" || h.codec == "" {
		least = root.node.least
	}
	return root, least, nil
}

func columnsOf(h *header) (*flat, *arrow.Schema, error) {
	n, err := compile(h.schema)
	if err != nil {
		return nil, nil, err
	}
	return flatten(n)
}

// findSpans reads the heads of all blocks and fills in the file's rows and spans.
func findSpans(ctx context.Context, b *blocks, file *table.File, least int, spanBytes int64) error {
	var span *table.Span
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		k, ok, err := b.next()
		if err != nil || !ok {
			return err
		}
		if k.rows*int64(least) > k.size {
			return b.fault(k.at, "a block of %d records in %d bytes", k.rows, k.size)
		}
		if err := b.pass(k); err != nil {
			return err
		}
		if span == nil || span.Rows > 0 && k.rows > 0 && k.at-span.Offset >= spanBytes {
			file.Spans = append(file.Spans, table.Span{
				File: file.Name, Format: "avro", Index: len(file.Spans), Offset: k.at, FirstRow: file.Rows + 1,
			})
			span = &file.Spans[len(file.Spans)-1]
		}
		file.Rows += k.rows
		span.Rows += k.rows
		span.Length = b.offset - span.Offset
	}
}

// changed is the error of a span that is not what its survey saw.
func changed(span table.Span, what string) error {
	return fmt.Errorf("rows %d to %d: %s: the file was changed since it was surveyed; run again", span.FirstRow, span.FirstRow+span.Rows-1, what)
}

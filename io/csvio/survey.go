package csvio

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/stream"
	"github.com/millrace-go/millrace/io/table"
)

// Survey implements table.Format: one pass that finds the records, but not
// the cells of records without quotes. A plain file is cut into spans at the first record that
// begins SpanBytes after the start of the span; a gzip file, which can only be read
// from its beginning, is one span. A file without data rows is an error.
func (f Format) Survey(ctx context.Context, s store.Store, name string, o table.Options) (*table.File, error) {
	file, err := f.survey(ctx, s, name, o)
	if err != nil {
		return nil, fmt.Errorf("csvio: %s: %w", name, err)
	}
	return file, nil
}

func (f Format) survey(ctx context.Context, s store.Store, name string, o table.Options) (*table.File, error) {
	set, err := check(o)
	if err != nil {
		return nil, err
	}
	digest := sha256.New()
	src, err := stream.Open(ctx, s, name, digest)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	sc, schema, err := f.begin(ctx, src, set, src.Block())
	if err != nil {
		return nil, err
	}
	file := &table.File{Name: name, Bytes: src.File.Size(), Schema: schema}
	if !src.Plain() {
		set.SpanBytes = 1<<63 - 1
	}
	if err := findSpans(sc, file, set.SpanBytes); err != nil {
		return nil, stream.AfterRow(err, file.Rows)
	}
	if file.Rows == 0 {
		return nil, fmt.Errorf("no data rows: the file has only %s", lack(set.NoHeader))
	}
	if !src.Plain() {
		file.Spans[0].Offset, file.Spans[0].Length = 0, 0
	}
	file.SHA256 = hex.EncodeToString(digest.Sum(nil))
	return file, nil
}

func lack(noHeader bool) string {
	if noHeader {
		return "blank lines, or nothing"
	}
	return "a header"
}

// findSpans reads all records and fills in the file's rows and spans.
func findSpans(sc *scanner, file *table.File, spanBytes int64) error {
	var span *table.Span
	for {
		ok, err := sc.next(false)
		if err != nil || !ok {
			return err
		}
		if span == nil || sc.rec.offset-span.Offset >= spanBytes {
			file.Spans = append(file.Spans, table.Span{
				File: file.Name, Format: "csv", Index: len(file.Spans),
				Offset: sc.rec.offset, FirstRow: file.Rows + 1, FirstLine: sc.rec.line,
			})
			span = &file.Spans[len(file.Spans)-1]
		}
		file.Rows++
		span.Rows++
		span.Length = sc.offset - span.Offset
	}
}

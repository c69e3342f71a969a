package tfrecordio

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"

	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/stream"
	"github.com/millrace-go/millrace/io/table"
)

// Survey implements table.Format: one pass that checks the checksums, finds the types of the
// features and cuts a plain file into spans at the first record that begins SpanBytes after the start of
// the span; a compressed file, which can only be read from its beginning, is one span. A file without
// records, or whose records have no feature, is an error.
func (f Format) Survey(ctx context.Context, s store.Store, name string, o table.Options) (*table.File, error) {
	file, err := f.survey(ctx, s, name, o)
	return file, named(name, err)
}

func (f Format) survey(ctx context.Context, s store.Store, name string, o table.Options) (*table.File, error) {
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
	in := newInference()
	records := newFrames(ctx, src, f.limit(), src.Block(), 0, 0)
	file := &table.File{Name: name, Bytes: src.File.Size()}
	if err := findSpans(records, in, file, o.SpanBytes); err != nil {
		return nil, stream.AfterRow(err, records.rows)
	}
	if file.Rows == 0 {
		return nil, fmt.Errorf("no records: the file is empty")
	}
	if len(in.shapes) == 0 {
		return nil, fmt.Errorf("%d records without a feature: %w", file.Rows, errNotExample)
	}
	if file.Schema, err = in.schema(o.TFRecord); err != nil {
		return nil, err
	}
	text := encodeSchema(file.Schema)
	for i := range file.Spans {
		file.Spans[i].Schema = text
		if !src.Plain() {
			file.Spans[i].Offset, file.Spans[i].Length = 0, 0
		}
	}
	file.SHA256 = hex.EncodeToString(digest.Sum(nil))
	return file, nil
}

// findSpans reads all records and fills in the file's rows and spans.
func findSpans(records *frames, in *inference, file *table.File, spanBytes int64) error {
	var span *table.Span
	for {
		start := records.offset
		msg, ok, err := records.next()
		if err != nil || !ok {
			return err
		}
		if err := in.see(msg); err != nil {
			return err
		}
		if span == nil || start-span.Offset >= spanBytes {
			file.Spans = append(file.Spans, table.Span{
				File: file.Name, Format: "tfrecord", Index: len(file.Spans), Offset: start, FirstRow: file.Rows + 1,
			})
			span = &file.Spans[len(file.Spans)-1]
		}
		file.Rows++
		span.Rows++
		span.Length = records.offset - span.Offset
	}
}

package lines

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/stream"
	"github.com/millrace-go/millrace/io/table"
)

// Rows says which lines of a file are rows.
type Rows struct {
	Format string // for the spans
	Limit  int    // of a line in bytes
	// Row says that a line is a row.
	Row func(Line) bool
}

// Survey reads the file name once, cuts it into spans of about spanBytes, each beginning with a row,
// and passes each row to see, unless that is nil. A compressed file is one span. The file's Schema is
// left to the caller. A file without rows is an error.
func (c Rows) Survey(ctx context.Context, s store.Store, name string, spanBytes int64, see func(Line) error) (*table.File, error) {
	digest := sha256.New()
	src, err := stream.Open(ctx, s, name, digest)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	if !src.Plain() {
		spanBytes = 1<<63 - 1
	}
	file := &table.File{Name: name, Bytes: src.File.Size()}
	sc := NewScanner(ctx, src, c.Limit, src.Block(), 0, 1)
	if err := sc.SkipByteOrder(); err != nil {
		return nil, err
	}
	if err := c.findSpans(sc, file, spanBytes, see); err != nil {
		return nil, stream.AfterRow(err, file.Rows)
	}
	if file.Rows == 0 {
		return nil, fmt.Errorf("no data rows: the file is empty, or has nothing but lines that are no rows")
	}
	if !src.Plain() {
		file.Spans[0].Offset, file.Spans[0].Length = 0, 0
	}
	file.SHA256 = hex.EncodeToString(digest.Sum(nil))
	return file, nil
}

func (c Rows) findSpans(sc *Scanner, file *table.File, spanBytes int64, see func(Line) error) error {
	var span *table.Span
	for {
		l, ok, err := sc.Next()
		if err != nil || !ok {
			return err
		}
		if !c.Row(l) {
			continue
		}
		if span == nil || l.Offset-span.Offset >= spanBytes {
			file.Spans = append(file.Spans, table.Span{File: file.Name, Format: c.Format, Index: len(file.Spans),
				Offset: l.Offset, FirstRow: file.Rows + 1, FirstLine: l.Number})
			span = &file.Spans[len(file.Spans)-1]
		}
		file.Rows++
		span.Rows++
		span.Length = sc.Offset() - span.Offset
		if see != nil {
			if err := see(l); err != nil {
				return err
			}
		}
	}
}

// Read passes each row of a span and its number to row. It is an error if they are not as many as
// the survey found.
func (c Rows) Read(ctx context.Context, s store.Store, span table.Span, row func(l Line, number int64) error) error {
	src, err := stream.Open(ctx, s, span.File, nil)
	if err != nil {
		return err
	}
	defer src.Close()
	var sc *Scanner
	if src.Plain() {
		if span.Offset < 0 || span.Length < 0 || span.Length > src.File.Size()-span.Offset {
			return changed(span, fmt.Sprintf("the file has only %d bytes", src.File.Size()))
		}
		sc = NewScanner(ctx, store.NewReader(src.File, span.Offset, span.Length), c.Limit, span.Length+1, span.Offset, span.FirstLine)
	} else {
		sc = NewScanner(ctx, src, c.Limit, src.Block(), 0, 1)
		if err := sc.SkipByteOrder(); err != nil {
			return err
		}
	}
	rows, err := c.rows(sc, span, row)
	if err != nil {
		return stream.AfterRow(err, span.FirstRow-1+rows)
	}
	if rows < span.Rows {
		return changed(span, fmt.Sprintf("only %d rows are there", rows))
	}
	return nil
}

func (c Rows) rows(sc *Scanner, span table.Span, row func(l Line, number int64) error) (rows int64, err error) {
	for {
		l, ok, err := sc.Next()
		if err != nil || !ok {
			return rows, err
		}
		if !c.Row(l) {
			continue
		}
		if rows == span.Rows {
			return rows, changed(span, "there are more rows")
		}
		if err := row(l, span.FirstRow+rows); err != nil {
			return rows, err
		}
		rows++
	}
}

// changed is the error of a span that is not what its survey saw.
func changed(span table.Span, what string) error {
	return fmt.Errorf("rows %d to %d: %s: the file was changed since it was surveyed; run again", span.FirstRow, span.FirstRow+span.Rows-1, what)
}

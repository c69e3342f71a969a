// Package parquetio reads Parquet files row group by row group, as batches of
// bounded size, and writes them.
//
// Reading goes page by page with decoders of its own: a page of each column
// is in memory at a time, a damaged file gives an error and never a panic or
// an allocation beyond a small multiple of its pages, page checksums are
// checked where there are any, and text comes several times as fast as through
// Arrow's readers. It covers flat columns in every encoding and codec of the
// format but LZO; nested columns may be in the file and not be read.
package parquetio

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/table"
)

// Format is table.Format for Parquet.
type Format struct{}

var _ table.Format = Format{}

// Name is "parquet".
func (Format) Name() string { return "parquet" }

// Survey makes one Span of each row group that has rows. Columns of a
// type that is not read (lists, structs, times of day, …) have type null in
// the schema. A file without columns or rows is an error.
func (Format) Survey(ctx context.Context, s store.Store, name string, o table.Options) (*table.File, error) {
	r, err := s.Open(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("parquet file %s: %w", name, err)
	}
	out, err := survey(ctx, r, name, o)
	return out, errors.Join(err, r.Close())
}

func survey(ctx context.Context, r store.Reader, name string, o table.Options) (*table.File, error) {
	f, err := Open(name, r, r.Size())
	if err != nil {
		return nil, err
	}
	if f.Rows() == 0 || f.schema.NumFields() == 0 {
		return nil, fmt.Errorf("parquet file %s: it has %d rows of %d columns: nothing to read", name, f.Rows(), f.schema.NumFields())
	}
	sum, err := digest(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("parquet file %s: %w", name, err)
	}
	out := &table.File{Name: name, Bytes: r.Size(), SHA256: sum, Schema: f.Schema(), Rows: f.Rows()}
	first := int64(1)
	for g := range f.RowGroups() {
		rows := f.RowGroupRows(g)
		if rows == 0 {
			continue
		}
		// Damage that the footer shows ends the job here, not in a worker.
		if _, err := f.columns(g, o.Columns); err != nil {
			return nil, fmt.Errorf("parquet file %s: %w", name, err)
		}
		out.Spans = append(out.Spans, table.Span{File: name, Format: "parquet", Index: len(out.Spans), RowGroup: g, FirstRow: first, Rows: rows})
		first += rows
	}
	return out, nil
}

// digest is the SHA-256 of all of r, in hex.
func digest(ctx context.Context, r store.Reader) (string, error) {
	h := sha256.New()
	buf := make([]byte, 1<<20)
	for at := int64(0); at < r.Size(); {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n := min(int64(len(buf)), r.Size()-at)
		if err := readAt(r, buf[:n], at); err != nil {
			return "", err
		}
		h.Write(buf[:n])
		at += n
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Read reads one row group. A row with a text that is not UTF-8, or with a
// cell of more than MaxCellBytes, is a dead letter (rules parquet.utf8 and
// parquet.cell), for the first such column.
func (Format) Read(ctx context.Context, s store.Store, span table.Span, o table.Options,
	emit func(*batch.Batch) error, dead func(deadletter.Letter) error) error {
	r, err := s.Open(ctx, span.File)
	if err != nil {
		return fmt.Errorf("parquet file %s: %w", span.File, err)
	}
	return errors.Join(readSpan(ctx, r, r.Size(), span, o, emit, dead), r.Close())
}

func readSpan(ctx context.Context, r io.ReaderAt, size int64, span table.Span, o table.Options,
	emit func(*batch.Batch) error, dead func(deadletter.Letter) error) error {
	f, err := Open(span.File, r, size)
	if err != nil {
		return err
	}
	if span.RowGroup < 0 || span.RowGroup >= f.RowGroups() || f.RowGroupRows(span.RowGroup) != span.Rows {
		return fmt.Errorf("parquet file %s: row group %d of %d rows is not there: the file has changed since it was surveyed", span.File, span.RowGroup, span.Rows)
	}
	if o, err = o.WithDefaults(); err != nil {
		return err
	}
	opts := ReadOptions{Columns: o.Columns, BatchRows: o.BatchRows, MaxCell: o.MaxCellBytes}
	return f.Read(ctx, span.RowGroup, opts, func(p Part) error {
		b, err := p.batch(span)
		if err != nil {
			return err
		}
		letters := p.faults(b, opts.MaxCell)
		for _, l := range letters {
			if err := dead(l.Letter); err != nil {
				return err
			}
		}
		if len(letters) > 0 {
			if b, err = without(b, letters); err != nil {
				return err
			}
		}
		if b.NumRows() == 0 {
			return nil
		}
		return emit(b)
	})
}

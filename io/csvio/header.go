package csvio

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/io/stream"
)

// begin reads text, a file's from its start and block bytes at first, up to
// the first data row, and returns the scanner there and the columns.
func (f Format) begin(ctx context.Context, text io.Reader, set settings, block int64) (*scanner, *arrow.Schema, error) {
	sc := newScanner(ctx, text, set.comma, f.limit(), block)
	if err := sc.skipByteOrder(); err != nil {
		return nil, nil, err
	}
	if set.NoHeader {
		schema, err := schemaOf(set.Names)
		return sc, schema, err
	}
	sc.rec.want = maxColumns
	ok, err := sc.next(true)
	switch {
	case err != nil:
		return nil, nil, stream.AfterRow(err, 0)
	case !ok:
		return nil, nil, fmt.Errorf("no data rows: the file is empty, want a header line and data rows")
	}
	names, err := headerNames(&sc.rec, set.MaxCellBytes)
	if err == nil {
		var schema *arrow.Schema
		if schema, err = schemaOf(names); err == nil {
			return sc, schema, nil
		}
	}
	return nil, nil, fmt.Errorf("line %d: header: %w", sc.rec.line, err)
}

// headerNames returns the cells of a header.
func headerNames(r *record, maxBytes int) ([]string, error) {
	switch {
	case r.fault != noFault:
		return nil, fmt.Errorf("column %d: %s", r.cells, r.fault)
	case r.cells > maxColumns:
		return nil, fmt.Errorf("%d columns, want at most %d: is the delimiter right?", r.cells, maxColumns)
	}
	names := make([]string, r.cells)
	for i := range names {
		cell := r.cell(i)
		switch {
		case len(cell) > maxBytes:
			return nil, fmt.Errorf("column %d: a name of %d bytes, want at most %d", i+1, len(cell), maxBytes)
		case !utf8.Valid(cell):
			return nil, fmt.Errorf("column %d: the name %q is not valid UTF-8: convert the file to UTF-8", i+1, cell)
		case bytes.IndexByte(cell, 0) >= 0:
			return nil, fmt.Errorf("column %d: the name %q has a NUL byte: want a text file in UTF-8", i+1, clip(cell))
		}
		names[i] = string(cell)
	}
	return names, nil
}

// schemaOf is the schema of columns of these names, each utf8 and nullable.
func schemaOf(names []string) (*arrow.Schema, error) {
	seen := make(map[string]int, len(names))
	fields := make([]arrow.Field, len(names))
	for i, name := range names {
		if strings.TrimSpace(name) == "" {
			return nil, fmt.Errorf("column %d: empty name: name every column", i+1)
		}
		if first, ok := seen[name]; ok {
			return nil, fmt.Errorf("columns %d and %d: both named %q: rename one", first, i+1, name)
		}
		seen[name] = i + 1
		fields[i] = arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true}
	}
	return arrow.NewSchema(fields, nil), nil
}

// String says what is wrong and what to do.
func (q quoteFault) String() string {
	switch q {
	case bareQuote:
		return `a quote inside a cell that does not begin with one: quote the whole cell and double the quotes in it`
	case afterQuote:
		return `text after a closing quote: double the quotes inside a quoted cell`
	case unterminated:
		return `a quote that is never closed, or in a wrong place on a later line: close it, or double it inside a quoted cell`
	}
	return "no fault"
}

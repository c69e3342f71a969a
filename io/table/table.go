// Package table defines what a file format of tables offers: a survey of a
// file into spans that can be read on their own, and the reading of one span
// as record batches of bounded size.
package table

import (
	"context"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/store"
)

// Options are the format's settings, from the job's input section. The zero
// value means the defaults.
type Options struct {
	// BatchRows bounds the rows of a Batch. The default is 4096.
	BatchRows int
	// SpanBytes is the aim for the size of a CSV span. The default is 8 MiB.
	SpanBytes int64
	// MaxCellBytes bounds a cell; a larger one is a dead letter. The default is 1 MiB.
	MaxCellBytes int
	// Columns restricts what is read, by source column name; none reads all.
	// Batches keep the order of the file's columns.
	Columns []string

	// Delimiter separates CSV cells. The default is ",".
	Delimiter string
	// NoHeader says that the first line of a CSV file is data; Names are then
	// the column names, in order.
	NoHeader bool
	Names    []string

	// JSON are the settings of JSON Lines.
	JSON JSON
	// TFRecord are the settings of that format.
	TFRecord TFRecord
	Text     Text
	LibSVM   LibSVM
	Image    Image
	IDX      IDX
}

// Span is the descriptor of a part of a file: what crosses a shuffle instead
// of rows. It is small and self-contained (its JSON form is its wire form).
type Span struct {
	File     string `json:"file"`
	Name     string `json:"name,omitempty"` // File as users know it, for provenance; Survey leaves it empty
	Format   string `json:"format"`         // "csv", "parquet", …
	Index    int    `json:"index"`          // position among all spans of the input (Survey numbers those of one file from 0); copied to Batch.Span
	Offset   int64  `json:"offset,omitempty"`
	Length   int64  `json:"length,omitempty"` // bytes of uncompressed CSV text; for .gz Offset/Length are unused
	RowGroup int    `json:"row_group,omitempty"`
	FirstRow int64  `json:"first_row"` // 1-based
	// FirstLine is the 1-based line of the first row, for CSV messages.
	FirstLine int64 `json:"first_line,omitempty"`
	Rows      int64 `json:"rows"` // data rows, faulty ones included
	// Schema is what Survey learned of the columns, in the format's own form, for a
	// format whose files do not say it. The spans of one input have the same (see Unifier).
	Schema string `json:"schema,omitempty"`
}

// File is what a survey learns of one file.
type File struct {
	Name   string
	Bytes  int64
	SHA256 string // lower-case hex of the file's bytes as stored
	// Schema has all columns of the file. A CSV column is utf8 and nullable.
	Schema *arrow.Schema
	Rows   int64
	Spans  []Span
}

// Unifier is a Format whose files do not say their schema: each gets one by what is in it.
type Unifier interface {
	Format
	// Unify gives files of one input the same schema, one that holds the values of them all, and
	// puts it into the files and their spans. The columns are in the order of their first appearance.
	Unify(files []*File) error
}

// Format reads one file format. Implementations are stateless.
type Format interface {
	Name() string
	// Survey reads f once, front to back, in bounded memory.
	Survey(ctx context.Context, s store.Store, name string, o Options) (*File, error)
	// Read calls emit for each batch of the span in row order. A row that the
	// format itself cannot take (ragged, bare quote, invalid UTF-8, oversized
	// cell) is passed to dead instead; every row of the span reaches exactly one
	// of them. An error means that the file is damaged or unreadable, names the
	// file and position, and is final.
	Read(ctx context.Context, s store.Store, span Span, o Options, emit func(*batch.Batch) error, dead func(deadletter.Letter) error) error
}

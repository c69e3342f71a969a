// Package batch holds the one element type of every PCollection of rows: an
// Arrow record batch with the provenance of its rows, and its Beam coder.
package batch

import "github.com/apache/arrow/go/v15/arrow"

// Batch is a slice of one source file's rows.
//
// A Batch is immutable: a runner may hand one Batch to several consumers, so
// nobody writes to a received Batch or calls Release on its Record.
type Batch struct {
	// Record holds the columns; it never holds the provenance.
	Record arrow.Record
	// File names the source file, as the job's globs expanded to it.
	File string
	// Span is the position of the table.Span that the rows come from among all
	// spans of the input: (Span, Rows) orders the rows of a whole job.
	Span int
	// Rows is, for each row of Record, its 1-based position among the data
	// rows of File (a CSV header is not a data row). It is strictly
	// increasing, len(Rows) == Record.NumRows().
	Rows []int64
}

// NumRows is the number of rows of the batch.
func (b *Batch) NumRows() int { return len(b.Rows) }

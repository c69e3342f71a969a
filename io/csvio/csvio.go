// Package csvio reads CSV files, plain or gzip-compressed, as record batches
// of utf8 columns.
//
// The syntax is RFC 4180 with any ASCII delimiter, and "\n" as well as "\r\n"
// for the end of a line. Cells are as written: they are not trimmed, a line break inside
// quotes stays what it is, an empty cell is an empty string; types and nulls are the business of
// transforms/clean. A UTF-8 byte order mark is passed over. A blank line is no
// row, so a file of one column cannot say "empty cell" by one.
//
// A row that is not CSV is a dead letter and ends with its first line: after a quote that never
// closes, or closes in the wrong place, reading goes on with the next line. So
// one stray quote costs a row and not the rest of the file. (The standard library's reader
// loses all lines up to the fault, and changes "\r\n" within quotes; this is why it is not used here.)
package csvio

import (
	"fmt"

	"github.com/millrace-go/millrace/io/table"
)

// The rules by which Read turns rows away.
const (
	RuleRagged = "csv.ragged" // more or fewer cells than the header
	RuleQuote  = "csv.quote"  // a quote where none may be, or one that never closes
	RuleUTF8   = "csv.utf8"   // a cell is not valid UTF-8
	RuleCell   = "csv.cell"   // a cell is longer than Options.MaxCellBytes
)

const (
	// maxRecordBytes bounds the text of one row, and how far a closing quote is looked for.
	maxRecordBytes = 64 << 20
	// maxColumns bounds the width of a table.
	maxColumns = 100_000
)

// Format is the table.Format of CSV files. The zero value is ready to use.
type Format struct {
	maxRecord int // 0 is maxRecordBytes; tests set less
}

var _ table.Format = Format{}

// Name implements table.Format.
func (Format) Name() string { return "csv" }

func (f Format) limit() int {
	if f.maxRecord > 0 {
		return f.maxRecord
	}
	return maxRecordBytes
}

// settings are checked Options.
type settings struct {
	table.Options
	comma byte
}

func check(o table.Options) (settings, error) {
	o, err := o.WithDefaults()
	if err != nil {
		return settings{}, err
	}
	c := o.Delimiter[0]
	if len(o.Delimiter) != 1 || c >= 0x80 || c == '"' || c == '\r' || c == '\n' || c == 0 {
		return settings{}, fmt.Errorf("delimiter %q: want one ASCII character other than a quote, a line break or NUL", o.Delimiter)
	}
	if o.NoHeader && len(o.Names) == 0 {
		return settings{}, fmt.Errorf("no header and no column names: want the names of all columns, in order")
	}
	return settings{Options: o, comma: c}, nil
}

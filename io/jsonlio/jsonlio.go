// Package jsonlio reads JSON Lines, plain or compressed, as record batches: each line is a
// JSON object, and a row.
//
// The syntax is RFC 8259, strictly. A member is a column of its name; the members of an object in it are columns "a.b" of
// their own. The types are inferred from the whole file, by a rule that does not depend on the
// order of the rows (see kindOf), and travel with the spans. The columns are in the order of their first appearance. A
// member that is not there is null. Of a column that a row gives twice the last value counts, as in most readers.
//
// A line that is no row is a dead letter; a blank one is passed over, and so is a UTF-8 byte order mark before the first.
// No other line is touched: a line break cannot stand in a JSON string, so each line break ends a row.
package jsonlio

import (
	"github.com/millrace-go/millrace/io/table"
)

// The rules by which Read turns rows away.
const (
	RuleSyntax = "json.syntax" // the line is not JSON
	RuleObject = "json.object" // the line is JSON, but not an object
	RuleUTF8   = "json.utf8"   // the line is not valid UTF-8, or has half of a surrogate pair
	RuleDepth  = "json.depth"  // arrays and objects nested more than 512 deep
	RuleLine   = "json.line"   // the line is longer than 16 MiB
	RuleName   = "json.name"   // a column's name is longer than 1,024 bytes
	RuleCell   = "json.cell"   // a value is longer than Options.MaxCellBytes
	RuleNumber = "json.number" // a number is too large for a float64
)

const (
	// maxLineBytes bounds the text of one row.
	maxLineBytes = 16 << 20
	// maxNameBytes bounds the name of a column.
	maxNameBytes = 1024
)

// Format is the table.Format of JSON Lines. The zero value is ready to use.
type Format struct {
	maxLine int // 0 is maxLineBytes; tests set less
	workers int // of a survey; 0 is one for each processor
}

var _ table.Unifier = Format{}

// Name implements table.Format.
func (Format) Name() string { return "jsonl" }

func (f Format) limit() int {
	if f.maxLine > 0 {
		return f.maxLine
	}
	return maxLineBytes
}

// check completes the options.
func check(o table.Options) (table.Options, error) {
	o, err := o.WithDefaults()
	if err == nil {
		o.JSON, err = o.JSON.WithDefaults()
	}
	return o, err
}

// Package avroio reads and writes Avro object container files.
//
// A record's fields are columns; the fields of a record within it are columns too, called
// outer.inner. Values are read by code of this package, straight into columns, so that a column
// that is not wanted is passed over and hostile bytes take no memory; the schema is read by a
// library, which here takes any names, as files with blanks in them are about.
//
// A block is decompressed and read at a time. Avro has no checksums but those of snappy
// blocks: a flipped bit that leaves the file readable gives other values.
package avroio

import (
	"fmt"

	"github.com/millrace-go/millrace/io/table"
)

// The rules by which Read turns rows away.
const (
	RuleUTF8 = "avro.utf8" // a string is not valid UTF-8
	RuleCell = "avro.cell" // a value takes more than Options.MaxCellBytes
	RuleRow  = "avro.row"  // a row's values take more than 64 MiB
)

const (
	maxHeaderBytes = 4 << 20  // of the metadata of a file, its schema among them
	maxBlockBytes  = 64 << 20 // of a block, before and after decompression
	maxRowBytes    = 64 << 20
	maxNodes       = 20_000 // types in a schema, each use of a name counted
	maxDepth       = 24     // of types within types
	maxScale       = 1000   // of decimals
	readBytes      = 256 << 10
)

// Format is the table.Format of Avro files. The zero value is ready to use.
type Format struct{}

var _ table.Format = Format{}

// Name implements table.Format.
func (Format) Name() string { return "avro" }

// named puts the file before an error.
func named(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("avroio: %s: %w", name, err)
}

// Package tfrecordio reads and writes TFRecord files of tf.Example and
// tf.SequenceExample, plain or compressed.
//
// A record is a row, a feature a column; columns come in the order of their
// names. A file does not say what its features are, so a survey reads all records: a list of
// int64 gives int64, of float float32, of bytes utf8 if every value is valid UTF-8 and else
// binary. A feature of which every record has at most one value is a scalar column, and no
// value is null; any other is a list column, where a feature that is not there, or is of no kind, is
// null. A feature that nowhere has a kind is a column of type null. A sequence feature is a list of its steps, each a
// scalar, or a list if any step has several values. Where a context feature and a sequence
// feature have one name, the sequence's column is called name.sequence.
//
// The messages are read by code of this package, straight into columns; it is strict: a message with
// a field that neither tf.Example nor tf.SequenceExample has is not one. Both may be in one file, as
// the first is the second without sequences.
//
// The checksums of every record are checked. One that fails is an error of the
// file, since nothing behind it can be trusted; a record that is no Example is a dead letter.
package tfrecordio

import (
	"fmt"

	"github.com/millrace-go/millrace/io/table"
)

// The rules by which Read turns rows away.
const (
	RuleExample = "tfrecord.example" // not a tf.Example or tf.SequenceExample
	RuleKind    = "tfrecord.kind"    // a feature of another kind than in the records before
	RuleCell    = "tfrecord.cell"    // a feature's values take more than Options.MaxCellBytes
	RuleRow     = "tfrecord.row"     // a row's values take more than 64 MiB
)

const (
	maxRecordBytes = 64 << 20 // of a record in the file, and of its values
	maxColumns     = 20_000
	maxNameBytes   = 4 << 20 // of all names together
)

// Format is the table.Format of TFRecord files. The zero value is ready to use.
type Format struct {
	maxRecord int // 0 is maxRecordBytes; tests set less
}

var _ table.Unifier = Format{}

// Name implements table.Format.
func (Format) Name() string { return "tfrecord" }

func (f Format) limit() int {
	if f.maxRecord > 0 {
		return f.maxRecord
	}
	return maxRecordBytes
}

// named puts the file before an error.
func named(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("tfrecordio: %s: %w", name, err)
}

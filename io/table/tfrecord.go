package table

import (
	"regexp"
	"strings"

	"github.com/millrace-go/millrace/io/stream"
)

// TFRecord are the settings of files of tf.Example and tf.SequenceExample. Types
// are inferred from the records; these settle what records alone cannot, so that
// tomorrow's file has the types of today's.
type TFRecord struct {
	// Lists names features that are lists even where no record has more than one value of them.
	Lists []string
	// Binary names features of bytes that are binary even where all values are valid UTF-8.
	Binary []string
}

// tfrecordName is a name of TFRecord files as their tools write it: x.tfrecord, x.tfrecords,
// and shards such as x.tfrecord-00000-of-00002.
var tfrecordName = regexp.MustCompile(`(^|[./_-])tfrecords?(-[0-9]+-of-[0-9]+)?$`)

// IsTFRecord says that the name of an object is one of TFRecord files, compressed or not.
func IsTFRecord(name string) bool {
	return tfrecordName.MatchString(strings.ToLower(stream.Trim(name)))
}

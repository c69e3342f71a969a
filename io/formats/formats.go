// Package formats is the table of the file formats: each by its name, and the one
// that the name of a file suggests.
package formats

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/millrace-go/millrace/io/arrowio"
	"github.com/millrace-go/millrace/io/avroio"
	"github.com/millrace-go/millrace/io/csvio"
	"github.com/millrace-go/millrace/io/idxio"
	"github.com/millrace-go/millrace/io/imageio"
	"github.com/millrace-go/millrace/io/jsonlio"
	"github.com/millrace-go/millrace/io/libsvmio"
	"github.com/millrace-go/millrace/io/parquetio"
	"github.com/millrace-go/millrace/io/stream"
	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/io/textio"
	"github.com/millrace-go/millrace/io/tfrecordio"
)

// entry is a format and the extensions of its files.
type entry struct {
	table.Format
	extensions []string
	pattern    *regexp.Regexp // of other names
	stream     bool           // a file may be compressed as a whole, and have the extension of that behind
}

var entries = []entry{
	{Format: arrowio.Format{}, extensions: []string{".arrow", ".feather", ".arrows"}, stream: true},
	{Format: avroio.Format{}, extensions: []string{".avro"}, stream: true},
	{Format: csvio.Format{}, extensions: []string{".csv", ".tsv"}, stream: true},
	{Format: idxio.Format{}, pattern: regexp.MustCompile(`-idx[0-9]-ubyte$`), stream: true},
	{Format: imageio.Format{}, extensions: []string{".png", ".jpg", ".jpeg"}},
	{Format: jsonlio.Format{}, extensions: []string{".jsonl", ".ndjson", ".json"}, stream: true},
	{Format: libsvmio.Format{}, extensions: []string{".libsvm", ".svm", ".svmlight"}, stream: true},
	{Format: parquetio.Format{}, extensions: []string{".parquet"}},
	{Format: textio.Format{}, stream: true}, // .txt may be anything
	// x.tfrecord, x.tfrecords, and shards as their tools name them: x.tfrecord-00000-of-00002.
	{Format: tfrecordio.Format{}, extensions: []string{".tfrecord", ".tfrecords"}, pattern: regexp.MustCompile(`(^|[./_-])tfrecords?-[0-9]+-of-[0-9]+$`), stream: true},
}

// Lookup finds a format by its name.
func Lookup(name string) (table.Format, error) {
	for _, e := range entries {
		if e.Name() == name {
			return e.Format, nil
		}
	}
	return nil, fmt.Errorf("no format %q: there are %s", name, strings.Join(Names(), ", "))
}

// Names lists the formats in alphabetical order.
func Names() []string {
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	slices.Sort(list)
	return list
}

// Of is the name of the format that a file's name suggests, letter case ignored; "" if
// it suggests none.
func Of(file string) string {
	base := strings.ToLower(path.Base(file))
	for _, e := range entries {
		name := base
		if e.stream {
			name = stream.Trim(base)
		}
		if slices.ContainsFunc(e.extensions, func(x string) bool { return strings.HasSuffix(name, x) }) || e.pattern != nil && e.pattern.MatchString(name) {
			return e.Name()
		}
	}
	return ""
}

// Extensions lists the extensions that Of knows, for messages.
func Extensions() string {
	var list []string
	for _, e := range entries {
		list = append(list, e.extensions...)
	}
	return strings.Join(list, ", ") + ", or one of a compressed file: " + strings.Join(stream.Extensions(), ", ")
}

// Package formats is the table of the file formats: each by its name, and the one
// that the name of a file suggests.
package formats

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/millrace-go/millrace/io/csvio"
	"github.com/millrace-go/millrace/io/jsonlio"
	"github.com/millrace-go/millrace/io/parquetio"
	"github.com/millrace-go/millrace/io/stream"
	"github.com/millrace-go/millrace/io/table"
)

// entry is a format and the extensions of its files.
type entry struct {
	table.Format
	extensions []string
	stream     bool // a file may be compressed as a whole, and have the extension of that behind
}

var entries = []entry{
	{csvio.Format{}, []string{".csv", ".tsv"}, true},
	{jsonlio.Format{}, []string{".jsonl", ".ndjson", ".json"}, true},
	{parquetio.Format{}, []string{".parquet"}, false},
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
		if slices.ContainsFunc(e.extensions, func(x string) bool { return strings.HasSuffix(name, x) }) {
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

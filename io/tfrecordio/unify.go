package tfrecordio

import (
	"encoding/base64"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/table"
)

// encodeSchema is the form of a schema that a Span carries.
func encodeSchema(schema *arrow.Schema) string {
	return base64.StdEncoding.EncodeToString(batch.EncodeSchema(schema))
}

func decodeSchema(text string) (*arrow.Schema, error) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	return batch.DecodeSchema(data)
}

// Unify implements table.Unifier. The columns are those of all files, in the order of their names: a list
// if it is one in any file, binary if it is that in any file, and null where a file does not have
// it. A feature of numbers in one file and of other values in another is an error.
func (Format) Unify(files []*table.File) error {
	type feature struct {
		name     string
		sequence bool
	}
	var fields []arrow.Field
	at, from := map[feature]int{}, map[feature]string{}
	for _, file := range files {
		for _, f := range file.Schema.Fields() {
			var key feature
			key.name, key.sequence = featureOf(f)
			i, ok := at[key]
			if !ok {
				at[key], from[key] = len(fields), file.Name
				f.Name = key.name
				fields = append(fields, f)
				continue
			}
			dt, ok := common(fields[i].Type, f.Type)
			if !ok {
				return fmt.Errorf("tfrecordio: column %q is %s in %s and %s in %s: write one of them again, with the other's type",
					f.Name, fields[i].Type, from[key], f.Type, file.Name)
			}
			if fields[i].Type.ID() == arrow.NULL {
				from[key] = file.Name
			}
			fields[i].Type = dt
		}
	}
	schema, err := schemaOf(fields)
	if err != nil {
		return fmt.Errorf("tfrecordio: %w", err)
	}
	text := encodeSchema(schema)
	for _, file := range files {
		file.Schema = schema
		for i := range file.Spans {
			file.Spans[i].Schema = text
		}
	}
	return nil
}

// common is the type of a column that holds the values of columns of types a and b.
func common(a, b arrow.DataType) (arrow.DataType, bool) {
	listA, isA := a.(*arrow.ListType)
	listB, isB := b.(*arrow.ListType)
	switch {
	case arrow.TypeEqual(a, b), b.ID() == arrow.NULL:
		return a, true
	case a.ID() == arrow.NULL:
		return b, true
	case isA || isB:
		if isA {
			a = listA.Elem()
		}
		if isB {
			b = listB.Elem()
		}
		inner, ok := common(a, b)
		return arrow.ListOf(inner), ok
	case isText(a) && isText(b):
		return arrow.BinaryTypes.Binary, true
	}
	return nil, false
}

func isText(dt arrow.DataType) bool { return dt.ID() == arrow.STRING || dt.ID() == arrow.BINARY }

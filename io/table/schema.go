package table

import (
	"encoding/base64"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/io/batch"
)

// EncodeSchema is the form of a schema that a Span carries.
func EncodeSchema(schema *arrow.Schema) string {
	return base64.StdEncoding.EncodeToString(batch.EncodeSchema(schema))
}

// DecodeSchema reads what EncodeSchema wrote.
func DecodeSchema(text string) (*arrow.Schema, error) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("table.DecodeSchema: %w", err)
	}
	return batch.DecodeSchema(data)
}

package batch

import (
	"bytes"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/ipc"

	"github.com/millrace-go/millrace/internal/arrowsafe"
)

// EncodeSchema is the wire form of a schema: an Arrow IPC stream without batches.
func EncodeSchema(schema *arrow.Schema) []byte {
	var buf bytes.Buffer
	if err := ipc.NewWriter(&buf, ipc.WithSchema(schema)).Close(); err != nil {
		panic(fmt.Sprintf("batch.EncodeSchema: %v", err)) // a buffer takes all writes; the schema is one that Arrow made
	}
	return buf.Bytes()
}

// DecodeSchema reads what EncodeSchema wrote.
func DecodeSchema(data []byte) (schema *arrow.Schema, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("batch.DecodeSchema: damaged schema: %v", r)
		}
	}()
	if err := arrowsafe.CheckStream(data); err != nil {
		return nil, fmt.Errorf("batch.DecodeSchema: %w", err)
	}
	r, err := ipc.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("batch.DecodeSchema: %w", err)
	}
	defer r.Release()
	return r.Schema(), nil
}

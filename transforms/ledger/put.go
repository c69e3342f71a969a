package ledger

import (
	"context"

	"github.com/millrace-go/millrace/io/store"
)

// Put stores data as one object below the sink, in a folder of its kind, and
// returns the entry of it: for what is not rows of a span but numbered, such as
// the statistics of a column.
func Put(ctx context.Context, sink Sink, kind string, number int, rows int64, data []byte) (Entry, error) {
	s, err := store.At(sink.Store)
	if err != nil {
		return Entry{}, err
	}
	ref, err := store.PutObject(ctx, s, sink.Prefix+"/"+kind, data)
	if err != nil {
		return Entry{}, err
	}
	return Entry{Parts: []Part{{Kind: kind, Span: number, Rows: rows, Object: ref}}}, nil
}

package split

import (
	"fmt"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/millrace-go/millrace/internal/fielderr"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/transforms/clean"
)

// Place is where a row belongs: its part and, in Train, its shard.
type Place struct {
	Part  Part
	Shard int
}

// boundaries are where validation and test begin, in microseconds.
type boundaries struct {
	column           string
	validation, test int64
}

// boundaries compiles t. Its error joins FieldErrors.
func (t *Time) boundaries() (*boundaries, error) {
	if t.Column == "" {
		return nil, fielderr.New("time.column", "empty name")
	}
	b := &boundaries{column: t.Column}
	for _, end := range []struct {
		key, text string
		to        *int64
	}{{"validation", t.Validation, &b.validation}, {"test", t.Test, &b.test}} {
		at, err := moment(end.text)
		if err != nil {
			return nil, fielderr.FieldError{Path: "time." + end.key, Err: err}
		}
		*end.to = at
	}
	if b.validation > b.test {
		return nil, fielderr.New("time.test", "%s is before validation, which begins %s", t.Test, t.Validation)
	}
	return b, nil
}

// moment reads a date or timestamp in ISO 8601; a date is its midnight, UTC.
func moment(text string) (int64, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339Nano, "2006-01-02T15:04:05.999999", "2006-01-02 15:04:05.999999"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UnixMicro(), nil
		}
	}
	return 0, fmt.Errorf("%q is no date or timestamp like 2006-01-02 or 2006-01-02T15:04:05Z", text)
}

// CheckTime fails if the cleaned rows have no date or timestamp to split by.
func (s Spec) CheckTime(cleaned *arrow.Schema) error {
	if s.Time == nil {
		return nil
	}
	at := cleaned.FieldIndices(s.Time.Column)
	if len(at) != 1 {
		return fielderr.New("time.column", "column %q: not among the cleaned columns", s.Time.Column)
	}
	switch t := cleaned.Field(at[0]).Type; t.ID() {
	case arrow.DATE32, arrow.TIMESTAMP:
		return nil
	default:
		return fielderr.New("time.column", "column %q: type %v, want date or timestamp", s.Time.Column, t)
	}
}

// Places assigns the rows of a batch by the hash of their key columns, and by
// time if the spec says so.
func (s *Splitter) Places(b *batch.Batch, key []string) ([]Place, error) {
	hashes, err := clean.HashRows(b, key)
	if err != nil {
		return nil, err
	}
	places := make([]Place, len(hashes))
	for i, h := range hashes {
		places[i].Part, places[i].Shard = s.Assign(h)
	}
	if s.time != nil {
		err = s.time.assign(places, b)
	}
	return places, err
}

// assign puts each row in the part of its time.
func (t *boundaries) assign(places []Place, b *batch.Batch) error {
	a, err := batch.Column(b, t.column)
	if err != nil {
		return fmt.Errorf("split: %w", err)
	}
	var at func(row int) int64
	switch a := a.(type) {
	case *array.Date32:
		at = func(i int) int64 { return int64(a.Value(i)) * 86400 * 1_000_000 }
	case *array.Timestamp:
		at = func(i int) int64 { return int64(a.Value(i)) }
	default:
		return fmt.Errorf("split: column %q: type %v, want date or timestamp", t.column, a.DataType())
	}
	for i := range places {
		switch {
		case a.IsNull(i) || at(i) < t.validation:
			places[i].Part = Train
		case at(i) < t.test:
			places[i].Part = Validation
		default:
			places[i].Part = Test
		}
	}
	return nil
}

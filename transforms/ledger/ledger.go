// Package ledger accounts for rows and for the objects written of them. Each
// transform on rows emits entries beside its batches; Commit gathers them into
// one manifest. Only what a manifest names counts as done, so a bundle that a
// runner repeats or drops changes nothing.
package ledger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"sort"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/millrace-go/millrace/io/store"
)

func init() {
	beam.RegisterCoder(reflect.TypeOf((*Entry)(nil)).Elem(), encodeEntry, decodeEntry)
}

// Counts are numbers of rows by name: "read", "kept", "drop:<rule>",
// "dead:<rule>", "part:<split>".
type Counts map[string]int64

// Add adds n rows to a name.
func (c Counts) Add(name string, n int64) {
	if n != 0 {
		c[name] += n
	}
}

// Merge adds all of d.
func (c Counts) Merge(d Counts) {
	for name, n := range d {
		c.Add(name, n)
	}
}

// Rules returns the counts whose names start with prefix, without it.
func (c Counts) Rules(prefix string) map[string]int64 {
	out := map[string]int64{}
	for name, n := range c {
		if len(name) > len(prefix) && name[:len(prefix)] == prefix {
			out[name[len(prefix):]] = n
		}
	}
	return out
}

// Sum is the total of Rules(prefix).
func (c Counts) Sum(prefix string) int64 {
	var sum int64
	for _, n := range c.Rules(prefix) {
		sum += n
	}
	return sum
}

// Part is an object that a transform wrote, most often one that holds rows of
// one span in row order. Kind, Span and FirstRow name it: a bundle that runs
// twice writes the same Part twice.
type Part struct {
	// Kind says what the object holds, such as "predictions" or "dead/clean".
	Kind string `json:"kind"`
	// Span is the batch.Batch.Span of its rows; of objects that hold no rows it
	// is what the writer says, such as the index of a column.
	Span int `json:"span"`
	// FirstRow is the 1-based row of the source file that begins it, 0 without rows.
	FirstRow int64     `json:"first_row"`
	Rows     int64     `json:"rows"`
	Object   store.Ref `json:"object"`
}

// Entry is what one bundle did, and, merged and sorted, what a whole pass did.
type Entry struct {
	Counts Counts `json:"counts,omitempty"`
	Parts  []Part `json:"parts,omitempty"`
}

// Merge adds f to e, in an order-independent form once Sort is called.
func (e *Entry) Merge(f Entry) {
	if e.Counts == nil {
		e.Counts = Counts{}
	}
	e.Counts.Merge(f.Counts)
	e.Parts = append(e.Parts, f.Parts...)
}

// Sort puts the parts in the order of their rows.
func (e *Entry) Sort() {
	sort.Slice(e.Parts, func(i, j int) bool {
		a, b := e.Parts[i], e.Parts[j]
		switch {
		case a.Kind != b.Kind:
			return a.Kind < b.Kind
		case a.Span != b.Span:
			return a.Span < b.Span
		default:
			return a.FirstRow < b.FirstRow
		}
	})
}

// Of returns the parts of a kind, in row order.
func (e *Entry) Of(kind string) []Part {
	var parts []Part
	for _, p := range e.Parts {
		if p.Kind == kind {
			parts = append(parts, p)
		}
	}
	return parts
}

func encodeEntry(e Entry) ([]byte, error) { return json.Marshal(e) }

func decodeEntry(data []byte) (Entry, error) {
	var e Entry
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return e, fmt.Errorf("ledger: entry: %w", err)
	}
	return e, nil
}

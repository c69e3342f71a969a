// Package stats gathers statistics of each column of a table, whole and by
// slices: presence, numbers of values, moments, quantiles, histograms, distinct
// and most frequent values, lengths of texts, correlations. They are those of
// TensorFlow Data Validation, but exact.
//
// What an Analyzer holds depends on the set of rows only: not on their order,
// nor on the cut into batches and bundles, nor on the tree of merging. It holds
// integer counts, exact sums (internal/exactsum), and counts of distinct values
// up to a limit. Beyond the limit numbers are counted by their leading bits
// (internal/quantile) and can be made exact by a second pass (Refinement);
// texts are no longer counted; and distinct values are estimated
// (internal/hyperloglog). The results say which of them are not exact.
package stats

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/internal/fielderr"
	"github.com/millrace-go/millrace/internal/names"
)

// Options say what is gathered and reported. The zero value gathers all but
// correlations and slices.
type Options struct {
	// Columns are those to look at, all if empty.
	Columns []string `json:"columns,omitempty"`
	// MaxDistinct is how many distinct values a column is counted exactly up
	// to. The default is 2^21 divided by the number of columns, at least 2^12
	// and at most 2^18, rounded down to a power of two: some 200 MiB a
	// worker for up to 512 columns. Texts are further limited to 32 bytes times
	// MaxDistinct in all.
	// Columns of slices have 1/64 of it, at least 2^10.
	MaxDistinct int `json:"max_distinct,omitempty"`
	// Quantiles are those to report. The default is 0.01, 0.05, 0.1, 0.25,
	// 0.5, 0.75, 0.9, 0.95 and 0.99.
	Quantiles []float64 `json:"quantiles,omitempty"`
	// Buckets is the number of buckets of each histogram, 10 if 0.
	Buckets int `json:"buckets,omitempty"`
	// TopValues is how many of the most frequent values are listed, 20 if 0.
	TopValues int `json:"top_values,omitempty"`
	// Ranks is how many ranks the histogram of ranks tells apart, 1,000 if 0.
	Ranks int `json:"ranks,omitempty"`
	// Correlations asks for Pearson's coefficient of each pair of numeric
	// columns; at most MaxCorrelated columns may be numeric then.
	Correlations bool `json:"correlations,omitempty"`
	// SliceBy are columns of text, integers or booleans. Rows with the same
	// value in one of them are a slice with statistics of its own.
	SliceBy []string `json:"slice_by,omitempty"`
	// MaxSlices bounds the slices of one column, 100 if 0. A column with more
	// values has no slices, and the result says so.
	MaxSlices int `json:"max_slices,omitempty"`
}

// MaxCorrelated is the most numeric columns that can be correlated: their
// pairs take 5 KiB each.
const MaxCorrelated = 128

var defaultQuantiles = []float64{.01, .05, .1, .25, .5, .75, .9, .95, .99}

// Validate checks o for tables of a schema; its errors are fielderr.FieldErrors.
func (o Options) Validate(schema *arrow.Schema) error {
	var errs []error
	fail := func(path, format string, args ...any) { errs = append(errs, fielderr.New(path, format, args...)) }
	var all []string
	for _, f := range schema.Fields() {
		all = append(all, f.Name)
	}
	for _, key := range []string{"columns", "slice_by"} {
		list := o.Columns
		if key == "slice_by" {
			list = o.SliceBy
		}
		for i, name := range list {
			if slices.Index(list, name) < i {
				fail(fmt.Sprintf("%s[%d]", key, i), "column %q is named twice", name)
			}
			if !slices.Contains(all, name) {
				fail(fmt.Sprintf("%s[%d]", key, i), "no column %q in the table; did you mean %q?", name, names.Nearest(name, all))
			}
		}
	}
	for i, name := range all {
		if slices.Index(all, name) < i {
			fail("", "column %q appears twice in the table", name)
		}
	}
	for _, name := range o.SliceBy {
		if at := schema.FieldIndices(name); len(at) == 1 && !canSlice(schema.Field(at[0]).Type) {
			fail("slice_by", "column %q is of type %s, want text, integers or booleans", name, schema.Field(at[0]).Type)
		}
	}
	for i, q := range o.Quantiles {
		if !(q >= 0 && q <= 1) {
			fail(fmt.Sprintf("quantiles[%d]", i), "%v, want 0 to 1", q)
		}
	}
	for _, n := range []struct {
		key        string
		value, max int
	}{{"max_distinct", o.MaxDistinct, 1 << 24}, {"buckets", o.Buckets, 10_000}, {"top_values", o.TopValues, 1 << 20}, {"ranks", o.Ranks, 1 << 20}, {"max_slices", o.MaxSlices, 10_000}} {
		if n.value < 0 || n.value > n.max {
			fail(n.key, "%d, want 1 to %d, or 0 for the default", n.value, n.max)
		}
	}
	if n := len(o.numeric(schema)); o.Correlations && n > MaxCorrelated {
		fail("correlations", "of %d numeric columns, want at most %d; name those to look at in columns", n, MaxCorrelated)
	}
	return errors.Join(errs...)
}

// withDefaults fills in what is 0, for a table of that many columns.
func (o Options) withDefaults(columns int) Options {
	if o.MaxDistinct == 0 {
		share := max(1<<12, min(1<<18, 1<<21/max(1, columns)))
		o.MaxDistinct = 1 << (bits.Len(uint(share)) - 1)
	}
	if len(o.Quantiles) == 0 {
		o.Quantiles = defaultQuantiles
	}
	o.Buckets, o.TopValues = orDefault(o.Buckets, 10), orDefault(o.TopValues, 20)
	o.Ranks, o.MaxSlices = orDefault(o.Ranks, 1000), orDefault(o.MaxSlices, 100)
	return o
}

func orDefault(n, value int) int {
	if n == 0 {
		return value
	}
	return n
}

// ofSlice are the options for the columns of a slice.
func (o Options) ofSlice() Options {
	o.MaxDistinct = min(o.MaxDistinct, max(1<<10, o.MaxDistinct/64))
	o.SliceBy = nil
	return o
}

// fields are the columns to look at, in the order of the schema.
func (o Options) fields(schema *arrow.Schema) []arrow.Field {
	if len(o.Columns) == 0 {
		return schema.Fields()
	}
	var out []arrow.Field
	for _, f := range schema.Fields() {
		if slices.Contains(o.Columns, f.Name) {
			out = append(out, f)
		}
	}
	return out
}

// numeric names the columns that can be correlated.
func (o Options) numeric(schema *arrow.Schema) []string {
	var out []string
	for _, f := range o.fields(schema) {
		if k := kindOf(f.Type); !k.list && k.numeric() {
			out = append(out, f.Name)
		}
	}
	return out
}

// Package arrays copies rows of Arrow arrays and records into fresh arrays of
// one canonical form: offset 0, no validity bitmap where nothing is null, zero
// bits and bytes under nulls and in padding. So the bytes of a result depend
// on its rows alone, never on how they were cut into records before.
//
// Nothing here writes to, releases or retains what it is given, except that a
// dictionary is shared. All memory is Go memory: dropping a result frees it.
package arrays

import (
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// Run is the half-open range of rows [From, To).
type Run struct{ From, To int }

// Runs returns the maximal runs of true in keep, in order, and their total length.
func Runs(keep []bool) (runs []Run, n int) {
	for i := 0; i < len(keep); i++ {
		if !keep[i] {
			continue
		}
		from := i
		for i < len(keep) && keep[i] {
			i++
		}
		runs = append(runs, Run{from, i})
		n += i - from
	}
	return runs, n
}

// Take copies the rows of runs out of arr, in order.
func Take(arr arrow.Array, runs []Run) (arrow.Array, error) {
	n := 0
	for _, r := range runs {
		n += r.To - r.From
	}
	return gather(arr.DataType(), n, []arrow.Array{arr}, [][]Run{runs})
}

// Concat copies the rows of arrs, which have one type, one after the other.
// It needs at least one array.
func Concat(arrs []arrow.Array) (arrow.Array, error) {
	n := 0
	runs := make([][]Run, len(arrs))
	for i, a := range arrs {
		if a.Len() > 0 {
			runs[i] = []Run{{0, a.Len()}}
		}
		n += a.Len()
	}
	return gather(arrs[0].DataType(), n, arrs, runs)
}

// TakeRecord copies the rows of runs out of every column of rec.
func TakeRecord(rec arrow.Record, runs []Run) (arrow.Record, error) {
	n := 0
	for _, r := range runs {
		n += r.To - r.From
	}
	cols := make([]arrow.Array, rec.NumCols())
	for i := range cols {
		col, err := Take(rec.Column(i), runs)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", rec.ColumnName(i), err)
		}
		cols[i] = col
	}
	return array.NewRecord(rec.Schema(), cols, int64(n)), nil
}

// ConcatRecords copies the rows of recs, which have one schema, one after the
// other. It needs at least one record.
func ConcatRecords(recs []arrow.Record) (arrow.Record, error) {
	n := int64(0)
	for _, r := range recs {
		n += r.NumRows()
	}
	cols := make([]arrow.Array, recs[0].NumCols())
	parts := make([]arrow.Array, len(recs))
	for i := range cols {
		for j, r := range recs {
			parts[j] = r.Column(i)
		}
		col, err := Concat(parts)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", recs[0].ColumnName(i), err)
		}
		cols[i] = col
	}
	return array.NewRecord(recs[0].Schema(), cols, n), nil
}

// gather copies runs[i] of arrs[i] for each i; n is their total length.
func gather(dt arrow.DataType, n int, arrs []arrow.Array, runs [][]Run) (arrow.Array, error) {
	app := newAppender(dt, n)
	if app == nil || !app.shareDictionary(arrs) {
		return concatSlices(dt, arrs, runs)
	}
	for i, a := range arrs {
		for _, r := range runs[i] {
			if err := app.append(a.Data(), r.From, r.To); err != nil {
				return nil, err
			}
		}
	}
	return array.MakeFromData(app.finish()), nil
}

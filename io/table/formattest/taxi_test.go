package formattest_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/millrace-go/millrace/internal/shareddata"
	"github.com/millrace-go/millrace/io/avroio"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/csvio"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/parquetio"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/io/tfrecordio"
)

// taxiFloats are the columns of the taxi trips that are fractions; payment_type and
// company are text, the other ones whole numbers.
var taxiFloats = []string{"fare", "pickup_latitude", "pickup_longitude", "dropoff_latitude", "dropoff_longitude", "trip_miles",
	"pickup_census_tract", "dropoff_census_tract", "trip_seconds", "dropoff_community_area", "tips"}

// The same taxi trips come as CSV, Parquet, Avro and TFRecord. The files hold them in different
// types, so the cells are compared after what each format does to them is undone:
//
//   - columns are matched by name: Avro has an order of its own, TFRecord none, so it is read in that of the names;
//   - an empty CSV cell is a missing value, which the other ones hold as a null;
//   - a whole number is int32 in Avro, int64 in Parquet and TFRecord, text in CSV;
//   - a fraction is float64 in Parquet and text in CSV, but was rounded to float32 for Avro and
//     TFRecord, so it is compared as float32;
//   - a missing company is the text "nan" in Parquet, put there by whoever made the file from the CSV (no CSV cell
//     is "nan"), and a null in Avro and TFRecord;
//   - a column without a value in any record has type null in TFRecord.
//
// The CSV, Parquet and Avro files hold the same 10,000 rows in the same order. The TFRecord shards hold 15,000
// records, dealt out and shuffled: all those rows, and the 5,000 of a second CSV file, but for one row. That one
// is the only one of all with a pickup_census_tract; the records have another trip in its place,
// so they were made from another state of that file.
func TestTaxiTripsAreTheSameInFourFormats(t *testing.T) {
	csv := taxiRows(t, csvio.Format{}, "ext_data.csv")
	if len(csv) != 10_000 {
		t.Fatalf("got %d rows of CSV, want 10000", len(csv))
	}
	sameRows(t, "Parquet", taxiRows(t, parquetio.Format{}, "ext_data.parquet"), csv)
	sameRows(t, "Avro", taxiRows(t, avroio.Format{}, "ext_data.avro"), csv)

	records := append(taxiRows(t, tfrecordio.Format{}, "tfrecord-00000-of-00002.gz"), taxiRows(t, tfrecordio.Format{}, "tfrecord-00001-of-00002.gz")...)
	if len(records) != 15_000 {
		t.Errorf("got %d records, want 15000", len(records))
	}
	second := taxiRows(t, csvio.Format{}, "ext_data2.csv")
	missing, more := difference(append(csv, second...), records)
	if len(missing) != 1 || !strings.Contains(missing[0], "pickup_census_tract=float32 ") || !strings.Contains(missing[0], "trip_start_timestamp=int 1374061500") ||
		!slices.Contains(second, missing[0]) {
		t.Errorf("TFRecord lacks the rows %q, want the one with a pickup_census_tract", missing)
	}
	if len(more) != 1 || !strings.Contains(more[0], "trip_start_timestamp=int 1380593700") {
		t.Errorf("TFRecord has the rows %q besides, want one of 1380593700", more)
	}
}

// difference returns the rows of a that are not in b, and those of b that are not in a, each as often as that.
func difference(a, b []string) (onlyA, onlyB []string) {
	count := map[string]int{}
	for _, row := range a {
		count[row]++
	}
	for _, row := range b {
		if count[row]--; count[row] < 0 {
			onlyB = append(onlyB, row)
		}
	}
	for row, n := range count {
		for range max(n, 0) {
			onlyA = append(onlyA, row)
		}
	}
	return onlyA, onlyB
}

func sameRows(t *testing.T, format string, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: got %d rows, want %d", format, len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("%s: row %d: got %s, want %s as in CSV", format, i+1, got[i], want[i])
		}
	}
}

// taxiRows reads a file, in small spans and batches, and writes each row as text, its columns by name.
func taxiRows(t *testing.T, f table.Format, name string) []string {
	t.Helper()
	path := shareddata.Path(t, "tabular/chicago_taxi/"+name)
	s, err := store.Local(strings.TrimSuffix(path, name))
	if err != nil {
		t.Fatal(err)
	}
	o := table.Options{SpanBytes: 100_000, BatchRows: 777}
	file, err := f.Survey(t.Context(), s, name, o)
	if err != nil {
		t.Fatal(err)
	}
	if n := file.Schema.NumFields(); n != 18 {
		t.Fatalf("%s: got %d columns, want 18", name, n)
	}
	var rows []string
	for _, span := range file.Spans {
		err := f.Read(t.Context(), s, span, o, func(b *batch.Batch) error {
			for i := range b.NumRows() {
				rows = append(rows, taxiRow(t, b.Record, i))
			}
			return nil
		}, func(l deadletter.Letter) error { return fmt.Errorf("dead: %+v", l) })
		if err != nil {
			t.Fatal(err)
		}
	}
	return rows
}

func taxiRow(t *testing.T, rec arrow.Record, row int) string {
	t.Helper()
	var cells []string
	for i, col := range rec.Columns() {
		name := rec.ColumnName(i)
		cells = append(cells, name+"="+taxiCell(t, name, col, row))
	}
	slices.Sort(cells)
	return strings.Join(cells, " ")
}

// taxiCell is a cell in the form that all formats can be brought to.
func taxiCell(t *testing.T, name string, col arrow.Array, row int) string {
	t.Helper()
	isFloat := slices.Contains(taxiFloats, name)
	if col.IsNull(row) || col.DataType().ID() == arrow.NULL {
		return "(null)"
	}
	bits := func(v float32) string { return fmt.Sprintf("float32 %08x", math.Float32bits(v)) }
	switch col := col.(type) {
	case *array.Int32:
		return fmt.Sprintf("int %d", col.Value(row))
	case *array.Int64:
		return fmt.Sprintf("int %d", col.Value(row))
	case *array.Float32:
		return bits(col.Value(row))
	case *array.Float64:
		return bits(float32(col.Value(row)))
	case *array.String:
		text := col.Value(row)
		switch {
		case text == "", name == "company" && text == "nan":
			return "(null)"
		case isFloat:
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			return bits(float32(v))
		case name == "payment_type" || name == "company":
			return strconv.Quote(text)
		}
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("int %d", v)
	}
	t.Fatalf("column %q of type %s", name, col.DataType())
	return ""
}

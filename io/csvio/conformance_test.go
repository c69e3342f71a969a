package csvio

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/internal/shareddata"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/table"
)

// cells reads all rows of a file as maps.
func cells(t testing.TB, s store.Store, name string, o table.Options) []map[string]string {
	t.Helper()
	file, err := Format{}.Survey(t.Context(), s, name, o)
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, span := range file.Spans {
		err := Format{}.Read(t.Context(), s, span, o, func(b *batch.Batch) error {
			for r := range b.NumRows() {
				row := map[string]string{}
				for c, col := range b.Record.Columns() {
					row[b.Record.ColumnName(c)] = col.ValueStr(r)
				}
				rows = append(rows, row)
			}
			return nil
		}, func(l deadletter.Letter) error { return fmt.Errorf("dead: %+v", l) })
		if err != nil {
			t.Fatal(err)
		}
	}
	return rows
}

// https://github.com/max-mapper/csv-spectrum
func TestSpectrum(t *testing.T) {
	dir := shareddata.Path(t, "conformance/csv-spectrum")
	s, err := store.Local(filepath.Join(dir, "csvs"))
	if err != nil {
		t.Fatal(err)
	}
	names, err := s.Glob(t.Context(), "*.csv")
	if err != nil || len(names) != 11 {
		t.Fatalf("got files %q, error %v, want 11", names, err)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(dir, "json", strings.TrimSuffix(name, ".csv")+".json"))
			if err != nil {
				t.Fatal(err)
			}
			var want []map[string]string
			if err := json.Unmarshal(data, &want); err != nil {
				t.Fatal(err)
			}
			got := cells(t, s, name, table.Options{SpanBytes: 1})
			if !slices.EqualFunc(got, want, maps.Equal) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// The naughty strings of https://github.com/minimaxir/big-list-of-naughty-strings,
// each a cell as the standard library writes it, come back as they were.
func TestNaughtyStrings(t *testing.T) {
	data, err := os.ReadFile(shareddata.Path(t, "text/naughty/blns.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	if err := json.Unmarshal(data, &list); err != nil || len(list) < 500 {
		t.Fatalf("got %d strings, error %v, want at least 500", len(list), err)
	}
	var text strings.Builder
	w := csv.NewWriter(&text)
	if err := w.Write([]string{"before", "naughty", "after"}); err != nil {
		t.Fatal(err)
	}
	for i, v := range list {
		if err := w.Write([]string{fmt.Sprint(i), v, v}); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	rows := cells(t, storeOf(t, "f.csv", []byte(text.String())), "f.csv", table.Options{SpanBytes: 512})
	if len(rows) != len(list) {
		t.Fatalf("got %d rows, want %d", len(rows), len(list))
	}
	for i, v := range list {
		want := map[string]string{"before": fmt.Sprint(i), "naughty": v, "after": v}
		if !maps.Equal(rows[i], want) {
			t.Errorf("row %d: got %q, want %q", i+1, rows[i], want)
		}
	}
}

// Real tables, against the standard library's reader.
func TestRealTables(t *testing.T) {
	for name, want := range map[string]int{
		"tabular/birdstrikes/birdstrikes.csv": 10_000,
		"tabular/penguins/penguins.csv":       344,
	} {
		p := shareddata.Path(t, name)
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		records, err := csv.NewReader(strings.NewReader(string(data))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		rows := cells(t, storeOf(t, "f.csv", data), "f.csv", table.Options{SpanBytes: 10_000})
		if len(rows) != want || len(records) != want+1 {
			t.Errorf("%s: got %d rows, the standard library %d, want %d", name, len(rows), len(records)-1, want)
			continue
		}
		for i, row := range rows {
			for c, v := range records[i+1] {
				if row[records[0][c]] != v {
					t.Fatalf("%s: row %d, column %s: got %q, want %q", name, i+1, records[0][c], row[records[0][c]], v)
				}
			}
		}
	}
}

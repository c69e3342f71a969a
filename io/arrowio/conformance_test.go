package arrowio

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/internal/shareddata"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/store/storetest"
	"github.com/millrace-go/millrace/io/table"
)

var update = flag.Bool("update", false, "write the golden files anew")

func storeOf(t testing.TB, name string, data []byte) store.Store {
	t.Helper()
	s := storetest.NewMemory()
	if err := store.WriteAll(t.Context(), s, name, data); err != nil {
		t.Fatal(err)
	}
	return s
}

// columnsOf reads all rows, passes them through the coder of batches as a shuffle does, and
// writes the values of each column.
func columnsOf(t testing.TB, s store.Store, name string, o table.Options) (*table.File, [][]string, error) {
	t.Helper()
	file, err := Format{}.Survey(t.Context(), s, name, o)
	if err != nil {
		return nil, nil, err
	}
	out := make([][]string, file.Schema.NumFields())
	for _, span := range file.Spans {
		err := Format{}.Read(t.Context(), s, span, o, func(b *batch.Batch) error {
			var wire bytes.Buffer
			if err := batch.Encode(b, &wire); err != nil {
				return err
			}
			b, err := batch.Decode(&wire)
			if err != nil {
				return err
			}
			for c, col := range b.Record.Columns() {
				for r := range col.Len() {
					out[c] = append(out[c], valueOf(col, r))
				}
			}
			return nil
		}, func(l deadletter.Letter) error { return fmt.Errorf("dead: %+v", l) })
		if err != nil {
			return nil, nil, err
		}
	}
	return file, out, nil
}

// TestConformance reads every case of Arrow's integration files. What became of each is in
// testdata/conformance.txt; the values that are read must be those of the case's JSON.
func TestConformance(t *testing.T) {
	files := unpack(t, shareddata.Path(t, "conformance/arrow-ipc-integration.zip"))
	var lines []string
	for name, data := range files {
		if filepath.Ext(name) != ".arrow_file" && filepath.Ext(name) != ".stream" {
			continue
		}
		var outcome string
		for _, batchRows := range []int{0, 3} {
			got := conform(t, name, data, golden(t, files[strings.TrimSuffix(name, filepath.Ext(name))+".json.gz"]), batchRows)
			if outcome != "" && got != outcome {
				t.Errorf("%s: %s, in batches of %d rows %s", name, outcome, batchRows, got)
			}
			outcome = got
		}
		lines = append(lines, name+": "+outcome)
	}
	slices.Sort(lines)
	got := strings.Join(lines, "\n") + "\n"
	path := filepath.Join("testdata", "conformance.txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal([]byte(got), want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// conform says what became of a case: the types that are read, or the error.
func conform(t *testing.T, name string, data []byte, g *goldenFile, batchRows int) string {
	o := table.Options{BatchRows: batchRows, SpanBytes: 1}
	s := storeOf(t, name, data)
	file, cols, err := columnsOf(t, s, name, o)
	if err != nil {
		var parts []string
		// Each column that can be read alone is.
		for _, f := range g.Schema.Fields {
			o.Columns = []string{f.Name}
			if _, alone, err := columnsOf(t, s, name, o); err == nil {
				compare(t, name, f.Name, alone[0], g.column(slices.IndexFunc(g.Schema.Fields, func(o goldenField) bool { return o.Name == f.Name })))
				parts = append(parts, f.Name)
			}
		}
		_, reason, _ := strings.Cut(err.Error(), name+": ")
		out := "refused: " + reason
		if len(parts) > 0 {
			out += " (read alone: " + strings.Join(parts, ", ") + ")"
		}
		return out
	}
	var types []string
	for i, f := range file.Schema.Fields() {
		compare(t, name, f.Name, cols[i], g.column(i))
		if typ := f.Type.String(); !slices.Contains(types, typ) {
			types = append(types, typ)
		}
	}
	return fmt.Sprintf("%d rows of %s", file.Rows, strings.Join(types, ", "))
}

func compare(t *testing.T, file, column string, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: column %s: got %d values, want %d", file, column, len(got), len(want))
		return
	}
	for i := range want {
		if !alike(got[i], want[i]) {
			t.Errorf("%s: column %s, row %d: got %s, want %s", file, column, i+1, got[i], want[i])
			return
		}
	}
}

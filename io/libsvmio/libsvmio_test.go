package libsvmio

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/internal/shareddata"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/store/storetest"
	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/io/table/formattest"
)

// mixed has 6 good rows and one of each fault.
const mixed = "\ufeff# a comment\n" +
	"1 qid:7 1:0.5 3:-2e3 # and another\r\n" +
	"\n" +
	"+0\tqid:8\t2:1\t1:2\n" + // unsorted, tabs
	"-1\n" +
	"one 1:1\n" +
	"1 qid:x 1:1\n" +
	"1 1:1 2\n" +
	"1 1:1 2:x\n" +
	"1 0:1\n" +
	"1 2:1 2:1\n" +
	"   2 3:nan\n" +
	"1:1 2:2\n" +
	"3 1:.25 2:+3. \n" +
	"4 3:1e-400"

func storeOf(t testing.TB, name string, data []byte) store.Store {
	t.Helper()
	s := storetest.NewMemory()
	w, err := s.Create(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	return s
}

func zip(t testing.TB, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func files(t testing.TB) []formattest.File {
	return []formattest.File{
		{Name: "mixed.libsvm", Data: []byte(mixed), Kept: 6, Dead: 7},
		{Name: "mixed.svm.gz", Data: zip(t, mixed), Kept: 6, Dead: 7, Sealed: true},
		{Name: "two.libsvm", Data: []byte(mixed), Kept: 2, Dead: 11, Options: table.Options{LibSVM: table.LibSVM{Features: 2, ZeroBased: true}}},
	}
}

func TestFormat(t *testing.T) { formattest.Run(t, Format{}, files(t)...) }

func TestHostile(t *testing.T) {
	for i, flips := range []int{10_000, 500} {
		formattest.Hostile(t, Format{}, files(t)[i], flips)
	}
}

func read1(t testing.TB, text string, o table.Options) *formattest.Rows {
	t.Helper()
	_, rows, err := formattest.ReadAll(t.Context(), Format{}, storeOf(t, "f", []byte(text)), "f", o)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestRows(t *testing.T) {
	rows := read1(t, mixed, table.Options{})
	want := []string{
		`row 1: "label"="1" "qid"="7" "f1"="0.5" "f2"="0" "f3"="-2000"`,
		`row 2: "label"="0" "qid"="8" "f1"="2" "f2"="1" "f3"="0"`,
		`row 3: "label"="-1" "qid"=(null) "f1"="0" "f2"="0" "f3"="0"`,
		`row 10: "label"="2" "qid"=(null) "f1"="0" "f2"="0" "f3"="NaN"`,
		`row 12: "label"="3" "qid"=(null) "f1"="0.25" "f2"="3" "f3"="0"`,
		`row 13: "label"="4" "qid"=(null) "f1"="0" "f2"="0" "f3"="0"`,
	}
	if got := strings.Join(rows.Kept, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	letters := []deadletter.Letter{
		{Row: 4, Line: 6, Rule: RuleLabel, Column: "label", Value: "one 1:1", Reason: `want a number first, has "one"`},
		{Row: 5, Line: 7, Rule: RuleQuery, Column: "qid", Value: "1 qid:x 1:1", Reason: `want qid and an integer, has "qid:x"`},
		{Row: 6, Line: 8, Rule: RulePair, Value: "1 1:1 2", Reason: `want index:value, has "2"`},
		{Row: 7, Line: 9, Rule: RulePair, Value: "1 1:1 2:x", Reason: `want index:value, has "2:x"`},
		{Row: 8, Line: 10, Rule: RuleIndex, Value: "1 0:1", Reason: "index 0: want at least 1 (the option zero_based is for files that begin at 0)"},
		{Row: 9, Line: 11, Rule: RuleIndex, Value: "1 2:1 2:1", Reason: "index 2 is there twice"},
		{Row: 11, Line: 13, Rule: RuleLabel, Column: "label", Value: "1:1 2:2", Reason: `want a number first, has "1:1"`},
	}
	for i := range letters {
		letters[i].File = "f"
	}
	if fmt.Sprint(rows.Dead) != fmt.Sprint(letters) {
		t.Errorf("got %+v, want %+v", rows.Dead, letters)
	}
}

func TestOptions(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		o          table.Options
		want       string
	}{
		{"fractions make labels float64", "1 1:1\n0.5 1:2\n", table.Options{Columns: []string{"label"}}, `row 1: "label"="1"|row 2: "label"="0.5"`},
		{"labels as float64", "1 1:1\n", table.Options{LibSVM: table.LibSVM{Label: "float64"}}, `row 1: "label"="1" "f1"="1"`},
		{"zero-based", "1 0:5 1:6\n", table.Options{LibSVM: table.LibSVM{ZeroBased: true}}, `row 1: "label"="1" "f0"="5" "f1"="6"`},
		{"more features than there are", "1 1:5\n", table.Options{LibSVM: table.LibSVM{Features: 3}}, `row 1: "label"="1" "f1"="5" "f2"="0" "f3"="0"`},
		{"no features", "1\n", table.Options{}, `row 1: "label"="1" "f1"="0"`},
		{"columns", "1 1:5 2:6 3:7\n", table.Options{Columns: []string{"f3", "f1"}}, `row 1: "f1"="5" "f3"="7"`},
		{"a fraction where integers are wanted", "1 1:5\n2.5 1:1\n", table.Options{LibSVM: table.LibSVM{Label: "int64"}}, `row 1: "label"="1" "f1"="5"|dead 2: want an integer as the options say, has 2.5`},
	} {
		rows := read1(t, tt.text, tt.o)
		got := rows.Kept
		for _, l := range rows.Dead {
			got = append(got, fmt.Sprintf("dead %d: %s", l.Row, l.Reason))
		}
		if s := strings.Join(got, "|"); s != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, s, tt.want)
		}
	}
}

func TestFileErrors(t *testing.T) {
	for _, tt := range []struct {
		name, text, want string
		options          table.Options
	}{
		{"empty", "", "no data rows", table.Options{}},
		{"only comments", "# a\n#b\n", "no data rows", table.Options{}},
		{"another format", "a,b\n1,2\n", `no row of 2 is of the form "label index:value ..."`, table.Options{}},
		{"too many features", "1 1:1\n1 5000:1\n", "line 2: index 5000: there are columns for 4096 features: hash or select features", table.Options{}},
		{"UTF-16", "\xff\xfe1\x00", "UTF-16: convert it", table.Options{}},
		{"label", "1 1:1\n", `libsvm label "int": want int64, float64 or nothing`, table.Options{LibSVM: table.LibSVM{Label: "int"}}},
		{"features", "1 1:1\n", "libsvm features 5000: want 0 (as many as the file has) to 4096", table.Options{LibSVM: table.LibSVM{Features: 5000}}},
		{"missing column", "1 1:1\n", `no column "f2": the file has "label", "f1"`, table.Options{Columns: []string{"f2"}}},
	} {
		_, err := Format{}.Survey(t.Context(), storeOf(t, "f", []byte(tt.text)), "f", tt.options)
		if err == nil || !strings.HasPrefix(err.Error(), "libsvmio: f: ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want libsvmio: f: … %s", tt.name, err, tt.want)
		}
	}
}

// A file that gets a wider row, or a fraction as a label, after its survey.
func TestChanged(t *testing.T) {
	s := storeOf(t, "f", []byte("1 1:1\n"))
	file, err := Format{}.Survey(t.Context(), s, "f", table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.WriteAll(t.Context(), s, "f", []byte(".5 1:1")); err != nil {
		t.Fatal(err)
	}
	err = Format{}.Read(t.Context(), s, file.Spans[0], table.Options{}, func(*batch.Batch) error { return nil }, func(deadletter.Letter) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "the file was changed since it was surveyed") {
		t.Errorf("got error %v, want one that says changed", err)
	}
}

// Numbers are those of the standard library.
func TestParseFloat(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	texts := []string{"0", "-0", "1.", ".5", "1e5", "-inf", "NaN", "123456789012345678", "0.1234567890123456", "1e400", "", "-", ".", "1.2.3", "0x1p3", "1_0"}
	for range 20_000 {
		texts = append(texts, strconv.FormatFloat(rng.NormFloat64()*math.Pow(10, float64(rng.IntN(12)-6)), 'f', rng.IntN(12), 64))
	}
	for _, text := range texts {
		want, err := strconv.ParseFloat(text, 64)
		ok := err == nil && !strings.ContainsAny(text, "x_")
		if got, gotOK := parseFloat([]byte(text)); gotOK != ok || ok && math.Float64bits(got) != math.Float64bits(want) {
			t.Errorf("%q: got %v %v, want %v %v", text, got, gotOK, want, ok)
		}
		// The short way gives the same, or leaves it to the long one.
		if index, got, rest, plain := plainPair([]byte("12:" + text + " 13:1")); plain &&
			(!ok || index != 12 || math.Float64bits(got) != math.Float64bits(want) || string(rest) != "13:1") {
			t.Errorf("%q: got %d:%v and then %q, want 12:%v", text, index, got, rest, want)
		}
	}
}

// XGBoost's samples: https://github.com/dmlc/xgboost/tree/master/demo/data.
func TestAgaricus(t *testing.T) {
	for name, want := range map[string]struct{ rows, ones, edible int }{ // rows, values, labels 1: counted by awk
		"agaricus.txt.train": {6513, 6513 * 22, 3140},
		"agaricus.txt.test":  {1611, 1611 * 22, 776},
	} {
		s, err := store.Local(shareddata.Path(t, "tabular/agaricus_libsvm"))
		if err != nil {
			t.Fatal(err)
		}
		o := table.Options{SpanBytes: 50_000, LibSVM: table.LibSVM{Features: 127}}
		file, err := Format{}.Survey(t.Context(), s, name, o)
		if err != nil {
			t.Fatal(err)
		}
		if file.Rows != int64(want.rows) || file.Schema.NumFields() != 128 || file.Schema.Field(0).Type.Name() != "int64" {
			t.Errorf("%s: got %d rows of %v, want %d of an int64 label and 127 features", name, file.Rows, file.Schema, want.rows)
		}
		ones, edible := 0, 0
		for _, span := range file.Spans {
			err := Format{}.Read(t.Context(), s, span, o, func(b *batch.Batch) error {
				for c, col := range b.Record.Columns() {
					for i := range col.Len() {
						switch {
						case col.ValueStr(i) == "1" && c == 0:
							edible++
						case col.ValueStr(i) == "1":
							ones++
						}
					}
				}
				return nil
			}, func(l deadletter.Letter) error { return fmt.Errorf("dead: %+v", l) })
			if err != nil {
				t.Fatal(err)
			}
		}
		if ones != want.ones || edible != want.edible {
			t.Errorf("%s: got %d ones and %d labels of 1, want %d and %d", name, ones, edible, want.ones, want.edible)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, file := range files(f) {
		f.Add(file.Data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := storeOf(t, "f", data)
		_, whole, err := formattest.ReadAll(t.Context(), Format{}, s, "f", table.Options{})
		if err != nil {
			if strings.Contains(err.Error(), "formattest:") {
				t.Fatal(err)
			}
			return
		}
		_, cut, err := formattest.ReadAll(t.Context(), Format{}, s, "f", table.Options{SpanBytes: 7, BatchRows: 2})
		if err != nil || fmt.Sprint(*cut) != fmt.Sprint(*whole) {
			t.Fatalf("in small spans: got %+v, error %v, want %+v", cut, err, whole)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	data, err := os.ReadFile(shareddata.Path(b, "tabular/agaricus_libsvm/agaricus.txt.train"))
	if err != nil {
		b.Fatal(err)
	}
	s := storeOf(b, "f", bytes.Repeat(data, 20))
	file, err := Format{}.Survey(b.Context(), s, "f", table.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("survey", func(b *testing.B) {
		b.SetBytes(file.Bytes)
		for b.Loop() {
			if _, err := (Format{}).Survey(b.Context(), s, "f", table.Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.SetBytes(file.Bytes)
		for b.Loop() {
			for _, span := range file.Spans {
				err := Format{}.Read(b.Context(), s, span, table.Options{}, func(*batch.Batch) error { return nil },
					func(deadletter.Letter) error { return io.ErrUnexpectedEOF })
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(file.Rows)*float64(b.N)/1e6/b.Elapsed().Seconds(), "Mrows/s")
	})
}

package pipelines

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const reportDoc = "../docs/report.md"

// docSections are the tables of docs/report.md and what each describes.
var docSections = map[string]reflect.Type{
	"The top level":           reflect.TypeFor[Report](),
	"`rows`":                  reflect.TypeFor[RowsReport](),
	"`train`":                 reflect.TypeFor[TrainReport](),
	"`metrics`":               reflect.TypeFor[MetricsReport](),
	"`metrics.*`":             elementType(reflect.TypeFor[MetricsReport]().Field(0).Type),
	"`metrics.*.per_class[]`": perClassType(),
	"`model`":                 reflect.TypeFor[ModelReport](),
	"`release`":               reflect.TypeFor[ReleaseReport](),
	"`score`":                 reflect.TypeFor[ScoreReport](),
	"`steps[]`":               reflect.TypeFor[StepReport](),
}

func elementType(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t
}

func perClassType() reflect.Type {
	f, _ := elementType(reflect.TypeFor[MetricsReport]().Field(0).Type).FieldByName("PerClass")
	return elementType(f.Type)
}

// jsonKeys are the keys of a struct in JSON, in order, with their type as the
// documentation has it.
func jsonKeys(t *testing.T, typ reflect.Type) (keys []string, types map[string]string) {
	t.Helper()
	types = map[string]string{}
	for i := range typ.NumField() {
		f := typ.Field(i)
		key, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		if key == "" {
			t.Fatalf("%s.%s has no json tag", typ, f.Name)
		}
		word := typeWord(t, f.Type)
		if option == "omitempty" {
			word += ", may be absent"
		}
		keys = append(keys, key)
		types[key] = word
	}
	return keys, types
}

func typeWord(t *testing.T, typ reflect.Type) string {
	t.Helper()
	switch typ.Kind() {
	case reflect.Pointer:
		return typeWord(t, typ.Elem())
	case reflect.Struct:
		return "section"
	case reflect.String:
		return "text"
	case reflect.Int, reflect.Int64:
		return "integer"
	case reflect.Float64:
		return "number"
	case reflect.Map:
		return typeWord(t, typ.Elem()) + "s by name"
	case reflect.Slice:
		first, rest, _ := strings.Cut(typeWord(t, typ.Elem()), " ")
		return strings.TrimSpace(fmt.Sprintf("list of %ss %s", first, rest))
	}
	t.Fatalf("no word for %s", typ)
	return ""
}

// documented reads the tables of docs/report.md: for each heading the keys in
// order, their types and meanings.
func documented(t *testing.T) map[string][][3]string {
	t.Helper()
	data, err := os.ReadFile(reportDoc)
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("^\\| `([^`]+)` \\| ([^|]+) \\| ([^|]+) \\|$")
	out := map[string][][3]string{}
	heading := ""
	for _, line := range strings.Split(string(data), "\n") {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			heading = title
		}
		if m := row.FindStringSubmatch(line); m != nil {
			out[heading] = append(out[heading], [3]string{m[1], m[2], m[3]})
		}
	}
	return out
}

func TestReportDocIsInStep(t *testing.T) {
	have := documented(t)
	for heading, typ := range docSections {
		want, types := jsonKeys(t, typ)
		var got []string
		for _, row := range have[heading] {
			got = append(got, row[0])
			if w := types[row[0]]; w != row[1] {
				t.Errorf("%s, section %s: key %s is %q, the type %s makes it %q", reportDoc, heading, row[0], row[1], typ, w)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s, section %s: keys %q, the type %s has %q", reportDoc, heading, got, typ, want)
		}
	}
	for heading := range have {
		if docSections[heading] == nil {
			t.Errorf("%s: section %s has a table of keys, but no type", reportDoc, heading)
		}
	}
}

// Every section that a type of the report leads to has a table.
func TestReportDocHasAllSections(t *testing.T) {
	reached := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		typ = elementType(typ)
		if typ.Kind() != reflect.Struct || reached[typ] {
			return
		}
		reached[typ] = true
		for i := range typ.NumField() {
			walk(typ.Field(i).Type)
		}
	}
	walk(reflect.TypeFor[Report]())
	described := map[reflect.Type]bool{}
	for _, typ := range docSections {
		described[typ] = true
	}
	if !maps.Equal(reached, described) {
		t.Errorf("the types of a report are %v, those described %v", reached, described)
	}
}

// The example in the documentation is a report, and its sums are right.
func TestReportDocExample(t *testing.T) {
	data, err := os.ReadFile(reportDoc)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := bytes.Cut(data, []byte("```json\n"))
	example, _, ok2 := bytes.Cut(rest, []byte("```"))
	if !ok || !ok2 {
		t.Fatalf("%s: no JSON example", reportDoc)
	}
	var r Report
	d := json.NewDecoder(bytes.NewReader(example))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		t.Fatalf("%s: example: %v", reportDoc, err)
	}
	total := r.Rows.Kept
	for _, rules := range []map[string]int64{r.Rows.Dropped, r.Rows.Dead} {
		for _, n := range rules {
			total += n
		}
	}
	if total != r.Rows.Read {
		t.Errorf("example: %d kept, dropped and dead, %d read", total, r.Rows.Read)
	}
	var kept int64
	for _, n := range r.Rows.Split {
		kept += n
	}
	if kept != r.Rows.Kept {
		t.Errorf("example: the splits have %d rows, %d are kept", kept, r.Rows.Kept)
	}
	if got, want := round3(float64(r.Model.DenseBytes)/float64(r.Model.Bytes)), r.Model.Ratio; got != want {
		t.Errorf("example: ratio %v, its bytes make %v", want, got)
	}
	if got, want := r.Model.DenseBytes, int64(4*r.Model.Parameters); got != want {
		t.Errorf("example: dense_bytes %d, want 4 a parameter, %d", got, want)
	}
}

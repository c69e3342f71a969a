package datapage

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/transforms/drift"
	"github.com/millrace-go/millrace/transforms/schema"
	"github.com/millrace-go/millrace/transforms/stats"
)

const hostile = `<script>alert(1)</script>"'&`

// statisticsOf are the statistics of the rows of a JSON array.
func statisticsOf(t *testing.T, rows string, fields ...arrow.Field) *stats.Statistics {
	t.Helper()
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, arrow.NewSchema(fields, nil), strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	a, err := stats.NewAnalyzer(stats.Options{}, rec.Schema())
	if err == nil {
		err = a.Add(rec)
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := a.Statistics()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func rendered(t *testing.T, p *Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := Render(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func floats(name string) arrow.Field {
	return arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Float64, Nullable: true}
}

// Whatever names and values hold, it is text on the page.
func TestHostileNamesAreEscaped(t *testing.T) {
	name := strings.NewReplacer(`"`, `\"`).Replace(hostile)
	s := statisticsOf(t, fmt.Sprintf(`[{"%s": 1, "t": "%s"}, {"%s": 2, "t": null}]`, name, name, name),
		floats(hostile), arrow.Field{Name: "t", Type: arrow.BinaryTypes.String, Nullable: true})
	x := 0.5
	text := rendered(t, &Page{
		Job: hostile, Rows: hostile, Tables: []Table{{hostile, s}},
		Checks: []Check{{hostile, &schema.Report{
			Anomalies: []schema.Anomaly{{Column: hostile, Kind: schema.BigFloat, Severity: schema.Error, Short: hostile, Description: hostile}},
			Drift:     []schema.Comparison{{Column: hostile, Measures: drift.Measures{KS: &x, LInfinityValue: hostile}}},
		}}},
		Letters: []Letters{{hostile, 1, []deadletter.Letter{{File: hostile, Rule: hostile, Column: hostile, Value: hostile, Reason: hostile}}}},
	})
	if strings.Contains(text, "<script") || strings.Contains(text, "alert(1)</script>") {
		t.Error("a name from the data is markup on the page")
	}
	if n := strings.Count(text, "&lt;script&gt;alert(1)&lt;/script&gt;"); n < 10 {
		t.Errorf("got the name %d times as text, want it wherever it was given", n)
	}
	if !strings.Contains(text, `<section class="error">`) || !strings.Contains(text, "drift KS 0.5") {
		t.Error("the anomaly or the distance is not marked at the column")
	}
}

// The page fetches nothing: no address but the names of XML vocabularies.
func TestPageIsSelfContained(t *testing.T) {
	s := statisticsOf(t, `[{"x": -1.7e308}, {"x": 2}, {"x": 2}, {"x": 1.7e308}]`, floats("x"))
	text := rendered(t, &Page{Job: "j", Tables: []Table{{"all", s}, {"train", s}}})
	for _, m := range regexp.MustCompile(`[^\s"]*://[^\s"]*`).FindAllString(text, -1) {
		if m != "http://www.w3.org/2000/svg" && m != "http://www.w3.org/1999/xlink" {
			t.Errorf("the page names %s", m)
		}
	}
	for _, word := range []string{"src=", "<link", "<script", "@import", "url("} {
		if strings.Contains(text, word) {
			t.Errorf("the page has %q, want nothing that is fetched or run", word)
		}
	}
	if got := strings.Count(text, "<svg"); got != 4 {
		t.Errorf("got %d charts, want two kinds of two tables", got)
	}
	for _, svg := range regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(text, -1) {
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("a chart is no XML: %v", err)
			}
		}
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") || strings.Contains(svg, "#-") {
			t.Errorf("a chart has coordinates or colours that are none: %s", svg)
		}
	}
	if rendered(t, &Page{Job: "j", Tables: []Table{{"all", s}, {"train", s}}}) != text {
		t.Error("the same page twice is not the same bytes")
	}
}

// A column may have other types in other tables, or be missing, or hold nothing.
func TestTablesThatDiffer(t *testing.T) {
	a := statisticsOf(t, `[{"x": 1, "y": null}]`, floats("x"), floats("y"))
	b := statisticsOf(t, `[{"x": "1"}]`, arrow.Field{Name: "x", Type: arrow.BinaryTypes.String})
	text := rendered(t, &Page{Job: "j", Tables: []Table{{"all", a}, {"release 1", b}}})
	if got := strings.Count(text, "<svg"); got != 2 {
		t.Errorf("got %d charts, want those of x in the first table", got)
	}
}

func TestDensities(t *testing.T) {
	tests := []struct {
		name    string
		buckets []stats.Bucket
		want    int     // bars
		area    float64 // in shares of values times the range
	}{
		{"none", nil, 0, 0},
		{"empty", []stats.Bucket{{Low: 0, High: 1}}, 0, 0},
		{"one value", []stats.Bucket{{Low: 3, High: 3, Count: 7}}, 1, 1},
		{"two", []stats.Bucket{{Low: 0, High: 1, Count: 1}, {Low: 1, High: 4, Count: 3}}, 2, 4},
		{"a frequent value", []stats.Bucket{{Low: 0, High: 0, Count: 5}, {Low: 0, High: 0, Count: 5}, {Low: 0, High: 2, Count: 5}}, 1, 2},
		{"large numbers", []stats.Bucket{{Low: -math.MaxFloat64 / 2, High: 0, Count: 1}, {Low: 0, High: math.MaxFloat64 / 2, Count: 1}}, 2, math.MaxFloat64},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := densities(tt.buckets)
			area := 0.
			for _, b := range got {
				area += b.Weight * (b.Max - b.Min)
			}
			if len(got) != tt.want || !(math.Abs(area-tt.area) <= 1e-12*tt.area) {
				t.Errorf("got %d bars with the area %v, want %d with %v", len(got), area, tt.want, tt.area)
			}
		})
	}
}

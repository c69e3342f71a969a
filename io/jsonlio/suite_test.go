package jsonlio

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/internal/shareddata"
	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/io/table/formattest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestSuite accounts for every case of https://github.com/nst/JSONTestSuite by name in
// testdata/jsontestsuite.tsv: what becomes of it as the value of a member, {"v":…}, and as a whole file. As
// a value each y_ case must be a row, and each n_ case none.
//
// A case with line breaks cannot be a row; for the first column those between tokens are made blanks.
func TestSuite(t *testing.T) {
	dir := filepath.Join(shareddata.Path(t, "conformance/JSONTestSuite"), "test_parsing")
	cases, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, c := range cases {
		data, err := os.ReadFile(filepath.Join(dir, c.Name()))
		if err != nil {
			t.Fatal(err)
		}
		line := data
		if strings.HasPrefix(c.Name(), "y_") || strings.HasPrefix(c.Name(), "i_") {
			line = bytes.ReplaceAll(bytes.TrimRight(data, "\n"), []byte("\n"), []byte(" ")) // none is within a string
		}
		value, file := outcome(fmt.Sprintf(`{"v":%s}`, line)), outcome(string(data))
		fmt.Fprintf(&got, "%s\t%s\t%s\n", c.Name(), value, file)
		switch c.Name()[:2] {
		case "y_":
			if value != "row" {
				t.Errorf("%s as a value: got %s, want row", c.Name(), value)
			}
		case "n_":
			if strings.Contains(value, "row") {
				t.Errorf("%s as a value: got %s, want no row", c.Name(), value)
			}
		}
	}
	golden := filepath.Join("testdata", "jsontestsuite.tsv")
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := strings.Split(got.String(), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(gotLines), len(wantLines)) {
		g, w := "nothing", "nothing"
		if i < len(gotLines) {
			g = gotLines[i]
		}
		if i < len(wantLines) {
			w = wantLines[i]
		}
		if g != w {
			t.Fatalf("line %d: got %s, want %s", i+1, g, w)
		}
	}
	if len(cases) != 318 {
		t.Errorf("got %d cases, want 318", len(cases))
	}
}

// outcome is "row" or the rule of a letter for each line of text, behind a good line that keeps the
// file from being without a row.
func outcome(text string) string {
	s := holding("f.jsonl", []byte(`{"good":true}`+"\n"+text))
	_, rows, err := formattest.ReadAll(context.Background(), Format{}, s, "f.jsonl", table.Options{})
	if err != nil {
		return "error " + err.Error()
	}
	kept, dead := rows.Kept[1:], rows.Dead
	var out []string
	for len(kept)+len(dead) > 0 {
		var row int64
		if len(kept) > 0 {
			fmt.Sscanf(kept[0], "row %d:", &row)
		}
		if len(dead) > 0 && (len(kept) == 0 || dead[0].Row < row) {
			out, dead = append(out, dead[0].Rule), dead[1:]
		} else {
			out, kept = append(out, "row"), kept[1:]
		}
	}
	if len(out) == 0 {
		return "blank"
	}
	return strings.Join(out, " ")
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/deadletter/letterfile"
	"github.com/millrace-go/millrace/io/parquetio"
)

// parquetRows is a Parquet file of the rows of smallRows.
func parquetRows(t testing.TB, n int) string {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64},
		{Name: "x", Type: arrow.PrimitiveTypes.Float64},
		{Name: "colour", Type: arrow.BinaryTypes.String},
		{Name: "weight", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		{Name: "kind", Type: arrow.BinaryTypes.String},
	}, nil)
	rb := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer rb.Release()
	for i := range n {
		for c, cell := range strings.Split(smallRow(i), ",") {
			if cell == "" {
				rb.Field(c).AppendNull()
			} else if err := rb.Field(c).AppendValueFromString(cell); err != nil {
				t.Fatal(err)
			}
		}
	}
	var b bytes.Buffer
	w, err := parquetio.NewWriter(&b, schema, parquetio.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rb.NewRecord()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// prediction is a row of a predictions file.
type prediction struct {
	file, class, model string
	row                int64
	probs              []float32
}

// predictions reads out/predictions in the order of file names.
func predictions(t testing.TB, out string) []prediction {
	t.Helper()
	var all []prediction
	for _, name := range sorted(t, filepath.Join(out, "predictions", "*")) {
		data := []byte(read(t, name))
		f, err := parquetio.Open(name, bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		for g := range f.RowGroups() {
			err := f.Read(context.Background(), g, parquetio.ReadOptions{}, func(p parquetio.Part) error {
				all = append(all, predictionsOf(p.Record)...)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return all
}

func predictionsOf(rec arrow.Record) []prediction {
	last := int(rec.NumCols()) - 1
	list := make([]prediction, rec.NumRows())
	for i := range list {
		list[i] = prediction{
			file: rec.Column(0).ValueStr(i), class: rec.Column(2).ValueStr(i), model: rec.Column(last).ValueStr(i),
			row: rec.Column(1).(*array.Int64).Value(i),
		}
		for c := 3; c < last; c++ {
			list[i].probs = append(list[i].probs, rec.Column(c).(*array.Float32).Value(i))
		}
	}
	return list
}

// wantEveryRowOnce checks that rows 1 to n of one file were predicted once each, in order.
func wantEveryRowOnce(t testing.TB, list []prediction, n int) {
	t.Helper()
	if len(list) != n {
		t.Errorf("got %d predictions, want %d", len(list), n)
	}
	for i, p := range list {
		if p.row != int64(i+1) {
			t.Fatalf("prediction %d is of row %d, want row %d", i+1, p.row, i+1)
		}
	}
}

func sorted(t testing.TB, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	sort.Strings(names)
	return names
}

// letters reads out/deadletters/<step>-*, as "row rule column value", by row.
func letters(t testing.TB, out, step string) []string {
	t.Helper()
	var list []string
	for _, name := range sorted(t, filepath.Join(out, "deadletters", step+"-*")) {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		err = letterfile.Read(name, f, info.Size(), func(l deadletter.Letter) error {
			if l.File == "" || l.Reason == "" {
				t.Errorf("letter %+v: want a file and a reason", l)
			}
			list = append(list, fmt.Sprintf("%4d %s %s %s", l.Row, l.Rule, orDash(l.Column), strconv.Quote(l.Value)))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	sort.Strings(list)
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return list
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

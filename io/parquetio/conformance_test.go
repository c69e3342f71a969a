package parquetio

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"

	"github.com/millrace-go/millrace/internal/arrays/arraystest"
	"github.com/millrace-go/millrace/internal/shareddata"
)

// readAll reads the named columns, or all, as one record a row group.
func readAll(b []byte, columns []string, batchRows int) ([]arrow.Record, error) {
	f, err := Open("test.parquet", bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, err
	}
	var out []arrow.Record
	for g := range f.RowGroups() {
		err := f.Read(context.Background(), g, ReadOptions{Columns: columns, BatchRows: batchRows}, func(p Part) error {
			out = append(out, p.Record)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// arrowReads reads one column of a file with Arrow's reader.
func arrowReads(b []byte, column string) (col *arrow.Chunked, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = os.ErrInvalid
		}
	}()
	rdr, err := file.NewParquetReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	fr, err := pqarrow.NewFileReader(rdr, pqarrow.ArrowReadProperties{}, memory.NewGoAllocator())
	if err != nil {
		return nil, err
	}
	i := fr.Manifest.Fields[0].ColIndex
	for _, f := range fr.Manifest.Fields {
		if f.Field.Name == column {
			i = f.ColIndex
		}
	}
	rd, err := fr.GetColumn(context.Background(), i)
	if err != nil {
		return nil, err
	}
	return rd.NextBatch(rdr.NumRows())
}

// skipped says which columns Arrow's reader is no judge of, and why.
func skipped(file, column string, field arrow.Field, arrowErr error) string {
	switch {
	case file == "int96_from_spark.parquet":
		return "Arrow v15 wraps years beyond 2262 around; TestINT96 has the values"
	case strings.Contains(column, "byte_stream_split"), strings.HasPrefix(file, "byte_stream_split."):
		return "Arrow v15 reads BYTE_STREAM_SPLIT as garbage; TestByteStreamSplit compares with plain columns"
	case arrowErr != nil:
		return "Arrow v15 cannot read it: " + arrowErr.Error()
	}
	return ""
}

// Every column of every file is read as Arrow's reader reads it, or refused
// for a reason that is in the file.
func TestConformance(t *testing.T) {
	dir := shareddata.Path(t, "conformance/parquet-testing/data")
	want := map[string]string{ // file, column: part of the error
		"column_chunk_key_value_metadata.parquet":                     "",
		"datapage_v1-corrupt-checksum.parquet/a":                      "page checksum",
		"datapage_v1-corrupt-checksum.parquet/b":                      "page checksum",
		"rle-dict-uncompressed-corrupt-checksum.parquet/long_field":   "page checksum",
		"rle-dict-uncompressed-corrupt-checksum.parquet/binary_field": "page checksum",
	}
	read := 0
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() || !strings.HasSuffix(path, ".parquet") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		f, err := Open(name, bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return nil
		}
		for _, field := range f.Schema().Fields() {
			got, err := columnText(b, field.Name)
			reason, _ := field.Metadata.GetValue(unsupportedKey)
			if part := want[name+"/"+field.Name] + reason; part != "" {
				if err == nil || !strings.Contains(err.Error(), part) || !strings.Contains(err.Error(), field.Name) {
					t.Errorf("%s, column %s: got error %v, want one with %q", name, field.Name, err, part)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s, column %s: %v", name, field.Name, err)
				continue
			}
			read++
			compare(t, name, field, b, got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read < 200 { // there were 260 when this was written
		t.Errorf("%d columns were read, want at least 200", read)
	}
}

func columnText(b []byte, column string) (out []string, err error) {
	recs, err := readAll(b, []string{column}, 100)
	for _, r := range recs {
		out = append(out, arraystest.Text(r)...)
	}
	return out, err
}

func compare(t *testing.T, name string, field arrow.Field, b []byte, got []string) {
	t.Helper()
	want, err := arrowReads(b, field.Name)
	if skipped(name, field.Name, field, err) != "" {
		return
	}
	var lines []string
	for _, c := range want.Chunks() {
		s := arrow.NewSchema([]arrow.Field{{Name: field.Name, Type: c.DataType(), Nullable: true}}, nil)
		lines = append(lines, arraystest.Text(array.NewRecord(s, []arrow.Array{c}, int64(c.Len())))...)
	}
	if slices.Equal(got, lines) {
		return
	}
	if len(got) != len(lines) && name != "repeated_no_annotation.parquet" { // whose footer says 0 rows, which Arrow believes
		t.Errorf("%s, column %s: got %d rows, want %d", name, field.Name, len(got), len(lines))
		return
	}
	for i := range lines {
		if got[i] != lines[i] && !sameNumber(got[i], lines[i]) && !sameTime(got[i], lines[i]) {
			t.Errorf("%s, column %s, row %d: got %s, want %s", name, field.Name, i, got[i], lines[i])
			return
		}
	}
}

// sameNumber is for decimals and half floats, which we read as floats.
func sameNumber(a, b string) bool {
	x, errX := strconv.ParseFloat(strings.Trim(a, "\"|"), 64)
	y, errY := strconv.ParseFloat(strings.Trim(b, "\"|"), 64)
	return errX == nil && errY == nil && (x == y || x != x && y != y)
}

// sameTime is for INT96, which Arrow's reader takes for UTC.
func sameTime(a, b string) bool { return strings.TrimSuffix(a, "\"|") == strings.TrimSuffix(b, "Z\"|") }

func TestByteStreamSplit(t *testing.T) {
	b, err := os.ReadFile(shareddata.Path(t, "conformance/parquet-testing/data/byte_stream_split_extended.gzip.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"float16", "float", "double", "int32", "int64", "decimal"} {
		want, err := columnText(b, kind+"_plain")
		if err != nil {
			t.Fatal(err)
		}
		got, err := columnText(b, kind+"_byte_stream_split")
		if err != nil || len(got) != 200 || !slices.Equal(got, want) {
			t.Errorf("%s: got %d rows %q, error %v, want %q", kind, len(got), got, err, want)
		}
	}
}

func TestEncrypted(t *testing.T) {
	files, err := filepath.Glob(shareddata.Path(t, "conformance/parquet-testing/data") + "/*.parquet.encrypted")
	if err != nil || len(files) < 5 {
		t.Fatalf("files %v, error %v", files, err)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := readAll(b, nil, 100); err == nil || !strings.Contains(err.Error(), "encrypted, which is not supported") {
			t.Errorf("%s: got error %v, want one that says encrypted", path, err)
		}
	}
}

// The values are those of int96_from_spark.md beside the file.
func TestINT96(t *testing.T) {
	b, err := os.ReadFile(shareddata.Path(t, "conformance/parquet-testing/data/int96_from_spark.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	recs, err := readAll(b, nil, 100)
	if err != nil || len(recs) != 1 {
		t.Fatalf("%d records, error %v, want one", len(recs), err)
	}
	col := recs[0].Column(0).(*array.Timestamp)
	want := []int64{1704141296123456, 1704070800000000, 253402225200000000, 1735599600000000, 0, 9089380393200000000}
	if col.Len() != len(want) || col.NullN() != 1 || !col.IsNull(4) {
		t.Fatalf("got %v, want %d values, the fifth null", col, len(want))
	}
	for i, v := range want {
		if got := int64(col.Value(i)); got != v {
			t.Errorf("row %d: got %d µs since 1970, want %d", i, got, v)
		}
	}
}

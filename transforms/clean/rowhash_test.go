package clean

import (
	"fmt"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/zeebo/xxh3"

	"github.com/millrace-go/millrace/io/batch"
)

// TestHashRowsGolden holds the hash in place: a change here moves the rows of
// every job to other splits.
func TestHashRowsGolden(t *testing.T) {
	b := table(
		col("s", "abc", "", null),
		typed(t, "i", arrow.PrimitiveTypes.Int64, "-1", "0", null),
		typed(t, "f", arrow.PrimitiveTypes.Float64, "0.5", "-0", null),
		typed(t, "b", arrow.FixedWidthTypes.Boolean, "true", "false", null),
		typed(t, "d", arrow.FixedWidthTypes.Date32, "2000-01-01", "1970-01-01", null),
		typed(t, "t", arrow.FixedWidthTypes.Timestamp_us, "2000-01-01", "1970-01-01", null),
	)
	want := []string{"0c2a2d862791be9695b512b3df4269bd", "e7f690725a11b5ed22fc62c74463ec48", "d549b1ebc4f70c3a3f4ece58ec0e5d0b"}
	got, err := HashRows(b, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, h := range got {
		if s := fmt.Sprintf("%016x%016x", h.Hi, h.Lo); s != want[i] {
			t.Errorf("row %d: got %s, want %s", i, s, want[i])
		}
	}
}

// TestHashRowsEncoding spells the canonical bytes of one row out.
func TestHashRowsEncoding(t *testing.T) {
	b := table(col("s", "hi"), typed(t, "i", arrow.PrimitiveTypes.Int64, "258"), col("n", null))
	got, err := HashRows(b, nil)
	want := xxh3.Hash128([]byte("\x01\x02\x00\x00\x00\x00\x00\x00\x00hi" + "\x02\x02\x01\x00\x00\x00\x00\x00\x00" + "\x00"))
	if err != nil || got[0] != want {
		t.Errorf("got %x, %v, want %x", got, err, want)
	}
}

// TestHashRowsDistinct lists rows that must all differ, and then those that
// must not.
func TestHashRowsDistinct(t *testing.T) {
	rows := table(
		col("a", "x", "xy", "", null, null, "", "1"),
		col("b", "yz", "z", null, "", null, "", ""),
	)
	got, err := HashRows(rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[xxh3.Uint128]int{}
	for i, h := range got {
		if j, ok := seen[h]; ok {
			t.Errorf("rows %d and %d have one hash", j, i)
		}
		seen[h] = i
	}
	one, err := HashRows(table(typed(t, "a", arrow.PrimitiveTypes.Int64, "1"), col("b", "")), nil)
	if err != nil || one[0] == got[6] {
		t.Errorf("the integer 1 and the text 1 have one hash (%v)", err)
	}
}

func TestHashRowsSame(t *testing.T) {
	hash := func(columns []string, c ...named) xxh3.Uint128 {
		t.Helper()
		h, err := HashRows(table(c...), columns)
		if err != nil {
			t.Fatal(err)
		}
		return h[0]
	}
	f64, i64 := arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Int64
	if hash(nil, typed(t, "x", f64, "0")) != hash(nil, typed(t, "x", f64, "-0")) {
		t.Error("0 and -0 differ")
	}
	if hash(nil, typed(t, "x", i64, "5")) != hash(nil, typed(t, "y", arrow.PrimitiveTypes.Int8, "5")) {
		t.Error("names or widths count")
	}
	a, b := typed(t, "a", i64, "1"), typed(t, "b", i64, "2")
	if hash([]string{"a", "b"}, a, b) != hash([]string{"a", "b"}, b, a) {
		t.Error("the order of the batch counts beside that of the list")
	}
	if hash([]string{"b", "a"}, a, b) == hash([]string{"a", "b"}, a, b) {
		t.Error("the order of the list does not count")
	}
}

func TestHashRowsOfSlice(t *testing.T) {
	b := randomTable(t, 50)
	all, err1 := HashRows(b, nil)
	some, err2 := HashRows(batch.Slice(b, 13, 40), nil)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	for i, h := range some {
		if h != all[13+i] {
			t.Fatalf("row %d: got %x, want %x", i, h, all[13+i])
		}
	}
}

func TestHashRowsErrors(t *testing.T) {
	if _, err := HashRows(table(col("a", "x")), []string{"b"}); err == nil {
		t.Error("a column that is missing: no error")
	}
	list := arrow.ListOf(arrow.PrimitiveTypes.Int8)
	if _, err := HashRows(table(typed(t, "l", list, null)), nil); err == nil {
		t.Error("a list: no error")
	}
}

package idxio

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/millrace-go/millrace/internal/shareddata"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/store/storetest"
	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/io/table/formattest"
)

// idx is a file of items of these dimensions.
func idx(kind byte, items []byte, dims ...uint32) []byte {
	out := []byte{0, 0, kind, byte(len(dims))}
	for _, d := range dims {
		out = binary.BigEndian.AppendUint32(out, d)
	}
	return append(out, items...)
}

// upTo is the bytes from 0 on.
func upTo(n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(i)
	}
	return out
}

func zip(t testing.TB, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func storeOf(t testing.TB, files map[string][]byte) store.Store {
	t.Helper()
	s := storetest.NewMemory()
	for name, data := range files {
		if err := store.WriteAll(t.Context(), s, name, data); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestFormat(t *testing.T) {
	images := idx(8, upTo(240), 40, 2, 3)
	formattest.Run(t, Format{},
		formattest.File{Name: "images-idx3-ubyte", Data: images, Kept: 40, Sealed: true},
		formattest.File{Name: "labels-idx1-ubyte", Data: idx(8, upTo(50), 50), Kept: 50, Sealed: true},
		formattest.File{Name: "images-idx3-ubyte.gz", Data: zip(t, images), Kept: 40, Sealed: true})
}

func TestHostile(t *testing.T) {
	formattest.Hostile(t, Format{}, formattest.File{Name: "a.idx", Data: idx(8, upTo(60), 10, 2, 3)}, 5000)
	formattest.Hostile(t, Format{}, formattest.File{Name: "a.idx.gz", Data: zip(t, idx(8, upTo(60), 10, 2, 3))}, 5000)
}

func TestTypes(t *testing.T) {
	f32 := binary.BigEndian.AppendUint32(nil, math.Float32bits(1.5))
	f64 := binary.BigEndian.AppendUint64(nil, math.Float64bits(-2.25))
	for _, tt := range []struct {
		data []byte
		want string
	}{
		{idx(8, []byte{0, 255}, 2), `row 1: "value"="0"|row 2: "value"="255"`},
		{idx(9, []byte{0, 255}, 2), `row 1: "value"="0"|row 2: "value"="-1"`},
		{idx(0xb, []byte{1, 2, 255, 254}, 2), `row 1: "value"="258"|row 2: "value"="-2"`},
		{idx(0xc, []byte{0, 1, 0, 0}, 1), `row 1: "value"="65536"`},
		{idx(0xd, f32, 1), `row 1: "value"="1.5"`},
		{idx(0xe, f64, 1), `row 1: "value"="-2.25"`},
		{idx(0xb, []byte{0, 1, 0, 2, 0, 3, 0, 4}, 2, 2), `row 1: "pixels"="[1,2]"|row 2: "pixels"="[3,4]"`},
	} {
		_, rows, err := formattest.ReadAll(t.Context(), Format{}, storeOf(t, map[string][]byte{"f": tt.data}), "f", table.Options{SpanBytes: 1})
		if err != nil || strings.Join(rows.Kept, "|") != tt.want {
			t.Errorf("got %v, error %v, want %s", rows, err, tt.want)
		}
	}
}

func TestLabels(t *testing.T) {
	s := storeOf(t, map[string][]byte{"d/images-idx3": idx(8, upTo(8), 4, 1, 2), "d/labels-idx1": idx(8, []byte{7, 6, 5, 4}, 4), "x": idx(8, nil, 0)})
	o := table.Options{SpanBytes: 4, IDX: table.IDX{Labels: true}}
	_, rows, err := formattest.ReadAll(t.Context(), Format{}, s, "d/images-idx3", o)
	want := `row 1: "pixels"="[0,1]" "label"="7"|row 2: "pixels"="[2,3]" "label"="6"|row 3: "pixels"="[4,5]" "label"="5"|row 4: "pixels"="[6,7]" "label"="4"`
	if err != nil || strings.Join(rows.Kept, "|") != want {
		t.Errorf("got %v, error %v, want %s", rows, err, want)
	}
	if err := store.WriteAll(t.Context(), s, "d/labels-idx1", idx(8, upTo(5), 5)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"d/images-idx3": "labels d/labels-idx1: 5 items of 1 dimensions, want 4 of one",
		"d/labels-idx1": "no file of labels goes with it",
		"x":             "no data rows",
	} {
		_, err := Format{}.Survey(t.Context(), s, name, o)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "idxio: "+name) {
			t.Errorf("%s: got error %v, want %s", name, err, want)
		}
	}
}

func TestFileErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "truncated"},
		{"text", []byte("hello world"), "it begins with the bytes 68656c6c: no idx file"},
		{"type", idx(7, upTo(1), 1), "no idx file"},
		{"short", idx(8, upTo(5), 3, 2), "5 bytes of items, want 6: the file is truncated"},
		{"long", idx(8, upTo(7), 3, 2), "there are bytes behind its 3 items"},
		{"large", idx(8, nil, 1, 1<<31, 1<<31), "items with a side of 2147483648, want items of at most 32 MiB"},
		{"empty items", idx(8, nil, 1, 0), "items with a side of 0"},
	} {
		_, err := Format{}.Survey(t.Context(), storeOf(t, map[string][]byte{"f": tt.data}), "f", table.Options{})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want %s", tt.name, err, tt.want)
		}
	}
}

// MNIST: how often each digit is in the test set, and the sum of all pixels of the image that is a 7 first.
func TestMNIST(t *testing.T) {
	s, err := store.Local(shareddata.Path(t, "images/mnist"))
	if err != nil {
		t.Fatal(err)
	}
	o := table.Options{IDX: table.IDX{Labels: true}}
	file, err := Format{}.Survey(t.Context(), s, "t10k-images-idx3-ubyte.gz", o)
	if err != nil || file.Rows != 10_000 || file.Schema.NumFields() != 2 {
		t.Fatalf("got %+v, error %v, want 10,000 rows of pixels and label", file, err)
	}
	var digits [10]int
	first := 0
	err = Format{}.Read(t.Context(), s, file.Spans[0], o, func(b *batch.Batch) error {
		for _, v := range b.Record.Column(1).(*array.Uint8).Uint8Values() {
			digits[v]++
		}
		if b.Rows[0] == 1 {
			for _, p := range b.Record.Column(0).(*array.FixedSizeList).ListValues().(*array.Uint8).Uint8Values()[:784] {
				first += int(p)
			}
		}
		return nil
	}, func(l deadletter.Letter) error { return fmt.Errorf("dead: %+v", l) })
	want := [10]int{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}
	if err != nil || digits != want || first != 18454 {
		t.Errorf("got digits %v, a first image of sum %d, error %v, want %v and 18454", digits, first, err, want)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(idx(8, upTo(60), 10, 2, 3))
	f.Add(idx(0xe, upTo(16), 2))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := storeOf(t, map[string][]byte{"f": data})
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

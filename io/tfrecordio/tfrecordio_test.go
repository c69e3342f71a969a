package tfrecordio

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"os"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/millrace-go/millrace/internal/shareddata"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/store/storetest"
	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/io/table/formattest"
)

func storeOf(t testing.TB, name string, data []byte) store.Store {
	t.Helper()
	s := storetest.NewMemory()
	if err := store.WriteAll(context.Background(), s, name, data); err != nil {
		t.Fatal(err)
	}
	return s
}

// frame makes a TFRecord file of messages.
func frame(messages ...string) []byte {
	var out []byte
	for _, m := range messages {
		head := binary.LittleEndian.AppendUint64(nil, uint64(len(m)))
		out = append(out, head...)
		out = binary.LittleEndian.AppendUint32(out, masked(head))
		out = append(out, m...)
		out = binary.LittleEndian.AppendUint32(out, masked([]byte(m)))
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

func zstandard(t testing.TB, data []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(data, nil)
}

// part is a field of a message that holds bytes.
func part(number int, body string) string {
	return string(binary.AppendUvarint([]byte{byte(number<<3 | 2)}, uint64(len(body)))) + body
}

// Messages by hand: an example of entries, each of a name and a tf.Feature.
func example(entries ...string) string {
	all := ""
	for _, e := range entries {
		all += e
	}
	return part(1, all)
}

func entryOf(name, feature string) string { return part(1, part(1, name)+part(2, feature)) }

func ints(values ...int64) string {
	var b []byte
	for _, v := range values {
		b = binary.AppendUvarint(b, uint64(v))
	}
	return part(3, part(1, string(b)))
}

func floats(bits ...uint32) string {
	var b []byte
	for _, v := range bits {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return part(2, part(1, string(b)))
}

func texts(values ...string) string {
	all := ""
	for _, v := range values {
		all += part(1, v)
	}
	return part(1, all)
}

// steps is a tf.FeatureList.
func steps(features ...string) string {
	all := ""
	for _, f := range features {
		all += part(1, f)
	}
	return all
}

const one = 0x3f800000 // the bits of 1 as a float32

// mixed has 8 good records and one of each fault that a record can have.
func mixed() []byte {
	return frame(
		example(entryOf("id", ints(1)), entryOf("name", texts("a")), entryOf("tags", texts("x", "y")), entryOf("w", floats(one))),
		example(entryOf("name", texts("b")), entryOf("id", ints(2))), // another order, two missing
		"\xff\xff not an example",
		example(entryOf("id", ints(-4)), entryOf("tags", texts()), entryOf("w", "")),
		example(entryOf("id", floats(one))),
		"",
		example(entryOf("id", part(3, "\x08\x07")), entryOf("w", part(2, "\x0d\x00\x00\x80\x3f"))), // not packed
		example(entryOf("id", ints(8)), entryOf("name", texts("longer than ten"))),
		example(entryOf("id", ints(9)))+part(2, entryOf("seq", steps(ints(1), "", ints(3)))+entryOf("id", steps(texts("s"), texts("t", "u")))),
		example(entryOf("id", ints(10)), entryOf("id", ints(11)), entryOf("raw", texts("\xff\x00"))),
		example(entryOf("id", ints(12)), entryOf("w", part(2, part(1, "abc")))),
		example(entryOf("id", texts())), // empty, of another kind: null
	)
}

func TestFormat(t *testing.T) {
	o := table.Options{MaxCellBytes: 40}
	formattest.Run(t, Format{},
		formattest.File{Name: "mixed.tfrecord", Data: mixed(), Kept: 9, Dead: 3, Options: o},
		formattest.File{Name: "mixed.tfrecord.gz", Data: zip(t, mixed()), Kept: 9, Dead: 3, Sealed: true, Options: o},
		formattest.File{Name: "mixed.tfrecord-00000-of-00001.zst", Data: zstandard(t, mixed()), Kept: 9, Dead: 3, Sealed: true, Options: o},
	)
}

func TestTaxiShards(t *testing.T) {
	for name, want := range map[string]int{"tfrecord-00000-of-00002.gz": 9988, "tfrecord-00001-of-00002.gz": 5012} {
		data, err := os.ReadFile(shareddata.Path(t, "tabular/chicago_taxi/"+name))
		if err != nil {
			t.Fatal(err)
		}
		file, rows, err := formattest.ReadAll(t.Context(), Format{}, storeOf(t, name, data), name, table.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(rows.Kept) != want || len(rows.Dead) > 0 {
			t.Errorf("%s: got %d rows and dead %+v, want %d", name, len(rows.Kept), rows.Dead, want)
		}
		t.Log(file.Schema, rows.Kept[0])
	}
}

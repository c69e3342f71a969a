package arrowsafe

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// messages cuts a stream into the metadata of its messages.
func messages(t *testing.T, b []byte) (out [][]byte) {
	t.Helper()
	for {
		n := binary.LittleEndian.Uint32(b[4:])
		if n == 0 {
			return out
		}
		meta := b[8 : 8+n]
		out = append(out, meta)
		m, err := ReadMessage(meta)
		if err != nil {
			t.Fatal(err)
		}
		b = b[8+int64(n)+m.Body:]
	}
}

// zoned has a column of each type with settings, one of them in a dictionary.
func zoned() *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{
		{Name: "i", Type: arrow.PrimitiveTypes.Uint16},
		{Name: "d", Type: &arrow.Decimal128Type{Precision: 9, Scale: 2}, Nullable: true},
		{Name: "t", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "Europe/Oslo"}},
		{Name: "l", Type: arrow.FixedSizeListOf(3, arrow.PrimitiveTypes.Float32)},
		{Name: "w", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}},
	}, nil)
}

// written is a stream of zoned with two rows, compressed.
func written(t *testing.T) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := ipc.NewWriter(&buf, ipc.WithSchema(zoned()), ipc.WithZstd())
	if err := w.Write(rows(t)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// rows is a record of zoned with two rows.
func rows(t *testing.T) arrow.Record {
	t.Helper()
	b := array.NewRecordBuilder(memory.NewGoAllocator(), zoned())
	for _, text := range []string{"a", "b"} {
		for _, f := range b.Fields()[:4] {
			f.AppendEmptyValue()
		}
		if err := b.Field(4).(*array.BinaryDictionaryBuilder).AppendString(text); err != nil {
			t.Fatal(err)
		}
	}
	return b.NewRecord()
}

func TestReadMessage(t *testing.T) {
	all := messages(t, written(t))
	if len(all) != 3 {
		t.Fatalf("got %d messages, want a schema, a dictionary and a record batch", len(all))
	}
	m, err := ReadMessage(all[0])
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, f := range m.Schema.Fields {
		got += fmt.Sprintf("%s %v %d %v %s %d;", f.Name, f.Nullable, f.Type, f.Params, f.Zone, len(f.Children))
	}
	want := "i false 2 [16 0 0]  0;d true 7 [9 2 128]  0;t false 10 [2 0 0] Europe/Oslo 0;l false 16 [3 0 0]  1;w false 5 [0 0 0]  0;"
	if e := m.Schema.Fields[4].Dictionary; got != want || e == nil || e.Bits != 8 || !e.Signed || m.Schema.Version != 4 || m.Schema.BigEndian {
		t.Errorf("got %s %+v of version %d, want %s", got, e, m.Schema.Version, want)
	}
	if d, err := ReadMessage(all[1]); err != nil || d.Kind != DictionaryMessage || d.ID != m.Schema.Fields[4].Dictionary.ID || d.Delta || d.Batch.Rows != 2 {
		t.Errorf("got dictionary %+v, error %v", d, err)
	}
	r, err := ReadMessage(all[2])
	if err != nil || r.Kind != BatchMessage || r.Batch.Rows != 2 || len(r.Batch.Nodes) != 6 || r.Batch.Codec != ZSTD {
		t.Errorf("got record batch %+v, error %v", r, err)
	}
	for _, meta := range all {
		for cut := range meta {
			if _, err := ReadMessage(meta[:cut]); err == nil && cut < len(meta)/2 {
				t.Errorf("cut at byte %d of %d: no error", cut, len(meta))
			}
		}
	}
}

// A body that is smaller than its buffers say.
func TestReadMessageBuffers(t *testing.T) {
	m := messages(t, written(t))[2]
	body := flat(m).field(flat(m).root(), msgBody)
	for _, n := range []uint64{1 << 63, 0, 8} { // negative, and less than there is
		binary.LittleEndian.PutUint64(m[body:], n)
		if _, err := ReadMessage(m); err == nil {
			t.Errorf("a body of %d bytes: no error", int64(n))
		}
	}
}

func TestReadFooter(t *testing.T) {
	file := footerOf(t)
	f, err := ReadFooter(file, 1<<20)
	if err != nil || len(f.Schema.Fields) != 5 || len(f.Batches) != 1 || len(f.Dictionaries) != 1 {
		t.Fatalf("got %+v, error %v, want 5 columns, a record batch and a dictionary", f, err)
	}
	if _, err := ReadFooter(file, 100); err == nil {
		t.Error("a file of 100 bytes: no error, want one for blocks beyond it")
	}
	if _, err := CheckFooter(file, 1<<20); err != nil {
		t.Errorf("CheckFooter: %v", err)
	}
}

// footerOf is the footer of a file of zoned.
func footerOf(t *testing.T) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := ipc.NewFileWriter(&seeker{&buf}, ipc.WithSchema(zoned()))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rows(t)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	data := buf.Bytes()
	tail := len(data) - 10
	n := int(binary.LittleEndian.Uint32(data[tail:]))
	return data[tail-n : tail]
}

// seeker gives Arrow's file writer the only seek that it asks for.
type seeker struct{ *bytes.Buffer }

func (s *seeker) Seek(int64, int) (int64, error) { return int64(s.Len()), nil }

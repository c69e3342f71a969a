package ledger

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/io/store"
)

// sample is an entry with all that an entry can have.
func sample() Entry {
	return Entry{
		Counts: Counts{"read": 10, "kept": 6, "drop:duplicate": 1, "dead:x.range": 2, "dead:csv.utf8": 1},
		Parts: []Part{
			{Kind: "dead/clean", Span: 1, FirstRow: 7, Rows: 2, Object: store.RefOf("a/b", []byte("text"))},
			{Kind: "train/0001", Span: 0, FirstRow: 1, Rows: 6, Object: store.RefOf("c", nil)},
		},
	}
}

func localStore(t testing.TB) store.Store {
	t.Helper()
	s, err := store.Local(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCounts(t *testing.T) {
	c := sample().Counts
	if got := c.Sum("dead:"); got != 3 {
		t.Errorf(`Sum("dead:") = %d, want 2 + 1`, got)
	}
	if got, want := c.Rules("dead:"), map[string]int64{"x.range": 2, "csv.utf8": 1}; !reflect.DeepEqual(got, want) {
		t.Errorf(`Rules("dead:") = %v, want %v`, got, want)
	}
	c.Merge(Counts{"read": 5, "part:test": 1, "zero": 0})
	if c["read"] != 15 || c["part:test"] != 1 {
		t.Errorf("merged: got %v, want 15 read and 1 part:test", c)
	}
	if _, ok := c["zero"]; ok {
		t.Error("a count of zero is listed; a manifest would differ by it")
	}
}

func TestEntryCoder(t *testing.T) {
	for _, want := range []Entry{{}, sample()} {
		data, err := encodeEntry(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeEntry(data)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	for _, bad := range []string{"", "{", "[]", `{"counts":{"a":"b"}}`, `{"rows":1}`} {
		if e, err := decodeEntry([]byte(bad)); err == nil {
			t.Errorf("decodeEntry(%q) = %+v, want an error", bad, e)
		}
	}
}

// Entries may come in any order and grouping.
func TestMergeOrder(t *testing.T) {
	var entries []Entry
	for i := range 6 {
		entries = append(entries, Entry{
			Counts: Counts{"read": int64(i + 1), fmt.Sprintf("dead:r%d", i%2): 1},
			Parts:  []Part{{Kind: fmt.Sprint("k", i%2), Span: i / 3, FirstRow: int64(10 - i)}},
		})
	}
	merge := func(order []int) []byte {
		var e Entry
		for _, i := range order {
			e.Merge(entries[i])
		}
		e.Sort()
		data, err := seal(&e)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	want := merge([]int{0, 1, 2, 3, 4, 5})
	for _, order := range [][]int{{5, 4, 3, 2, 1, 0}, {2, 0, 4, 1, 5, 3}} {
		if got := merge(order); !bytes.Equal(got, want) {
			t.Errorf("order %v: got %s, want %s", order, got, want)
		}
	}
}

// Any change of a manifest is found, and so is any shorter one.
func TestSealFindsEveryFlip(t *testing.T) {
	e := sample()
	data, err := seal(&e)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := unseal(data); err != nil || !reflect.DeepEqual(got, e) {
		t.Fatalf("whole: got %+v, %v, want %+v", got, err, e)
	}
	for i := range data {
		for bit := range 8 {
			damaged := bytes.Clone(data)
			damaged[i] ^= 1 << bit
			if _, err := unseal(damaged); err == nil {
				t.Errorf("bit %d of byte %d (%q) flipped: no error", bit, i, data[i])
			}
		}
		if _, err := unseal(data[:i]); err == nil {
			t.Errorf("cut to %d bytes: no error", i)
		}
	}
	if _, err := unseal(append(bytes.Clone(data), ' ')); err == nil {
		t.Error("a byte more: no error")
	}
}

func FuzzManifest(f *testing.F) {
	e := sample()
	data, err := seal(&e)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"sha256":"","entry":null}`))
	f.Add([]byte(`{"sha256":"","entry":{"counts":{"":-1}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := unseal(data)
		if err != nil {
			return
		}
		again, err := seal(&e)
		if err != nil || !bytes.Equal(again, data) {
			t.Errorf("accepted %q, which seals as %q (%v)", data, again, err)
		}
	})
}

func TestLoad(t *testing.T) {
	ctx, s := context.Background(), localStore(t)
	if e, found, err := Load(ctx, s, "m.json"); found || err != nil || e.Counts == nil {
		t.Errorf("missing: got %+v, %v, %v, want an empty entry", e, found, err)
	}
	e := sample()
	if err := Save(ctx, s.URI(), "m.json", &e); err != nil {
		t.Fatal(err)
	}
	if got, found, err := Load(ctx, s, "m.json"); !found || err != nil || !reflect.DeepEqual(got, e) {
		t.Errorf("got %+v, %v, %v, want %+v", got, found, err, e)
	}
	if err := store.WriteAll(ctx, s, "m.json", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Load(ctx, s, "m.json"); err == nil || !strings.Contains(err.Error(), "m.json: ") || !strings.Contains(err.Error(), "remove it and run again") {
		t.Errorf("damaged: got error %v, want the name and the remedy", err)
	}
}

// rowsOf is a writer of one line a row.
type rowsOf struct{ w io.Writer }

func (r rowsOf) Close() error {
	_, err := io.WriteString(r.w, "end\n")
	return err
}

// spool writes rows 1 to 20 of two spans, kept in two kinds, in batches of n rows.
func spool(t *testing.T, s *Spool[rowsOf], n int) []Part {
	t.Helper()
	for span := range 2 {
		for from := 1; from <= 20; from += n {
			for _, kind := range []string{"odd", "even"} {
				var rows []int
				for row := from; row < min(from+n, 21); row++ {
					if (row%2 == 1) == (kind == "odd") {
						rows = append(rows, row)
					}
				}
				if len(rows) == 0 {
					continue
				}
				w, err := s.Writer(context.Background(), kind, span, int64(rows[0]), int64(len(rows)))
				if err != nil {
					t.Fatal(err)
				}
				for _, row := range rows {
					if _, err := fmt.Fprintf(w.w, "%d\n", row); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
	parts, err := s.Flush()
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

func TestSpool(t *testing.T) {
	ctx, at := context.Background(), localStore(t)
	open := func() *Spool[rowsOf] {
		s, err := NewSpool(Sink{Store: at.URI(), Prefix: "p"}, ".txt", func(w io.Writer) (rowsOf, error) { return rowsOf{w}, nil })
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	want := spool(t, open(), 20)
	if len(want) != 4 { // two kinds in each of two spans
		t.Fatalf("got parts %+v, want 4", want)
	}
	for _, p := range want {
		data, err := store.GetObject(ctx, at, p.Object)
		if err != nil {
			t.Fatal(err)
		}
		if lines := strings.Split(string(data), "\n"); p.Rows != 10 || len(lines) != 12 || lines[0] != fmt.Sprint(p.FirstRow) || lines[10] != "end" {
			t.Errorf("part %+v holds %q, want its 10 rows from the first on", p, data)
		}
	}
	for _, n := range []int{1, 3, 7} {
		if got := spool(t, open(), n); !reflect.DeepEqual(got, want) {
			t.Errorf("in batches of %d: got %+v, want %+v", n, got, want)
		}
	}
	again := open() // a bundle that fails, and is run again
	if _, err := again.Writer(ctx, "odd", 0, 1, 1); err != nil {
		t.Fatal(err)
	}
	again.Abandon()
	if got := spool(t, again, 20); !reflect.DeepEqual(got, want) {
		t.Errorf("after Abandon: got %+v, want %+v", got, want)
	}
	list, err := at.List(ctx, "")
	if err != nil || len(list) != 4 {
		t.Errorf("got objects %v, %v, want the 4 parts", list, err)
	}
	if n, err := store.SweepTemporaries(ctx, at); n != 0 || err != nil {
		t.Errorf("got %d temporary objects (%v), want none", n, err)
	}
}

// A part whose writer cannot close is not committed, and leaves nothing.
func TestSpoolFails(t *testing.T) {
	ctx, at := context.Background(), localStore(t)
	s, err := NewSpool(Sink{Store: at.URI(), Prefix: "p"}, ".txt", func(w io.Writer) (failing, error) { return failing{}, nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"a", "b"} {
		if _, err := s.Writer(ctx, kind, 0, 1, 1); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Flush(); err == nil || !strings.Contains(err.Error(), "p/a/000000-000000000001.txt: cannot close") {
		t.Errorf("got error %v, want the object's name and the cause", err)
	}
	s.Abandon()
	list, err := at.List(ctx, "")
	if n, serr := store.SweepTemporaries(ctx, at); len(list) != 0 || err != nil || n != 0 || serr != nil {
		t.Errorf("got objects %v and %d temporary ones, want none", list, n)
	}
}

type failing struct{}

func (failing) Close() error { return fmt.Errorf("cannot close") }

func TestOf(t *testing.T) {
	e := sample()
	if got := e.Of("train/0001"); len(got) != 1 || !slices.Equal(got, e.Parts[1:]) {
		t.Errorf("got %+v, want the second part", got)
	}
	if got := e.Of("train"); got != nil {
		t.Errorf("got %+v, want none: kinds are whole names", got)
	}
}

package letterfile

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/io/deadletter"
)

func file(t *testing.T, letters ...deadletter.Letter) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := NewWriter(&buf)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(letters...); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func read(p []byte) (out []deadletter.Letter, err error) {
	err = Read("l.parquet", bytes.NewReader(p), int64(len(p)), func(l deadletter.Letter) error {
		out = append(out, l)
		return nil
	})
	return out, err
}

func TestRoundTrip(t *testing.T) {
	letters := []deadletter.Letter{
		{File: "a.csv", Row: 3, Line: 5, Rule: "csv.ragged", Value: "1,2", Reason: "want 3 cells, has 2"},
		{File: "b.parquet", Row: 1, Rule: "speed.range", Column: "speed", Value: "-4", Reason: "want 0 to 300"},
	}
	got, err := read(file(t, letters...))
	if err != nil || !slices.Equal(got, letters) {
		t.Errorf("got %+v, error %v, want %+v", got, err, letters)
	}
	if none, err := read(file(t)); err != nil || len(none) != 0 {
		t.Errorf("a file without letters: got %+v, error %v", none, err)
	}
}

// More letters than a row group has rows: none lost, the same bytes again.
func TestMany(t *testing.T) {
	letters := make([]deadletter.Letter, 140_000)
	for i := range letters {
		letters[i] = deadletter.Letter{File: "f", Row: int64(i + 1), Rule: "r", Value: fmt.Sprint(i), Reason: "x"}
	}
	p := file(t, letters...)
	got, err := read(p)
	if err != nil || !slices.Equal(got, letters) {
		t.Errorf("got %d letters, error %v, want the %d written", len(got), err, len(letters))
	}
	if !bytes.Equal(p, file(t, letters...)) {
		t.Error("the same letters give different bytes")
	}
}

func TestTextsAreCut(t *testing.T) {
	got, err := read(file(t, deadletter.Letter{File: "f\xff", Row: 1, Rule: "r", Value: strings.Repeat("\xff", 300), Reason: "bad\x00"}))
	if err != nil {
		t.Fatal(err)
	}
	want := deadletter.Letter{File: `f\xff`, Row: 1, Rule: "r", Value: strings.Repeat(`\xff`, deadletter.MaxValueBytes/4), Reason: `bad\x00`}
	if len(got) != 1 || got[0] != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

type full struct{ room int }

var errFull = errors.New("disk full")

func (f *full) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWriteErrors(t *testing.T) {
	whole := len(file(t, deadletter.Letter{Row: 1}))
	for room := range whole {
		w, err := NewWriter(&full{room})
		if err == nil {
			if err = w.Write(deadletter.Letter{Row: 1}); err == nil {
				err = w.Close()
			}
		}
		if !errors.Is(err, errFull) {
			t.Fatalf("room for %d of %d bytes: got error %v, want %v", room, whole, err, errFull)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	if _, err := read([]byte("no parquet file")); err == nil || !strings.Contains(err.Error(), "l.parquet") {
		t.Errorf("got error %v, want one that names the file", err)
	}
}

package tfrecordio

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/internal/arrays/arraystest"
	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/io/table/formattest"
)

// Damaged files: every flip is found by a checksum, but for those in what gzip wraps around.
func TestHostile(t *testing.T) {
	flips := 10_000
	if testing.Short() {
		flips = 500
	}
	rec := arraystest.Record(rand.New(rand.NewPCG(5, 5)), everything(), 12)
	data := written(t, rec.Schema(), WriterOptions{}, rec)
	formattest.Hostile(t, Format{}, formattest.File{Name: "f.tfrecord", Data: append(mixed(), data...)}, flips)
	formattest.Hostile(t, Format{}, formattest.File{Name: "f.tfrecord.gz", Data: zip(t, data)}, flips/10)
}

// The same of the messages, with checksums that are right.
func TestHostileMessages(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	rec := arraystest.Record(rng, everything(), 1)
	data := written(t, rec.Schema(), WriterOptions{}, rec)
	whole := data[headBytes : len(data)-tailBytes]
	for range 3000 {
		message := []byte(string(whole))
		for range 1 + rng.IntN(3) {
			message[rng.IntN(len(message))] ^= 1 << rng.IntN(8)
		}
		checkRead(t, frame(string(whole), string(message[:rng.IntN(len(message)+1)]), string(message)))
	}
}

// checkRead wants of any bytes: an error, or each record kept or dead, and the same ones from other spans.
func checkRead(t *testing.T, data []byte) {
	t.Helper()
	s := storeOf(t, "f", data)
	format := Format{maxRecord: 1 << 16}
	file, whole, err := formattest.ReadAll(context.Background(), format, s, "f", table.Options{})
	if err != nil {
		if strings.Contains(err.Error(), "formattest:") || strings.Contains(err.Error(), "changed") {
			t.Fatal(err)
		}
		return
	}
	if n := int64(len(whole.Kept) + len(whole.Dead)); n != file.Rows {
		t.Fatalf("got %d rows, want %d", n, file.Rows)
	}
	_, cut, err := formattest.ReadAll(context.Background(), format, s, "f", table.Options{SpanBytes: 1, BatchRows: 2})
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(*cut) != fmt.Sprint(*whole) {
		t.Fatalf("in spans of a record: got %+v, want %+v", *cut, *whole)
	}
}

// FuzzRead reads bytes as a file, and as the messages of one, each behind its length.
func FuzzRead(f *testing.F) {
	f.Add(mixed(), false)
	rec := arraystest.Record(rand.New(rand.NewPCG(7, 7)), everything(), 3)
	f.Add(written(f, rec.Schema(), WriterOptions{}, rec), false)
	f.Add([]byte(string(rune(12))+example(entryOf("a", ints(1)))), true)
	f.Add([]byte("\x05\x12\x03\x0a\x01\x00\x00\x02\x0a\x00"), true)
	f.Fuzz(func(t *testing.T, data []byte, messages bool) {
		if messages {
			var list []string
			for len(data) > 0 {
				n := min(int(data[0]), len(data)-1)
				list = append(list, string(data[1:1+n]))
				data = data[1+n:]
			}
			data = frame(list...)
		}
		checkRead(t, data)
	})
}

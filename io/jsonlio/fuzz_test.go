package jsonlio

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/io/table/formattest"
)

// compare reads data and wants an error, or what the reference reads of the same bytes: so a damaged
// file gives an error or the right rows.
func compare(data []byte, o table.Options) error {
	s := holding("f.jsonl", data)
	file, got, err := formattest.ReadAll(context.Background(), Format{}, s, "f.jsonl", o)
	flatten := o.JSON.FlattenDepth
	if flatten == 0 {
		flatten = table.DefaultFlattenDepth
	}
	kept, dead, ok := reference(data, flatten)
	switch {
	case err != nil && strings.Contains(err.Error(), "formattest:"):
		return err
	case err != nil && !ok, err != nil && strings.Contains(err.Error(), "UTF-16"):
		return nil
	case err != nil || !ok:
		return fmt.Errorf("got error %v, the reference reads it: %v", err, ok)
	case file.Rows != int64(len(kept)+len(dead)):
		return fmt.Errorf("got %d rows, want %d", file.Rows, len(kept)+len(dead))
	}
	for i := range min(len(got.Kept), len(kept)) {
		if got.Kept[i] != kept[i] {
			return fmt.Errorf("got %s\nwant %s", got.Kept[i], kept[i])
		}
	}
	for i := range min(len(got.Dead), len(dead)) {
		if got.Dead[i].Row != dead[i] {
			return fmt.Errorf("got %+v, want row %d dead", got.Dead[i], dead[i])
		}
	}
	if len(got.Kept) != len(kept) || len(got.Dead) != len(dead) {
		return fmt.Errorf("got %d rows and %d dead, want %d and %d", len(got.Kept), len(got.Dead), len(kept), len(dead))
	}
	return nil
}

// FuzzRead wants of any bytes what the standard library makes of them, in spans and batches of any size.
func FuzzRead(f *testing.F) {
	f.Add([]byte(mixed))
	f.Add([]byte("{\"a\":1e5,\"a.b\":{},\"a\":{\"b\":[-0.0,0e-9,12345678901234567890]}}\r\n[]\n\n{\"\":\"\\u0000\"}"))
	f.Add([]byte("{\"i\":9007199254740993}\n{\"i\":1e22}\n{\"i\":100000000000000000000}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, o := range []table.Options{{}, {SpanBytes: 20, BatchRows: 2, JSON: table.JSON{FlattenDepth: 2}}} {
			if err := compare(data, o); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// randomValue is a JSON value, at most depth deep.
func randomValue(rng *rand.Rand, depth int) string {
	switch n := rng.IntN(10); {
	case n < 3:
		return []string{"0", "-0", "7", "-12", "9007199254740993", "9223372036854775807", "9223372036854775808", "100000000000000000000", "123456789012345678901"}[rng.IntN(9)]
	case n < 5:
		return []string{"1.5", "-0.0", "2e3", "1E-400", "5e-324", "0.1234567890123456789", "1e400", "123456789.0123456789012345"}[rng.IntN(8)]
	case n < 7 || depth == 0:
		return []string{`""`, `"a"`, `"é\n\u00e9"`, `"\ud83d\ude00 a longer text"`, "true", "false", "null"}[rng.IntN(7)]
	case n == 7:
		items := make([]string, rng.IntN(4))
		for i := range items {
			items[i] = randomValue(rng, depth-1)
		}
		return "[" + strings.Join(items, " , ") + "]"
	}
	return randomObject(rng, depth-1)
}

func randomObject(rng *rand.Rand, depth int) string {
	members := make([]string, rng.IntN(5))
	for i := range members {
		name := []string{"a", "b", "a.b", "", "a much longer name", `\u0061`}[rng.IntN(6)]
		members[i] = fmt.Sprintf(`"%s":%s`, name, randomValue(rng, depth))
	}
	return "{" + strings.Join(members, ",") + "}"
}

// Random rows, of few kinds of values a file, so that columns of every type come up.
func TestRandomRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	for range 3000 {
		var text bytes.Buffer
		pool := make([]string, 1+rng.IntN(5))
		for i := range pool {
			pool[i] = randomObject(rng, rng.IntN(4))
		}
		for range 1 + rng.IntN(8) {
			text.WriteString(pool[rng.IntN(len(pool))] + "\n")
		}
		o := table.Options{SpanBytes: int64(rng.IntN(100)), BatchRows: rng.IntN(4), JSON: table.JSON{FlattenDepth: rng.IntN(4)}}
		if err := compare(text.Bytes(), o); err != nil {
			t.Fatalf("options %+v: %v\n%s", o, err, &text)
		}
	}
}

// A file cut at every 1 KiB, and 10,000 flips of single bits.
func TestDamage(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	whole := []byte(tables(64 << 10)["nested"])
	for cut := 1 << 10; cut < len(whole); cut += 1 << 10 {
		if err := compare(whole[:cut], table.Options{}); err != nil {
			t.Fatalf("cut at byte %d: %v", cut, err)
		}
	}
	flips := 10_000
	if testing.Short() {
		flips = 1000
	}
	for range flips {
		data := []byte(mixed)
		at, bit := rng.IntN(len(data)), rng.IntN(8)
		data[at] ^= 1 << bit
		if err := compare(data, table.Options{}); err != nil {
			t.Fatalf("bit %d of byte %d flipped: %v", bit, at, err)
		}
	}
}

// A compressed file cut or flipped anywhere gives an error, or the rows of the whole one.
func TestDamageCompressed(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for name, data := range map[string][]byte{"f.jsonl.gz": zip(t, mixed), "f.jsonl.zst": zst(t, mixed)} {
		_, want, err := formattest.ReadAll(t.Context(), Format{}, holding(name, data), name, table.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for range 1000 {
			bad := bytes.Clone(data)
			if bad[rng.IntN(len(bad))] ^= 1 << rng.IntN(8); rng.IntN(4) == 0 {
				bad = bad[:rng.IntN(len(bad))]
			}
			_, got, err := formattest.ReadAll(t.Context(), Format{}, holding(name, bad), name, table.Options{})
			if err == nil && fmt.Sprint(*got) != fmt.Sprint(*want) {
				t.Fatalf("%s: got %+v, want an error or %+v", name, *got, *want)
			}
		}
	}
}

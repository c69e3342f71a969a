package parquetio

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/internal/arrays/arraystest"
	"github.com/millrace-go/millrace/internal/shareddata"
)

// whole reads every cell of every usable column.
func whole(b []byte) (lines []string, err error) {
	f, err := Open("test.parquet", bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, err
	}
	for _, field := range f.Schema().Fields() {
		if _, unusable := field.Metadata.GetValue(unsupportedKey); unusable {
			continue
		}
		recs, err := readAll(b, []string{field.Name}, 1000)
		if err != nil {
			return nil, err
		}
		for _, r := range recs {
			lines = append(lines, arraystest.Text(r)...)
		}
	}
	return lines, nil
}

func TestTruncated(t *testing.T) {
	b := dirtyFile(t)
	for cut := range b {
		if _, err := whole(b[:cut]); err == nil {
			t.Errorf("cut at byte %d of %d: no error", cut, len(b))
		}
	}
}

// Every page of this file has a checksum: a flip in any page is found.
func TestFlipsInPages(t *testing.T) {
	b, err := os.ReadFile(shareddata.Path(t, "conformance/parquet-testing/data/datapage_v1-snappy-compressed-checksum.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open("test.parquet", bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	columns, err := f.columns(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	bodies := 0
	for _, c := range columns {
		for range 2 { // pages of this file
			h, err := c.pages.header()
			if err != nil {
				t.Fatal(err)
			}
			start := int(c.pages.src.at) - len(c.pages.src.buf)
			for at := start; at < start+int(h.compressed); at += 7 {
				q := bytes.Clone(b)
				q[at] ^= 1 << (at % 8)
				if _, err := readAll(q, []string{c.leaf.name}, 10_000); err == nil || !strings.Contains(err.Error(), "checksum") {
					t.Errorf("byte %d flipped: got error %v, want one that says checksum", at, err)
				}
			}
			bodies += int(h.compressed)
			if _, err := c.pages.src.read(nil, int(h.compressed)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if bodies < 2000 {
		t.Errorf("pages of %d bytes in all, want at least 2000", bodies)
	}
}

// Flips in files of every encoding: no panic, no hang, no wild allocation.
func TestFlips(t *testing.T) {
	dir := shareddata.Path(t, "conformance/parquet-testing/data")
	paths, err := filepath.Glob(dir + "/*.parquet")
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 9))
	flips := 0
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > 12_000 {
			continue
		}
		for range 40 {
			q := bytes.Clone(b)
			for range 1 + rng.IntN(3) {
				q[rng.IntN(len(q))] ^= 1 << rng.IntN(8)
			}
			flips++
			if _, err := whole(q); err != nil && !strings.HasPrefix(err.Error(), "parquet file test.parquet: ") {
				t.Errorf("%s: error %v does not name the file", path, err)
			}
		}
	}
	if flips < 2000 {
		t.Errorf("%d flips, want at least 2000", flips)
	}
}

// A flip that says a size costs no memory of that size.
func TestAllocationsAreBounded(t *testing.T) {
	b := dirtyFile(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	rng := rand.New(rand.NewPCG(2, 9))
	const tries = 500
	for range tries {
		q := bytes.Clone(b)
		q[rng.IntN(len(q))] ^= 1 << rng.IntN(8)
		whole(q)
	}
	runtime.ReadMemStats(&after)
	// 512 rows of a batch and some windows; 1 MiB is far below one wild page.
	if per := (after.TotalAlloc - before.TotalAlloc) / tries; per > 1<<20 {
		t.Errorf("%d bytes allocated a read, want less than 1 MiB", per)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(dirtyFile(f))
	for _, name := range []string{"alltypes_plain.snappy.parquet", "nulls.snappy.parquet", "rle_boolean_encoding.parquet", "delta_length_byte_array.parquet"} {
		path := filepath.Join("..", "..", "..", "shared", "data", "conformance", "parquet-testing", "data", name)
		if b, err := os.ReadFile(path); err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := whole(b); err != nil && !strings.HasPrefix(err.Error(), "parquet file test.parquet: ") {
			t.Errorf("error %v does not name the file", err)
		}
	})
}

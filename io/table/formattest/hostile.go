package formattest

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/io/store/storetest"
	"github.com/millrace-go/millrace/io/table"
)

// MaxHostileBytes is what reading a damaged file may allocate.
const MaxHostileBytes = 256 << 20

// Hostile damages a file in many ways: it cuts it at every 1 KiB, and flips so many single bits
// of it, at places that depend on nothing else. Each time there must be an error that names the
// file, or rows that add up; never a panic, or more memory than MaxHostileBytes.
func Hostile(t *testing.T, f table.Format, file File, flips int) {
	t.Helper()
	for cut := 0; cut < len(file.Data); cut += 1 << 10 {
		hostile(t, f, file, file.Data[:cut], "cut at byte %d of %d", cut, len(file.Data))
	}
	rng := rand.New(rand.NewPCG(uint64(flips), uint64(len(file.Data))))
	data := bytes.Clone(file.Data)
	for range flips {
		at, bit := rng.IntN(len(data)), rng.IntN(8)
		data[at] ^= 1 << bit
		hostile(t, f, file, data, "bit %d of byte %d flipped", bit, at)
		data[at] ^= 1 << bit
	}
}

func hostile(t *testing.T, f table.Format, file File, data []byte, how string, where ...any) {
	t.Helper()
	s := storetest.NewMemory()
	put(t, s, file.Name, data)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	survey, rows, err := ReadAll(t.Context(), f, s, file.Name, file.Options)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > MaxHostileBytes {
		t.Errorf(how+": it allocated %d MiB (error %v)", append(where, n>>20, err)...)
	}
	switch {
	case err == nil && survey.Rows != int64(len(rows.Kept)+len(rows.Dead)):
		t.Errorf(how+": got %d rows and %d dead of %d", append(where, len(rows.Kept), len(rows.Dead), survey.Rows)...)
	case err != nil && (!strings.Contains(err.Error(), file.Name) || strings.Contains(err.Error(), "formattest:")):
		t.Errorf(how+": got error %v, want one that names the file", append(where, err)...)
	}
}

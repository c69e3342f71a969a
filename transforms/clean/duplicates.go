package clean

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/millrace-go/millrace/io/batch"
)

// Entry is the hash of one row and where the row is.
type Entry struct {
	Hash xxh3.Uint128
	Span int   // at most MaxSpan
	Row  int64 // at most MaxRow
}

// EntryBytes is the size of an Entry encoded: the hash (16 bytes, high half
// first), the span (3) and the row (5), all big-endian, so that encoded
// entries sort as bytes the way they sort as values.
const EntryBytes = 24

// MaxSpan and MaxRow bound what an encoded Entry holds.
const (
	MaxSpan = 1<<24 - 1
	MaxRow  = 1<<40 - 1
)

// EncodeEntries lays entries end to end, EntryBytes each. It panics on a span
// or row out of bounds.
func EncodeEntries(entries []Entry) []byte {
	p := make([]byte, 0, len(entries)*EntryBytes)
	for _, e := range entries {
		if e.Span < 0 || e.Span > MaxSpan || e.Row < 0 || e.Row > MaxRow {
			panic(fmt.Sprintf("clean.EncodeEntries: span %d, row %d, want at most %d and %d", e.Span, e.Row, MaxSpan, int64(MaxRow)))
		}
		p = binary.BigEndian.AppendUint64(p, e.Hash.Hi)
		p = binary.BigEndian.AppendUint64(p, e.Hash.Lo)
		p = binary.BigEndian.AppendUint64(p, uint64(e.Span)<<40|uint64(e.Row))
	}
	return p
}

// DecodeEntries is the inverse of EncodeEntries. It fails if p ends within an
// entry. The result takes 4/3 of the memory of p.
func DecodeEntries(p []byte) ([]Entry, error) {
	if len(p)%EntryBytes != 0 {
		return nil, fmt.Errorf("clean.DecodeEntries: %d bytes, want a multiple of %d: the entries are cut short", len(p), EntryBytes)
	}
	entries := make([]Entry, len(p)/EntryBytes)
	for i := range entries {
		e := p[i*EntryBytes:]
		position := binary.BigEndian.Uint64(e[16:])
		entries[i] = Entry{
			Hash: xxh3.Uint128{Hi: binary.BigEndian.Uint64(e), Lo: binary.BigEndian.Uint64(e[8:])},
			Span: int(position >> 40),
			Row:  int64(position & MaxRow),
		}
	}
	return entries, nil
}

// Partition puts a hash in one of n parts, evenly: the entries of one hash are
// all in one part. It panics if n is not positive.
func Partition(h xxh3.Uint128, n int) int {
	if n <= 0 {
		panic(fmt.Sprintf("clean.Partition: %d parts", n))
	}
	part, _ := bits.Mul64(h.Hi, uint64(n))
	return int(part)
}

// FindDuplicates lists the entries whose hash an entry at an earlier position
// has, a position being (Span, Row). It sorts entries in place by hash, then
// position, and its result is in that order too, whatever order they came in.
// A position that is listed twice, as by a bundle that ran twice, is no
// duplicate of itself.
func FindDuplicates(entries []Entry) []Entry {
	slices.SortFunc(entries, func(a, b Entry) int {
		return cmp.Or(
			cmp.Compare(a.Hash.Hi, b.Hash.Hi), cmp.Compare(a.Hash.Lo, b.Hash.Lo),
			cmp.Compare(a.Span, b.Span), cmp.Compare(a.Row, b.Row))
	})
	var duplicates []Entry
	for i := 1; i < len(entries); i++ {
		if entries[i].Hash == entries[i-1].Hash && entries[i] != entries[i-1] {
			duplicates = append(duplicates, entries[i])
		}
	}
	return duplicates
}

// DropRows leaves out the rows of b whose position in their file is among
// rows, which is ascending and may list other rows as well. It is b itself if
// no row is left out. It panics if a column is of a type that is never cleaned.
func DropRows(b *batch.Batch, rows []int64) *batch.Batch {
	keep := make([]bool, b.NumRows())
	at, found := 0, false
	if b.NumRows() > 0 {
		at, _ = slices.BinarySearch(rows, b.Rows[0])
	}
	for i, row := range b.Rows {
		for at < len(rows) && rows[at] < row {
			at++
		}
		keep[i] = at == len(rows) || rows[at] != row
		found = found || !keep[i]
	}
	if !found {
		return b
	}
	kept, err := batch.Filter(b, keep)
	if err != nil {
		panic(fmt.Sprintf("clean.DropRows: %v", err))
	}
	return kept
}

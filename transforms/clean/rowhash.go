package clean

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/zeebo/xxh3"

	"github.com/millrace-go/millrace/io/batch"
)

// HashRows hashes the named columns of each row of b, in that order; nil means
// all columns in the order of the batch.
//
// The hash is XXH3-128 of the cells' canonical bytes, end to end: a null is one
// byte 0; any other cell is a byte 1 + its kind (string 0, int64 1, float64 2,
// bool 3, date 4, timestamp 5), then for a string its length in bytes as 8
// bytes and its bytes, for the others 8 bytes: the integer, the days, the
// microseconds, or the bits of the float64, with -0 as 0 and one NaN. All
// numbers are little-endian. Neither column names nor row positions nor the
// physical width of a type count, so a row keeps its hash for ever; the golden
// values of the test hold this in place.
//
// It fails if a column is missing or of a type that is never cleaned.
func HashRows(b *batch.Batch, columns []string) ([]xxh3.Uint128, error) {
	if columns == nil {
		for _, f := range b.Record.Schema().Fields() {
			columns = append(columns, f.Name)
		}
	}
	work := make([]*cells, len(columns))
	for i, name := range columns {
		a, err := batch.Column(b, name)
		if err != nil {
			return nil, fmt.Errorf("clean.HashRows: %w", err)
		}
		if work[i], _, err = load(a); err != nil {
			return nil, fmt.Errorf("clean.HashRows: column %q: %w", name, err)
		}
	}
	hashes := make([]xxh3.Uint128, b.NumRows())
	var row []byte
	for i := range hashes {
		row = row[:0]
		for _, c := range work {
			row = c.appendCanonical(row, i)
		}
		hashes[i] = xxh3.Hash128(row)
	}
	return hashes, nil
}

// appendCanonical appends the canonical bytes of row i.
func (c *cells) appendCanonical(p []byte, i int) []byte {
	if c.isNull(i) {
		return append(p, 0)
	}
	p = append(p, 1+byte(c.kind))
	switch c.kind {
	case kindString:
		p = binary.LittleEndian.AppendUint64(p, uint64(len(c.texts[i])))
		return append(p, c.texts[i]...)
	case kindFloat64:
		return binary.LittleEndian.AppendUint64(p, canonicalBits(c.floats[i]))
	}
	return binary.LittleEndian.AppendUint64(p, uint64(c.ints[i]))
}

func canonicalBits(f float64) uint64 {
	switch {
	case f == 0: // and -0
		return 0
	case f != f:
		return 0x7FF8_0000_0000_0000
	}
	return math.Float64bits(f)
}

package normalize

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
)

// The binary form of a column's statistics starts with a version and a kind.
// Equal statistics have equal bytes.
const (
	wireVersion = 1

	wireNumbers  = 'n'
	wireTokens   = 't'
	wireKeys     = 'k'
	wireCounts   = 'c'
	wireText     = 'x'
	wireTarget   = 'g'
	wireSequence = 'q'
	wireProducts = 'p'

	wireSketch = 1 << 0
	wireLogs   = 1 << 1
)

// MarshalColumn is the binary form of the statistics of Columns()[i].
func (a *Analyzer) MarshalColumn(i int) ([]byte, error) {
	return a.columns[i].append(nil)
}

// MergeColumns merges two results of MarshalColumn for the same column. The
// result is the same bytes for any order and tree of merging.
func MergeColumns(a, b []byte) ([]byte, error) {
	x, err := decodeStats(a)
	if err != nil {
		return nil, err
	}
	y, err := decodeStats(b)
	if err != nil {
		return nil, err
	}
	if err := x.merge(y); err != nil {
		return nil, fmt.Errorf("normalize.MergeColumns: %w", err)
	}
	return x.append(nil)
}

// FromColumns makes the analyzer of merged columns, in the order of Columns.
// A column without bytes has no rows.
func FromColumns(s Spec, schema *arrow.Schema, columns [][]byte) (*Analyzer, error) {
	a, err := NewAnalyzer(s, schema)
	if err != nil {
		return nil, err
	}
	if len(columns) != len(a.columns) {
		return nil, fmt.Errorf("normalize.FromColumns: statistics of %d columns, want %d", len(columns), len(a.columns))
	}
	for i, data := range columns {
		if len(data) == 0 {
			continue
		}
		got, err := decodeStats(data)
		if err == nil {
			err = a.columns[i].merge(got)
		}
		if err != nil {
			return nil, fmt.Errorf("normalize.FromColumns: column %q: %w", a.Columns()[i], err)
		}
	}
	if _, err := a.rows(); err != nil {
		return nil, err
	}
	return a, nil
}

// MarshalBinary is all of the analyzer's columns in one.
func (a *Analyzer) MarshalBinary() ([]byte, error) {
	b := binary.AppendUvarint(nil, uint64(len(a.columns)))
	for i := range a.columns {
		c, err := a.MarshalColumn(i)
		if err != nil {
			return nil, err
		}
		b = binary.AppendUvarint(b, uint64(len(c)))
		b = append(b, c...)
	}
	return b, nil
}

// UnmarshalAnalyzer reads what MarshalBinary wrote for the same Spec and schema.
func UnmarshalAnalyzer(s Spec, schema *arrow.Schema, data []byte) (*Analyzer, error) {
	d := decoder{b: data}
	columns := make([][]byte, d.length("columns", 1))
	for i := range columns {
		columns[i] = d.bytes("column")
	}
	if err := d.end(); err != nil {
		return nil, fmt.Errorf("normalize.Analyzer: %w", err)
	}
	return FromColumns(s, schema, columns)
}

func (s *numberStats) append(b []byte) ([]byte, error) {
	flags := byte(0)
	if s.sketch != nil {
		flags |= wireSketch
	}
	if s.logs != nil {
		flags |= wireLogs
	}
	b = append(b, wireVersion, wireNumbers, flags)
	b = appendCounts(b, s.nulls, s.bad, s.n)
	if s.n > 0 {
		b = appendFloats(b, s.min, s.max)
	}
	b, _ = s.sum.AppendBinary(b)
	b, _ = s.sq.AppendBinary(b)
	if s.logs != nil {
		b = appendCounts(b, s.logs.n)
		b = appendFloats(b, s.logs.min)
		b, _ = s.logs.sum.AppendBinary(b)
		b, _ = s.logs.sq.AppendBinary(b)
	}
	if s.sketch != nil {
		return s.sketch.AppendBinary(b) // the last: it takes the rest
	}
	return b, nil
}

func (s *tokenStats) append(b []byte) ([]byte, error) {
	flags := byte(0)
	if s.overflow {
		flags = 1
	}
	b = append(b, wireVersion, wireTokens, flags)
	b = appendCounts(b, int64(s.max), s.nulls, s.n, int64(len(s.counts)))
	for _, token := range s.sorted() {
		b = binary.AppendUvarint(b, uint64(len(token)))
		b = append(b, token...)
		b = appendCounts(b, s.counts[s.index[token]])
	}
	return b, nil
}

// sorted lists the tokens in byte order.
func (s *tokenStats) sorted() []string {
	out := make([]string, 0, len(s.index))
	for token := range s.index {
		out = append(out, token)
	}
	slices.Sort(out)
	return out
}

func appendCounts(b []byte, counts ...int64) []byte {
	for _, n := range counts {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return b
}

func appendFloats(b []byte, values ...float64) []byte {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return b
}

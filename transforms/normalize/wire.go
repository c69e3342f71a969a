package normalize

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/internal/exactsum"
	"github.com/millrace-go/millrace/internal/quantile"
)

// The binary form of a column's statistics starts with a version and a kind.
// Equal statistics have equal bytes.
const (
	wireVersion = 1

	wireNumbers = 'n'
	wireTokens  = 't'

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

// decodeStats reads the statistics of one column.
func decodeStats(data []byte) (stats, error) {
	if len(data) < 3 || data[0] != wireVersion {
		return nil, fmt.Errorf("normalize: column statistics do not start with version %d", wireVersion)
	}
	d := &decoder{b: data[3:]}
	var s stats
	switch data[1] {
	case wireNumbers:
		s = d.numbers(data[2])
	case wireTokens:
		s = d.tokens(data[2])
	default:
		return nil, fmt.Errorf("normalize: column statistics of unknown kind %#x", data[1])
	}
	if err := d.end(); err != nil {
		return nil, fmt.Errorf("normalize: column statistics: %w", err)
	}
	return s, nil
}

func (d *decoder) numbers(flags byte) *numberStats {
	s := &numberStats{}
	if flags&^(wireSketch|wireLogs) != 0 {
		d.fail("unknown flags %#x", flags)
	}
	s.nulls, s.bad, s.n = d.count("nulls"), d.count("bad values"), d.count("values")
	if s.n > 0 {
		s.min, s.max = d.float("min"), d.float("max")
		if s.min > s.max {
			d.fail("min %v above max %v", s.min, s.max)
		}
	}
	d.sum(&s.sum)
	d.sum(&s.sq)
	if flags&wireLogs != 0 {
		s.logs = &logStats{n: d.count("logarithms"), min: d.float("smallest")}
		d.sum(&s.logs.sum)
		d.sum(&s.logs.sq)
		if s.logs.n > s.n {
			d.fail("%d logarithms of %d values", s.logs.n, s.n)
		}
	}
	if flags&wireSketch != 0 {
		s.sketch = quantile.New(0)
		d.check(s.sketch.UnmarshalBinary(d.b))
		d.b = nil
		if d.err == nil && (s.sketch.Max() != quantile.DefaultMax || s.sketch.Count() != s.n) {
			d.fail("a sketch of %d values, want %d", s.sketch.Count(), s.n)
		}
	}
	return s
}

func (d *decoder) tokens(flags byte) *tokenStats {
	s := newTokenStats(int(min(d.count("max"), math.MaxInt32)))
	s.nulls, s.n = d.count("nulls"), d.count("values")
	distinct := d.length("tokens", 2)
	s.overflow = flags == 1
	if flags > 1 || distinct > s.max || s.overflow && distinct > 0 {
		d.fail("%d tokens with flags %#x, want at most %d", distinct, flags, s.max)
		return s
	}
	left := s.n
	var last []byte
	for i := 0; i < distinct && d.err == nil; i++ {
		token := d.bytes("token")
		n := d.count("count of a token")
		if n == 0 || n > left || i > 0 && bytes.Compare(last, token) >= 0 {
			d.fail("tokens or their counts out of order")
			break
		}
		left -= n
		s.count(string(token), n)
		last = token
	}
	if !s.overflow && left != 0 {
		d.fail("%d values without a token", left)
	}
	if s.overflow {
		s.forget()
	}
	return s
}

// decoder reads outside bytes; after the first fault it returns zeros.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) check(err error) {
	if d.err == nil {
		d.err = err
	}
}

func (d *decoder) fail(format string, args ...any) { d.check(fmt.Errorf(format, args...)) }

func (d *decoder) end() error {
	if d.err == nil && len(d.b) != 0 {
		return fmt.Errorf("%d bytes too many", len(d.b))
	}
	return d.err
}

// count reads a number from 0 to 2^60, so that a few of them can be added.
func (d *decoder) count(what string) int64 {
	v, n := binary.Uvarint(d.b)
	if d.err != nil {
		return 0
	}
	if n <= 0 || n > 1 && d.b[n-1] == 0 || v > 1<<60 {
		d.fail("%s: truncated or too large", what)
		return 0
	}
	d.b = d.b[n:]
	return int64(v)
}

// length reads a number of things that take at least size bytes each.
func (d *decoder) length(what string, size int) int {
	n := d.count(what)
	if n > int64(len(d.b)/size) {
		d.fail("%s: %d in %d bytes", what, n, len(d.b))
		return 0
	}
	return int(n)
}

func (d *decoder) bytes(what string) []byte {
	n := d.length(what, 1)
	if d.err != nil {
		return nil
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) float(what string) float64 {
	if d.err == nil && len(d.b) < 8 {
		d.check(errors.New(what + ": truncated"))
	}
	if d.err != nil {
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(d.b))
	d.b = d.b[8:]
	if !finite(v) || v == 0 && math.Signbit(v) {
		d.fail("%s: %v, want a finite number", what, v)
	}
	return v
}

func (d *decoder) sum(s *exactsum.Sum) {
	if d.err != nil {
		return
	}
	rest, err := s.Consume(d.b)
	if err == nil && !s.Finite() {
		err = errors.New("a sum that is not finite")
	}
	d.b = rest
	d.check(err)
}

package stats

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/internal/quantile"
)

// The binary form of a part starts with a version and what it is of. Equal
// statistics have equal bytes.
const (
	wireVersion = 1

	wireColumn   = 'c'
	wirePairs    = 'p'
	wireOverflow = 'o' // of a column with too many slices
	wireRecount  = 'r' // of a second look at a column
)

// Parts is the number of parts the statistics can be split into, to be merged
// on their own: one a column, and one for correlations if they are asked for.
func (a *Analyzer) Parts() int {
	if a.pairs != nil {
		return len(a.columns) + 1
	}
	return len(a.columns)
}

// MarshalPart is the binary form of a part.
func (a *Analyzer) MarshalPart(i int) ([]byte, error) {
	if i == len(a.columns) {
		return a.pairs.append(nil), nil
	}
	return a.columns[i].append(nil)
}

// MergeParts merges two results of MarshalPart for the same part. The result is
// the same bytes for any order and tree of merging.
func MergeParts(a, b []byte) ([]byte, error) {
	x, err := decodePart(a)
	if err != nil {
		return nil, err
	}
	y, err := decodePart(b)
	if err != nil {
		return nil, err
	}
	if err := x.join(y); err != nil {
		return nil, fmt.Errorf("stats.MergeParts: %w", err)
	}
	return x.append(nil)
}

// FromParts makes the analyzer of merged parts. A part without bytes has no rows.
func FromParts(o Options, schema *arrow.Schema, parts [][]byte) (*Analyzer, error) {
	a, err := NewAnalyzer(o, schema)
	if err != nil {
		return nil, err
	}
	return a, a.fill(parts)
}

func (a *Analyzer) fill(parts [][]byte) error {
	if len(parts) != a.Parts() {
		return fmt.Errorf("stats: %d parts, want %d", len(parts), a.Parts())
	}
	for i, data := range parts {
		if len(data) == 0 {
			continue
		}
		got, err := decodePart(data)
		if err == nil {
			err = a.part(i).join(got)
		}
		if err != nil {
			return fmt.Errorf("stats: part %d: %w", i, err)
		}
	}
	_, err := a.rows()
	return err
}

func (a *Analyzer) part(i int) part {
	if i == len(a.columns) {
		return pairsPart{a.pairs}
	}
	return columnPart{a.columns[i]}
}

// MarshalBinary is all parts in one.
func (a *Analyzer) MarshalBinary() ([]byte, error) {
	b := binary.AppendUvarint(nil, uint64(a.Parts()))
	for i := range a.Parts() {
		p, err := a.MarshalPart(i)
		if err != nil {
			return nil, err
		}
		b = appendBytes(b, p)
	}
	return b, nil
}

// UnmarshalAnalyzer reads what MarshalBinary wrote for the same options and schema.
func UnmarshalAnalyzer(o Options, schema *arrow.Schema, data []byte) (*Analyzer, error) {
	a, err := NewAnalyzer(o, schema)
	if err != nil {
		return nil, err
	}
	d := decoder{b: data}
	parts := make([][]byte, d.length("parts", 1))
	for i := range parts {
		parts[i] = d.bytes("part")
	}
	if err := d.end(); err != nil {
		return nil, fmt.Errorf("stats.Analyzer: %w", err)
	}
	return a, a.fill(parts)
}

// part is what MergeParts works on.
type part interface {
	join(other part) error
	append(b []byte) ([]byte, error)
}

type columnPart struct{ *column }

func (p columnPart) join(other part) error {
	o, ok := other.(columnPart)
	if !ok {
		return errKinds
	}
	return p.column.merge(o.column)
}

type pairsPart struct{ *pairs }

func (p pairsPart) join(other part) error {
	o, ok := other.(pairsPart)
	if !ok || len(p.pair) != len(o.pair) {
		return errKinds
	}
	p.pairs.merge(o.pairs)
	return nil
}

func (p pairsPart) append(b []byte) ([]byte, error) { return p.pairs.append(b), nil }

// overflowPart says that there are too many slices.
type overflowPart struct{}

func (overflowPart) append(b []byte) ([]byte, error) {
	return append(b, wireVersion, wireOverflow), nil
}

func (overflowPart) join(other part) error {
	if _, ok := other.(overflowPart); !ok {
		return errKinds
	}
	return nil
}

// recountPart is what a quantile.Refiner counted.
type recountPart struct{ *quantile.Sketch }

func (p recountPart) append(b []byte) ([]byte, error) {
	return p.AppendBinary(append(b, wireVersion, wireRecount))
}

func (p recountPart) join(other part) error {
	o, ok := other.(recountPart)
	if !ok {
		return errKinds
	}
	return p.Merge(o.Sketch)
}

var errKinds = errors.New("merge of parts of different kinds; were they taken with different options?")

func (c *column) append(b []byte) ([]byte, error) {
	b = append(b, wireVersion, wireColumn)
	b = appendBytes(b, []byte(c.kind.name))
	b = appendBytes(b, []byte(c.kind.unit))
	b = appendFlag(b, c.kind.list)
	b = appendCounts(b, c.rows, c.missing, c.empty, c.nulls)
	if c.lengths != nil {
		data, err := c.lengths.MarshalBinary()
		if err != nil {
			return nil, err
		}
		b = appendBytes(b, data)
	}
	switch {
	case c.numbers != nil:
		return c.numbers.append(b)
	case c.texts != nil:
		return c.texts.append(b)
	}
	return b, nil
}

func (s *numbers) append(b []byte) ([]byte, error) {
	b = appendCounts(b, s.nan, s.posInf, s.negInf, s.zeros)
	b, _ = s.sum.AppendBinary(b)
	b, _ = s.squares.AppendBinary(b)
	data, err := s.counts.MarshalBinary()
	if err != nil {
		return nil, err
	}
	b = appendBytes(b, data)
	if !s.counts.Exact() {
		return s.distinct.AppendBinary(b)
	}
	return b, nil
}

func (s *texts) append(b []byte) ([]byte, error) {
	b = appendCounts(b, int64(s.counts.max), s.n, s.bytes, s.min, s.max)
	b = appendFlag(b, s.distinct != nil)
	if s.distinct != nil {
		return s.distinct.AppendBinary(b)
	}
	b = appendCounts(b, int64(len(s.counts.entries)))
	for _, i := range s.counts.byValue() {
		b = appendBytes(b, s.counts.value(i))
		b = appendCounts(b, s.counts.entries[i].n)
	}
	return b, nil
}

func (p *pairs) append(b []byte) []byte {
	b = append(b, wireVersion, wirePairs)
	b = appendCounts(b, int64(len(p.pair)))
	for i := range p.pair {
		m := &p.pair[i]
		b = appendCounts(b, m.n)
		for _, s := range m.sums() {
			b, _ = s.AppendBinary(b)
		}
	}
	return b
}

func appendFlag(b []byte, flag bool) []byte {
	if flag {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendBytes(b, data []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(data))), data...)
}

func appendCounts(b []byte, counts ...int64) []byte {
	for _, n := range counts {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return b
}

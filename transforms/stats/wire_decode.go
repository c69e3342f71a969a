package stats

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/zeebo/xxh3"

	"github.com/millrace-go/millrace/internal/exactsum"
	"github.com/millrace-go/millrace/internal/hyperloglog"
	"github.com/millrace-go/millrace/internal/quantile"
)

// decodePart reads one part.
func decodePart(data []byte) (part, error) {
	if len(data) < 2 || data[0] != wireVersion {
		return nil, fmt.Errorf("stats: a part does not start with version %d", wireVersion)
	}
	d := &decoder{b: data[2:]}
	var p part
	switch data[1] {
	case wireColumn:
		p = columnPart{d.column()}
	case wirePairs:
		p = pairsPart{d.pairs()}
	case wireOverflow:
		p = overflowPart{}
	case wireRecount:
		s := quantile.New(1)
		d.check(s.UnmarshalBinary(d.b))
		d.b = nil
		p = recountPart{s}
	default:
		return nil, fmt.Errorf("stats: a part of unknown kind %#x", data[1])
	}
	if err := d.end(); err != nil {
		return nil, fmt.Errorf("stats: a part: %w", err)
	}
	return p, nil
}

var typeNames = []string{TypeInteger, TypeFloat, TypeBool, TypeDate, TypeTime, TypeTimestamp, TypeDuration, TypeString, TypeBinary, TypeOther}

func (d *decoder) column() *column {
	k := kind{name: string(d.bytes("type")), unit: string(d.bytes("unit")), list: d.flag("list")}
	known := false
	for _, name := range typeNames {
		known = known || name == k.name
	}
	if !known {
		d.fail("unknown type %q", k.name)
		return nil
	}
	c := &column{kind: k, rows: d.count("rows"), missing: d.count("missing"), empty: d.count("empty lists"), nulls: d.count("nulls")}
	values := c.rows - c.missing
	if k.list {
		c.lengths = d.sketch()
		if d.err == nil && (c.lengths.Max() != maxLengths || c.lengths.Count() != values) {
			d.fail("%d lists of %d rows", c.lengths.Count(), values)
		}
	}
	var got int64
	switch {
	case k.numeric():
		c.numbers = d.numbers()
		if d.err == nil {
			s := c.numbers
			got = s.n() + s.nan + s.posInf + s.negInf
		}
	case k.text():
		c.texts = d.texts()
		if d.err == nil {
			got = c.texts.n
		}
	default:
		got = values
	}
	if d.err == nil && (values < 0 || !k.list && (got != values || c.nulls != 0 || c.empty != 0) || c.empty > values) {
		d.fail("%d rows, %d of them missing, with %d values", c.rows, c.missing, got)
	}
	return c
}

func (d *decoder) numbers() *numbers {
	s := &numbers{nan: d.count("NaN"), posInf: d.count("+Inf"), negInf: d.count("-Inf"), zeros: d.count("zeros")}
	d.sum(&s.sum)
	d.sum(&s.squares)
	s.counts = d.sketch()
	if d.err != nil {
		return nil
	}
	if !s.counts.Exact() {
		s.distinct = d.estimate()
	}
	if zeros := s.counts.View(); s.zeros > s.n() || s.n() > 0 && !(finite(zeros.Min()) && finite(zeros.Max())) {
		d.fail("%d zeros of %d values from %v to %v", s.zeros, s.n(), zeros.Min(), zeros.Max())
	}
	return s
}

func (d *decoder) texts() *texts {
	s := newTexts(int(min(d.count("max"), math.MaxInt32)))
	n, size := d.count("values"), d.count("bytes")
	s.min, s.max = d.count("shortest"), d.count("longest")
	if d.flag("overflow") {
		s.n, s.bytes = n, size
		s.counts.drop()
		s.distinct = d.estimate()
		if s.min > s.max || n == 0 {
			d.fail("%d values of %d to %d bytes", n, s.min, s.max)
		}
		return s
	}
	lo, hi := s.min, s.max
	var last []byte
	for i := range d.length("values", 2) {
		value := d.bytes("value")
		count := d.count("count of a value")
		if d.err != nil {
			return s
		}
		if count == 0 || s.n+count > n || i > 0 && bytes.Compare(last, value) >= 0 {
			d.fail("values or their counts out of order")
			return s
		}
		l := int64(len(value))
		if l > 0 && count > (size-s.bytes)/l {
			d.fail("values of more than %d bytes", size)
			return s
		}
		s.widen(l, l)
		s.n += count
		s.bytes += l * count
		s.counts.add(value, xxh3.Hash(value), count)
		last = value
	}
	if s.n != n || s.bytes != size || s.min != lo || s.max != hi || s.counts.full() {
		d.fail("values do not fit their number, bytes and limits")
	}
	return s
}

func (d *decoder) pairs() *pairs {
	p := &pairs{pair: make([]comoments, d.length("pairs", 21))}
	for i := range p.pair {
		m := &p.pair[i]
		m.n = d.count("rows of a pair")
		for _, s := range m.sums() {
			d.sum(s)
		}
	}
	return p
}

func (m *comoments) sums() [5]*exactsum.Sum {
	return [5]*exactsum.Sum{&m.x, &m.y, &m.xx, &m.yy, &m.xy}
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

func (d *decoder) take(what string, n int) []byte {
	if d.err == nil && len(d.b) < n {
		d.fail("%s: truncated", what)
	}
	if d.err != nil {
		return nil
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) bytes(what string) []byte { return d.take(what, d.length(what, 1)) }

func (d *decoder) flag(what string) bool {
	b := d.take(what, 1)
	if len(b) == 1 && b[0] > 1 {
		d.fail("%s: %d, want 0 or 1", what, b[0])
	}
	return len(b) == 1 && b[0] == 1
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

func (d *decoder) sketch() *quantile.Sketch {
	s := quantile.New(1)
	data := d.bytes("sketch")
	if d.err == nil {
		d.check(s.UnmarshalBinary(data))
	}
	return s
}

func (d *decoder) estimate() *hyperloglog.Sketch {
	s := &hyperloglog.Sketch{}
	data := d.take("estimate", hyperloglog.Size)
	if d.err == nil {
		d.check(s.UnmarshalBinary(data))
	}
	return s
}

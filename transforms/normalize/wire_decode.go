package normalize

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/millrace-go/millrace/internal/exactsum"
	"github.com/millrace-go/millrace/internal/quantile"
)

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
	case wireKeys:
		s = d.keys(data[2])
	case wireCounts:
		s = d.counts(data[2])
	case wireSequence:
		s = d.sequence(data[2])
	case wireProducts:
		s = d.products(data[2])
	case wireText:
		s = d.text(data[2])
	case wireTarget:
		s = d.target(data[2])
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
		s.sketch = quantile.New(quantile.DefaultMax)
		d.check(s.sketch.UnmarshalBinary(d.b))
		d.b = nil
		if d.err == nil && (s.sketch.Max() != quantile.DefaultMax && s.sketch.Max() != keyDistinct || s.sketch.Count() != s.n) {
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

package csvio

import (
	"bytes"
	"io"
)

// quoted finds the record at pos, which has a quote in its first line, of
// first bytes. A record that is not CSV is its first line.
//
// Going back to the second line costs at most a second reading: a line that
// leaves an open quote open has an even number of quotes, so read from its
// beginning it does not leave one open itself.
func (s *scanner) quoted(first int) error {
	for {
		rest := s.buf[s.pos:]
		final := s.srcErr == io.EOF && len(rest) <= s.limit
		n, complete := s.rec.parse(rest[:min(len(rest), s.limit)], s.comma, final)
		switch {
		case complete || len(rest) > s.limit:
		case s.srcErr != nil && s.srcErr != io.EOF:
			return s.srcErr
		default:
			s.fill()
			continue
		}
		if !complete || s.rec.fault != noFault {
			n = first
			// What is behind may be another span's: the fault is that of this line alone.
			s.rec.parse(rest[:first], s.comma, true)
		}
		s.rec.raw = rest[:n]
		s.advance(n, max(1, int64(bytes.Count(s.rec.raw, []byte("\n")))))
		return nil
	}
}

// parse reads one record from the start of data and returns its length. It is
// not complete if data might go on and that matters; final says that data does not go on.
func (r *record) parse(data []byte, comma byte, final bool) (n int, complete bool) {
	r.own, r.ends, r.cells = r.own[:0], r.ends[:0], 0
	r.fault = noFault
	for p := 0; ; {
		var end cellEnd
		if p < len(data) && data[p] == '"' {
			p, end = r.quotedCell(data, p+1, comma, final)
		} else {
			p, end = r.plainCell(data, p, comma, final)
		}
		if end == cellOpen {
			return 0, false
		}
		if r.cells++; r.cells <= r.want {
			r.ends = append(r.ends, len(r.own))
		}
		if end == cellLast || r.fault != noFault {
			r.text = r.own
			return p, true
		}
		r.own = append(r.own, comma)
	}
}

// cellEnd says what follows a cell.
type cellEnd int

const (
	cellNext cellEnd = iota // another one
	cellLast                // the end of the record, or a fault
	cellOpen                // more text is needed to tell
)

// plainCell reads a cell without quotes from data[p:].
func (r *record) plainCell(data []byte, p int, comma byte, final bool) (int, cellEnd) {
	start := p
	for ; p < len(data); p++ {
		switch c := data[p]; c {
		case comma:
			r.own = append(r.own, data[start:p]...)
			return p + 1, cellNext
		case '\n':
			r.own = append(r.own, trimBreak(data[start:p])...)
			return p + 1, cellLast
		case '"':
			r.fault = bareQuote
			return p, cellLast
		}
	}
	if !final {
		return p, cellOpen
	}
	r.own = append(r.own, trimBreak(data[start:p])...)
	return p, cellLast
}

// quotedCell reads a cell from data[p:], behind its opening quote.
func (r *record) quotedCell(data []byte, p int, comma byte, final bool) (int, cellEnd) {
	for {
		i := bytes.IndexByte(data[p:], '"')
		if i < 0 {
			if !final {
				return p, cellOpen
			}
			r.fault = unterminated
			return p, cellLast
		}
		r.own = append(r.own, data[p:p+i]...)
		p += i + 1
		tail := data[p:]
		switch {
		case !final && (len(tail) == 0 || len(tail) == 1 && tail[0] == '\r'):
			return p, cellOpen
		case len(tail) == 0, len(tail) == 1 && tail[0] == '\r':
			return len(data), cellLast
		case tail[0] == '"':
			r.own = append(r.own, '"')
			p++
		case tail[0] == comma:
			return p + 1, cellNext
		case tail[0] == '\n':
			return p + 1, cellLast
		case tail[0] == '\r' && tail[1] == '\n':
			return p + 2, cellLast
		default:
			r.fault = afterQuote
			return p, cellLast
		}
	}
}

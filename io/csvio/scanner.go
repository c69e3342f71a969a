package csvio

import (
	"bytes"
	"context"
	"fmt"
	"io"
)

// scanner cuts CSV text into records. It holds one record and a block of what follows.
type scanner struct {
	ctx    context.Context
	src    io.Reader
	srcErr error // io.EOF at the end
	buf    []byte
	pos    int   // of the next record in buf
	offset int64 // of buf[pos] in the text
	line   int64 // of buf[pos], 1-based
	comma  byte
	limit  int // of the bytes of a record
	rec    record
}

// record is one row as it stands in the file. Its slices are valid until the next record.
type record struct {
	raw   []byte // the whole text, line break included
	text  []byte // the cells, one byte between each two
	own   []byte // what text is if the cells are not as in raw
	ends  []int  // of the cells in text
	cells int    // their number; only the first want are in ends
	want  int

	offset int64 // of raw in the text
	line   int64 // where raw begins, 1-based
	fault  quoteFault
}

// quoteFault says what is wrong with the quotes of a record.
type quoteFault int

const (
	noFault      quoteFault = iota
	bareQuote               // a quote in a cell that does not begin with one
	afterQuote              // text after a closing quote
	unterminated            // a cell that is still open at the end of its first line, in a record that is not CSV
)

const (
	blockBytes  = 256 << 10 // what is read at once
	headerBytes = 8 << 10   // where only a header is wanted
)

// newScanner reads text from src, block bytes at first, at offset 0 and line 1 of its file.
func newScanner(ctx context.Context, src io.Reader, comma byte, limit int, block int64) *scanner {
	size := min(block, blockBytes, int64(limit)+1)
	return &scanner{ctx: ctx, src: src, comma: comma, limit: limit, line: 1, buf: make([]byte, 0, size)}
}

// next finds the next record that is not a blank line and says if there is
// one. With split it also finds the cells of a record without quotes. An error is
// the source's, or that a line is longer than the limit.
func (s *scanner) next(split bool) (bool, error) {
	for {
		line, err := s.firstLine()
		if err != nil || len(line) == 0 {
			return false, err
		}
		s.rec.offset, s.rec.line, s.rec.fault = s.offset, s.line, noFault
		body := trimBreak(line)
		switch {
		case len(body) == 0:
			s.advance(len(line), 1)
			continue
		case bytes.IndexByte(line, '"') >= 0:
			return true, s.quoted(len(line))
		case split:
			s.rec.text = body
			s.rec.split(s.comma)
		}
		s.rec.raw = line
		s.advance(len(line), 1)
		return true, nil
	}
}

func (s *scanner) advance(n int, lines int64) {
	s.pos += n
	s.offset += int64(n)
	s.line += lines
}

// firstLine returns what is left up to the first line break, that included.
// It is empty at the end of the text.
func (s *scanner) firstLine() ([]byte, error) {
	searched := 0
	for {
		rest := s.buf[s.pos:]
		if i := bytes.IndexByte(rest[searched:], '\n'); i >= 0 && searched+i < s.limit {
			return rest[:searched+i+1], nil
		}
		if len(rest) > s.limit {
			return nil, fmt.Errorf("line %d: longer than %d bytes: is this a CSV file? break the line, or remove it", s.line, s.limit)
		}
		if s.srcErr == io.EOF {
			return rest, nil
		}
		if s.srcErr != nil {
			return nil, s.srcErr
		}
		searched = len(rest)
		s.fill()
	}
}

// fill reads more text behind what is left, in a larger buffer if that is full.
func (s *scanner) fill() {
	if err := s.ctx.Err(); err != nil {
		s.srcErr = err
		return
	}
	rest := s.buf[s.pos:]
	if len(rest) > cap(s.buf)/2 && cap(s.buf) < s.limit+1 {
		s.buf = append(make([]byte, 0, min(2*cap(s.buf), s.limit+1)), rest...)
	} else {
		s.buf = s.buf[:copy(s.buf[:cap(s.buf)], rest)]
	}
	s.pos = 0
	for idle := 0; len(s.buf) < cap(s.buf) && s.srcErr == nil; idle++ {
		n, err := s.src.Read(s.buf[len(s.buf):cap(s.buf)])
		s.buf, s.srcErr = s.buf[:len(s.buf)+n], err
		if n > 0 {
			idle = 0
		} else if idle == 100 {
			s.srcErr = io.ErrNoProgress
		}
	}
}

// trimBreak takes the line break off, or at the end of the text a last "\r".
func trimBreak(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}

// split finds the cells of text, which has no quotes.
func (r *record) split(comma byte) {
	ends, cells := r.ends[:0], 1
	for i, c := range r.text {
		if c == comma {
			if cells <= r.want {
				ends = append(ends, i)
			}
			cells++
		}
	}
	if cells <= r.want {
		ends = append(ends, len(r.text))
	}
	r.ends, r.cells = ends, cells
}

// cell returns cell i, which must be one of the wanted.
func (r *record) cell(i int) []byte {
	if i == 0 {
		return r.text[:r.ends[0]]
	}
	return r.text[r.ends[i-1]+1 : r.ends[i]]
}

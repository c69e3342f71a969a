// Package lines cuts text into lines, and a file of lines into spans that can be read on their
// own: what formats with a row a line have in common.
//
// A line ends with "\n" or "\r\n". A byte order mark at the start of the text is passed
// over. A line that is too long is never in memory whole: what is behind its beginning is passed over.
package lines

import (
	"bytes"
	"context"
	"fmt"
	"io"
)

const (
	byteOrder  = "\ufeff"
	blockBytes = 256 << 10 // what is read at once
	// KeptBytes is how much of a line that is too long is kept.
	KeptBytes = 1 << 10
)

// Line is one line. Its Text is valid until the next.
type Line struct {
	Text   []byte // without its break; only the beginning if Length is over the limit
	Length int64  // of the text, in bytes
	Offset int64  // of the line in the text
	Number int64  // 1-based
}

// Scanner cuts text into lines. It holds a line of at most its limit and a block of what follows.
type Scanner struct {
	ctx    context.Context
	src    io.Reader
	srcErr error // io.EOF at the end
	buf    []byte
	pos    int   // of the next line in buf
	offset int64 // of buf[pos] in the text
	number int64 // of the line at buf[pos]
	limit  int   // of the text of a line
}

// NewScanner reads text from src, whose first byte is at offset of its file and on line number;
// block bytes at first.
func NewScanner(ctx context.Context, src io.Reader, limit int, block, offset, number int64) *Scanner {
	size := max(min(block, blockBytes), 16)
	return &Scanner{ctx: ctx, src: src, limit: limit, offset: offset, number: number, buf: make([]byte, 0, size)}
}

// SkipByteOrder passes over a byte order mark at the start of the text. That of UTF-16 is an error.
func (s *Scanner) SkipByteOrder() error {
	s.fill()
	switch {
	case bytes.HasPrefix(s.buf, []byte(byteOrder)):
		s.pos += len(byteOrder)
		s.offset += int64(len(byteOrder))
	case bytes.HasPrefix(s.buf, []byte("\xff\xfe")), bytes.HasPrefix(s.buf, []byte("\xfe\xff")):
		return fmt.Errorf("line 1: the file is UTF-16: convert it to UTF-8 (iconv -f UTF-16 -t UTF-8)")
	}
	return nil
}

// Offset is that of the next line.
func (s *Scanner) Offset() int64 { return s.offset }

// Next returns the next line and says if there is one. The error is the source's.
func (s *Scanner) Next() (Line, bool, error) {
	searched := 0
	for {
		rest := s.buf[s.pos:]
		if i := bytes.IndexByte(rest[searched:], '\n'); i >= 0 {
			return s.line(rest[:searched+i+1]), true, nil
		}
		if len(rest) > s.limit+len("\r\n") {
			return s.long()
		}
		if s.srcErr == io.EOF {
			return s.line(rest), len(rest) > 0, nil
		}
		if s.srcErr != nil {
			return Line{}, false, s.srcErr
		}
		searched = len(rest)
		s.fill()
	}
}

// line takes raw, a line with its break if it has one.
func (s *Scanner) line(raw []byte) Line {
	text := trimBreak(raw)
	l := Line{Text: text, Length: int64(len(text)), Offset: s.offset, Number: s.number}
	if len(text) > s.limit {
		l.Text = text[:min(len(text), KeptBytes)]
	}
	s.pos += len(raw)
	s.offset += int64(len(raw))
	s.number++
	return l
}

// trimBreak takes the line break off, or at the end of the text a last "\r".
func trimBreak(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}

// long passes over a line that does not end within the limit.
func (s *Scanner) long() (Line, bool, error) {
	l := Line{Offset: s.offset, Number: s.number}
	s.number++
	last := byte(0) // before what is looked at
	for {
		rest := s.buf[s.pos:]
		end := bytes.IndexByte(rest, '\n')
		n := len(rest)
		if end >= 0 {
			n = end
		}
		if n > 0 {
			last = rest[n-1]
		}
		l.Length += int64(n)
		l.Text = append(l.Text, rest[:min(n, KeptBytes-len(l.Text))]...)
		s.pos += n
		s.offset += int64(n)
		if end >= 0 || s.srcErr == io.EOF {
			if last == '\r' {
				l.Length--
			}
			l.Text = l.Text[:min(int64(len(l.Text)), l.Length)]
			if end >= 0 {
				s.pos++
				s.offset++
			}
			return l, true, nil
		}
		if s.srcErr != nil {
			return Line{}, false, s.srcErr
		}
		s.fill()
	}
}

// fill reads more text behind what is left, in a larger buffer if that is full.
func (s *Scanner) fill() {
	if err := s.ctx.Err(); err != nil {
		s.srcErr = err
		return
	}
	rest := s.buf[s.pos:]
	if len(rest) > cap(s.buf)/2 {
		s.buf = append(make([]byte, 0, 2*cap(s.buf)), rest...)
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

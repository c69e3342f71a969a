package jsonlio

import (
	"bytes"
	"context"
	"fmt"
	"io"
)

// chunks cuts text into pieces of whole lines.
type chunks struct {
	ctx    context.Context
	src    io.Reader
	srcErr error  // io.EOF at the end
	limit  int    // of the bytes of a line
	room   int    // of a chunk, with its padding
	offset int64  // in the text, of what was not handed out yet
	rest   []byte // which was read already: the beginning of a line
}

// chunk is a piece of the text: lines that each end with "\n", or the beginning of
// one that is longer than the limit.
type chunk struct {
	data   []byte // its capacity holds padBytes more
	offset int64  // in the text
	size   int64  // in the text
	long   int64  // the length of the line that is longer than the limit, or 0
}

const (
	blockBytes = 256 << 10 // the size of a chunk of short lines
	longBytes  = 1024      // what is kept of a line that is too long
)

// room is what to allocate for text of size bytes: a line break that may be missing at its end, and the padding.
func room(size int64) int { return int(min(size, blockBytes)) + 1 + padBytes }

// next reads the next chunk into buf, or into a larger one if a line has no room there. At the end
// of the text the chunk has no data.
func (c *chunks) next(buf []byte) (chunk, error) {
	if n := max(c.room, 2*len(c.rest)+room(0)); cap(buf) < n {
		buf = make([]byte, 0, n)
	}
	buf = append(buf[:0], c.rest...)
	c.rest = c.rest[:0]
	for {
		if err := c.ctx.Err(); err != nil {
			return chunk{}, err
		}
		searched := len(buf)
		buf = c.fill(buf)
		switch i := bytes.LastIndexByte(buf[searched:], '\n'); {
		case i >= 0:
			i += searched + 1
			c.rest = append(c.rest, buf[i:]...)
			return c.hand(chunk{data: buf[:i], size: int64(i)}), nil
		case len(buf) > c.limit:
			return c.long(buf)
		case c.srcErr == nil:
			buf = append(make([]byte, 0, min(2*cap(buf), max(c.limit, cap(buf))+room(blockBytes))), buf...)
		case c.srcErr != io.EOF:
			return chunk{}, c.srcErr
		case len(buf) == 0:
			return chunk{}, nil
		default:
			return c.hand(chunk{data: append(buf, '\n'), size: int64(len(buf))}), nil
		}
	}
}

func (c *chunks) hand(out chunk) chunk {
	out.offset = c.offset
	c.offset += out.size
	return out
}

// fill reads as much as buf has room for.
func (c *chunks) fill(buf []byte) []byte {
	full := cap(buf) - 1 - padBytes
	for idle := 0; len(buf) < full && c.srcErr == nil; idle++ {
		n, err := c.src.Read(buf[len(buf):full])
		buf, c.srcErr = buf[:len(buf)+n], err
		if n > 0 {
			idle = 0
		} else if idle == 100 {
			c.srcErr = io.ErrNoProgress
		}
	}
	return buf
}

// long passes over the rest of a line that is too long, which begins with buf.
func (c *chunks) long(buf []byte) (chunk, error) {
	out := chunk{data: append(append(make([]byte, 0, room(longBytes)), buf[:min(len(buf), longBytes)]...), '\n'), size: int64(len(buf))}
	for c.srcErr == nil {
		if err := c.ctx.Err(); err != nil {
			return chunk{}, err
		}
		buf = c.fill(buf[:0])
		if i := bytes.IndexByte(buf, '\n'); i >= 0 {
			c.rest = append(c.rest, buf[i+1:]...)
			out.long = out.size + int64(i)
			out.size = out.long + 1
			return c.hand(out), nil
		}
		out.size += int64(len(buf))
	}
	if c.srcErr != io.EOF {
		return chunk{}, c.srcErr
	}
	out.long = out.size
	return c.hand(out), nil
}

const byteOrder = "\ufeff"

// byteOrderMark is the length of the byte order mark at the start of the text.
func byteOrderMark(ch chunk) (int, error) {
	switch {
	case ch.offset > 0:
	case bytes.HasPrefix(ch.data, []byte(byteOrder)):
		return len(byteOrder), nil
	case bytes.HasPrefix(ch.data, []byte("\xff\xfe")), bytes.HasPrefix(ch.data, []byte("\xfe\xff")):
		return 0, fmt.Errorf("line 1: the file is UTF-16: convert it to UTF-8 (iconv -f UTF-16 -t UTF-8)")
	}
	return 0, nil
}

// each calls row for every line of ch that is not blank: with the number of line breaks before it in ch, its index, the index
// behind it, and whether it is a row; if not, w.fault says why.
func (w *walker) each(ch chunk, row func(breaks int64, p, end int, ok bool) error) (breaks int64, err error) {
	p, err := byteOrderMark(ch)
	if err != nil {
		return 0, err
	}
	w.take(ch)
	if ch.long > 0 {
		w.fault = tooLongLine(int(ch.long), w.limit)
		return 1, row(0, p, len(ch.data), false)
	}
	for ; p < len(ch.data); breaks++ {
		end, blank := w.line(p)
		ok := end >= 0
		if !ok {
			end = w.lineEnd(p)
			if size := end - 1 - p; size > w.limit {
				w.fault = tooLongLine(size, w.limit)
			}
		}
		if !blank {
			if err := row(breaks, p, end, ok); err != nil {
				return breaks, err
			}
		}
		p = end
	}
	return breaks, nil
}

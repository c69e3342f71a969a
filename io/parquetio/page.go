package parquetio

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
)

// Page types and encodings of parquet.thrift.
const (
	dataPage, dictionaryPage, dataPageV2 = 0, 2, 3

	maxHeaderBytes = 16 << 20 // statistics can hold two cells
	// maxPageBytes bounds a page in memory. Writers aim at about 1 MiB.
	maxPageBytes = 256 << 20
)

// pageHeader is the PageHeader of parquet.thrift, flattened.
type pageHeader struct {
	kind                     int32
	uncompressed, compressed int32
	crc                      uint32
	hasCRC                   bool

	values, nulls    int32
	encoding         parquet.Encoding
	levelEncoding    parquet.Encoding // definition levels, data page v1
	defBytes         int32            // data page v2
	repBytes         int32
	valuesCompressed bool
}

// parsePageHeader reads a header from the start of b, and how long it is. The
// error is errShort if b ends before the header does.
func parsePageHeader(b []byte) (h pageHeader, n int, err error) {
	h.valuesCompressed = true
	kinds := 0
	t := thrift{b: b}
	t.fields(thriftDepth, func(id int, typ byte) bool {
		switch {
		case id <= 4 && typ == thriftI32:
			h.setField(id, t.int32())
		case typ == thriftStruct && (id == 5 || id == 7 || id == 8):
			kinds++
			t.fields(thriftDepth, func(field int, typ byte) bool { return h.setSub(&t, id, field, typ) })
		default:
			return false
		}
		return true
	})
	if t.err != nil {
		return h, 0, t.err
	}
	if h.uncompressed < 0 || h.compressed < 0 || h.values < 0 || h.nulls < 0 || h.nulls > h.values || h.defBytes < 0 || h.repBytes < 0 {
		return h, 0, errors.New("page header with a negative count")
	}
	if want := h.kind == dataPage || h.kind == dictionaryPage || h.kind == dataPageV2; want && kinds != 1 {
		return h, 0, errors.New("page header without its part for the kind of page")
	}
	return h, t.i, nil
}

func (h *pageHeader) setField(id int, v int32) {
	switch id {
	case 1:
		h.kind = v
	case 2:
		h.uncompressed = v
	case 3:
		h.compressed = v
	case 4:
		h.crc, h.hasCRC = uint32(v), true
	}
}

// setSub reads a field of the data (5), dictionary (7) or data v2 (8) header.
func (h *pageHeader) setSub(t *thrift, header, field int, typ byte) bool {
	if header == 8 && field == 7 && (typ == thriftTrue || typ == thriftFalse) {
		h.valuesCompressed = typ == thriftTrue
		return true
	}
	if typ != thriftI32 {
		return false
	}
	v := t.int32()
	switch {
	case field == 1:
		h.values = v
	case header == 8 && field == 2:
		h.nulls = v
	case header == 8 && field == 4, header != 8 && field == 2:
		h.encoding = parquet.Encoding(v)
	case header == 5 && field == 3:
		h.levelEncoding = parquet.Encoding(v)
	case header == 8 && field == 5:
		h.defBytes = v
	case header == 8 && field == 6:
		h.repBytes = v
	}
	return true
}

// pages reads the pages of one column chunk front to back, holding one of
// them in memory.
type pages struct {
	src   *window
	codec compress.Compression
	body  []byte // scratch: the page as stored
	plain []byte // scratch: the page decompressed
}

// next reads the next page: its header and its bytes, levels first, which are
// good until the call after. io.EOF after the last page.
func (p *pages) next() (h pageHeader, body []byte, err error) {
	if h, err = p.header(); err != nil {
		return h, nil, err
	}
	if h.uncompressed > maxPageBytes || h.compressed > maxPageBytes {
		return h, nil, fmt.Errorf("page of %d bytes (%d compressed), the limit is %d", h.uncompressed, h.compressed, maxPageBytes)
	}
	if p.body, err = p.src.read(p.body, int(h.compressed)); err != nil {
		return h, nil, fmt.Errorf("page of %d bytes: %w", h.compressed, err)
	}
	if h.hasCRC && crc32.ChecksumIEEE(p.body) != h.crc {
		return h, nil, fmt.Errorf("page checksum %08x, want %08x: the bytes are damaged", crc32.ChecksumIEEE(p.body), h.crc)
	}
	levels := 0
	if h.kind == dataPageV2 {
		if levels = int(h.defBytes) + int(h.repBytes); levels > len(p.body) || levels > int(h.uncompressed) {
			return h, nil, fmt.Errorf("levels of %d bytes in a page of %d", levels, len(p.body))
		}
	}
	if !h.valuesCompressed || p.codec == compress.Codecs.Uncompressed {
		if len(p.body) != int(h.uncompressed) {
			return h, nil, fmt.Errorf("page of %d bytes, its header says %d", len(p.body), h.uncompressed)
		}
		return h, p.body, nil
	}
	p.plain = append(p.plain[:0], p.body[:levels]...)
	if int(h.uncompressed) == levels { // nothing was compressed, which some codecs cannot say
		return h, p.plain, nil
	}
	p.plain, err = decompress(p.codec, p.plain, p.body[levels:], int(h.uncompressed)-levels)
	return h, p.plain, err
}

func (p *pages) header() (h pageHeader, err error) {
	for want := 256; ; want *= 4 {
		b, err := p.src.peek(want)
		if err != nil {
			return h, err
		}
		if len(b) == 0 {
			return h, io.EOF
		}
		h, n, err := parsePageHeader(b)
		if err == nil {
			p.src.skip(n)
			return h, nil
		}
		if !errors.Is(err, errShort) || len(b) < want || want >= maxHeaderBytes {
			return h, fmt.Errorf("page header: %w", err)
		}
	}
}

// window reads [at, end) of r through a buffer.
type window struct {
	r       io.ReaderAt
	at, end int64
	buf     []byte // the bytes before at, not yet consumed
}

const windowBytes = 64 << 10

// peek returns the next n bytes, fewer only at the end.
func (w *window) peek(n int) ([]byte, error) {
	if len(w.buf) < n && w.at < w.end {
		more := min(int64(max(n-len(w.buf), windowBytes)), w.end-w.at)
		grown := make([]byte, len(w.buf)+int(more))
		copy(grown, w.buf)
		if err := readAt(w.r, grown[len(w.buf):], w.at); err != nil {
			return nil, err
		}
		w.buf, w.at = grown, w.at+more
	}
	return w.buf[:min(n, len(w.buf))], nil
}

// skip consumes n bytes that peek has returned.
func (w *window) skip(n int) { w.buf = w.buf[n:] }

// read consumes n bytes into dst's memory.
func (w *window) read(dst []byte, n int) ([]byte, error) {
	if left := int64(len(w.buf)) + w.end - w.at; int64(n) > left {
		return dst, fmt.Errorf("%d bytes are left of the column: it is cut short or damaged", left)
	}
	if cap(dst) < n {
		dst = make([]byte, n)
	}
	dst = dst[:n]
	k := copy(dst, w.buf)
	w.skip(k)
	if k == n {
		return dst, nil
	}
	err := readAt(w.r, dst[k:], w.at)
	w.at += int64(n - k)
	return dst, err
}

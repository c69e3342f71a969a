package tfrecordio

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
)

const (
	headBytes  = 12 // the length and its checksum
	tailBytes  = 4  // the checksum of the data
	blockBytes = 256 << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is the checksum of a TFRecord file: CRC-32C, turned and moved, so that the
// checksum of data that holds checksums is a good one.
func masked(b []byte) uint32 {
	sum := crc32.Checksum(b, castagnoli)
	return (sum>>15 | sum<<17) + 0xa282ead8
}

// frames cuts the bytes of a file into records. It holds one record and a block of what follows.
type frames struct {
	ctx    context.Context
	src    io.Reader
	srcErr error // io.EOF at the end
	buf    []byte
	pos    int   // of the next record in buf
	offset int64 // of buf[pos] in the uncompressed file
	limit  int   // of the bytes of a record
	rows   int64 // read so far, counted from the start of the file
}

// newFrames reads from src, block bytes at first, which is at offset of its file, behind row rows.
func newFrames(ctx context.Context, src io.Reader, limit int, block, offset, rows int64) *frames {
	return &frames{ctx: ctx, src: src, limit: limit, buf: make([]byte, 0, min(max(block, headBytes), blockBytes)), offset: offset, rows: rows}
}

// next returns the data of the next record, valid until the next call, or false at the end.
func (f *frames) next() ([]byte, bool, error) {
	ok, err := f.need(headBytes)
	if err != nil {
		return nil, false, err
	}
	if !ok {
		if len(f.buf) == f.pos {
			return nil, false, nil
		}
		return nil, false, f.fault("the file ends within its first %d bytes: it is truncated; fetch or write it again", headBytes)
	}
	head := f.buf[f.pos:]
	if got, want := masked(head[:8]), binary.LittleEndian.Uint32(head[8:]); got != want {
		if f.rows == 0 {
			return nil, false, f.fault("the checksum of its length is wrong: this is no TFRecord file, or a damaged one; fetch or write it again")
		}
		return nil, false, f.fault("the checksum of its length is wrong: the file is damaged; fetch or write it again")
	}
	size := binary.LittleEndian.Uint64(head)
	if size > uint64(f.limit) {
		return nil, false, f.fault("a length of %d bytes, want at most %d: cut the records into smaller ones", size, f.limit)
	}
	if ok, err = f.need(headBytes + int(size) + tailBytes); err != nil {
		return nil, false, err
	}
	if !ok {
		return nil, false, f.fault("the file ends within its %d bytes: it is truncated; fetch or write it again", size)
	}
	data := f.buf[f.pos+headBytes:][:size]
	tail := f.buf[f.pos+headBytes+int(size):]
	if masked(data) != binary.LittleEndian.Uint32(tail) {
		return nil, false, f.fault("the checksum of its %d bytes is wrong: the file is damaged; fetch or write it again", size)
	}
	f.pos += headBytes + int(size) + tailBytes
	f.offset += headBytes + int64(size) + tailBytes
	f.rows++
	return data, true, nil
}

// fault is an error of the next record.
func (f *frames) fault(format string, args ...any) error {
	return fmt.Errorf("record %d at byte %d: %s", f.rows+1, f.offset, fmt.Sprintf(format, args...))
}

// need says whether n bytes of the next record are there, after reading them.
func (f *frames) need(n int) (bool, error) {
	for len(f.buf)-f.pos < n {
		if f.srcErr == io.EOF {
			return false, nil
		}
		if f.srcErr != nil {
			return false, f.srcErr
		}
		f.fill(n)
	}
	return true, nil
}

// fill reads more behind what is left, in a larger buffer if n bytes do not fit. The buffer
// grows with what is there, not with what a length says.
func (f *frames) fill(n int) {
	if err := f.ctx.Err(); err != nil {
		f.srcErr = err
		return
	}
	rest := f.buf[f.pos:]
	if len(rest) > cap(f.buf)/2 && n > cap(f.buf) {
		f.buf = append(make([]byte, 0, min(2*cap(f.buf), max(n, blockBytes))), rest...)
	} else {
		f.buf = f.buf[:copy(f.buf[:cap(f.buf)], rest)]
	}
	f.pos = 0
	for idle := 0; len(f.buf) < cap(f.buf) && f.srcErr == nil; idle++ {
		got, err := f.src.Read(f.buf[len(f.buf):cap(f.buf)])
		f.buf, f.srcErr = f.buf[:len(f.buf)+got], err
		if got > 0 {
			idle = 0
		} else if idle == 100 {
			f.srcErr = io.ErrNoProgress
		}
	}
}

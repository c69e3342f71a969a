package avroio

import (
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// codec decompresses blocks, one at a time; what it returns is valid until the next.
type codec struct {
	decompress func(block []byte) ([]byte, error)
	close      func()
}

var errBlockTooLong = fmt.Errorf("more than %d bytes when decompressed: write smaller blocks", maxBlockBytes)

// newCodec returns the codec that a header names.
func newCodec(name string) (*codec, error) {
	c := &codec{close: func() {}}
	var buf []byte
	switch name {
	case "null", "":
		c.decompress = func(b []byte) ([]byte, error) { return b, nil }
	case "deflate":
		r := flate.NewReader(nil)
		c.decompress = func(b []byte) (_ []byte, err error) {
			if err := r.(flate.Resetter).Reset(bytes.NewReader(b), nil); err != nil {
				return nil, err
			}
			buf, err = drain(r, buf)
			return buf, err
		}
	case "bzip2":
		c.decompress = func(b []byte) (_ []byte, err error) {
			buf, err = drain(bzip2.NewReader(bytes.NewReader(b)), buf)
			return buf, err
		}
	case "snappy":
		c.decompress = func(b []byte) (_ []byte, err error) {
			buf, err = unsnap(b, buf)
			return buf, err
		}
	case "zstandard":
		z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxBlockBytes))
		if err != nil {
			return nil, err
		}
		c.close = z.Close
		c.decompress = func(b []byte) (_ []byte, err error) {
			buf, err = z.DecodeAll(b, buf[:0])
			return buf, err
		}
	default:
		return nil, fmt.Errorf("codec %q is not read: want null, deflate, snappy, zstandard or bzip2; write the file again with one of these", name)
	}
	return c, nil
}

// drain reads all of r into buf, up to the limit.
func drain(r io.Reader, buf []byte) ([]byte, error) {
	buf, err := fill(r, buf, maxBlockBytes+1)
	if err == io.EOF {
		return buf, nil
	}
	if err == nil {
		err = errBlockTooLong
	}
	return buf, err
}

// fill reads n bytes of r into buf, or what is there and io.EOF. The buffer grows with what is there, not with n.
func fill(r io.Reader, buf []byte, n int) ([]byte, error) {
	buf = buf[:0]
	for len(buf) < n {
		if len(buf) == cap(buf) {
			buf = append(make([]byte, 0, min(n, max(2*cap(buf), readBytes))), buf...)
		}
		got, err := r.Read(buf[len(buf):min(cap(buf), n)])
		if buf = buf[:len(buf)+got]; err != nil && len(buf) < n {
			return buf, err
		}
	}
	return buf, nil
}

// unsnap decompresses a Snappy block, behind which is the checksum of the data.
func unsnap(b, buf []byte) ([]byte, error) {
	if len(b) < 4 {
		return buf, errors.New("a Snappy block without a checksum")
	}
	b, sum := b[:len(b)-4], binary.BigEndian.Uint32(b[len(b)-4:])
	n, err := snappy.DecodedLen(b)
	switch {
	case err != nil:
		return buf, err
	case n > maxBlockBytes:
		return buf, errBlockTooLong
	case n > 64*len(b)+64: // Snappy takes at least 3 bytes for 64
		return buf, fmt.Errorf("a Snappy block of %d bytes that says it holds %d", len(b), n)
	}
	if buf, err = snappy.Decode(buf[:cap(buf)], b); err != nil {
		return buf, err
	}
	if crc32.ChecksumIEEE(buf) != sum {
		return buf, errors.New("the checksum of a Snappy block is wrong")
	}
	return buf, nil
}

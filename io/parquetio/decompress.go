package parquetio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"sync"

	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// lz4Raw and lz4Hadoop are codecs of parquet.thrift that Arrow cannot read.
const lz4Hadoop, lz4Raw = compress.Compression(5), compress.Compression(7)

// decompress appends to dst the size bytes that src holds. It allocates no
// more than a small multiple of that, whatever src says.
func decompress(codec compress.Compression, dst, src []byte, size int) ([]byte, error) {
	had := len(dst)
	dst, err := inflate(codec, dst, src, size)
	if err != nil {
		return nil, fmt.Errorf("page compressed with %v: %w", codecName(codec), err)
	}
	if len(dst)-had != size {
		return nil, fmt.Errorf("page compressed with %v: %d bytes, its header says %d", codecName(codec), len(dst)-had, size)
	}
	return dst, nil
}

func codecName(codec compress.Compression) string {
	switch codec {
	case lz4Raw:
		return "LZ4_RAW"
	case lz4Hadoop:
		return "LZ4"
	}
	return codec.String()
}

func inflate(codec compress.Compression, dst, src []byte, size int) ([]byte, error) {
	switch codec {
	case compress.Codecs.Snappy:
		if n, err := snappy.DecodedLen(src); err != nil || n != size {
			return nil, fmt.Errorf("%d bytes, its header says %d (%v)", n, size, err)
		}
		dst, room := extend(dst, size)
		_, err := snappy.Decode(room, src)
		return dst, err
	case compress.Codecs.Zstd:
		return zstdDecoder().DecodeAll(src, dst)
	case compress.Codecs.Gzip, compress.Codecs.Brotli:
		c, err := compress.GetCodec(codec)
		if err != nil {
			return nil, err
		}
		return readUpTo(dst, c.NewReader(bytes.NewReader(src)), size)
	case lz4Raw:
		dst, room := extend(dst, size)
		n, err := lz4.UncompressBlock(src, room)
		return dst[:len(dst)-size+max(n, 0)], err
	case lz4Hadoop:
		return inflateHadoop(dst, src, size)
	}
	return nil, fmt.Errorf("codec %d is not supported", codec)
}

// zstdDecoder decodes with a limit of maxPageBytes and no goroutines.
var zstdDecoder = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxPageBytes), zstd.WithDecoderConcurrency(0))
	if err != nil {
		panic(err) // only for options that are out of range
	}
	return d
})

func readUpTo(dst []byte, r io.ReadCloser, size int) ([]byte, error) {
	buf := bytes.NewBuffer(dst)
	_, err := io.Copy(buf, io.LimitReader(r, int64(size)+1))
	if cerr := r.Close(); err == nil {
		err = cerr
	}
	return buf.Bytes(), err
}

// extend returns dst with n more bytes, and those.
func extend(dst []byte, n int) (whole, more []byte) {
	had := len(dst)
	if cap(dst)-had < n {
		dst = append(make([]byte, 0, had+n), dst...)
	}
	dst = dst[:had+n]
	return dst, dst[had:]
}

// inflateHadoop decodes the deprecated LZ4 codec: frames of Hadoop (lengths of
// the plain and the compressed bytes, big-endian, then a block), or else, as
// older writers did, one block.
func inflateHadoop(dst, src []byte, size int) ([]byte, error) {
	out, err := hadoopFrames(dst, src, size)
	if err == nil {
		return out, nil
	}
	if out, rawErr := inflate(lz4Raw, dst, src, size); rawErr == nil {
		return out, nil
	}
	return nil, err
}

func hadoopFrames(dst, src []byte, size int) ([]byte, error) {
	for end := len(dst) + size; len(dst) < end; {
		if len(src) < 8 {
			return nil, io.ErrUnexpectedEOF
		}
		plain, packed := int(binary.BigEndian.Uint32(src)), int(binary.BigEndian.Uint32(src[4:]))
		if src = src[8:]; packed > len(src) || plain > end-len(dst) {
			return nil, io.ErrUnexpectedEOF
		}
		var err error
		if dst, err = inflate(lz4Raw, dst, src[:packed], plain); err != nil {
			return nil, err
		}
		src = src[packed:]
	}
	return dst, nil
}

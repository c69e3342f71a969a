package parquetio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

const (
	magic          = "PAR1"
	encryptedMagic = "PARE"
	tailBytes      = 8 // length of the metadata, magic
	maxFooterBytes = 512 << 20
)

// readFooter reads and checks the metadata at the end of a file of size bytes.
func readFooter(r io.ReaderAt, size int64) (*fileMeta, error) {
	b, err := footerBytes(r, size)
	if err != nil {
		return nil, err
	}
	meta, err := parseMeta(b)
	if err != nil {
		return nil, fmt.Errorf("footer: %w", err)
	}
	if meta.encrypted {
		return nil, errEncrypted
	}
	return meta, checkRowGroups(meta)
}

var errEncrypted = errors.New("it is encrypted, which is not supported: decrypt it first")

func footerBytes(r io.ReaderAt, size int64) ([]byte, error) {
	if size == 0 {
		return nil, errors.New("it is empty (0 bytes)")
	}
	if size < int64(len(magic)+tailBytes) {
		return nil, fmt.Errorf("%d bytes are no Parquet file", size)
	}
	head, tail := make([]byte, len(magic)), make([]byte, tailBytes)
	if err := readAt(r, head, 0); err != nil {
		return nil, err
	}
	if err := readAt(r, tail, size-tailBytes); err != nil {
		return nil, err
	}
	switch {
	case string(tail[4:]) == encryptedMagic:
		return nil, errEncrypted
	case string(head) != magic:
		return nil, fmt.Errorf("it does not begin with %q: it is no Parquet file", magic)
	case string(tail[4:]) != magic:
		return nil, fmt.Errorf("it does not end with %q: it is cut short or damaged", magic)
	}
	n := int64(binary.LittleEndian.Uint32(tail))
	if n > maxFooterBytes || n > size-tailBytes-int64(len(magic)) {
		return nil, fmt.Errorf("footer of %d bytes in a file of %d: it is cut short or damaged", n, size)
	}
	b := make([]byte, n)
	return b, readAt(r, b, size-tailBytes-n)
}

// checkRowGroups checks that rows and columns add up.
func checkRowGroups(meta *fileMeta) error {
	total, leaves := int64(0), 0
	for _, n := range meta.schema[1:] {
		if !n.group {
			leaves++
		}
	}
	for i, g := range meta.groups {
		if g.rows < 0 || g.rows > math.MaxInt64-total {
			return fmt.Errorf("footer: row group %d has %d rows", i, g.rows)
		}
		if len(g.chunks) != leaves {
			return fmt.Errorf("footer: row group %d has %d columns, the file %d", i, len(g.chunks), leaves)
		}
		total += g.rows
	}
	if meta.rows == 0 { // as some writers leave it
		meta.rows = total
	}
	if total != meta.rows {
		return fmt.Errorf("footer: the row groups have %d rows, the file %d", total, meta.rows)
	}
	return nil
}

// readAt fills b or says why not.
func readAt(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("reading %d bytes at %d: %w", len(b), at, err)
}

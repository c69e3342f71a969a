package parquetio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v15/parquet/metadata"

	"github.com/millrace-go/millrace/internal/arrowsafe"
)

const (
	magic          = "PAR1"
	encryptedMagic = "PARE"
	tailBytes      = 8 // length of the metadata, magic
	maxFooterBytes = 512 << 20
)

// readFooter reads and checks the metadata at the end of a file of size bytes.
func readFooter(r io.ReaderAt, size int64) (meta *metadata.FileMetaData, err error) {
	defer arrowsafe.Recover(&err, "footer")
	b, err := footerBytes(r, size)
	if err != nil {
		return nil, err
	}
	if err := checkSchemaTree(b); err != nil {
		return nil, fmt.Errorf("footer: %w", err)
	}
	if meta, err = metadata.NewFileMetaData(b, nil); err != nil {
		return nil, fmt.Errorf("footer: %w", err)
	}
	if meta.IsSetEncryptionAlgorithm() {
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

// checkSchemaTree checks that the flattened schema tree in a footer says of no
// node that it has more children than follow it: Arrow allocates for as many
// as it says.
func checkSchemaTree(b []byte) error {
	const schemaField, childrenField = 2, 5
	t := thrift{b: b}
	seen := false
	t.fields(thriftDepth, func(id int, typ byte) bool {
		if id != schemaField || typ != thriftList {
			return false
		}
		elem, n := t.list()
		if seen = true; elem != thriftStruct || n == 0 {
			t.fail(errors.New("no schema"))
		}
		for i := 0; i < n && t.err == nil; i++ {
			t.fields(thriftDepth, func(id int, typ byte) bool {
				if id != childrenField || typ != thriftI32 {
					return false
				}
				if c := t.int32(); c < 0 || int(c) > n-i-1 {
					t.fail(fmt.Errorf("schema node %d of %d has %d children", i, n, c))
				}
				return true
			})
		}
		return true
	})
	if t.err == nil && !seen {
		t.fail(errors.New("no schema"))
	}
	return t.err
}

// checkRowGroups checks that rows and columns add up.
func checkRowGroups(meta *metadata.FileMetaData) error {
	if meta.Schema == nil {
		return errors.New("footer: the schema is damaged")
	}
	total := int64(0)
	for i, g := range meta.GetRowGroups() {
		if g.GetNumRows() < 0 || g.GetNumRows() > meta.GetNumRows()-total {
			return fmt.Errorf("footer: row group %d has %d rows, the file %d", i, g.GetNumRows(), meta.GetNumRows())
		}
		if got, want := len(g.GetColumns()), meta.Schema.NumColumns(); got != want {
			return fmt.Errorf("footer: row group %d has %d columns, the file %d", i, got, want)
		}
		total += g.GetNumRows()
	}
	if total != meta.GetNumRows() {
		return fmt.Errorf("footer: the row groups have %d rows, the file %d", total, meta.GetNumRows())
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

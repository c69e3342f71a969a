package arrowsafe

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Slots of the tables of Arrow's Message.fbs, Schema.fbs and File.fbs.
const (
	msgVersion, msgHeaderType, msgHeader, msgBody    = 0, 1, 2, 3
	schemaEndianness, schemaFields, schemaMeta       = 0, 1, 2
	fieldName, fieldNullable, fieldTypeID, fieldType = 0, 1, 2, 3
	fieldDict, fieldChildren, fieldMeta              = 4, 5, 6
	encodingID, encodingIndex                        = 0, 1
	batchLength, batchNodes, batchBuffers            = 0, 1, 2
	batchCompression, batchVariadic                  = 3, 4
	dictID, dictData, dictDelta                      = 0, 1, 2
	footerVersion, footerSchema                      = 0, 1
	footerDicts, footerBatches                       = 2, 3
	blockBytes                                       = 24
	maxFields, maxNesting                            = 1 << 16, 32
)

// typeIDs are the types of Schema.fbs that may appear in what CheckStream and CheckFooter take.
var typeIDs = []TypeID{TypeNull, TypeInt, TypeFloat, TypeBinary, TypeUTF8, TypeBool, TypeDecimal, TypeDate, TypeTime, TypeTimestamp,
	TypeInterval, TypeList, TypeStruct, TypeFixedBinary, TypeFixedList, TypeDuration}

const continuation = 0xFFFFFFFF

// CheckStream checks the framing and metadata of b, an Arrow IPC stream: every
// message lies within b, and no vector is longer than its buffer.
func CheckStream(b []byte) (err error) {
	defer Recover(&err, "arrow stream")
	for n := 0; len(b) > 0; n++ {
		if len(b) < 8 || binary.LittleEndian.Uint32(b) != continuation {
			return fmt.Errorf("arrow stream: message %d: no message begins here", n)
		}
		size := int64(binary.LittleEndian.Uint32(b[4:]))
		b = b[8:]
		if size == 0 { // end of stream
			if len(b) > 0 {
				return fmt.Errorf("arrow stream: %d bytes after its end", len(b))
			}
			return nil
		}
		if size > int64(len(b)) {
			return fmt.Errorf("arrow stream: message %d: metadata of %d bytes where %d are left", n, size, len(b))
		}
		body, err := checkMessage(flat(b[:size]))
		if err != nil {
			return fmt.Errorf("arrow stream: message %d: %w", n, err)
		}
		if b = b[size:]; body > int64(len(b)) {
			return fmt.Errorf("arrow stream: message %d: body of %d bytes where %d are left", n, body, len(b))
		}
		b = b[body:]
	}
	return fmt.Errorf("arrow stream: cut before its end")
}

// checkMessage returns the length of the message's body.
func checkMessage(f flat) (body int64, err error) {
	defer Recover(&err, "metadata")
	body, kind, h, err := header(f)
	if err == nil && kind == SchemaMessage {
		err = checkSchema(f, h)
	}
	return body, err
}

// header returns the length of the message's body, its kind and the table of that kind.
func header(f flat) (body int64, kind Kind, h int, err error) {
	t := f.root()
	if body = f.long(t, msgBody, 0); body < 0 {
		return 0, 0, 0, fmt.Errorf("body of %d bytes", body)
	}
	if h = f.field(t, msgHeader); h == 0 {
		return 0, 0, 0, fmt.Errorf("no header")
	}
	switch kind = Kind(f.byte(t, msgHeaderType)); kind {
	case SchemaMessage, DictionaryMessage, BatchMessage:
		return body, kind, f.indirect(h), nil
	}
	return 0, 0, 0, fmt.Errorf("unknown kind %d", kind)
}

func checkSchema(f flat, t int) error {
	if err := checkMetadata(f, f.field(t, schemaMeta)); err != nil {
		return err
	}
	left := maxFields
	return checkFields(f, f.field(t, schemaFields), &left, maxNesting)
}

func checkFields(f flat, p int, left *int, depth int) error {
	first, n := f.vector(p, 4)
	if *left -= n; *left < 0 {
		return fmt.Errorf("more than %d columns", maxFields)
	}
	if n > 0 && depth == 0 {
		return fmt.Errorf("types nested deeper than %d", maxNesting)
	}
	for i := range n {
		if err := checkField(f, f.indirect(first+4*i), left, depth); err != nil {
			return err
		}
	}
	return nil
}

func checkField(f flat, t int, left *int, depth int) error {
	f.vector(f.field(t, fieldName), 1)
	id, typ := f.field(t, fieldTypeID), f.field(t, fieldType)
	if id == 0 || typ == 0 || !slices.Contains(typeIDs, TypeID(f[id])) {
		return fmt.Errorf("a column without a supported type")
	}
	if kind := TypeID(f[id]); kind == TypeFixedBinary || kind == TypeFixedList {
		if p := f.field(f.indirect(typ), 0); p != 0 && (f.i32(p) < 0 || f.i32(p) > 1<<24) {
			return fmt.Errorf("a fixed size of %d", f.i32(p))
		}
	}
	if err := checkMetadata(f, f.field(t, fieldMeta)); err != nil {
		return err
	}
	return checkFields(f, f.field(t, fieldChildren), left, depth-1)
}

// checkMetadata checks a vector of key-value pairs.
func checkMetadata(f flat, p int) error {
	first, n := f.vector(p, 4)
	if n > maxFields {
		return fmt.Errorf("%d pairs of metadata", n)
	}
	for i := range n {
		pair := f.indirect(first + 4*i)
		f.vector(f.field(pair, 0), 1)
		f.vector(f.field(pair, 1), 1)
	}
	return nil
}

// Block is the place of one message in an Arrow IPC file.
type Block struct {
	Offset   int64
	Metadata int32 // bytes of the framed metadata
	Body     int64
}

// CheckFooter checks b, the footer of an Arrow IPC file of size bytes, and
// returns the places of its record batches: each lies within the file, after
// the one before.
func CheckFooter(b []byte, size int64) (batches []Block, err error) {
	defer Recover(&err, "arrow footer")
	f := flat(b)
	t := f.root()
	schema := f.field(t, footerSchema)
	if schema == 0 {
		return nil, fmt.Errorf("arrow footer: no schema")
	}
	if err := checkSchema(f, f.indirect(schema)); err != nil {
		return nil, fmt.Errorf("arrow footer: %w", err)
	}
	if _, err := blocks(f, f.field(t, footerDicts), size); err != nil {
		return nil, fmt.Errorf("arrow footer: dictionaries: %w", err)
	}
	if batches, err = blocks(f, f.field(t, footerBatches), size); err != nil {
		return nil, fmt.Errorf("arrow footer: record batches: %w", err)
	}
	return batches, nil
}

func blocks(f flat, p int, size int64) ([]Block, error) {
	first, n := f.vector(p, blockBytes)
	out := make([]Block, n)
	end := int64(8) // the magic and its padding
	for i := range out {
		at := first + i*blockBytes
		b := Block{f.i64(at), int32(f.i32(at + 8)), f.i64(at + 16)}
		if b.Offset < end || b.Metadata < 8 || b.Body < 0 || b.Offset > size ||
			b.Body > size || b.Offset+int64(b.Metadata)+b.Body > size {
			return nil, fmt.Errorf("block %d at %d of %d and %d bytes in a file of %d", i, b.Offset, b.Metadata, b.Body, size)
		}
		out[i], end = b, b.Offset+int64(b.Metadata)+b.Body
	}
	return out, nil
}

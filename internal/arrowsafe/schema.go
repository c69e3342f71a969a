package arrowsafe

import (
	"fmt"
	"unicode/utf8"
)

// Schema is a schema as the metadata has it, with every type that Arrow's format knows.
type Schema struct {
	Version   int // of the metadata: 3 is V4, 4 is V5
	BigEndian bool
	Fields    []Field
}

// Field is a column, or a child of one.
type Field struct {
	Name     string
	Nullable bool
	Type     TypeID // of the values, where they are in a dictionary
	// Params are the settings of the type, as Schema.fbs lists them: bits and signed of an int,
	// precision of a floating-point number, precision, scale and bits of a decimal, unit and bits
	// of a time, unit of a date, timestamp, duration or interval, mode of a union, bytes of
	// fixed-size binary, elements of a fixed-size list.
	Params     [3]int
	Zone       string // of a timestamp
	Children   []Field
	Dictionary *Encoding
}

// Encoding says that a field holds indices of a dictionary.
type Encoding struct {
	ID     int64
	Bits   int // of an index
	Signed bool
}

// TypeID is a type of Schema.fbs.
type TypeID byte

// The types of Schema.fbs.
const (
	TypeNull TypeID = iota + 1
	TypeInt
	TypeFloat
	TypeBinary
	TypeUTF8
	TypeBool
	TypeDecimal
	TypeDate
	TypeTime
	TypeTimestamp
	TypeInterval
	TypeList
	TypeStruct
	TypeUnion
	TypeFixedBinary
	TypeFixedList
	TypeMap
	TypeDuration
	TypeLargeBinary
	TypeLargeUTF8
	TypeLargeList
	TypeRunEnds
	TypeBinaryView
	TypeUTF8View
	TypeListView
	TypeLargeListView
)

// settings lists, by type, the width in bytes and the default of each of its Params;
// a negative width is that of a string, kept as Zone.
var settings = map[TypeID][][2]int{
	TypeInt: {{4, 0}, {1, 0}}, TypeFloat: {{2, 0}}, TypeDecimal: {{4, 0}, {4, 0}, {4, 128}},
	TypeDate: {{2, 1}}, TypeTime: {{2, 1}, {4, 32}}, TypeTimestamp: {{2, 0}, {-1, 0}}, TypeInterval: {{2, 0}},
	TypeUnion: {{2, 0}}, TypeFixedBinary: {{4, 0}}, TypeFixedList: {{4, 0}}, TypeDuration: {{2, 1}},
}

// schemaReader reads the fields of a schema. Names may overlap in hostile metadata, so their
// total is bounded.
type schemaReader struct {
	f      flat
	fields int // how many more may come
	text   int // how many bytes of names may come
}

func readSchema(f flat, t, version int) (*Schema, error) {
	r := &schemaReader{f, maxFields, len(f)}
	s := &Schema{Version: version, BigEndian: f.short(t, schemaEndianness, 0) != 0}
	var err error
	s.Fields, err = r.children(f.field(t, schemaFields), maxNesting)
	return s, err
}

func (r *schemaReader) children(p, depth int) ([]Field, error) {
	first, n := r.f.vector(p, 4)
	if r.fields -= n; r.fields < 0 {
		return nil, fmt.Errorf("more than %d columns", maxFields)
	}
	if n > 0 && depth == 0 {
		return nil, fmt.Errorf("types nested deeper than %d", maxNesting)
	}
	out := make([]Field, n)
	for i := range out {
		var err error
		if out[i], err = r.field(r.f.indirect(first+4*i), depth); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *schemaReader) field(t, depth int) (Field, error) {
	name, err := r.string(r.f.field(t, fieldName))
	if err != nil {
		return Field{}, err
	}
	out := Field{Name: name, Nullable: r.f.flag(t, fieldNullable), Type: TypeID(r.f.byte(t, fieldTypeID))}
	if typ := r.f.field(t, fieldType); typ != 0 {
		for i, w := range settings[out.Type] {
			if w[0] < 0 {
				if out.Zone, err = r.string(r.f.field(r.f.indirect(typ), i)); err != nil {
					return Field{}, err
				}
				continue
			}
			out.Params[i] = r.f.number(r.f.indirect(typ), i, w[0], w[1])
		}
	} else if out.Type != 0 {
		return Field{}, fmt.Errorf("column %q: no type", name)
	}
	if d := r.f.field(t, fieldDict); d != 0 {
		if out.Dictionary, err = r.encoding(r.f.indirect(d)); err != nil {
			return Field{}, fmt.Errorf("column %q: %w", name, err)
		}
	}
	out.Children, err = r.children(r.f.field(t, fieldChildren), depth-1)
	return out, err
}

// encoding reads a DictionaryEncoding. Without an index type it is int32.
func (r *schemaReader) encoding(t int) (*Encoding, error) {
	e := &Encoding{ID: r.f.long(t, encodingID, 0), Bits: 32, Signed: true}
	if p := r.f.field(t, encodingIndex); p != 0 {
		index := r.f.indirect(p)
		e.Bits, e.Signed = r.f.number(index, 0, 4, 0), r.f.flag(index, 1)
	}
	switch e.Bits {
	case 8, 16, 32, 64:
		return e, nil
	}
	return nil, fmt.Errorf("dictionary indices of %d bits", e.Bits)
}

func (r *schemaReader) string(p int) (string, error) {
	at, n := r.f.vector(p, 1)
	if r.text -= n; r.text < 0 {
		return "", fmt.Errorf("names that overlap")
	}
	s := string(r.f[at : at+n])
	if !utf8.ValidString(s) {
		return "", fmt.Errorf("the name %q is not valid UTF-8", s)
	}
	return s, nil
}

// Footer is the footer of an Arrow IPC file.
type Footer struct {
	Schema                *Schema
	Dictionaries, Batches []Block
}

// ReadFooter reads b, the footer of an Arrow IPC file whose messages lie in its first size
// bytes. Unlike CheckFooter it takes every type, and dictionaries.
func ReadFooter(b []byte, size int64) (out *Footer, err error) {
	defer Recover(&err, "arrow footer")
	f := flat(b)
	t := f.root()
	schema := f.field(t, footerSchema)
	if schema == 0 {
		return nil, fmt.Errorf("arrow footer: no schema")
	}
	out = &Footer{}
	if out.Schema, err = readSchema(f, f.indirect(schema), f.short(t, footerVersion, 0)); err != nil {
		return nil, fmt.Errorf("arrow footer: %w", err)
	}
	if out.Dictionaries, err = blocks(f, f.field(t, footerDicts), size); err != nil {
		return nil, fmt.Errorf("arrow footer: dictionaries: %w", err)
	}
	if out.Batches, err = blocks(f, f.field(t, footerBatches), size); err != nil {
		return nil, fmt.Errorf("arrow footer: record batches: %w", err)
	}
	return out, nil
}

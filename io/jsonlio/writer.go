package jsonlio

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// WriterOptions are a Writer's settings; the zero value means the defaults.
type WriterOptions struct {
	// NonFiniteNull writes NaN and the infinities, which JSON does not have, as null. By
	// default they are an error.
	NonFiniteNull bool
}

// Writer writes JSON Lines. Its bytes depend on the schema, the rows and the options alone.
//
// A row is an object of all columns in their order, nulls as null. A float is written with the
// fewest digits that give it back, and with a point or an exponent, so that it stays a float;
// dates and times are strings of ISO 8601; a struct is an object.
type Writer struct {
	out    *bufio.Writer
	schema *arrow.Schema
	opts   WriterOptions
	names  [][]byte // `{"a":`, `,"b":`
	line   []byte
	rows   int64
	closed bool
	err    error
}

// NewWriter starts a file that goes to w, which the caller closes after Close. Columns are of type bool,
// int8 to int64, uint8 to uint64, float32, float64, utf8, large utf8, date32 or timestamp, or lists (of
// any kind of list), structs and dictionaries of these.
func NewWriter(w io.Writer, schema *arrow.Schema, opts WriterOptions) (*Writer, error) {
	p := &Writer{out: bufio.NewWriterSize(w, 256<<10), schema: schema, opts: opts}
	seen := map[string]bool{}
	for i, f := range schema.Fields() {
		switch {
		case !writable(f.Type):
			return nil, fmt.Errorf("jsonlio.NewWriter: column %q: type %s cannot be written", f.Name, f.Type)
		case !utf8.ValidString(f.Name):
			return nil, fmt.Errorf("jsonlio.NewWriter: column %q: the name is not valid UTF-8", f.Name)
		case seen[f.Name]:
			return nil, fmt.Errorf("jsonlio.NewWriter: two columns are named %q", f.Name)
		}
		seen[f.Name] = true
		name := []byte{"{,"[min(i, 1)]}
		p.names = append(p.names, append(appendString(name, f.Name), ':'))
	}
	if len(p.names) == 0 {
		return nil, errors.New("jsonlio.NewWriter: no columns")
	}
	return p, nil
}

func writable(t arrow.DataType) bool {
	switch t := t.(type) {
	case *arrow.StructType:
		for _, f := range t.Fields() {
			if !writable(f.Type) || !utf8.ValidString(f.Name) {
				return false
			}
		}
		return true
	case *arrow.MapType:
		return false
	case arrow.ListLikeType:
		return writable(t.Elem())
	case *arrow.DictionaryType:
		return writable(t.ValueType)
	}
	switch t.ID() {
	case arrow.NULL, arrow.BOOL, arrow.STRING, arrow.LARGE_STRING, arrow.DATE32, arrow.TIMESTAMP, arrow.FLOAT32, arrow.FLOAT64,
		arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64:
		return true
	}
	return false
}

// Write adds the rows of rec, whose columns must have the names and types of
// the schema. After an error every call returns that error.
func (p *Writer) Write(rec arrow.Record) error {
	if p.closed {
		return errors.New("jsonlio.Writer: Write after Close")
	}
	if p.err == nil && !rec.Schema().Equal(p.schema) {
		p.err = fmt.Errorf("jsonlio.Writer: the record has columns %v, want %v", rec.Schema(), p.schema)
	}
	for r := 0; r < int(rec.NumRows()) && p.err == nil; r++ {
		p.err = p.row(rec, r)
	}
	return p.err
}

func (p *Writer) row(rec arrow.Record, r int) error {
	p.rows++
	line := p.line[:0]
	for c, col := range rec.Columns() {
		line = append(line, p.names[c]...)
		var err error
		if line, err = p.value(line, col, r); err != nil {
			return fmt.Errorf("jsonlio.Writer: row %d: column %q: %w", p.rows, rec.ColumnName(c), err)
		}
	}
	p.line = append(line, "}\n"...)
	if _, err := p.out.Write(p.line); err != nil {
		return fmt.Errorf("jsonlio.Writer: %w", err)
	}
	return nil
}

// value appends cell i of a.
func (p *Writer) value(line []byte, a arrow.Array, i int) ([]byte, error) {
	if a.IsNull(i) {
		return append(line, "null"...), nil
	}
	switch a := a.(type) {
	case *array.Null:
		return append(line, "null"...), nil
	case *array.Boolean:
		return strconv.AppendBool(line, a.Value(i)), nil
	case *array.Int64:
		return strconv.AppendInt(line, a.Value(i), 10), nil
	case *array.Int32:
		return strconv.AppendInt(line, int64(a.Value(i)), 10), nil
	case *array.Int16:
		return strconv.AppendInt(line, int64(a.Value(i)), 10), nil
	case *array.Int8:
		return strconv.AppendInt(line, int64(a.Value(i)), 10), nil
	case *array.Uint64:
		return strconv.AppendUint(line, a.Value(i), 10), nil
	case *array.Uint32:
		return strconv.AppendUint(line, uint64(a.Value(i)), 10), nil
	case *array.Uint16:
		return strconv.AppendUint(line, uint64(a.Value(i)), 10), nil
	case *array.Uint8:
		return strconv.AppendUint(line, uint64(a.Value(i)), 10), nil
	case *array.Float64:
		return p.float(line, a.Value(i), 64)
	case *array.Float32:
		return p.float(line, float64(a.Value(i)), 32)
	case *array.String:
		return text(line, a.Value(i))
	case *array.LargeString:
		return text(line, a.Value(i))
	case *array.Date32:
		return quoteTime(line, a.Value(i).ToTime(), "2006-01-02")
	case *array.Timestamp:
		return timestamp(line, a, i)
	case *array.Dictionary:
		return p.value(line, a.Dictionary(), a.GetValueIndex(i))
	case *array.Struct:
		return p.structure(line, a, i)
	case array.ListLike:
		return p.list(line, a, i)
	}
	panic(fmt.Sprintf("jsonlio.Writer: type %v passed NewWriter", a.DataType()))
}

// float appends the fewest digits that give v back.
func (p *Writer) float(line []byte, v float64, bits int) ([]byte, error) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		if p.opts.NonFiniteNull {
			return append(line, "null"...), nil
		}
		return nil, fmt.Errorf("%v, which JSON does not have: clean the column, or write it as null (NonFiniteNull)", v)
	}
	if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return strconv.AppendFloat(line, v, 'e', -1, bits), nil
	}
	line = strconv.AppendFloat(line, v, 'f', -1, bits)
	if v == math.Trunc(v) {
		line = append(line, ".0"...)
	}
	return line, nil
}

// text appends a string that should be UTF-8.
func text(line []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, fmt.Errorf("%q is not valid UTF-8", s[:min(len(s), 100)])
	}
	return appendString(line, s), nil
}

// appendString quotes s and escapes what RFC 8259 wants escaped: quotes, backslashes and control characters.
func appendString(line []byte, s string) []byte {
	line = append(line, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		line = append(line, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			line = append(line, '\\', c)
		case '\n':
			line = append(line, '\\', 'n')
		case '\r':
			line = append(line, '\\', 'r')
		case '\t':
			line = append(line, '\\', 't')
		default:
			line = append(line, '\\', 'u', '0', '0', "01"[c>>4], "0123456789abcdef"[c&15])
		}
	}
	return append(append(line, s[from:]...), '"')
}

// timestamp appends a time as it is in its zone, or without a zone if it has none.
func timestamp(line []byte, a *array.Timestamp, i int) ([]byte, error) {
	t := a.DataType().(*arrow.TimestampType)
	layout := [...]string{arrow.Second: "", arrow.Millisecond: ".000", arrow.Microsecond: ".000000", arrow.Nanosecond: ".000000000"}[t.Unit]
	at := a.Value(i).ToTime(t.Unit)
	if t.TimeZone == "" {
		return quoteTime(line, at, "2006-01-02T15:04:05"+layout)
	}
	zone, err := t.GetZone()
	if err != nil {
		return nil, err
	}
	return quoteTime(line, at.In(zone), "2006-01-02T15:04:05"+layout+"Z07:00")
}

func quoteTime(line []byte, t time.Time, layout string) ([]byte, error) {
	if y := t.Year(); y < 0 || y > 9999 {
		return nil, fmt.Errorf("year %d, want 0 to 9999", y)
	}
	return append(t.AppendFormat(append(line, '"'), layout), '"'), nil
}

func (p *Writer) structure(line []byte, a *array.Struct, i int) (_ []byte, err error) {
	line = append(line, '{')
	for f := range a.NumField() {
		if f > 0 {
			line = append(line, ',')
		}
		line = append(appendString(line, a.DataType().(*arrow.StructType).Field(f).Name), ':')
		if line, err = p.value(line, a.Field(f), i); err != nil {
			return nil, err
		}
	}
	return append(line, '}'), nil
}

func (p *Writer) list(line []byte, a array.ListLike, i int) (_ []byte, err error) {
	line = append(line, '[')
	from, to := a.ValueOffsets(i)
	for at := from; at < to; at++ {
		if at > from {
			line = append(line, ',')
		}
		if line, err = p.value(line, a.ListValues(), int(at)); err != nil {
			return nil, err
		}
	}
	return append(line, ']'), nil
}

// Close writes what is pending.
func (p *Writer) Close() error {
	if !p.closed {
		p.closed = true
		if err := p.out.Flush(); p.err == nil && err != nil {
			p.err = fmt.Errorf("jsonlio.Writer: %w", err)
		}
	}
	return p.err
}

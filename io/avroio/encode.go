package avroio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// encoder appends row i of a column.
type encoder func(b []byte, a arrow.Array, i int) ([]byte, error)

// The parts of a schema, in the order that they are written.
type (
	logicalType struct {
		Type    string `json:"type"`
		Logical string `json:"logicalType"`
	}
	arrayType struct {
		Type  string `json:"type"`
		Items any    `json:"items"`
	}
	recordType struct {
		Type   string      `json:"type"`
		Name   string      `json:"name"`
		Fields []fieldType `json:"fields"`
	}
	fieldType struct {
		Name string `json:"name"`
		Type any    `json:"type"`
	}
)

// namer gives each record type within another a name.
type namer struct {
	outer string
	n     int
}

var avroName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// record is the schema of fields, and how each is written.
func (n *namer) record(name string, fields []arrow.Field, path string) (recordType, []encoder, error) {
	out := recordType{Type: "record", Name: name, Fields: []fieldType{}}
	if !avroName.MatchString(name) {
		return out, nil, fmt.Errorf("record name %q: want letters, digits and underscores, no digit first", name)
	}
	var encoders []encoder
	seen := map[string]bool{}
	for _, f := range fields {
		if !avroName.MatchString(f.Name) || seen[f.Name] {
			return out, nil, fmt.Errorf("column %q: the name is not one of Avro, or there twice: want letters, digits and underscores, no digit first; rename it", path+f.Name)
		}
		seen[f.Name] = true
		text, encode, err := n.value(f.Type, path+f.Name)
		if err != nil {
			return out, nil, err
		}
		if f.Nullable && f.Type.ID() != arrow.NULL {
			text, encode = []any{"null", text}, optional(encode)
		} else if f.Type.ID() != arrow.NULL {
			encode = required(encode)
		}
		out.Fields, encoders = append(out.Fields, fieldType{f.Name, text}), append(encoders, encode)
	}
	return out, encoders, nil
}

func optional(inner encoder) encoder {
	return func(b []byte, a arrow.Array, i int) ([]byte, error) {
		if a.IsNull(i) {
			return append(b, 0), nil
		}
		return inner(append(b, 2), a, i)
	}
}

func required(inner encoder) encoder {
	return func(b []byte, a arrow.Array, i int) ([]byte, error) {
		if a.IsNull(i) {
			return b, errors.New("a null in a column that the schema says has none")
		}
		return inner(b, a, i)
	}
}

// value is the schema of values of type dt, and how they are written.
func (n *namer) value(dt arrow.DataType, path string) (any, encoder, error) {
	switch t := dt.(type) {
	case *arrow.NullType:
		return "null", func(b []byte, _ arrow.Array, _ int) ([]byte, error) { return b, nil }, nil
	case *arrow.BooleanType:
		return "boolean", func(b []byte, a arrow.Array, i int) ([]byte, error) {
			if a.(*array.Boolean).Value(i) {
				return append(b, 1), nil
			}
			return append(b, 0), nil
		}, nil
	case *arrow.StringType:
		return "string", func(b []byte, a arrow.Array, i int) ([]byte, error) {
			v := a.(*array.String).Value(i)
			return append(appendLong(b, int64(len(v))), v...), nil
		}, nil
	case *arrow.BinaryType:
		return "bytes", func(b []byte, a arrow.Array, i int) ([]byte, error) {
			v := a.(*array.Binary).Value(i)
			return append(appendLong(b, int64(len(v))), v...), nil
		}, nil
	case *arrow.Float32Type:
		return "float", func(b []byte, a arrow.Array, i int) ([]byte, error) {
			return binary.LittleEndian.AppendUint32(b, math.Float32bits(a.(*array.Float32).Value(i))), nil
		}, nil
	case *arrow.Float64Type:
		return "double", func(b []byte, a arrow.Array, i int) ([]byte, error) {
			return binary.LittleEndian.AppendUint64(b, math.Float64bits(a.(*array.Float64).Value(i))), nil
		}, nil
	case *arrow.StructType:
		return n.structs(t, path)
	case *arrow.MapType:
	case arrow.ListLikeType:
		return n.lists(t, path)
	}
	if text, ok := numberText(dt); ok {
		return text, number, nil
	}
	return nil, nil, fmt.Errorf("column %q: type %s cannot be written", path, dt)
}

// numberText is the schema of a type of integers.
func numberText(dt arrow.DataType) (any, bool) {
	switch t := dt.(type) {
	case *arrow.Int8Type, *arrow.Int16Type, *arrow.Int32Type, *arrow.Uint8Type, *arrow.Uint16Type:
		return "int", true
	case *arrow.Int64Type, *arrow.Uint32Type, *arrow.Uint64Type:
		return "long", true
	case *arrow.Date32Type:
		return logicalType{"int", "date"}, true
	case *arrow.Time32Type:
		return logicalType{"int", "time-millis"}, t.Unit == arrow.Millisecond
	case *arrow.Time64Type:
		return logicalType{"long", "time-micros"}, t.Unit == arrow.Microsecond
	case *arrow.TimestampType:
		name, ok := map[arrow.TimeUnit]string{arrow.Millisecond: "timestamp-millis", arrow.Microsecond: "timestamp-micros", arrow.Nanosecond: "timestamp-nanos"}[t.Unit]
		if t.TimeZone == "" {
			name = "local-" + name
		}
		return logicalType{"long", name}, ok
	}
	return nil, false
}

// number writes an integer of any type.
func number(b []byte, a arrow.Array, i int) ([]byte, error) {
	switch a := a.(type) {
	case *array.Int8:
		return appendLong(b, int64(a.Value(i))), nil
	case *array.Int16:
		return appendLong(b, int64(a.Value(i))), nil
	case *array.Int32:
		return appendLong(b, int64(a.Value(i))), nil
	case *array.Int64:
		return appendLong(b, a.Value(i)), nil
	case *array.Uint8:
		return appendLong(b, int64(a.Value(i))), nil
	case *array.Uint16:
		return appendLong(b, int64(a.Value(i))), nil
	case *array.Uint32:
		return appendLong(b, int64(a.Value(i))), nil
	case *array.Uint64:
		if a.Value(i) > math.MaxInt64 {
			return b, fmt.Errorf("the value %d, which an Avro long cannot hold", a.Value(i))
		}
		return appendLong(b, int64(a.Value(i))), nil
	case *array.Date32:
		return appendLong(b, int64(a.Value(i))), nil
	case *array.Time32:
		return appendLong(b, int64(a.Value(i))), nil
	case *array.Time64:
		return appendLong(b, int64(a.Value(i))), nil
	case *array.Timestamp:
		return appendLong(b, int64(a.Value(i))), nil
	}
	panic(fmt.Sprintf("avroio: integers of %s", a.DataType()))
}

// structs writes the fields one after the other.
func (n *namer) structs(t *arrow.StructType, path string) (any, encoder, error) {
	n.n++
	text, encoders, err := n.record(n.outer+"_"+strconv.Itoa(n.n), t.Fields(), path+".")
	return text, func(b []byte, a arrow.Array, i int) (_ []byte, err error) {
		s := a.(*array.Struct)
		for f, encode := range encoders {
			if b, err = encode(b, s.Field(f), i); err != nil {
				return b, err
			}
		}
		return b, nil
	}, err
}

// lists writes a block of all elements, which may be null, and the end.
func (n *namer) lists(t arrow.ListLikeType, path string) (any, encoder, error) {
	text, encode, err := n.value(t.Elem(), path+"[]")
	if err != nil {
		return nil, nil, err
	}
	if t.Elem().ID() == arrow.NULL {
		return nil, nil, fmt.Errorf("column %q: type %s cannot be written", path, t)
	}
	if e, ok := t.(interface{ ElemField() arrow.Field }); ok && !e.ElemField().Nullable {
		encode = required(encode)
	} else {
		text, encode = []any{"null", text}, optional(encode)
	}
	return arrayType{"array", text}, func(b []byte, a arrow.Array, i int) (_ []byte, err error) {
		list := a.(array.ListLike)
		from, to := list.ValueOffsets(i)
		if from < to {
			b = appendLong(b, to-from)
		}
		for ; from < to; from++ {
			if b, err = encode(b, list.ListValues(), int(from)); err != nil {
				return b, err
			}
		}
		return append(b, 0), nil
	}, nil
}

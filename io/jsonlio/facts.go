package jsonlio

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/io/table"
)

// facts are what kinds of values were seen in a column or in the lists of one. The facts of a file are
// the union of those of its parts, in any order.
type facts uint16

const (
	sawNull   facts = 1 << iota
	sawBool         //
	sawInt          // a number without point and exponent
	sawBig          // one of these that an int64 cannot hold
	sawDigits       // one of these of which a float64 would lose digits
	sawFloat        // a number with point or exponent
	sawString
	sawList   // an array of scalars
	sawNested // an object that is not made columns of, or an array that has arrays or objects
)

// kind is how a column is read.
type kind byte

const (
	kindText kind = iota // a string as it is, any other value as its JSON text
	kindBool
	kindInt
	kindFloat
	kindList
)

// kindOf is the kind of a column with these facts: the one that holds all its values.
//
// Numbers are float64 if one of them has a point or an exponent and integers otherwise, unless
// that would lose digits of an integer. All that has no common kind is text.
func kindOf(f facts) kind {
	switch f &^ sawNull {
	case sawBool:
		return kindBool
	case sawInt, sawInt | sawDigits:
		return kindInt
	case sawFloat, sawFloat | sawInt, sawFloat | sawInt | sawBig:
		return kindFloat
	case sawList:
		return kindList
	}
	return kindText
}

// known is what is known of a column.
type known struct {
	Name  string `json:"name"`
	Facts facts  `json:"saw"`
	Items facts  `json:"items,omitempty"` // of what is in its lists
	first int64  // where in the file it appears first
}

// typeOf is the type of a column and the kinds of its values and, for a list, of its items. A list is text if its items have no
// common kind; a list that was always empty is one of strings.
func (k *known) typeOf() (t arrow.DataType, values, items kind) {
	values, items = kindOf(k.Facts), kindOf(k.Items)
	if values == kindList && items == kindText && k.Items&^(sawNull|sawString) != 0 {
		values = kindText
	}
	types := [...]arrow.DataType{kindText: arrow.BinaryTypes.String, kindBool: arrow.FixedWidthTypes.Boolean,
		kindInt: arrow.PrimitiveTypes.Int64, kindFloat: arrow.PrimitiveTypes.Float64}
	if values == kindList {
		return arrow.ListOf(types[items]), values, items
	}
	return types[values], values, items
}

// schemaOf is the Arrow schema of columns.
func schemaOf(columns []known) *arrow.Schema {
	fields := make([]arrow.Field, len(columns))
	for i := range columns {
		t, _, _ := columns[i].typeOf()
		fields[i] = arrow.Field{Name: columns[i].Name, Type: t, Nullable: true}
	}
	return arrow.NewSchema(fields, nil)
}

// encode is the form of columns in table.Span.Schema.
func encode(columns []known) string {
	text, err := json.Marshal(columns)
	if err != nil {
		panic(fmt.Sprintf("jsonlio: %v", err)) // names and numbers can be written
	}
	return string(text)
}

func decode(text string) (columns []known, err error) {
	if text == "" {
		return nil, fmt.Errorf("the span has no schema: take the spans of a survey")
	}
	if err := json.Unmarshal([]byte(text), &columns); err != nil {
		return nil, fmt.Errorf("the span's schema is damaged: %w", err)
	}
	if len(columns) == 0 {
		return nil, fmt.Errorf("the span's schema has no columns")
	}
	return columns, nil
}

// merge is the union of parts: of one file, where first decides the order, or
// of files in their order.
func merge(parts ...[]known) []known {
	at := map[string]*known{}
	for _, part := range parts {
		for _, k := range part {
			if have, ok := at[k.Name]; ok {
				have.Facts |= k.Facts
				have.Items |= k.Items
				have.first = min(have.first, k.first)
			} else {
				at[k.Name] = &k
			}
		}
	}
	all := make([]known, 0, len(at))
	for _, k := range at {
		all = append(all, *k)
	}
	slices.SortFunc(all, func(a, b known) int { return cmp.Compare(a.first, b.first) })
	return all
}

// Unify implements table.Unifier.
func (Format) Unify(files []*table.File) error {
	var parts [][]known
	next := int64(0)
	for _, file := range files {
		if len(file.Spans) == 0 {
			return fmt.Errorf("jsonlio: %s: no spans: take the files of a survey", file.Name)
		}
		part, err := decode(file.Spans[0].Schema)
		if err != nil {
			return fmt.Errorf("jsonlio: %s: %w", file.Name, err)
		}
		for i := range part {
			part[i].first = next
			next++
		}
		parts = append(parts, part)
	}
	columns := merge(parts...)
	text, schema := encode(columns), schemaOf(columns)
	for _, file := range files {
		file.Schema = schema
		for i := range file.Spans {
			file.Spans[i].Schema = text
		}
	}
	return nil
}

// index finds columns by name, and the objects that have some in them.
type index struct {
	columns map[string]int
	objects map[string]bool // "a." and "a.b." for a column a.b.c
}

func indexOf(columns []known) index {
	x := index{columns: make(map[string]int, len(columns)), objects: map[string]bool{}}
	for i, k := range columns {
		x.columns[k.Name] = i
		for p, c := range []byte(k.Name) {
			if c == '.' {
				x.objects[k.Name[:p+1]] = true
			}
		}
	}
	return x
}

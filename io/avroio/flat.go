package avroio

import (
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/internal/columns"
)

// flat is a part of a record that is one column, or several: those of a record's fields, of
// a duration's parts, or of a union's branches.
type flat struct {
	node   *node // nil of a duration's part
	name   string
	kids   []*flat // nil in place of the branch null
	at     int     // of the column in the file's schema, if there are no kids
	wanted bool
	out    *columns.Column // of a wanted column
}

// flatten returns the columns of a record, as a tree and as a schema. A schema that is no
// record is one column called value.
func flatten(n *node) (*flat, *arrow.Schema, error) {
	var fields []arrow.Field
	name := ""
	if n.op != opRecord {
		name = "value"
	}
	f := newFlat(n, name, false, &fields)
	seen := map[string]bool{}
	for _, field := range fields {
		if field.Name == "" {
			return nil, nil, fmt.Errorf("schema: a field without a name: name every field")
		}
		if seen[field.Name] {
			return nil, nil, fmt.Errorf("schema: two columns would be called %q: rename a field", field.Name)
		}
		seen[field.Name] = true
	}
	if len(fields) == 0 || n.least == 0 {
		return nil, nil, fmt.Errorf("schema: a record without a value: nothing to read")
	}
	return f, arrow.NewSchema(fields, nil), nil
}

func newFlat(n *node, name string, nullable bool, fields *[]arrow.Field) *flat {
	f := &flat{node: n, name: name}
	inner := func(kid *node, part string, nullable bool) {
		if name != "" {
			part = name + "." + part
		}
		f.kids = append(f.kids, newFlat(kid, part, nullable, fields))
	}
	switch n.op {
	case opRecord:
		for i, kid := range n.kids {
			inner(kid, n.names[i], nullable)
		}
		return f
	case opDuration:
		for _, part := range durationNames {
			f.kids = append(f.kids, leaf(nil, name+"."+part, arrow.PrimitiveTypes.Int64, nullable, fields))
		}
		return f
	case opUnion:
		for i, kid := range n.kids {
			if i == n.null {
				f.kids = append(f.kids, nil)
			} else {
				inner(kid, n.names[i], true)
			}
		}
		return f
	case opOptional:
		nullable = nullable || n.null >= 0
		if n.dt.ID() == arrow.STRUCT { // one branch, and that has parts
			for i, kid := range n.kids {
				if i == n.null {
					f.kids = append(f.kids, nil)
				} else {
					f.kids = append(f.kids, newFlat(kid, name, nullable, fields))
				}
			}
			return f
		}
	}
	return leaf(n, name, n.dt, nullable || n.op == opNull, fields)
}

func leaf(n *node, name string, dt arrow.DataType, nullable bool, fields *[]arrow.Field) *flat {
	f := &flat{node: n, name: name, at: len(*fields)}
	*fields = append(*fields, arrow.Field{Name: name, Type: dt, Nullable: nullable})
	return f
}

// want makes the columns of those in wanted, by their place in the schema, and says if there is one.
func (f *flat) want(wanted map[int]*columns.Column) bool {
	if f == nil {
		return false
	}
	if f.kids == nil {
		f.out = wanted[f.at]
		f.wanted = f.out != nil
	}
	for _, kid := range f.kids {
		f.wanted = kid.want(wanted) || f.wanted
	}
	return f.wanted
}

// null appends a null to all columns.
func (f *flat) null() {
	switch {
	case f == nil:
	case f.out != nil:
		f.out.Null()
	default:
		for _, kid := range f.kids {
			kid.null()
		}
	}
}

// read reads the values of one row.
func (f *flat) read(d *rowDecoder) {
	switch {
	case !f.wanted:
		f.node.skip(&d.decoder)
	case d.fault.rule == RuleRow:
		f.node.skip(&d.decoder)
		f.null()
	case f.kids == nil:
		d.cell(f)
	case f.node.op == opRecord:
		for _, kid := range f.kids {
			kid.read(d)
		}
	case f.node.op == opDuration:
		for _, kid := range f.kids {
			if v := d.fixed4(); kid.out != nil {
				kid.out.Fixed8(uint64(v))
			}
		}
	default:
		at := d.index(len(f.kids), "branch")
		for i, kid := range f.kids {
			switch {
			case kid == nil:
			case i == at:
				kid.read(d)
			default:
				kid.null()
			}
		}
	}
}

// rowDecoder is the decoder of whole rows.
type rowDecoder struct {
	decoder
	rowStart int // of *size
	fault    fault
}

// fault is why a row is turned away, if rule is not empty.
type fault struct {
	rule, column string
	value        []byte
	reason       string
}

// cell reads the value of one column.
func (d *rowDecoder) cell(f *flat) {
	d.start, d.rule = *d.size, ""
	f.node.read(&d.decoder, f.out)
	if id := f.node.dt.ID(); id == arrow.LIST || id == arrow.STRUCT {
		d.over()
	}
	switch {
	case d.fault.rule != "":
	case d.rule == RuleUTF8:
		d.fault = fault{d.rule, f.name, d.value, "the text is not valid UTF-8"}
	case d.rule == RuleCell && d.value != nil:
		d.fault = fault{d.rule, f.name, d.value, fmt.Sprintf("want at most %d bytes, has %d", d.maxCell, d.length)}
	case d.rule == RuleCell:
		d.fault = fault{d.rule, f.name, nil, fmt.Sprintf("want at most %d bytes, has more", d.maxCell)}
	case *d.size-d.rowStart > maxRowBytes:
		d.fault = fault{RuleRow, "", nil, fmt.Sprintf("want at most %d bytes of values", maxRowBytes)}
	}
}

// row reads one row with f.
func (d *rowDecoder) row(f *flat) {
	d.rowStart, d.fault.rule = *d.size, ""
	f.read(d)
}

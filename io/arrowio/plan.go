package arrowio

import (
	"fmt"
	_ "time/tzdata" // the zones of timestamps, the same on every machine

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/internal/arrowsafe"
)

// layout is how the values of a node lie in buffers.
type layout int

const (
	fixed     layout = iota // width bytes a value
	bits                    // a bit a value
	text                    // offsets of width bytes, and bytes
	list                    // offsets of width bytes, and a child
	view                    // 16 bytes a value, and data buffers
	listView                // offsets and sizes of width bytes, and a child
	fixedList               // width elements of a child a value
	structure               // children
	empty                   // nothing: nulls
	runs                    // ends of runs, and values
	indices                 // width bytes a value, and a dictionary elsewhere
	union                   // not read; known to be passed over
)

// node is a column, or a child of one, as it is stored and as it is read.
type node struct {
	name     string
	nullable bool
	layout   layout
	out      arrow.DataType // what it is read as
	width    int
	parts    []int // the bytes of the numbers in a value, for other byte orders; nil is one of width
	kids     []*node
	id       int64 // of the dictionary; kids[0] is its values
	signed   bool  // indices are
	buffers  int   // of a union
	reason   string
}

// plan lays out the fields of a schema.
func plan(s *arrowsafe.Schema) ([]*node, error) {
	out := make([]*node, len(s.Fields))
	seen := map[string]bool{}
	for i, f := range s.Fields {
		n, err := newNode(f, s.Version)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", f.Name, err)
		}
		if seen[f.Name] {
			return nil, fmt.Errorf("two columns are called %q: rename one", f.Name)
		}
		seen[f.Name], out[i] = true, n
	}
	return out, nil
}

// newNode returns the node of f. Its error is for what cannot even be passed over.
func newNode(f arrowsafe.Field, version int) (*node, error) {
	n := &node{name: f.Name, nullable: f.Nullable}
	for _, c := range f.Children {
		kid, err := newNode(c, version)
		if err != nil {
			return nil, err
		}
		if kid.reason != "" {
			n.reason = kid.reason
		}
		n.kids = append(n.kids, kid)
	}
	if err := n.setType(f, version); err != nil {
		return nil, err
	}
	if n.reason != "" {
		n.out = arrow.Null
	}
	if f.Dictionary == nil {
		return n, nil
	}
	e := f.Dictionary
	return &node{name: f.Name, nullable: f.Nullable, layout: indices, out: n.out, width: e.Bits / 8,
		kids: []*node{n}, id: e.ID, signed: e.Signed, reason: n.reason}, nil
}

// want says that n must have so many children.
func (n *node) want(kids int) error {
	if len(n.kids) != kids {
		return fmt.Errorf("a type with %d children, want %d", len(n.kids), kids)
	}
	return nil
}

// child is the field of kid i in a nested type.
func (n *node) child(i int) arrow.Field {
	return arrow.Field{Name: n.kids[i].name, Type: n.kids[i].out, Nullable: n.kids[i].nullable}
}

func (n *node) setType(f arrowsafe.Field, version int) error {
	switch f.Type {
	case arrowsafe.TypeNull:
		n.layout, n.out = empty, arrow.Null
	case arrowsafe.TypeBool:
		n.layout, n.out = bits, arrow.FixedWidthTypes.Boolean
	case arrowsafe.TypeUTF8, arrowsafe.TypeLargeUTF8, arrowsafe.TypeBinary, arrowsafe.TypeLargeBinary:
		n.layout, n.width, n.out = text, 4, arrow.BinaryTypes.Binary
		if f.Type == arrowsafe.TypeLargeUTF8 || f.Type == arrowsafe.TypeLargeBinary {
			n.width = 8
		}
		if f.Type == arrowsafe.TypeUTF8 || f.Type == arrowsafe.TypeLargeUTF8 {
			n.out = arrow.BinaryTypes.String
		}
	case arrowsafe.TypeUTF8View:
		n.layout, n.out = view, arrow.BinaryTypes.String
	case arrowsafe.TypeBinaryView:
		n.layout, n.out = view, arrow.BinaryTypes.Binary
	case arrowsafe.TypeList, arrowsafe.TypeMap, arrowsafe.TypeLargeList, arrowsafe.TypeListView,
		arrowsafe.TypeLargeListView, arrowsafe.TypeFixedList, arrowsafe.TypeStruct, arrowsafe.TypeRunEnds, arrowsafe.TypeUnion:
		return n.setNested(f, version)
	default:
		return n.setFixed(f)
	}
	return n.want(0)
}

func (n *node) setNested(f arrowsafe.Field, version int) error {
	switch f.Type {
	case arrowsafe.TypeUnion:
		n.layout, n.reason, n.buffers = union, "unions are not read: write their fields as columns, or select columns without it", 1
		if f.Params[0] == 1 {
			n.buffers++
		}
		if version < 4 { // a union had a validity bitmap before V5
			n.buffers++
		}
		return nil
	case arrowsafe.TypeStruct:
		fields := make([]arrow.Field, len(n.kids))
		for i := range fields {
			fields[i] = n.child(i)
		}
		n.layout, n.out = structure, arrow.StructOf(fields...)
		return nil
	case arrowsafe.TypeRunEnds:
		if err := n.want(2); err != nil {
			return err
		}
		if ends := n.kids[0]; ends.layout != fixed || !arrow.IsSignedInteger(ends.out.ID()) || ends.width == 1 {
			return fmt.Errorf("run ends of type %s", ends.out)
		}
		n.layout, n.out = runs, n.kids[1].out
		return nil
	}
	if err := n.want(1); err != nil {
		return err
	}
	n.width = 4
	switch f.Type {
	case arrowsafe.TypeFixedList:
		n.layout, n.width = fixedList, f.Params[0]
		if n.width < 1 {
			n.reason = fmt.Sprintf("a list of %d elements is not read: select columns without it", n.width)
			return nil
		}
		n.out = arrow.FixedSizeListOfField(int32(n.width), n.child(0))
		return nil
	case arrowsafe.TypeListView, arrowsafe.TypeLargeListView:
		n.layout = listView
	default:
		n.layout = list
	}
	if f.Type == arrowsafe.TypeLargeList || f.Type == arrowsafe.TypeLargeListView {
		n.width = 8
	}
	n.out = arrow.ListOfField(n.child(0))
	return nil
}

// setFixed sets the types with values of a fixed width.
func (n *node) setFixed(f arrowsafe.Field) error {
	p := f.Params
	n.layout = fixed
	switch f.Type {
	case arrowsafe.TypeInt:
		n.width = p[0] / 8
		n.out = ints[[2]int{p[0], min(p[1], 1)}]
	case arrowsafe.TypeFloat:
		if p[0] >= 0 && p[0] < 3 {
			n.width = 2 << p[0]
			n.out = []arrow.DataType{arrow.FixedWidthTypes.Float16, arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64}[p[0]]
		}
	case arrowsafe.TypeDecimal:
		return n.setDecimal(p)
	case arrowsafe.TypeDate:
		if p[0] >= 0 && p[0] < 2 {
			n.width = 4 << p[0]
			n.out = []arrow.DataType{arrow.FixedWidthTypes.Date32, arrow.FixedWidthTypes.Date64}[p[0]]
		}
	case arrowsafe.TypeTime:
		n.width = p[1] / 8
		switch {
		case p[1] == 32 && (p[0] == 0 || p[0] == 1):
			n.out = &arrow.Time32Type{Unit: arrow.TimeUnit(p[0])}
		case p[1] == 64 && (p[0] == 2 || p[0] == 3):
			n.out = &arrow.Time64Type{Unit: arrow.TimeUnit(p[0])}
		}
	case arrowsafe.TypeTimestamp, arrowsafe.TypeDuration:
		n.width = 8
		if p[0] >= 0 && p[0] < 4 && f.Type == arrowsafe.TypeTimestamp {
			n.out = &arrow.TimestampType{Unit: arrow.TimeUnit(p[0]), TimeZone: f.Zone}
			// Arrow panics later at the values of a zone that is not known.
			if _, err := n.out.(*arrow.TimestampType).GetZone(); err != nil {
				n.reason = fmt.Sprintf("its time zone %q is not known: write it as UTC, or select columns without it", f.Zone)
			}
		} else if p[0] >= 0 && p[0] < 4 {
			n.out = &arrow.DurationType{Unit: arrow.TimeUnit(p[0])}
		}
	case arrowsafe.TypeInterval:
		if p[0] >= 0 && p[0] < 3 {
			n.width, n.parts = 4<<p[0], [][]int{{4}, {4, 4}, {4, 4, 8}}[p[0]]
			n.out = []arrow.DataType{arrow.FixedWidthTypes.MonthInterval, arrow.FixedWidthTypes.DayTimeInterval,
				arrow.FixedWidthTypes.MonthDayNanoInterval}[p[0]]
		}
	case arrowsafe.TypeFixedBinary:
		if p[0] > 0 && p[0] <= maxValue {
			n.width, n.parts = p[0], []int{1}
			n.out = &arrow.FixedSizeBinaryType{ByteWidth: p[0]}
		}
	default:
		return fmt.Errorf("a type that is not known (number %d)", f.Type)
	}
	if n.out == nil {
		return fmt.Errorf("a type that does not exist (number %d, settings %v)", f.Type, p)
	}
	return n.want(0)
}

// ints are the integer types by bits and sign.
var ints = map[[2]int]arrow.DataType{
	{8, 1}: arrow.PrimitiveTypes.Int8, {16, 1}: arrow.PrimitiveTypes.Int16, {32, 1}: arrow.PrimitiveTypes.Int32, {64, 1}: arrow.PrimitiveTypes.Int64,
	{8, 0}: arrow.PrimitiveTypes.Uint8, {16, 0}: arrow.PrimitiveTypes.Uint16, {32, 0}: arrow.PrimitiveTypes.Uint32, {64, 0}: arrow.PrimitiveTypes.Uint64,
}

// setDecimal sets a decimal of these precision, scale and bits; those of 32 and 64 bits are read as of 128.
func (n *node) setDecimal(p [3]int) error {
	most := map[int]int{32: 9, 64: 18, 128: 38, 256: 76}[p[2]]
	if p[0] < 1 || p[0] > most {
		return fmt.Errorf("a decimal of %d digits in %d bits", p[0], p[2])
	}
	n.width = p[2] / 8
	if n.out = (&arrow.Decimal128Type{Precision: int32(p[0]), Scale: int32(p[1])}); p[2] == 256 {
		n.out = &arrow.Decimal256Type{Precision: int32(p[0]), Scale: int32(p[1])}
	}
	return n.want(0)
}

// schemaOf is the schema of nodes as they are read. A column that cannot be read has type null.
func schemaOf(nodes []*node) *arrow.Schema {
	fields := make([]arrow.Field, len(nodes))
	for i, n := range nodes {
		fields[i] = arrow.Field{Name: n.name, Type: n.out, Nullable: true}
	}
	return arrow.NewSchema(fields, nil)
}

// usesDictionary says that reading n needs a dictionary.
func (n *node) usesDictionary() bool {
	if n.layout == indices {
		return true
	}
	for _, k := range n.kids {
		if k.usesDictionary() {
			return true
		}
	}
	return false
}

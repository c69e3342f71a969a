package avroio

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/twmb/avro"

	"github.com/millrace-go/millrace/internal/arrowsafe"
)

// op says how a value is read.
type op uint8

const (
	opNull op = iota
	opBool
	opInt         // also date and time-millis
	opLong        // also times and timestamps
	opIntAsLong   // in a union of both
	opFloat       //
	opDouble      //
	opFloatAsDbl  // in a union of both
	opBytes       //
	opString      //
	opFixed       // size bytes
	opEnum        // one of symbols
	opUUID        // 16 bytes, as text
	opDecimal     // bytes, or size bytes, as the nearest float64
	opDuration    // 12 bytes, as three numbers
	opArray       // of kids[0]
	opMap         // of kids[0]
	opRecord      // of kids
	opUnion       // of kids
	opOptional    // a union of null and one other, or others that one type holds
	maxSymbolSize = 64 << 10
)

// node is a type of the schema, compiled: names are resolved and no type holds itself.
type node struct {
	op      op
	dt      arrow.DataType // of a column of such values
	least   int            // the fewest bytes that a value takes
	size    int            // of a fixed
	scale   int            // of a decimal
	symbols [][]byte
	kids    []*node
	names   []string // of the kids of a record or union
	null    int      // the branch of a union that is null, or -1
}

// compiler compiles a schema.
type compiler struct {
	defined map[string]*avro.SchemaNode // by full name
	open    []string                    // the records around the node
	left    int                         // nodes
}

// compile reads the text of a schema.
func compile(text []byte) (n *node, err error) {
	defer arrowsafe.Recover(&err, "schema")
	s, err := avro.Parse(string(text), avro.WithLaxNames(func(string) error { return nil }))
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	c := &compiler{defined: map[string]*avro.SchemaNode{}, left: maxNodes}
	if n, err = c.node(s.Root(), "", 0); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	return n, nil
}

// fullName is the name by which a type is found again.
func fullName(n *avro.SchemaNode) string {
	if n.Namespace == "" || strings.Contains(n.Name, ".") {
		return n.Name
	}
	return n.Namespace + "." + n.Name
}

var primitives = map[string]node{
	"null":    {op: opNull, dt: arrow.Null},
	"boolean": {op: opBool, dt: arrow.FixedWidthTypes.Boolean, least: 1},
	"int":     {op: opInt, dt: arrow.PrimitiveTypes.Int32, least: 1},
	"long":    {op: opLong, dt: arrow.PrimitiveTypes.Int64, least: 1},
	"float":   {op: opFloat, dt: arrow.PrimitiveTypes.Float32, least: 4},
	"double":  {op: opDouble, dt: arrow.PrimitiveTypes.Float64, least: 8},
	"bytes":   {op: opBytes, dt: arrow.BinaryTypes.Binary, least: 1},
	"string":  {op: opString, dt: arrow.BinaryTypes.String, least: 1},
}

// logical are the logical types that only give a type another name. One on
// another type than it is for says nothing, as the specification wants it.
var logical = map[string]arrow.DataType{
	"int date":                    arrow.FixedWidthTypes.Date32,
	"int time-millis":             arrow.FixedWidthTypes.Time32ms,
	"long time-micros":            arrow.FixedWidthTypes.Time64us,
	"long timestamp-millis":       arrow.FixedWidthTypes.Timestamp_ms,
	"long timestamp-micros":       arrow.FixedWidthTypes.Timestamp_us,
	"long timestamp-nanos":        arrow.FixedWidthTypes.Timestamp_ns,
	"long local-timestamp-millis": &arrow.TimestampType{Unit: arrow.Millisecond},
	"long local-timestamp-micros": &arrow.TimestampType{Unit: arrow.Microsecond},
	"long local-timestamp-nanos":  &arrow.TimestampType{Unit: arrow.Nanosecond},
}

// node compiles s, which lies in a namespace and within depth others.
func (c *compiler) node(s *avro.SchemaNode, namespace string, depth int) (*node, error) {
	if c.left--; c.left < 0 {
		return nil, fmt.Errorf("more than %d types", maxNodes)
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("types nested deeper than %d", maxDepth)
	}
	if s.LogicalType == "decimal" && (s.Scale < 0 || s.Scale > maxScale) {
		return nil, fmt.Errorf("a decimal of scale %d, want 0 to %d", s.Scale, maxScale)
	}
	if p, ok := primitives[s.Type]; ok {
		return primitive(p, s), nil
	}
	switch s.Type {
	case "array":
		item, err := c.node(s.Items, namespace, depth+1)
		if err != nil {
			return nil, err
		}
		if item.least == 0 {
			return nil, errors.New("an array of nulls: want items that hold something")
		}
		return &node{op: opArray, dt: arrow.ListOf(item.dt), least: 1, kids: []*node{item}}, nil
	case "map":
		value, err := c.node(s.Values, namespace, depth+2)
		if err != nil {
			return nil, err
		}
		pair := arrow.StructOf(arrow.Field{Name: "key", Type: arrow.BinaryTypes.String}, arrow.Field{Name: "value", Type: value.dt, Nullable: true})
		return &node{op: opMap, dt: arrow.ListOf(pair), least: 1, kids: []*node{value}}, nil
	case "union":
		return c.union(s, namespace, depth)
	case "record", "error":
		return c.record(s, depth)
	case "enum", "fixed":
		c.defined[fullName(s)] = s
		return simple(s)
	}
	return c.reference(s.Type, namespace, depth)
}

// reference compiles the type called name once more.
func (c *compiler) reference(name, namespace string, depth int) (*node, error) {
	s, ok := c.defined[name]
	if inner, found := c.defined[namespace+"."+name]; found && namespace != "" && !strings.Contains(name, ".") {
		s, ok = inner, true
	}
	if !ok {
		return nil, fmt.Errorf("no type %q", name)
	}
	return c.node(s, namespace, depth)
}

func (c *compiler) record(s *avro.SchemaNode, depth int) (*node, error) {
	name := fullName(s)
	if slices.Contains(c.open, name) {
		return nil, fmt.Errorf("type %q holds itself, which a table cannot: write its values to a file of their own", name)
	}
	c.defined[name] = s
	c.open = append(c.open, name)
	defer func() { c.open = c.open[:len(c.open)-1] }()
	namespace := ""
	if at := strings.LastIndexByte(name, '.'); at >= 0 {
		namespace = name[:at]
	}
	n := &node{op: opRecord}
	var fields []arrow.Field
	for i := range s.Fields {
		f := &s.Fields[i]
		kid, err := c.node(&f.Type, namespace, depth+1)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		n.kids, n.names = append(n.kids, kid), append(n.names, f.Name)
		n.least += kid.least
		fields = append(fields, arrow.Field{Name: f.Name, Type: kid.dt, Nullable: true})
	}
	n.least = min(n.least, maxBlockBytes)
	n.dt = arrow.StructOf(fields...)
	return n, nil
}

// primitive is p with the logical type of s.
func primitive(p node, s *avro.SchemaNode) *node {
	if dt, ok := logical[s.Type+" "+s.LogicalType]; ok {
		p.dt = dt
	}
	if s.Type == "bytes" && s.LogicalType == "decimal" {
		p.op, p.dt, p.scale = opDecimal, arrow.PrimitiveTypes.Float64, s.Scale
	}
	return &p
}

// simple compiles an enum or a fixed.
func simple(s *avro.SchemaNode) (*node, error) {
	if s.Type == "enum" {
		n := &node{op: opEnum, dt: arrow.BinaryTypes.String, least: 1}
		for _, symbol := range s.Symbols {
			if len(symbol) > maxSymbolSize {
				return nil, fmt.Errorf("enum %q: a symbol of %d bytes, want at most %d", s.Name, len(symbol), maxSymbolSize)
			}
			n.symbols = append(n.symbols, []byte(symbol))
		}
		if len(n.symbols) == 0 {
			return nil, fmt.Errorf("enum %q has no symbols", s.Name)
		}
		return n, nil
	}
	if s.Size < 1 || s.Size > maxHeaderBytes {
		return nil, fmt.Errorf("fixed %q: a size of %d, want 1 to %d", s.Name, s.Size, maxHeaderBytes)
	}
	n := &node{op: opFixed, dt: arrow.BinaryTypes.Binary, size: s.Size, least: s.Size}
	switch {
	case s.LogicalType == "decimal":
		n.op, n.dt, n.scale = opDecimal, arrow.PrimitiveTypes.Float64, s.Scale
	case s.LogicalType == "uuid" && s.Size == 16:
		n.op, n.dt = opUUID, arrow.BinaryTypes.String
	case s.LogicalType == "duration" && s.Size == 12:
		n.op, n.dt = opDuration, durationType
	}
	return n, nil
}

// durationNames are the parts of a duration, in its order.
var durationNames = []string{"months", "days", "millis"}

var durationType = func() arrow.DataType {
	var fields []arrow.Field
	for _, name := range durationNames {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Int64, Nullable: true})
	}
	return arrow.StructOf(fields...)
}()

// union compiles a union. With null aside, one type is that type, int and long are a
// long, float and double a double; any others are a struct of one field a branch, of which one is not null.
func (c *compiler) union(s *avro.SchemaNode, namespace string, depth int) (*node, error) {
	n := &node{op: opUnion, least: 1, null: -1}
	var other []*node
	for i := range s.Branches {
		b := &s.Branches[i]
		kid, err := c.node(b, namespace, depth+1)
		if err != nil {
			return nil, err
		}
		name := b.Type
		switch {
		case kid.op == opNull:
			n.null = i
		default:
			other = append(other, kid)
			if b.Name != "" {
				name = b.Name
			}
		}
		n.kids, n.names = append(n.kids, kid), append(n.names, name[strings.LastIndexByte(name, '.')+1:])
	}
	switch {
	case len(n.kids) == 0:
		return nil, errors.New("a union of no types")
	case len(other) == 0:
		n.op, n.dt = opOptional, arrow.Null
	case len(other) == 1:
		n.op, n.dt = opOptional, other[0].dt
	case len(other) == 2 && plain(other[0]) && plain(other[1]) && n.widen(opInt, opIntAsLong, opLong):
		n.op, n.dt = opOptional, arrow.PrimitiveTypes.Int64
	case len(other) == 2 && n.widen(opFloat, opFloatAsDbl, opDouble):
		n.op, n.dt = opOptional, arrow.PrimitiveTypes.Float64
	default:
		var fields []arrow.Field
		for i, kid := range n.kids {
			if slices.Contains(n.names[:i], n.names[i]) {
				return nil, fmt.Errorf("two types of a union are called %q: rename one", n.names[i])
			}
			if i != n.null {
				fields = append(fields, arrow.Field{Name: n.names[i], Type: kid.dt, Nullable: true})
			}
		}
		n.dt = arrow.StructOf(fields...)
	}
	return n, nil
}

// plain says that a node has no logical type.
func plain(n *node) bool { return n.dt.ID() == arrow.INT32 || n.dt.ID() == arrow.INT64 }

// widen makes a union's branch of type narrow one of type as, if the other branch that is not null is wide.
func (n *node) widen(narrow, as, wide op) bool {
	isNarrow := func(k *node) bool { return k.op == narrow }
	at := slices.IndexFunc(n.kids, isNarrow)
	if at < 0 || !slices.ContainsFunc(n.kids, func(k *node) bool { return k.op == wide }) {
		return false
	}
	n.kids[at] = &node{op: as, least: n.kids[at].least}
	return true
}

package tfrecordio

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/io/table"
)

// sequenceKey is the metadata of the column of a sequence feature: the feature's name.
const sequenceKey = "millrace.tfrecord.sequence"

// sequenceSuffix ends the name of the column of a sequence feature where a context feature has its name.
const sequenceSuffix = ".sequence"

// shape is what the records so far say of a feature.
type shape struct {
	name     string
	sequence bool
	kind     kind
	valued   bool // a value has settled the kind; before, an empty list is a hint
	many     bool // a record, or a step of a sequence, has several values
	binary   bool // a value is not UTF-8
}

// inference gathers the shapes of all features.
type inference struct {
	rec       *record
	shapes    []shape
	nameBytes int
}

func newInference() *inference {
	in := &inference{}
	in.rec = newRecord(in.unknown)
	return in
}

func (in *inference) unknown(name string, sequence bool) error {
	in.nameBytes += len(name)
	if len(in.shapes) == maxColumns || in.nameBytes > maxNameBytes {
		return fmt.Errorf("more than %d features, or names of more than %d bytes: put the values of many features into one list", maxColumns, maxNameBytes)
	}
	in.rec.add(name, sequence)
	in.shapes = append(in.shapes, shape{name: name, sequence: sequence})
	return nil
}

// see learns from a record. One that is no Example says nothing, nor does a feature that is malformed.
func (in *inference) see(msg []byte) error {
	switch err := in.rec.read(msg); err {
	case nil:
	case errNotExample:
		return nil
	default:
		return err
	}
	for _, at := range in.rec.found {
		s, body := &in.shapes[at], in.rec.places[at].body
		if !s.sequence {
			s.see(body)
			continue
		}
		for len(body) > 0 {
			_, step, rest, ok := message(body, 1)
			if !ok {
				break
			}
			s.see(step)
			body = rest
		}
	}
	return nil
}

// see learns from a tf.Feature.
func (s *shape) see(feature []byte) {
	c, ok := openFeature(feature)
	if !ok || c.kind == noKind || s.valued && c.kind != s.kind {
		return
	}
	t, ok := c.count(!s.binary)
	if !ok {
		return
	}
	if t.n > 0 || s.kind == noKind {
		s.kind = c.kind
	}
	s.valued = s.valued || t.n > 0
	s.many = s.many || t.n > 1
	s.binary = s.binary || t.binary
}

// field is the column of a feature.
func (s *shape) field(o table.TFRecord) arrow.Field {
	f := arrow.Field{Name: s.name, Type: arrow.Null, Nullable: true}
	switch s.kind {
	case noKind:
	case intKind:
		f.Type = arrow.PrimitiveTypes.Int64
	case floatKind:
		f.Type = arrow.PrimitiveTypes.Float32
	default:
		f.Type = arrow.BinaryTypes.String
		if s.binary || slices.Contains(o.Binary, s.name) {
			f.Type = arrow.BinaryTypes.Binary
		}
	}
	if s.kind != noKind && (s.many || slices.Contains(o.Lists, s.name)) {
		f.Type = arrow.ListOf(f.Type)
	}
	if s.sequence {
		f.Metadata = arrow.NewMetadata([]string{sequenceKey}, []string{s.name})
		if s.kind != noKind {
			f.Type = arrow.ListOf(f.Type)
		}
	}
	return f
}

// schema has the columns of all features, in the order of their names.
func (in *inference) schema(o table.TFRecord) (*arrow.Schema, error) {
	fields := make([]arrow.Field, len(in.shapes))
	for i := range in.shapes {
		fields[i] = in.shapes[i].field(o)
	}
	return schemaOf(fields)
}

// schemaOf sorts fields by name, after giving the sequences that need it another name.
func schemaOf(fields []arrow.Field) (*arrow.Schema, error) {
	context := map[string]bool{}
	for _, f := range fields {
		if _, sequence := featureOf(f); !sequence {
			context[f.Name] = true
		}
	}
	for i := range fields {
		name, sequence := featureOf(fields[i])
		if sequence && context[name] {
			fields[i].Name = name + sequenceSuffix
		}
	}
	slices.SortFunc(fields, func(a, b arrow.Field) int { return strings.Compare(a.Name, b.Name) })
	for i := range fields {
		if fields[i].Name == "" {
			return nil, fmt.Errorf("a feature without a name: name every feature")
		}
		if i > 0 && fields[i].Name == fields[i-1].Name {
			return nil, fmt.Errorf("two features give a column %q, the sequence feature %q among them: rename one",
				fields[i].Name, strings.TrimSuffix(fields[i].Name, sequenceSuffix))
		}
	}
	return arrow.NewSchema(fields, nil), nil
}

// featureOf is the name of the feature that a column holds.
func featureOf(f arrow.Field) (name string, sequence bool) {
	if name, ok := f.Metadata.GetValue(sequenceKey); ok {
		return name, true
	}
	return f.Name, false
}

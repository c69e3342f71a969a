package tfrecordio

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/millrace-go/millrace/internal/arrays/arraystest"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/table"
)

// sequenceExample describes tf.SequenceExample, field for field as TensorFlow's example.proto and feature.proto.
func sequenceExample(t testing.TB) protoreflect.MessageDescriptor {
	t.Helper()
	type fields = []*descriptorpb.FieldDescriptorProto
	field := func(name string, number int32, kind descriptorpb.FieldDescriptorProto_Type, of string, repeated bool) *descriptorpb.FieldDescriptorProto {
		f := &descriptorpb.FieldDescriptorProto{Name: &name, Number: &number, Type: &kind, Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()}
		if repeated {
			f.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
		}
		if of != "" {
			f.TypeName = proto.String(".tensorflow." + of)
		}
		return f
	}
	const object = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE
	message := func(name string, of fields, nested ...*descriptorpb.DescriptorProto) *descriptorpb.DescriptorProto {
		return &descriptorpb.DescriptorProto{Name: &name, Field: of, NestedType: nested}
	}
	entry := func(of string) *descriptorpb.DescriptorProto {
		e := message("FeatureEntry", fields{field("key", 1, descriptorpb.FieldDescriptorProto_TYPE_STRING, "", false), field("value", 2, object, of, false)})
		e.Options = &descriptorpb.MessageOptions{MapEntry: proto.Bool(true)}
		return e
	}
	feature := message("Feature", fields{field("bytes_list", 1, object, "BytesList", false), field("float_list", 2, object, "FloatList", false), field("int64_list", 3, object, "Int64List", false)})
	feature.OneofDecl = []*descriptorpb.OneofDescriptorProto{{Name: proto.String("kind")}}
	for _, f := range feature.Field {
		f.OneofIndex = proto.Int32(0)
	}
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("example.proto"), Package: proto.String("tensorflow"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{
			message("BytesList", fields{field("value", 1, descriptorpb.FieldDescriptorProto_TYPE_BYTES, "", true)}),
			message("FloatList", fields{field("value", 1, descriptorpb.FieldDescriptorProto_TYPE_FLOAT, "", true)}),
			message("Int64List", fields{field("value", 1, descriptorpb.FieldDescriptorProto_TYPE_INT64, "", true)}),
			feature,
			message("Features", fields{field("feature", 1, object, "Features.FeatureEntry", true)}, entry("Feature")),
			message("FeatureList", fields{field("feature", 1, object, "Feature", true)}),
			message("FeatureLists", fields{field("feature_list", 1, object, "FeatureLists.FeatureListEntry", true)}, listEntry(entry("FeatureList"))),
			message("SequenceExample", fields{field("context", 1, object, "Features", false), field("feature_lists", 2, object, "FeatureLists", false)}),
		},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return file.Messages().ByName("SequenceExample")
}

func listEntry(e *descriptorpb.DescriptorProto) *descriptorpb.DescriptorProto {
	e.Name = proto.String("FeatureListEntry")
	return e
}

// everything has a column of each type that is read back as it was written, given everythingOptions.
func everything() *arrow.Schema {
	list := func(dt arrow.DataType) arrow.DataType { return arrow.ListOf(dt) }
	sequence := arrow.NewMetadata([]string{sequenceKey}, []string{"steps"})
	return arrow.NewSchema([]arrow.Field{
		{Name: "binary", Type: arrow.BinaryTypes.Binary, Nullable: true},
		{Name: "float", Type: arrow.PrimitiveTypes.Float32, Nullable: true},
		{Name: "floats", Type: list(arrow.PrimitiveTypes.Float32), Nullable: true},
		{Name: "int", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "ints", Type: list(arrow.PrimitiveTypes.Int64), Nullable: true},
		{Name: "nested", Type: list(list(arrow.PrimitiveTypes.Int64)), Nullable: true},
		{Name: "steps", Type: list(arrow.PrimitiveTypes.Float32), Nullable: true, Metadata: sequence},
		{Name: "text", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "texts", Type: list(arrow.BinaryTypes.String), Nullable: true},
	}, nil)
}

var everythingOptions = table.Options{TFRecord: table.TFRecord{Lists: []string{"floats", "ints", "nested", "texts"}, Binary: []string{"binary"}}}

func written(t testing.TB, schema *arrow.Schema, o WriterOptions, recs ...arrow.Record) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := NewWriter(&buf, schema, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recs {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// readText returns the rows of a file as arraystest writes them.
func readText(t testing.TB, data []byte, o table.Options) (rows []string) {
	t.Helper()
	s := storeOf(t, "f", data)
	file, err := Format{}.Survey(context.Background(), s, "f", o)
	if err != nil {
		t.Fatal(err)
	}
	for _, span := range file.Spans {
		err := Format{}.Read(context.Background(), s, span, o, func(b *batch.Batch) error {
			rows = append(rows, arraystest.Text(b.Record)...)
			return nil
		}, func(l deadletter.Letter) error { return errors.New(l.Reason) })
		if err != nil {
			t.Fatal(err)
		}
	}
	return rows
}

// What is written is, byte for byte, what the protobuf library writes of the same message, and is
// read back as it was, also when the library has written it with its maps in another order.
func TestWriterAgreesWithProtobuf(t *testing.T) {
	schema := everything()
	rec := arraystest.Record(rand.New(rand.NewPCG(1, 1)), schema, 500)
	data := written(t, schema, WriterOptions{}, rec)
	want := arraystest.Text(rec)
	compare(t, readText(t, data, everythingOptions), want)
	message := dynamicpb.NewMessage(sequenceExample(t))
	var shuffled []string
	records := newFrames(t.Context(), bytes.NewReader(data), maxRecordBytes, blockBytes, 0, 0)
	for {
		msg, ok, err := records.next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		if err := proto.Unmarshal(msg, message); err != nil {
			t.Fatal(err)
		}
		same, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
		if err != nil || !bytes.Equal(same, msg) {
			t.Fatalf("record %d: got %x, protobuf writes %x, error %v", records.rows, msg, same, err)
		}
		other, err := proto.Marshal(message)
		if err != nil {
			t.Fatal(err)
		}
		shuffled = append(shuffled, string(other))
	}
	compare(t, readText(t, frame(shuffled...), everythingOptions), want)
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("got %d rows, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("row %d: got %s, want %s", i+1, got[i], want[i])
		}
	}
}

func TestWriterDeterministic(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	schema := everything()
	rec := arraystest.Record(rng, schema, 3000)
	want := written(t, schema, WriterOptions{}, rec)
	if got := written(t, schema, WriterOptions{}, arraystest.Cut(rng, rec)...); !bytes.Equal(got, want) {
		t.Error("a different cut of the rows gives different bytes")
	}
}

// Types that a tf.Example has no kind of its own for come back as the one that holds them.
func TestWriterWidens(t *testing.T) {
	types := []arrow.DataType{arrow.FixedWidthTypes.Boolean, arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32,
		arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Float64, arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int8)}
	b := array.NewRecordBuilder(memory.NewGoAllocator(), arraystest.Schema(types...))
	if err := b.UnmarshalJSON([]byte(`{"00 bool?": true, "00 bool": true, "01 int8?": -1, "01 int8": -1, "02 int16?": -2, "02 int16": -2,
		"03 int32?": -3, "03 int32": -3, "04 uint8?": 4, "04 uint8": 4, "05 uint16?": 5, "05 uint16": 5, "06 uint32?": 4294967295, "06 uint32": 6,
		"07 float64?": 0.1, "07 float64": 0.5, "08 fixed_size_list<item: int8, nullable>[2]?": [1, 2], "08 fixed_size_list<item: int8, nullable>[2]": [3, 4]}`)); err != nil {
		t.Fatal(err)
	}
	rec := b.NewRecord()
	got := readText(t, written(t, rec.Schema(), WriterOptions{Narrow: true}, rec), table.Options{})
	if want := "1|1|-1|-1|-2|-2|-3|-3|4|4|5|5|6|4294967295|0.5|0.1|[3|4|]|[1|2|]|"; len(got) != 1 || strings.ReplaceAll(got[0], `"`, "") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

type full struct{ room int }

var errFull = errors.New("disk full")

func (f *full) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWriterErrors(t *testing.T) {
	schema := everything()
	rec := arraystest.Record(rand.New(rand.NewPCG(4, 4)), schema, 10_000)
	w, err := NewWriter(&full{blockBytes + 1}, schema, WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rec); !errors.Is(err, errFull) || !errors.Is(w.Close(), errFull) {
		t.Errorf("a full disk: got error %v, want %v", err, errFull)
	}
	if err := w.Write(rec); err == nil || !strings.Contains(err.Error(), "after Close") {
		t.Errorf("Write after Close: got error %v", err)
	}
	column := func(dt arrow.DataType) *arrow.Schema {
		return arrow.NewSchema([]arrow.Field{{Name: "c", Type: dt, Nullable: true}}, nil)
	}
	for _, tt := range []struct {
		dt         arrow.DataType
		json, want string
	}{
		{arrow.PrimitiveTypes.Float64, ``, "a tf.Example holds only float32"},
		{arrow.FixedWidthTypes.Date32, ``, "type date32 cannot be written: cast it"},
		{arrow.ListOf(arrow.ListOf(arrow.ListOf(arrow.PrimitiveTypes.Int64))), ``, "want at most a list of lists"},
		{arrow.PrimitiveTypes.Uint64, `{"c": 9223372036854775808}`, `row 1: column "c": the value 9223372036854775808, which int64 cannot hold`},
		{arrow.ListOf(arrow.PrimitiveTypes.Int64), `{"c": [1, null]}`, `row 1: column "c": a null in a list`},
	} {
		w, err := NewWriter(io.Discard, column(tt.dt), WriterOptions{})
		if err == nil {
			b := array.NewRecordBuilder(memory.NewGoAllocator(), column(tt.dt))
			if err := b.UnmarshalJSON([]byte(tt.json)); err != nil {
				t.Fatal(err)
			}
			err = w.Write(b.NewRecord())
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want one with %q", tt.dt, err, tt.want)
		}
	}
}

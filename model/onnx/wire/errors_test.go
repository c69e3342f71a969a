package wire

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// raw builds a protobuf message by hand: fields are (number, value) pairs, a
// value being an int for a varint, or a string or another message.
func raw(fields ...any) string {
	var b []byte
	for i := 0; i < len(fields); i += 2 {
		num := protowire.Number(fields[i].(int))
		switch v := fields[i+1].(type) {
		case int:
			b = protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), uint64(v))
		case string:
			b = protowire.AppendString(protowire.AppendTag(b, num, protowire.BytesType), v)
		}
	}
	return string(b)
}

// inGraph is a model with a graph "g" that has this field.
func inGraph(num int, value string) string { return raw(7, raw(2, "g", num, value)) }

// Each fault is one error that says where, what, and of which kind.
func TestErrors(t *testing.T) {
	weight := func(fields ...any) string { return inGraph(5, raw(fields...)+raw(8, "w")) }
	node := func(attribute string) string { return inGraph(1, raw(3, "conv1", 4, "Conv", 5, attribute)) }
	for _, c := range []struct {
		name, data string
		kind       error
		want       []string // in the message
	}{
		{"truncated", inGraph(1, raw(3, "conv1"))[:8], ErrSyntax, []string{"model: field graph", "truncated"}},
		{"truncated tag", raw(7, raw(2, "g")+"\xff"), ErrSyntax, []string{`graph "g"`, "truncated"}},
		{"long varint", raw(7, raw(2, "g")) + "\x08" + strings.Repeat("\xff", 11), ErrSyntax, []string{"field ir_version", "overflow"}},
		{"wrong wire type", weight(2, "xx"), ErrSyntax, []string{`initializer 0 "w": field data_type`, "length-delimited, want varint"}},
		{"wrong wire type of a message", inGraph(1, "") + raw(7, raw(2, "g", 1, 5)), ErrSyntax, []string{`graph "g": field node`, "varint, want length-delimited"}},
		{"a group", raw(7, raw(2, "g")) + "\x9b\x06", ErrSyntax, []string{"wire type 3"}},
		{"unknown field, truncated", raw(7, raw(2, "g")) + "\x99\x06\x01", ErrSyntax, []string{"truncated"}},
		{"negative dimension", weight(1, 2, 1, -3, 2, 1), ErrInvalid, []string{`graph "g": initializer 0 "w"`, "dims [2 -3]: negative"}},
		{"dims overflow", weight(1, 1<<32, 1, 1<<31, 2, 1), ErrInvalid, []string{`"w"`, "product overflows"}},
		{"dims overflow beside 0", weight(1, 0, 1, 1<<32, 1, 1<<32, 2, 1), ErrInvalid, []string{"product overflows"}},
		{"bytes overflow", weight(1, 1<<61, 2, 7, 9, "x"), ErrInvalid, []string{"overflow"}},
		{"no data type", weight(1, 1), ErrInvalid, []string{`"w"`, "UNDEFINED"}},
		{"unknown data type", weight(1, 1, 2, 77), ErrInvalid, []string{`"w"`, "unknown data type 77"}},
		{"negative data type", weight(1, 1, 2, -1), ErrInvalid, []string{"unknown data type -1"}},
		{"short raw data", weight(1, 3, 2, 1, 9, "12345678901"), ErrInvalid, []string{`"w"`, "11 bytes of data, want 12 for FLOAT [3]"}},
		{"long raw data", weight(1, 3, 2, 22, 9, "123"), ErrInvalid, []string{"3 bytes of data, want 2 for INT4 [3]"}},
		{"no data", weight(1, 3, 2, 1), ErrInvalid, []string{"0 values of data, want 3 for FLOAT [3]"}},
		{"too few values", weight(1, 3, 2, 7, 7, "\x01\x02"), ErrInvalid, []string{"2 values of data, want 3"}},
		{"too few complex values", weight(1, 2, 2, 14, 4, "12341234"), ErrInvalid, []string{"2 values of data, want 4"}},
		{"broken floats", weight(1, 1, 2, 1, 4, "12345"), ErrSyntax, []string{`"w": field float_data`, "5 bytes of numbers of 4 bytes"}},
		{"data of another type", weight(1, 1, 2, 7, 5, "\x01"), ErrInvalid, []string{"INT64 with data in the field of another type"}},
		{"data twice", weight(1, 1, 2, 3, 5, "\x01", 9, "x"), ErrInvalid, []string{"both in a typed field and as bytes"}},
		{"strings as raw data", weight(1, 1, 2, 8, 9, "x"), ErrInvalid, []string{"raw data of type STRING"}},
		{"segment", weight(2, 1, 3, raw(1, 0, 2, 5)), ErrInvalid, []string{"segment"}},
		{"data location", weight(1, 0, 2, 1, 14, 9), ErrInvalid, []string{"unknown data location 9"}},
		{"external without location", weight(1, 1, 2, 1, 14, 1), ErrInvalid, []string{`"w"`, "without a location"}},
		{"external and inline", weight(1, 1, 2, 2, 9, "x", 14, 1, 13, raw(1, "location", 2, "f")), ErrInvalid, []string{"both in the message and in an external file"}},
		{"attribute tensor", node(raw(1, "value", 20, 4, 5, raw(1, -1, 2, 1, 8, "w"))), ErrInvalid,
			[]string{`graph "g": node 0 "conv1" "Conv": attribute 0 "value": tensor "w": invalid ONNX: dims [-1]: negative`}},
		{"attribute without type", node(raw(1, "a", 3, 5)), ErrInvalid, []string{`node 0 "conv1" "Conv": attribute 0 "a"`, "UNDEFINED"}},
		{"attribute of unknown type", node(raw(1, "a", 20, 15)), ErrInvalid, []string{"unknown attribute type 15"}},
		{"attribute of two values", node(raw(1, "a", 20, 7, 8, 1, 3, 5)), ErrInvalid, []string{"type INT in an attribute of type INTS"}},
		{"attribute without value", node(raw(1, "a", 20, 4)), ErrInvalid, []string{"no value in an attribute of type TENSOR"}},
		{"reference with value", node(raw(1, "a", 20, 2, 3, 5, 21, "b")), ErrInvalid, []string{`beside a reference to attribute "b"`}},
		{"sparse without values", inGraph(15, raw(3, 4)), ErrInvalid, []string{"sparse_initializer 0", "values of rank 1"}},
		{"sparse indices", inGraph(15, raw(1, raw(1, 1, 2, 3, 5, "\x01"), 2, raw(1, 2, 2, 7, 7, "\x01\x02"), 3, 4)), ErrInvalid,
			[]string{"dims [2], want [1] or [1 1]"}},
	} {
		_, err := Unmarshal[Model]([]byte(c.data), Options{})
		var e *Error
		if !errors.As(err, &e) || !errors.Is(err, c.kind) {
			t.Errorf("%s: got error %v, want a *Error of kind %q", c.name, err, c.kind)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %q, want %q in it", c.name, err, want)
			}
		}
	}
}

func TestValueErrors(t *testing.T) {
	one := raw(1, 1, 2, 3, 5, "\x01")
	for _, c := range []struct{ name, data, want string }{
		{"sequence of two kinds", raw(1, "s", 2, 3, 3, one), `sequence "s": invalid ONNX: a value of type TENSOR where the element type is SEQUENCE`},
		{"unknown kind", raw(2, 6), "unknown element type 6"},
		{"uneven map", raw(2, 4, 6, raw(1, "m", 2, 7, 3, 1)), `map 0 "m": invalid ONNX: 1 keys and 0 values`},
		{"two kinds of keys", raw(2, 4, 6, raw(2, 7, 3, 1, 4, "a")), "both integer and string keys"},
		{"keys of the wrong kind", raw(2, 4, 6, raw(2, 7, 4, "a")), "keys of the wrong kind"},
	} {
		_, err := Unmarshal[SequenceValue]([]byte(c.data), Options{})
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want %q in it", c.name, err, c.want)
		}
	}
}

// A small file that asks for much gives an error before much is allocated.
func TestLimits(t *testing.T) {
	deep := raw(3, 7)
	for range 60 {
		deep = raw(1, raw(5, raw(1, "body", 20, 5, 6, deep))) // graph, node, attribute
	}
	for _, c := range []struct {
		name, data string
		opt        Options
	}{
		{"deep", raw(7, deep), Options{}},
		{"shallow limit", raw(7, raw(1, raw(3, "n"))), Options{MaxDepth: 2}},
		{"many nodes", raw(7, strings.Repeat(raw(1, ""), 1000)), Options{MaxMessages: 1000}},
		{"memory for nodes", raw(7, strings.Repeat(raw(1, ""), 1000)), Options{MaxBytes: 100 << 10}},
		{"memory for integers", raw(7, raw(5, raw(1, strings.Repeat("\x01", 10000)))), Options{MaxBytes: 80 << 10}},
		{"memory for floats", raw(7, raw(5, raw(4, strings.Repeat("1234", 10000)))), Options{MaxBytes: 20 << 10}},
		{"memory for a string", raw(2, strings.Repeat("x", 100<<10)), Options{MaxBytes: 50 << 10}},
		{"memory for a message", "", Options{MaxBytes: 1}},
	} {
		for _, src := range []io.ReaderAt{memory(c.data), strings.NewReader(c.data)} {
			if _, err := Decode[Model](src, int64(len(c.data)), c.opt); !errors.Is(err, ErrLimit) {
				t.Errorf("%s: got error %v, want %q", c.name, err, ErrLimit)
			}
		}
	}
}

// Every beginning of a file, and every file with one byte changed, is an error
// or a message that can be written again.
func TestDamage(t *testing.T) {
	data := readFile(t, "testdata/every_field.onnx")
	errs := 0
	try := func(what string, data []byte) {
		m, err := Unmarshal[Model](data, Options{MaxBytes: 1 << 20})
		if err != nil {
			errs++
			if !errors.Is(err, ErrSyntax) && !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrLimit) {
				t.Errorf("%s: error of no kind: %v", what, err)
			}
			return
		}
		if err := Encode(io.Discard, m); err != nil {
			t.Errorf("%s: decoded, but not encoded: %v", what, err)
		}
	}
	for n := range data {
		try("cut", data[:n])
	}
	if errs < len(data)*9/10 { // only a cut between two fields of the model is none
		t.Errorf("%d errors in %d cuts", errs, len(data))
	}
	for i := range data {
		for bit := range 8 {
			damaged := bytes.Clone(data)
			damaged[i] ^= 1 << bit
			try("bit", damaged)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(readFile(f, "testdata/every_field.onnx"))
	f.Add(readFile(f, "testdata/tensors.pb"))
	f.Add(readFile(f, "testdata/values.pb"))
	f.Add([]byte(inGraph(1, raw(3, "n", 4, "Add", 5, raw(1, "a", 20, 2, 3, 5)))))
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzz[Model](t, data)
		fuzz[SequenceValue](t, data)
		fuzz[OptionalValue](t, data)
		if v := fuzz[Tensor](t, data); v != nil && v.Type != String && v.Location == Inline {
			if p, err := v.Data(); err == nil {
				if n, _ := DataBytes(v.Type, v.Dims); n != int64(len(p)) {
					t.Errorf("%d bytes of data, want %d", len(p), n)
				}
			}
		}
	})
}

// fuzz reads data from memory and in parts, which must agree, and writes it: a
// message that is read can be written, and what was written is read as the same.
func fuzz[T Message](t *testing.T, data []byte) *T {
	opt := Options{MaxBytes: 1 << 20, MaxDepth: 20}
	v, err := Unmarshal[T](data, opt)
	if _, other := Decode[T](bytes.NewReader(data), int64(len(data)), Options{MaxBytes: 1 << 22, MaxDepth: 20}); err == nil && other != nil {
		t.Fatalf("from memory no error, in parts %v", other)
	}
	if err != nil {
		return nil
	}
	var first, second bytes.Buffer
	if err := Encode(&first, v); err != nil {
		t.Fatal(err)
	}
	again, err := Unmarshal[T](first.Bytes(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := Encode(&second, again); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Fatalf("written as %q, then as %q", first.Bytes(), second.Bytes())
	}
	return v
}

package weights

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/internal/shareddata"
)

// The folder holds files of the reference implementation's own tests ("bad_",
// "ok_") and more written beside them ("own_"), with the error name each must give.
func TestConformance(t *testing.T) {
	dir := shareddata.Path(t, "conformance/safetensors")
	text, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var expected map[string]string
	if err := json.Unmarshal(text, &expected); err != nil {
		t.Fatal(err)
	}
	if len(expected) < 20 {
		t.Fatalf("%d cases, want at least 20", len(expected))
	}
	for name, want := range expected {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		_, err = ReadSafetensorsHeader(data)
		var fe *FormatError
		switch {
		case strings.HasPrefix(name, "upstream_leading"): // documented: we follow the format's description
			if !errors.As(err, &fe) || fe.Kind != "InvalidHeaderStart" {
				t.Errorf("%s: %v, want InvalidHeaderStart", name, err)
			}
		case strings.HasPrefix(want, "ok"):
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case strings.HasPrefix(want, "any error"), strings.HasPrefix(want, "error"):
			if !errors.As(err, &fe) {
				t.Errorf("%s: %v, want a format error", name, err)
			}
		default:
			if !errors.As(err, &fe) || fe.Kind != want {
				t.Errorf("%s: %v, want %s", name, err, want)
			}
		}
	}
}

// A published convolutional network: 20 tensors, the largest of 32x11,616. The
// counters of its two batch norms are I64, so its header is read, and decoding
// says what is in the way.
func TestPublishedWeights(t *testing.T) {
	data, err := os.ReadFile(shareddata.Path(t, "weights/burn_mnist_cnn/mnist.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := ReadSafetensorsHeader(data)
	if err != nil {
		t.Fatal(err)
	}
	types := map[DType]int{}
	for _, info := range h.Tensors {
		types[info.DType]++
		if info.Name == "fc1.weight" && !slices.Equal(info.Shape, []uint64{32, 11616}) {
			t.Errorf("fc1.weight: shape %v, want [32 11616]", info.Shape)
		}
	}
	_, _, err = DecodeSafetensors(data)
	if types["I64"] != 2 || types[F32] != 18 || err == nil || !strings.Contains(err.Error(), "dtype I64, want F32") {
		t.Errorf("types %v: %v, want 2 I64, 18 F32 and an error that names I64", types, err)
	}
}

func equal(t *testing.T, got, want Set) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d tensors, want %d", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		same := slices.EqualFunc(g.Data(), w.Data(), func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) })
		if g.Name != w.Name || !slices.Equal(g.Shape(), w.Shape()) || !same {
			t.Errorf("tensor %d: %q %v %v, want %q %v %v", i, g.Name, g.Shape(), g.Data(), w.Name, w.Shape(), w.Data())
		}
	}
}

func sample() Set {
	s := Set{New("z.weight", 2, 3), New("scalar"), New("none", 2, 0), New("a \"quoted\" naïve <name>", 1)}
	copy(s[0].Data(), []float32{1, -2, float32(math.Inf(1)), float32(math.NaN()), math.SmallestNonzeroFloat32, float32(math.Copysign(0, -1))})
	s[1].Data()[0] = 7
	s[3].Data()[0] = -0.5
	return s
}

func TestRoundTrip(t *testing.T) {
	meta := map[string]string{"step": "12", "note": "ü \n"}
	data, err := EncodeSafetensors(sample(), meta)
	if err != nil {
		t.Fatal(err)
	}
	if n := binary.LittleEndian.Uint64(data); n%8 != 0 || data[8] != '{' {
		t.Errorf("header of %d bytes beginning %q, want a multiple of 8 and {", n, data[8])
	}
	set, got, err := DecodeSafetensors(data)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, set, sample())
	if got["step"] != "12" || got["note"] != "ü \n" || len(got) != 2 {
		t.Errorf("metadata %v, want %v", got, meta)
	}
	for range 20 { // map order must not show
		if again, _ := EncodeSafetensors(sample(), meta); !bytes.Equal(again, data) {
			t.Fatal("two encodings differ")
		}
	}
	for n := range data {
		if _, _, err := DecodeSafetensors(data[:n]); err == nil {
			t.Fatalf("cut to %d of %d bytes: no error", n, len(data))
		}
	}
	empty, err := EncodeSafetensors(nil, nil)
	if err != nil || string(empty[8:]) != "{}      " {
		t.Errorf("empty set: %q, %v", empty, err)
	}
}

func TestEncodeRejects(t *testing.T) {
	for _, name := range []string{"__metadata__", "\xff", "x"} {
		if _, err := EncodeSafetensors(Set{New("x", 1), New(name, 1)}, nil); err == nil {
			t.Errorf("second name %q: no error", name)
		}
	}
	if _, err := EncodeSafetensors(nil, map[string]string{"k": "\xff"}); err == nil {
		t.Error("metadata that is not UTF-8: no error")
	}
}

// withHeader makes a file of a header and n zero bytes.
func withHeader(header string, n int) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(out, header...), make([]byte, n)...)
}

func TestHeaderRejects(t *testing.T) {
	tests := []struct{ name, header, kind string }{
		{"no dtype", `{"a":{"shape":[1],"data_offsets":[0,4]}}`, "InvalidHeaderDeserialization"},
		{"null shape", `{"a":{"dtype":"F32","shape":null,"data_offsets":[0,4]}}`, "InvalidHeaderDeserialization"},
		{"null dimension", `{"a":{"dtype":"F32","shape":[null],"data_offsets":[0,4]}}`, "InvalidHeaderDeserialization"},
		{"string dimension", `{"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}`, "InvalidHeaderDeserialization"},
		{"three offsets", `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}`, "InvalidHeaderDeserialization"},
		{"shape twice", `{"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}`, "InvalidHeaderDeserialization"},
		{"metadata of numbers", `{"__metadata__":{"a":1},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, "InvalidHeaderDeserialization"},
		{"metadata twice", `{"__metadata__":{},"__metadata__":{},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, "InvalidHeaderDeserialization"},
		{"two objects", `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}{}`, "InvalidHeaderDeserialization"},
		{"array", `["a"]`, "InvalidHeaderStart"},
		{"half a byte", `{"a":{"dtype":"F4","shape":[7],"data_offsets":[0,4]}}`, "MisalignedSlice"},
		{"rank", `{"a":{"dtype":"F32","shape":[` + strings.Repeat("1,", 64) + `1],"data_offsets":[0,4]}}`, "InvalidHeaderDeserialization"},
	}
	for _, tc := range tests {
		_, err := ReadSafetensorsHeader(withHeader(tc.header, 4))
		var fe *FormatError
		if !errors.As(err, &fe) || fe.Kind != tc.kind {
			t.Errorf("%s: %v, want %s", tc.name, err, tc.kind)
		}
	}
}

func TestOtherTypes(t *testing.T) {
	file := withHeader(`{"h":{"dtype":"BF16","shape":[2],"data_offsets":[0,4],"extra":{"x":[1]}}}`, 4)
	h, err := ReadSafetensorsHeader(file)
	if err != nil || len(h.Tensors) != 1 || h.Tensors[0].DType != "BF16" || h.Tensors[0].DType.Bits() != 16 {
		t.Errorf("header %+v, %v", h, err)
	}
	_, _, err = DecodeSafetensors(file)
	if err == nil || !strings.Contains(err.Error(), `tensor "h": dtype BF16, want F32`) {
		t.Errorf("bfloat16: %v", err)
	}
	file = withHeader(`{"a":{"dtype":"F32","shape":[0,9007199254740993],"data_offsets":[0,0]}}`, 0)
	if _, _, err = DecodeSafetensors(file); err == nil {
		t.Error("a dimension of 2^53: no error")
	}
}

func TestSetOfScalarsAndNothing(t *testing.T) {
	s := sample()
	if got, want := s.Len(), 6+1+0+1; got != want {
		t.Errorf("%d elements, want %d", got, want)
	}
	equal(t, s.Clone(), s)
	if z := s.Zeros(); z[1].Data()[0] != 0 || len(z[2].Data()) != 0 || z[0].Name != "z.weight" {
		t.Errorf("zeros: %v", z)
	}
}

func FuzzDecode(f *testing.F) {
	data, err := EncodeSafetensors(sample(), map[string]string{"a": "b"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(withHeader(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4))
	f.Add(withHeader("{}", 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, meta, err := DecodeSafetensors(data)
		if err != nil {
			return
		}
		again, err := EncodeSafetensors(set, meta)
		if err != nil {
			t.Fatalf("cannot write what was read: %v", err)
		}
		back, _, err := DecodeSafetensors(again)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, back, set)
	})
}

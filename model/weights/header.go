package weights

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/bits"
	"sort"
	"unicode/utf8"
)

const (
	// maxHeaderBytes is the format's own limit.
	maxHeaderBytes = 100_000_000
	// maxRank is ours: no model has more dimensions, and it bounds what a shape allocates.
	maxRank = 64
	// metadataKey is the one header key that names no tensor.
	metadataKey = "__metadata__"
)

// FormatError says what is wrong with a safetensors file.
type FormatError struct {
	// Kind is the error's name in the reference implementation, such as
	// HeaderTooLarge, InvalidOffset or MetadataIncompleteBuffer.
	Kind string
	// Detail says where and what was expected.
	Detail string
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("weights: safetensors: %s: %s", e.Kind, e.Detail)
}

func formatError(kind, format string, args ...any) error {
	return &FormatError{kind, fmt.Sprintf(format, args...)}
}

// Info describes one tensor of a safetensors file.
type Info struct {
	Name       string
	DType      DType
	Shape      []uint64
	Begin, End uint64 // bytes, from the end of the header
}

// Header is a parsed and validated safetensors header.
type Header struct {
	Metadata map[string]string
	Tensors  []Info // in the order of their bytes
	DataAt   int    // where in the file the first tensor's bytes begin
}

// ReadSafetensorsHeader parses the header of a whole safetensors file, of any
// element types, and checks every rule of the format: the tensors cover the
// rest of data without gap, overlap or trailing bytes. Errors are *FormatError.
// A header that begins with white space is rejected, as the format's
// description asks (its reference implementation is laxer).
func ReadSafetensorsHeader(data []byte) (Header, error) {
	text, err := headerText(data)
	if err != nil {
		return Header{}, err
	}
	h, err := parseHeader(text)
	if err != nil {
		return Header{}, err
	}
	h.DataAt = 8 + len(text)
	sort.SliceStable(h.Tensors, func(i, j int) bool {
		a, b := h.Tensors[i], h.Tensors[j]
		return a.Begin < b.Begin || a.Begin == b.Begin && a.End < b.End
	})
	if err := checkLayout(h.Tensors, uint64(len(data)-h.DataAt)); err != nil {
		return Header{}, err
	}
	return h, nil
}

// headerText cuts the JSON text out of a file.
func headerText(data []byte) ([]byte, error) {
	if len(data) < 8 {
		return nil, formatError("HeaderTooSmall", "%d bytes, want at least the 8 of the header length", len(data))
	}
	n := binary.LittleEndian.Uint64(data)
	if n > maxHeaderBytes {
		return nil, formatError("HeaderTooLarge", "header of %d bytes, want at most %d", n, maxHeaderBytes)
	}
	if n > uint64(len(data)-8) {
		return nil, formatError("InvalidHeaderLength", "header of %d bytes in a file of %d: truncated?", n, len(data))
	}
	text := data[8 : 8+n]
	if !utf8.Valid(text) {
		return nil, formatError("InvalidHeader", "the header is not UTF-8")
	}
	if len(text) == 0 || text[0] != '{' {
		return nil, formatError("InvalidHeaderStart", "the header does not begin with {")
	}
	return text, nil
}

// checkLayout checks that sorted tensors fill exactly size bytes.
func checkLayout(tensors []Info, size uint64) error {
	var at uint64
	for _, t := range tensors {
		if t.Begin != at || t.End < t.Begin {
			return formatError("InvalidOffset", "tensor %q: bytes %d to %d, want to begin at %d", t.Name, t.Begin, t.End, at)
		}
		at = t.End
		want, err := t.byteSize()
		if err != nil {
			return err
		}
		if t.End-t.Begin != want {
			return formatError("TensorInvalidInfo", "tensor %q: %d bytes, want %d for %s %v", t.Name, t.End-t.Begin, want, t.DType, t.Shape)
		}
	}
	if at != size {
		return formatError("MetadataIncompleteBuffer", "the tensors end at byte %d of %d after the header", at, size)
	}
	return nil
}

// byteSize is what shape and type ask for.
func (t Info) byteSize() (uint64, error) {
	n := uint64(1)
	for _, d := range append(t.Shape[:len(t.Shape):len(t.Shape)], t.DType.Bits()) {
		hi, lo := bits.Mul64(n, d)
		if hi != 0 {
			return 0, formatError("ValidationOverflow", "tensor %q: shape %v of %s overflows", t.Name, t.Shape, t.DType)
		}
		n = lo
	}
	if n%8 != 0 {
		return 0, formatError("MisalignedSlice", "tensor %q: shape %v of %s is no whole number of bytes", t.Name, t.Shape, t.DType)
	}
	return n / 8, nil
}

// parseHeader reads the JSON text token by token, for encoding/json silently
// keeps the last of duplicate keys, which the format forbids.
func parseHeader(text []byte) (Header, error) {
	var h Header
	dec := json.NewDecoder(bytes.NewReader(text))
	seen := map[string]bool{}
	err := eachKey(dec, func(key string) error {
		if seen[key] {
			return fmt.Errorf("key %q twice", key)
		}
		seen[key] = true
		if key == metadataKey {
			meta, err := parseMetadata(dec)
			h.Metadata = meta
			return err
		}
		info, err := parseInfo(dec, key)
		h.Tensors = append(h.Tensors, info)
		return err
	})
	if err == nil && len(bytes.TrimLeft(text[dec.InputOffset():], " \t\r\n")) != 0 {
		err = fmt.Errorf("text after the closing brace")
	}
	if err != nil {
		return Header{}, formatError("InvalidHeaderDeserialization", "%v", err)
	}
	return h, nil
}

// eachKey walks one JSON object; f must consume the value of each key.
func eachKey(dec *json.Decoder, f func(key string) error) error {
	tok, err := dec.Token()
	if err != nil {
		return err
	}
	if tok != json.Delim('{') {
		return fmt.Errorf("got %v, want an object", tok)
	}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return err
		}
		if err := f(tok.(string)); err != nil { // inside an object a key is always a string
			return err
		}
	}
	_, err = dec.Token() // the closing brace
	return err
}

func parseMetadata(dec *json.Decoder) (map[string]string, error) {
	meta := map[string]string{}
	err := eachKey(dec, func(key string) error {
		if _, ok := meta[key]; ok {
			return fmt.Errorf("%s: key %q twice", metadataKey, key)
		}
		var v *string
		if err := dec.Decode(&v); err != nil || v == nil {
			return fmt.Errorf("%s: key %q: want a string", metadataKey, key)
		}
		meta[key] = *v
		return nil
	})
	return meta, err
}

func parseInfo(dec *json.Decoder, name string) (Info, error) {
	info := Info{Name: name}
	seen := map[string]bool{}
	err := eachKey(dec, func(key string) error {
		if seen[key] {
			return fmt.Errorf("key %q twice", key)
		}
		seen[key] = true
		return parseField(dec, &info, key)
	})
	for _, key := range []string{"dtype", "shape", "data_offsets"} {
		if err == nil && !seen[key] {
			err = fmt.Errorf("no %q", key)
		}
	}
	if err != nil {
		return Info{}, fmt.Errorf("tensor %q: %w", name, err)
	}
	return info, nil
}

// parseField reads one value; unknown keys are skipped, as the reference implementation does.
func parseField(dec *json.Decoder, info *Info, key string) (err error) {
	switch key {
	case "dtype":
		var d *DType
		if err := dec.Decode(&d); err != nil || d == nil || d.Bits() == 0 {
			return fmt.Errorf("dtype: want a known element type such as F32")
		}
		info.DType = *d
	case "shape":
		info.Shape, err = parseUints(dec, key)
		if len(info.Shape) > maxRank {
			return fmt.Errorf("shape: %d dimensions, want at most %d", len(info.Shape), maxRank)
		}
	case "data_offsets":
		var at []uint64
		at, err = parseUints(dec, key)
		if err == nil && len(at) != 2 {
			return fmt.Errorf("data_offsets: %d numbers, want 2", len(at))
		}
		if err == nil {
			info.Begin, info.End = at[0], at[1]
		}
	default:
		var skip json.RawMessage
		err = dec.Decode(&skip)
	}
	return err
}

// parseUints reads an array of non-negative integers.
func parseUints(dec *json.Decoder, key string) ([]uint64, error) {
	var ptrs []*uint64
	if err := dec.Decode(&ptrs); err != nil || ptrs == nil {
		return nil, fmt.Errorf("%s: want an array of non-negative integers", key)
	}
	out := make([]uint64, len(ptrs))
	for i, p := range ptrs {
		if p == nil {
			return nil, fmt.Errorf("%s: want an array of non-negative integers", key)
		}
		out[i] = *p
	}
	return out, nil
}

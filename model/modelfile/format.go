// Package modelfile stores a trained model in one self-describing file.
//
//	"MLR" and the version, 1                                    4 bytes
//	header: stored length, length when inflated (0 = not deflated), as uvarints, then the bytes
//	for each tensor of the header: length as uvarint, then what codec.Encode made
//	SHA-256 of everything before it                             32 bytes
//
// The header is JSON, deflated (RFC 1951, with the preset dictionary of this
// package) where that is smaller. The trailing digest is verified before
// anything else is looked at.
package modelfile

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/millrace-go/millrace/model/arch"
	"github.com/millrace-go/millrace/model/nn"
)

const (
	magic = "MLR\x01"
	// maxHeader bounds the header when inflated.
	maxHeader = 16 << 20
	// maxRank bounds the dimensions of a tensor.
	maxRank = 16
	// freeElements and elementsPerByte bound what a small file may claim to
	// hold: so many elements in all, and so many more for each of its bytes.
	freeElements    = 1 << 22
	elementsPerByte = 4096
)

// ErrDamaged is wrapped by Decode where bytes are not those that were written.
var ErrDamaged = errors.New("the file is damaged, cut short, or no model file; restore it from a copy, or train again")

// Header says what a model is, besides its weights.
type Header struct {
	Arch       arch.Config       `json:"arch"`
	Inputs     []nn.Input        `json:"inputs"`
	Classes    []string          `json:"classes"`
	Label      string            `json:"label"`
	PlanDigest string            `json:"plan"`
	Meta       map[string]string `json:"meta,omitempty"`
}

// entry is a tensor in the header.
type entry struct {
	Name  string `json:"name"`
	Shape []int  `json:"shape"`
}

// index is the header as it is stored.
type index struct {
	Header
	Tensors []entry `json:"tensors"`
}

// dictionary holds what headers are likely to hold, the likeliest last. It is
// part of the format: another one needs another version.
const dictionary = `"meta":{"task":"seed":"rounds":"dropout":0."cardinality":,"dim":` +
	`{"arch":{"arch":"tabular","hidden":[128,64]},"inputs":[{"name":"categories","dtype":"int32","shape":[],` +
	`{"arch":{"arch":"convnet","image":[1,8,8],"channels":[16,32],"hidden":[64]},"inputs":[{"name":"features","dtype":"float32","shape":[64]}],` +
	`"classes":["0","1","2","3","4","5","6","7","8","9"],"label":"digit","plan":"sha256:","tensors":[{"name":"embed.weight","shape":[` +
	`]},{"name":"conv1.weight","shape":[16,1,3,3]},{"name":"conv1.bias","shape":[16]},{"name":"conv2.weight","shape":[32,16,3,3]},` +
	`{"name":"fc1.weight","shape":[128,64]},{"name":"fc1.bias","shape":[64]},{"name":"out.bias","shape":[10]},{"name":"out.weight","shape":[`

// encodeHeader returns the header's bytes and their inflated length, 0 if they are not deflated.
func encodeHeader(ix index) (stored []byte, inflated int, err error) {
	text, err := json.Marshal(ix)
	if err != nil {
		return nil, 0, err
	}
	if len(text) > maxHeader {
		return nil, 0, fmt.Errorf("header of %d bytes, want at most %d", len(text), maxHeader)
	}
	var b bytes.Buffer
	z, err := flate.NewWriterDict(&b, flate.BestCompression, []byte(dictionary))
	if err != nil {
		return nil, 0, err
	}
	if _, err := z.Write(text); err != nil {
		return nil, 0, err
	}
	if err := z.Close(); err != nil {
		return nil, 0, err
	}
	if b.Len() < len(text) {
		return b.Bytes(), len(text), nil
	}
	return text, 0, nil
}

// decodeHeader reads what encodeHeader returned.
func decodeHeader(stored []byte, inflated uint64) (index, error) {
	text := stored
	if inflated > 0 {
		var err error
		if text, err = inflate(stored, inflated); err != nil {
			return index{}, fmt.Errorf("header: %w", err)
		}
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var ix index
	if err := dec.Decode(&ix); err != nil {
		return index{}, fmt.Errorf("header: %w", err)
	}
	if dec.InputOffset() != int64(len(text)) {
		return index{}, fmt.Errorf("header: text after its end")
	}
	return ix, nil
}

// inflate returns exactly n bytes or an error.
func inflate(stored []byte, n uint64) ([]byte, error) {
	if n > maxHeader {
		return nil, fmt.Errorf("%d bytes when inflated, want at most %d", n, maxHeader)
	}
	z := flate.NewReaderDict(bytes.NewReader(stored), []byte(dictionary))
	var b bytes.Buffer // grows as bytes come, whatever n claims
	got, err := io.Copy(&b, io.LimitReader(z, int64(n)+1))
	if err != nil {
		return nil, err
	}
	if uint64(got) != n {
		return nil, fmt.Errorf("%d bytes or more when inflated, want %d", got, n)
	}
	return b.Bytes(), nil
}

// checkTensors checks names and shapes against a file of size bytes.
func checkTensors(tensors []entry, size int64) error {
	limit := int64(math.MaxInt64)
	if size < (limit-freeElements)/elementsPerByte {
		limit = freeElements + elementsPerByte*size
	}
	seen := map[string]bool{}
	for _, t := range tensors {
		if seen[t.Name] {
			return fmt.Errorf("tensor %q twice", t.Name)
		}
		seen[t.Name] = true
		n, err := elements(t.Shape)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		if limit -= n; limit < 0 {
			return fmt.Errorf("tensor %q: more elements than a file of %d bytes may hold (%d, and %d a byte)", t.Name, size, freeElements, elementsPerByte)
		}
	}
	return nil
}

// elements is the number of elements of a shape.
func elements(shape []int) (int64, error) {
	if len(shape) > maxRank {
		return 0, fmt.Errorf("%d dimensions, want at most %d", len(shape), maxRank)
	}
	n := int64(1)
	for _, d := range shape {
		if d < 0 || d > math.MaxInt32 {
			return 0, fmt.Errorf("shape %v, want dimensions of 0 to %d", shape, math.MaxInt32)
		}
		if n *= int64(d); n > math.MaxInt32 {
			return 0, fmt.Errorf("shape %v, want fewer than 2^31 elements", shape)
		}
	}
	return n, nil
}

package modelfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
)

// Encode writes a model file. It returns the digest of the whole file,
// "sha256:" and 64 hexadecimal digits, which names the model, and the number of bytes written.
// The same input gives the same bytes, for one release of Go: compress/flate
// may deflate the header otherwise in another.
func Encode(w io.Writer, h Header, tensors []Coded) (digest string, n int64, err error) {
	head, err := encodeHead(h, tensors)
	if err != nil {
		return "", 0, fmt.Errorf("modelfile.Encode: %w", err)
	}
	sum := sha256.New()
	out := io.MultiWriter(w, sum)
	write := func(p []byte) {
		if err == nil {
			var k int
			k, err = out.Write(p)
			n += int64(k)
		}
	}
	write(head)
	for _, t := range tensors {
		write(binary.AppendUvarint(nil, uint64(len(t.Payload))))
		write(t.Payload)
	}
	write(sum.Sum(nil))
	if err != nil {
		return "", n, fmt.Errorf("modelfile.Encode: %w", err)
	}
	return digestString(sum.Sum(nil)), n, nil
}

// EncodeBytes is Encode into memory.
func EncodeBytes(h Header, tensors []Coded) (data []byte, digest string, err error) {
	var b bytes.Buffer
	digest, _, err = Encode(&b, h, tensors)
	return b.Bytes(), digest, err
}

func digestString(sum []byte) string { return "sha256:" + hex.EncodeToString(sum) }

// encodeHead returns everything before the first tensor.
func encodeHead(h Header, tensors []Coded) ([]byte, error) {
	ix := index{Header: h}
	size := int64(sha256.Size)
	for _, t := range tensors {
		shape := t.Shape
		if shape == nil {
			shape = []int{}
		}
		ix.Tensors = append(ix.Tensors, entry{t.Name, shape})
		size += int64(len(t.Payload))
	}
	stored, inflated, err := encodeHeader(ix)
	if err != nil {
		return nil, err
	}
	// What is written must be readable: Decode counts the whole file.
	if err := checkTensors(ix.Tensors, size+int64(len(stored))); err != nil {
		return nil, err
	}
	head := []byte(magic)
	head = binary.AppendUvarint(head, uint64(len(stored)))
	head = binary.AppendUvarint(head, uint64(inflated))
	return append(head, stored...), nil
}

package weights

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// EncodeSafetensors writes a set in the safetensors format: the tensors in the
// set's order, metadata sorted by key, the header padded with spaces to a
// multiple of 8 bytes. The same input gives the same bytes. It fails on a
// duplicate or reserved name and on text that is not UTF-8. See
// https://github.com/huggingface/safetensors#format.
func EncodeSafetensors(s Set, metadata map[string]string) ([]byte, error) {
	header, err := encodeHeader(s, metadata)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, 8+len(header)+4*s.Len())
	out = binary.LittleEndian.AppendUint64(out, uint64(len(header)))
	out = append(out, header...)
	for _, t := range s {
		for _, x := range t.Data() {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
		}
	}
	return out, nil
}

func encodeHeader(s Set, metadata map[string]string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	if len(metadata) > 0 {
		for k, v := range metadata {
			if !utf8.ValidString(k) || !utf8.ValidString(v) {
				return nil, fmt.Errorf("weights.EncodeSafetensors: metadata %q: not UTF-8", k)
			}
		}
		text, err := json.Marshal(metadata) // sorts the keys
		if err != nil {
			return nil, fmt.Errorf("weights.EncodeSafetensors: %w", err)
		}
		fmt.Fprintf(&b, "%q:%s", metadataKey, text)
	}
	seen := map[string]bool{metadataKey: true}
	at := 0
	for _, t := range s {
		if seen[t.Name] || !utf8.ValidString(t.Name) {
			return nil, fmt.Errorf("weights.EncodeSafetensors: tensor name %q: duplicate, reserved or not UTF-8", t.Name)
		}
		seen[t.Name] = true
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		end := at + 4*len(t.Data())
		if err := writeInfo(&b, t, at, end); err != nil {
			return nil, err
		}
		at = end
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	if b.Len() > maxHeaderBytes {
		return nil, fmt.Errorf("weights.EncodeSafetensors: header of %d bytes, want at most %d", b.Len(), maxHeaderBytes)
	}
	return b.Bytes(), nil
}

// writeInfo writes one tensor's entry of the header.
func writeInfo(b *bytes.Buffer, t Tensor, begin, end int) error {
	name, err := json.Marshal(t.Name)
	if err != nil {
		return fmt.Errorf("weights.EncodeSafetensors: tensor %q: %w", t.Name, err)
	}
	b.Write(name)
	b.WriteString(`:{"dtype":"F32","shape":[`)
	for i, d := range t.Shape() {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(d))
	}
	fmt.Fprintf(b, `],"data_offsets":[%d,%d]}`, begin, end)
	return nil
}

// DecodeSafetensors reads a whole safetensors file into a new set, in the order
// of the tensors' bytes, with its metadata. Every tensor must be F32; use
// ReadSafetensorsHeader to see what another file holds. It allocates no more
// than a small multiple of len(data).
func DecodeSafetensors(data []byte) (Set, map[string]string, error) {
	h, err := ReadSafetensorsHeader(data)
	if err != nil {
		return nil, nil, err
	}
	set := make(Set, 0, len(h.Tensors))
	for _, info := range h.Tensors {
		if info.DType != F32 {
			return nil, nil, fmt.Errorf("weights.DecodeSafetensors: tensor %q: dtype %s, want F32; convert the file first", info.Name, info.DType)
		}
		shape, err := info.hostShape()
		if err != nil {
			return nil, nil, err
		}
		t := New(info.Name, shape...)
		src := data[uint64(h.DataAt)+info.Begin:]
		dst := t.Data()
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
		}
		set = append(set, t)
	}
	return set, h.Metadata, nil
}

// hostShape is the shape as ints. A tensor without elements may name
// dimensions that no allocation bounds, so each is held to 31 bits.
func (t Info) hostShape() ([]int, error) {
	shape := make([]int, len(t.Shape))
	for i, d := range t.Shape {
		if d > math.MaxInt32 {
			return nil, formatError("ValidationOverflow", "tensor %q: dimension %d, want at most %d", t.Name, d, math.MaxInt32)
		}
		shape[i] = int(d)
	}
	return shape, nil
}

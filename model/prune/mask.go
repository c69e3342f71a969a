// Package prune chooses the weights of a model that become zero, and keeps
// them zero.
package prune

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/millrace-go/millrace/model/weights"
)

// TensorMask marks the pruned elements of one tensor.
type TensorMask struct {
	Name string
	// Len is the number of elements of the tensor.
	Len int
	// Bits has bit i%64 of word i/64 set where element i is pruned.
	Bits []uint64
}

// newTensorMask returns a mask that prunes nothing.
func newTensorMask(name string, n int) TensorMask {
	return TensorMask{name, n, make([]uint64, (n+63)/64)}
}

// Pruned reports whether element i is pruned.
func (m TensorMask) Pruned(i int) bool { return m.Bits[i/64]>>(i%64)&1 != 0 }

func (m TensorMask) prune(i int) { m.Bits[i/64] |= 1 << (i % 64) }

// Count is the number of pruned elements.
func (m TensorMask) Count() int {
	n := 0
	for _, w := range m.Bits {
		n += bits.OnesCount64(w)
	}
	return n
}

// Mask marks pruned weights, tensor by tensor, in the set's order. Tensors that
// it does not name are not prunable. A nil Mask prunes nothing.
type Mask []TensorMask

// Matrices is the convention of what is prunable: tensors of two dimensions
// and more, so matrices and filters but no biases. Its result is for Global and Local.
func Matrices(set weights.Set) func(name string) bool {
	rank := map[string]int{}
	for _, t := range set {
		rank[t.Name] = len(t.Shape())
	}
	return func(name string) bool { return rank[name] >= 2 }
}

// Apply sets the pruned elements of a set to zero, in place. The set may be
// weights, gradients or updates; it must hold every tensor that the mask names.
func (m Mask) Apply(set weights.Set) error {
	if len(m) == 0 {
		return nil
	}
	data := map[string][]float32{}
	for _, t := range set {
		data[t.Name] = t.Data()
	}
	for _, tm := range m {
		x, ok := data[tm.Name]
		if !ok || len(x) != tm.Len {
			return fmt.Errorf("prune.Mask: tensor %q: got %d elements, want %d", tm.Name, len(x), tm.Len)
		}
	}
	for _, tm := range m {
		tm.apply(data[tm.Name])
	}
	return nil
}

func (m TensorMask) apply(x []float32) {
	for i, w := range m.Bits {
		for ; w != 0; w &= w - 1 {
			x[64*i+bits.TrailingZeros64(w)] = 0
		}
	}
}

// Sparsity is the share of pruned elements among those of the tensors that the
// mask names; 0 if there are none.
func (m Mask) Sparsity() float64 {
	pruned, n := 0, 0
	for _, tm := range m {
		pruned += tm.Count()
		n += tm.Len
	}
	if n == 0 {
		return 0
	}
	return float64(pruned) / float64(n)
}

// maskMagic begins an encoded mask; its last byte is the version.
const maskMagic = "MRM\x01"

// MarshalBinary encodes the mask: one bit an element. Equal masks have equal bytes.
func (m Mask) MarshalBinary() ([]byte, error) {
	out := binary.AppendUvarint([]byte(maskMagic), uint64(len(m)))
	for _, tm := range m {
		if len(tm.Bits) != (tm.Len+63)/64 {
			return nil, fmt.Errorf("prune.Mask: tensor %q: %d words for %d elements", tm.Name, len(tm.Bits), tm.Len)
		}
		out = binary.AppendUvarint(out, uint64(len(tm.Name)))
		out = append(out, tm.Name...)
		out = binary.AppendUvarint(out, uint64(tm.Len))
		for i := range (tm.Len + 7) / 8 {
			out = append(out, byte(tm.Bits[i/8]>>(i%8*8)))
		}
	}
	return out, nil
}

// UnmarshalBinary decodes what MarshalBinary wrote, into m. Data may come from
// anywhere: what is damaged is an error, and allocation is bounded by a small multiple of len(data).
func (m *Mask) UnmarshalBinary(data []byte) error {
	if len(data) < len(maskMagic) || string(data[:len(maskMagic)]) != maskMagic {
		return fmt.Errorf("prune.Mask: not an encoded mask of this version")
	}
	d := decoder{data: data[len(maskMagic):]}
	count := d.uvarint()
	var out Mask
	seen := map[string]bool{}
	for i := uint64(0); i < count && d.err == nil; i++ {
		tm := d.tensor()
		if seen[tm.Name] {
			return fmt.Errorf("prune.Mask: tensor %q twice", tm.Name)
		}
		seen[tm.Name] = true
		out = append(out, tm)
	}
	if d.err == nil && len(d.data) > 0 {
		d.err = fmt.Errorf("%d unused bytes at the end", len(d.data))
	}
	if d.err != nil {
		return fmt.Errorf("prune.Mask: %w", d.err)
	}
	*m = out
	return nil
}

// decoder reads the parts of an encoded mask and keeps the first error.
type decoder struct {
	data []byte
	err  error
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.data)
	if n <= 0 {
		d.fail("bad or missing number")
		return 0
	}
	d.data = d.data[n:]
	return v
}

// bytes takes n bytes off the data.
func (d *decoder) bytes(n uint64) []byte {
	if n > uint64(len(d.data)) {
		d.fail("data ends too early")
		return nil
	}
	out := d.data[:n]
	d.data = d.data[n:]
	return out
}

func (d *decoder) fail(msg string) {
	if d.err == nil {
		d.err = fmt.Errorf("%s", msg)
	}
	d.data = nil
}

func (d *decoder) tensor() TensorMask {
	name := string(d.bytes(d.uvarint()))
	n := d.uvarint()
	if n > 8*uint64(len(d.data)) {
		d.fail("data ends too early")
	}
	if d.err != nil {
		return TensorMask{}
	}
	raw := d.bytes((n + 7) / 8)
	tm := newTensorMask(name, int(n))
	for i, b := range raw {
		tm.Bits[i/8] |= uint64(b) << (i % 8 * 8)
	}
	if n%8 != 0 && raw[len(raw)-1]>>(n%8) != 0 {
		d.fail("padding is not zero")
	}
	return tm
}

package optim

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
)

const (
	// fractionBits is the precision of MeanAccumulator: deltas are rounded to
	// multiples of 2^-40, about 1e-12.
	fractionBits = 40
	// maxDelta bounds a delta's magnitude: 2^15 * 2^40 = 2^55, and a weight
	// sum below 2^63 bounds every sum by 2^118.
	maxDelta = 1 << 15
)

// MeanAccumulator is the weighted mean of pseudo-gradients, exact in integers:
// the result is the same bits for any order and grouping of Add and Merge. The
// zero value is empty and takes its length from the first Add or Merge.
type MeanAccumulator struct {
	weight int64
	hi     []int64 // sum of weight * round(delta*2^40), 128 bits in two's complement
	lo     []uint64
}

// Len is the number of elements, 0 if empty.
func (a *MeanAccumulator) Len() int { return len(a.hi) }

// Weight is the sum of the weights added.
func (a *MeanAccumulator) Weight() int64 { return a.weight }

// Add adds a delta with a weight of 1 or more, such as the worker's number of
// rows. It fails, changing nothing, on an element that is not finite or not below 2^15
// in magnitude: training that moves a weight so far in one round has diverged.
func (a *MeanAccumulator) Add(delta []float32, weight int64) error {
	if weight < 1 {
		return fmt.Errorf("optim.MeanAccumulator: weight %d, want 1 or more", weight)
	}
	for i, d := range delta {
		if !(math.Abs(float64(d)) < maxDelta) {
			return fmt.Errorf("optim.MeanAccumulator: element %d is %v, want a finite value of magnitude below %d; has training diverged?", i, d, maxDelta)
		}
	}
	if err := a.grow(len(delta), weight); err != nil {
		return err
	}
	for i, d := range delta {
		q := int64(math.RoundToEven(float64(d) * (1 << fractionBits)))
		hi, lo := mulSigned(q, weight)
		a.add(i, hi, lo)
	}
	return nil
}

// grow checks length and weight of what is to be added, and sizes an empty accumulator.
func (a *MeanAccumulator) grow(n int, weight int64) error {
	if a.weight == 0 && a.hi == nil {
		a.hi, a.lo = make([]int64, n), make([]uint64, n)
	}
	if n != len(a.hi) {
		return fmt.Errorf("optim.MeanAccumulator: %d elements, want %d", n, len(a.hi))
	}
	if a.weight > math.MaxInt64-weight {
		return fmt.Errorf("optim.MeanAccumulator: the weights add up to more than 2^63-1")
	}
	a.weight += weight
	return nil
}

// mulSigned is q*w in 128 bits, for w >= 0.
func mulSigned(q, w int64) (hi int64, lo uint64) {
	h, l := bits.Mul64(uint64(q), uint64(w))
	if q < 0 {
		h -= uint64(w)
	}
	return int64(h), l
}

func (a *MeanAccumulator) add(i int, hi int64, lo uint64) {
	var carry uint64
	a.lo[i], carry = bits.Add64(a.lo[i], lo, 0)
	a.hi[i] += hi + int64(carry)
}

// Merge adds all that was added to b. An empty b changes nothing.
func (a *MeanAccumulator) Merge(b *MeanAccumulator) error {
	if b.weight == 0 {
		return nil
	}
	if err := a.grow(len(b.hi), b.weight); err != nil {
		return err
	}
	for i := range b.hi {
		a.add(i, b.hi[i], b.lo[i])
	}
	return nil
}

// Mean writes the weighted mean of each element to out, of length Len, rounded
// to float32. It fails if nothing was added.
func (a *MeanAccumulator) Mean(out []float32) error {
	if a.weight == 0 {
		return fmt.Errorf("optim.MeanAccumulator: the mean of nothing")
	}
	if len(out) != len(a.hi) {
		return fmt.Errorf("optim.MeanAccumulator: room for %d elements, want %d", len(out), len(a.hi))
	}
	for i := range out {
		hi, lo := uint64(a.hi[i]), a.lo[i]
		negative := a.hi[i] < 0
		if negative {
			var borrow uint64
			lo, borrow = bits.Sub64(0, lo, 0)
			hi, _ = bits.Sub64(0, hi, borrow)
		}
		sum := float64(hi)*0x1p64 + float64(lo) // the product is exact: fusing changes nothing
		x := float32(sum / float64(a.weight) * 0x1p-40)
		if negative {
			x = -x
		}
		out[i] = x
	}
	return nil
}

// meanMagic begins an encoded accumulator; its last byte is the version.
const meanMagic = "MRA\x01"

// MarshalBinary encodes the accumulator: weight, length, the number of bytes
// that the widest sum takes, and so many bytes for each sum, the lowest first.
// Equal sums have equal bytes, whatever they were added from.
func (a *MeanAccumulator) MarshalBinary() ([]byte, error) {
	width := min(1, len(a.hi)) // so that length is bounded by bytes
	for i := range a.hi {
		width = max(width, sumBytes(a.hi[i], a.lo[i]))
	}
	out := make([]byte, 0, len(meanMagic)+2*binary.MaxVarintLen64+1+width*len(a.hi)+16)
	out = append(out, meanMagic...)
	out = binary.AppendUvarint(out, uint64(a.weight))
	out = binary.AppendUvarint(out, uint64(len(a.hi)))
	out = append(out, byte(width))
	for i := range a.hi {
		var b [16]byte
		binary.LittleEndian.PutUint64(b[:], a.lo[i])
		binary.LittleEndian.PutUint64(b[8:], uint64(a.hi[i]))
		out = append(out, b[:width]...)
	}
	return out, nil
}

// sumBytes is the number of bytes of a 128-bit number in two's complement; 0 for 0.
func sumBytes(hi int64, lo uint64) int {
	if hi < 0 { // -x-1 takes as many
		hi, lo = ^hi, ^lo
	} else if hi == 0 && lo == 0 {
		return 0
	}
	n := bits.Len64(lo)
	if hi != 0 {
		n = 64 + bits.Len64(uint64(hi))
	}
	return n/8 + 1
}

// UnmarshalBinary decodes what MarshalBinary wrote, into a. Data may come from
// anywhere: what is damaged is an error, and allocation is bounded by a small multiple of len(data).
func (a *MeanAccumulator) UnmarshalBinary(data []byte) error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("optim.MeanAccumulator: "+format, args...)
	}
	if len(data) < len(meanMagic) || string(data[:len(meanMagic)]) != meanMagic {
		return fail("not an encoded accumulator of this version")
	}
	data = data[len(meanMagic):]
	weight, k := binary.Uvarint(data)
	if k <= 0 || weight > math.MaxInt64 {
		return fail("bad weight")
	}
	data = data[k:]
	n, k := binary.Uvarint(data)
	if k <= 0 || len(data) == k || data[k] > 16 {
		return fail("bad length or width")
	}
	width := int(data[k])
	data = data[k+1:]
	if n > math.MaxInt32 || n > 0 && width == 0 || uint64(len(data)) != n*uint64(width) {
		return fail("%d bytes for %d elements of %d", len(data), n, width)
	}
	out := MeanAccumulator{weight: int64(weight)}
	if n > 0 {
		out.hi, out.lo = make([]int64, n), make([]uint64, n)
	}
	for i := range out.hi {
		out.hi[i], out.lo[i] = readSum(data[i*width : (i+1)*width])
		if !out.plausible(i) {
			return fail("element %d is larger than its weight allows", i)
		}
	}
	*a = out
	return nil
}

// readSum reads a number of up to 16 bytes in two's complement.
func readSum(b []byte) (hi int64, lo uint64) {
	var full [16]byte
	copy(full[:], b)
	if len(b) > 0 && b[len(b)-1]&0x80 != 0 {
		for i := len(b); i < 16; i++ {
			full[i] = 0xff
		}
	}
	return int64(binary.LittleEndian.Uint64(full[8:])), binary.LittleEndian.Uint64(full[:8])
}

// plausible reports whether |sum| <= weight * 2^55, as Add guarantees, so that
// sums cannot overflow later.
func (a *MeanAccumulator) plausible(i int) bool {
	hi, lo := a.hi[i], a.lo[i]
	if hi < 0 {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		h, _ := bits.Sub64(0, uint64(hi), borrow)
		hi = int64(h)
	}
	if hi < 0 {
		return false // -2^127
	}
	limitHi, limitLo := bits.Mul64(uint64(a.weight), 1<<55)
	return uint64(hi) < limitHi || uint64(hi) == limitHi && lo <= limitLo
}

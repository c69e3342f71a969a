package codec

import (
	"fmt"
	"math"
)

// MaxElements is the largest tensor that is coded.
const MaxElements = math.MaxInt32 - 1

// A plan is one way to write some values: what it costs, and how.
type plan struct {
	bits  int
	write func(*Writer)
}

// valueCoding stores a run of float32 values. Its place in the table
// valueCodings is its number in the stream: append, never reorder.
type valueCoding interface {
	name() string
	// plan reports false where the coding cannot hold the values; there is at least one.
	plan(v *values) (plan, bool)
	// read reads into out, which has at least one element, and returns the
	// number of codebook entries, 0 if it has no codebook.
	read(r *Reader, out []float32) (codebook int, err error)
}

var valueCodings = []valueCoding{raw{}, grid{}, rawCodebook, gridCodebook}

// gapCoding stores the numbers of zeros before each non-zero element. Its place
// in gapCodings, counted from 1, is its number in the stream; 0 means dense.
type gapCoding interface {
	name() string
	plan(gaps []uint32) plan // of at least one gap
	// read fills gaps; the caller checks them against the tensor's length.
	read(r *Reader, gaps []uint32) error
}

var gapCodings = []gapCoding{golomb{}, buckets{}}

// Stats describes a coded tensor.
type Stats struct {
	// Layout names the codings, such as "golomb gaps, grid codebook".
	Layout string
	// NonZeros is the number of elements other than zero.
	NonZeros int
	// Codebook is the number of entries in the codebook, 0 without one.
	Codebook int
	// GapBits and ValueBits are the bits of the two parts, tables included.
	GapBits, ValueBits int
}

// Encode stores data in the fewest bytes of all layouts: each way to store the
// values of all elements (dense), and each way to store those of the non-zero
// elements together with each way to store the gaps between them (sparse). It is
// lossless, bit for bit (−0 counts as a non-zero value), and the same data gives
// the same bytes. It pays off where the values are few, as after quantization.
func Encode(data []float32) ([]byte, error) {
	if len(data) > MaxElements {
		return nil, fmt.Errorf("codec.Encode: %d elements, want at most %d", len(data), MaxElements)
	}
	var w Writer
	if len(data) == 0 {
		return nil, nil
	}
	valueID, value := bestValues(newValues(data))
	gaps, nonZero := split(data)
	gapID, gap, sparseID, sparse := bestSparse(gaps, nonZero, len(data))
	if sparse.write != nil && gap.bits+sparse.bits < value.bits {
		w.WriteBits(uint32(gapID)<<4|uint32(sparseID), 8)
		gap.write(&w)
		sparse.write(&w)
	} else {
		w.WriteBits(uint32(valueID), 8)
		value.write(&w)
	}
	return w.Bytes(), nil
}

// bestValues returns the cheapest coding of all values, the first among equals.
func bestValues(v *values) (id int, best plan) {
	for i, c := range valueCodings {
		p, ok := c.plan(v)
		if ok && (best.write == nil || p.bits < best.bits) {
			id, best = i, p
		}
	}
	return id, best
}

// bestSparse returns the cheapest sparse coding of n elements; the plans have
// no write where there is no zero to leave out.
func bestSparse(gaps []uint32, nonZero []float32, n int) (gapID int, gap plan, valueID int, value plan) {
	if len(nonZero) == n {
		return 0, plan{}, 0, plan{}
	}
	count := func(w *Writer) { w.WriteGamma(uint32(len(nonZero))) }
	if len(nonZero) == 0 {
		return 1, plan{planBits(count), count}, 0, plan{0, func(*Writer) {}}
	}
	for i, c := range gapCodings {
		if p := c.plan(gaps); gap.write == nil || p.bits < gap.bits {
			gapID, gap = i+1, p
		}
	}
	body := gap.write
	gap.bits += planBits(count)
	gap.write = func(w *Writer) { count(w); body(w) }
	valueID, value = bestValues(newValues(nonZero))
	return gapID, gap, valueID, value
}

// planBits is the number of bits that write writes.
func planBits(write func(*Writer)) int {
	var w Writer
	write(&w)
	return w.Len()
}

// split returns the non-zero values and the number of zeros before each.
func split(data []float32) (gaps []uint32, nonZero []float32) {
	last := -1
	for i, x := range data {
		if math.Float32bits(x) != 0 {
			gaps = append(gaps, uint32(i-last-1))
			nonZero = append(nonZero, x)
			last = i
		}
	}
	return gaps, nonZero
}

// Decode reads a tensor of n elements that Encode stored. Payload may come from
// anywhere: every fault is an error, and no more than a few times 4n bytes are
// allocated, so that the caller's bound on n is the bound.
func Decode(payload []byte, n int) ([]float32, Stats, error) {
	if n < 0 || n > MaxElements {
		return nil, Stats{}, fmt.Errorf("codec.Decode: %d elements, want 0 to %d", n, MaxElements)
	}
	out := make([]float32, n)
	r := NewReader(payload)
	st, err := decode(r, len(payload), out)
	if err == nil {
		err = r.Close()
	}
	if err != nil {
		return nil, Stats{}, fmt.Errorf("codec.Decode: %w", err)
	}
	for _, x := range out {
		if x != 0 {
			st.NonZeros++
		}
	}
	return out, st, nil
}

func decode(r *Reader, size int, out []float32) (Stats, error) {
	if len(out) == 0 {
		return Stats{Layout: "empty"}, nil
	}
	mode := r.ReadBits(8)
	gapID, valueID := int(mode>>4), int(mode&15)
	if r.short || gapID > len(gapCodings) || valueID >= len(valueCodings) {
		return Stats{}, fmt.Errorf("unknown layout %#02x", mode)
	}
	values := valueCodings[valueID]
	if gapID == 0 {
		book, err := values.read(r, out)
		return Stats{Layout: "dense " + values.name(), Codebook: book, ValueBits: 8 * size}, err
	}
	count := int(r.ReadGamma())
	if r.short || count > len(out) {
		return Stats{}, fmt.Errorf("%d non-zero values, want at most %d", count, len(out))
	}
	if count == 0 {
		return Stats{Layout: "zeros", GapBits: 8 * size}, nil
	}
	gaps := gapCodings[gapID-1]
	at := make([]uint32, count)
	if err := gaps.read(r, at); err != nil {
		return Stats{}, err
	}
	gapBits := 8*(size-len(r.buf)) - int(r.n)
	book, err := readSparse(r, values, at, out)
	layout := gaps.name() + " gaps, " + values.name()
	return Stats{Layout: layout, Codebook: book, GapBits: gapBits, ValueBits: 8*size - gapBits}, err
}

// readSparse reads the non-zero values and puts them where the gaps say.
func readSparse(r *Reader, c valueCoding, gaps []uint32, out []float32) (codebook int, err error) {
	last := int64(-1)
	for i, g := range gaps {
		last += 1 + int64(g)
		if last >= int64(len(out)) {
			return 0, fmt.Errorf("non-zero value %d lies at %d of %d elements", i, last, len(out))
		}
	}
	if err := r.Err(); err != nil {
		return 0, err
	}
	nonZero := make([]float32, len(gaps))
	codebook, err = c.read(r, nonZero)
	if err != nil {
		return 0, err
	}
	last = -1
	for i, g := range gaps {
		last += 1 + int64(g)
		out[last] = nonZero[i]
	}
	return codebook, nil
}

package codec

import (
	"fmt"
	"math"
	"math/bits"
)

// codebook stores the distinct values, ascending, and then each value as a
// Huffman code of its place among them.
type codebook struct {
	label string
	// entries plans the distinct values themselves; false if they do not fit.
	entries func(alphabet []float32) (plan, bool)
	// readEntries reads the distinct values.
	readEntries func(r *Reader, alphabet []float32) error
}

var (
	rawCodebook  = codebook{"codebook", rawEntries, readRaw}
	gridCodebook = codebook{"grid codebook", gridEntries, readGridEntries}
)

func (c codebook) name() string { return c.label }

func (c codebook) plan(v *values) (plan, bool) {
	if v.alphabet == nil {
		return plan{}, false
	}
	entries, ok := c.entries(v.alphabet)
	if !ok {
		return plan{}, false
	}
	lengths := Lengths(v.counts, maxCodeBits)
	header := func(w *Writer) {
		w.WriteGamma(uint32(len(v.alphabet) - 1))
		entries.write(w)
		writeLengths(w, lengths)
	}
	return plan{planBits(header) + codeBits(v.counts, lengths), func(w *Writer) {
		header(w)
		enc := mustEncoder(lengths)
		for _, x := range v.all {
			enc.Write(w, v.symbol[math.Float32bits(x)])
		}
	}}, true
}

func (c codebook) read(r *Reader, out []float32) (int, error) {
	n := int(r.ReadGamma()) + 1
	if r.short || n > maxSymbols || n > len(out) {
		return 0, fmt.Errorf("codebook of %d entries for %d values, want at most %d", n, len(out), maxSymbols)
	}
	alphabet := make([]float32, n)
	if err := c.readEntries(r, alphabet); err != nil {
		return 0, err
	}
	lengths, err := readLengths(r, n)
	if err != nil {
		return 0, err
	}
	dec, err := NewDecoder(lengths)
	if err != nil {
		return 0, err
	}
	for i := range out {
		out[i] = alphabet[dec.Read(r)]
	}
	return n, r.Err()
}

func rawEntries(alphabet []float32) (plan, bool) {
	return plan{32 * len(alphabet), func(w *Writer) { writeRaw(w, alphabet) }}, true
}

// gridEntries stores a codebook on a grid: its smallest integer, and the
// differences in a Rice code. 32 entries of 12 bits take about 9 bits each.
func gridEntries(alphabet []float32) (plan, bool) {
	exp, ints, ok := gridOf(alphabet)
	if !ok {
		return plan{}, false
	}
	k := riceParameter(ints)
	write := func(w *Writer) {
		w.WriteBits(uint32(exp+expBias), 9)
		w.WriteGamma(zigzag(ints[0]))
		if len(ints) == 1 {
			return
		}
		w.WriteBits(uint32(k), 5)
		for i := 1; i < len(ints); i++ {
			w.WriteRice(uint32(ints[i]-ints[i-1]-1), k)
		}
	}
	return plan{planBits(write), write}, true
}

// riceParameter is the k of the smallest Rice code of ascending integers.
func riceParameter(ints []int32) uint {
	best, bestBits := uint(0), math.MaxInt
	for k := uint(0); k <= uint(bits.Len32(uint32(ints[len(ints)-1]-ints[0]))); k++ {
		total := 0
		for i := 1; i < len(ints); i++ {
			total += int(uint32(ints[i]-ints[i-1]-1)>>k) + 1 + int(k)
		}
		if total < bestBits {
			best, bestBits = k, total
		}
	}
	return best
}

func readGridEntries(r *Reader, alphabet []float32) error {
	exp, q, err := readGridHeader(r)
	if err != nil {
		return err
	}
	alphabet[0] = gridValue(q, exp)
	if len(alphabet) == 1 {
		return nil
	}
	k := uint(r.ReadBits(5))
	for i := 1; i < len(alphabet); i++ {
		next := int64(q) + 1 + int64(r.ReadRice(k))
		if r.short || next >= 1<<maxGridBits {
			return fmt.Errorf("codebook entry %d: too large, or %w", i, errShort)
		}
		q = int32(next)
		alphabet[i] = gridValue(q, exp)
	}
	return nil
}

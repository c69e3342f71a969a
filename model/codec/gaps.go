package codec

import (
	"fmt"
	"math/bits"
)

// golomb stores gaps in a Golomb code (Golomb 1966), which is optimal where
// each element is non-zero with the same probability, and needs no table: one
// parameter m; g/m in unary, g%m in truncated binary.
type golomb struct{}

func (golomb) name() string { return "golomb" }

// remainderBits returns the long code length of a remainder modulo m, and the
// number of remainders that take one bit less.
func remainderBits(m uint32) (long uint, short uint32) {
	long = uint(bits.Len32(m - 1))
	return long, uint32(1<<long - uint64(m))
}

func golombBits(gaps []uint32, m uint32) int {
	long, short := remainderBits(m)
	total := 0
	for _, g := range gaps {
		total += int(g/m) + 1 + int(long)
		if g%m < short {
			total--
		}
	}
	return total
}

func (golomb) plan(gaps []uint32) plan {
	sum := uint64(0)
	for _, g := range gaps {
		sum += uint64(g)
	}
	mean := sum / uint64(len(gaps))
	best, bestBits := uint32(0), 0
	// The best m is about 0.69 of the mean gap; look on both sides of it.
	for m := mean/2 + 1; m <= mean+1; m += 1 + mean/32 {
		if n := golombBits(gaps, uint32(m)); best == 0 || n < bestBits {
			best, bestBits = uint32(m), n
		}
	}
	header := planBits(func(w *Writer) { w.WriteGamma(best - 1) })
	return plan{header + bestBits, func(w *Writer) { writeGolomb(w, gaps, best) }}
}

func writeGolomb(w *Writer, gaps []uint32, m uint32) {
	w.WriteGamma(m - 1)
	long, short := remainderBits(m)
	for _, g := range gaps {
		w.WriteUnary(g / m)
		if rest := g % m; rest < short {
			w.WriteBits(rest, long-1)
		} else {
			w.WriteBits(rest+short, long)
		}
	}
}

func (golomb) read(r *Reader, gaps []uint32) error {
	m := r.ReadGamma() + 1
	long, short := remainderBits(m)
	for i := range gaps {
		g := uint64(r.ReadUnary()) * uint64(m)
		rest := uint32(0)
		if long > 0 {
			rest = r.ReadBits(long - 1)
		}
		if long > 0 && rest >= short {
			rest = rest<<1 + r.ReadBits(1) - short
		}
		g += uint64(rest)
		if g > MaxElements || r.short {
			return fmt.Errorf("gap %d of %d: too large, or %w", i, len(gaps), errShort)
		}
		gaps[i] = uint32(g)
	}
	return nil
}

// buckets stores gaps with a Huffman code over buckets and plain low bits: a
// gap below 2^m is a bucket of its own, a larger one keeps its highest bit and
// the m bits after it in the bucket. It follows any distribution of gaps, such as
// that of filters pruned as a whole, with a table that stays small; there is
// no longest gap, and so no filler.
type buckets struct{}

func (buckets) name() string { return "huffman" }

// bucketOf returns the bucket of g and the number of low bits outside it.
func bucketOf(g uint32, m uint) (bucket int, extra uint) {
	n := uint(bits.Len32(g))
	if n <= m {
		return int(g), 0
	}
	extra = n - 1 - m
	return int(extra)<<m + int(g>>extra), extra
}

// gapOf returns the smallest gap of a bucket and the number of low bits.
func gapOf(bucket int, m uint) (g uint64, extra uint) {
	if bucket < 2<<m {
		return uint64(bucket), 0
	}
	extra = uint(bucket>>m) - 1
	return uint64(bucket-int(extra)<<m) << extra, extra
}

// maxMantissa is the largest m.
const maxMantissa = 7

func (buckets) plan(gaps []uint32) plan {
	var best plan
	for m := uint(0); m <= maxMantissa; m++ {
		if p := bucketPlan(gaps, m); best.write == nil || p.bits < best.bits {
			best = p
		}
	}
	return best
}

func bucketPlan(gaps []uint32, m uint) plan {
	var counts []int
	extraBits := 0
	for _, g := range gaps {
		b, extra := bucketOf(g, m)
		for len(counts) <= b {
			counts = append(counts, 0)
		}
		counts[b]++
		extraBits += int(extra)
	}
	lengths := Lengths(counts, maxCodeBits)
	header := func(w *Writer) {
		w.WriteBits(uint32(m), 3)
		w.WriteGamma(uint32(len(lengths) - 1))
		writeLengths(w, lengths)
	}
	total := planBits(header) + extraBits + codeBits(counts, lengths)
	return plan{total, func(w *Writer) {
		header(w)
		enc := mustEncoder(lengths)
		for _, g := range gaps {
			b, extra := bucketOf(g, m)
			enc.Write(w, b)
			w.WriteBits(g, extra)
		}
	}}
}

// codeBits is the size of symbols of these counts in a code of these lengths.
func codeBits(counts []int, lengths []uint8) int {
	total, used := 0, 0
	for s, c := range counts {
		total += c * int(lengths[s])
		if c > 0 {
			used++
		}
	}
	if used == 1 {
		return 0
	}
	return total
}

// mustEncoder is NewEncoder of lengths that Lengths made.
func mustEncoder(lengths []uint8) *Encoder {
	enc, err := NewEncoder(lengths)
	if err != nil {
		panic(err)
	}
	return enc
}

func (buckets) read(r *Reader, gaps []uint32) error {
	m := uint(r.ReadBits(3))
	n := int(r.ReadGamma()) + 1
	if n > maxSymbols {
		return fmt.Errorf("%d gap buckets, want at most %d", n, maxSymbols)
	}
	lengths, err := readLengths(r, n)
	if err != nil {
		return err
	}
	dec, err := NewDecoder(lengths)
	if err != nil {
		return err
	}
	for i := range gaps {
		g, extra := gapOf(dec.Read(r), m)
		if extra > 31 {
			return fmt.Errorf("gap %d: too large", i)
		}
		g += uint64(r.ReadBits(extra))
		if g > MaxElements || r.short {
			return fmt.Errorf("gap %d of %d: too large, or %w", i, len(gaps), errShort)
		}
		gaps[i] = uint32(g)
	}
	return nil
}

package codec

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// values is a run of values with what the codings want to know of it.
type values struct {
	all      []float32
	alphabet []float32 // the distinct values, ascending; nil if there are more than maxSymbols
	counts   []int     // of the alphabet
	symbol   map[uint32]int
}

// newValues counts the distinct values by their bits.
func newValues(all []float32) *values {
	v := &values{all: all}
	count := map[uint32]int{}
	for _, x := range all {
		count[math.Float32bits(x)]++
		if len(count) > maxSymbols {
			return v
		}
	}
	for b := range count {
		v.alphabet = append(v.alphabet, math.Float32frombits(b))
	}
	slices.SortFunc(v.alphabet, func(a, b float32) int { return cmp.Compare(order(a), order(b)) })
	v.symbol = make(map[uint32]int, len(count))
	for s, x := range v.alphabet {
		v.symbol[math.Float32bits(x)] = s
		v.counts = append(v.counts, count[math.Float32bits(x)])
	}
	return v
}

// order is a total order of all float32, ascending, NaNs at the ends.
func order(x float32) int64 {
	b := math.Float32bits(x)
	if b>>31 != 0 {
		return -1 - int64(b&math.MaxInt32)
	}
	return int64(b)
}

// raw stores 32 bits a value.
type raw struct{}

func (raw) name() string { return "float32" }

func (raw) plan(v *values) (plan, bool) {
	return plan{32 * len(v.all), func(w *Writer) { writeRaw(w, v.all) }}, true
}

func (raw) read(r *Reader, out []float32) (int, error) { return 0, readRaw(r, out) }

func writeRaw(w *Writer, vs []float32) {
	for _, x := range vs {
		w.WriteBits(math.Float32bits(x), 32)
	}
}

func readRaw(r *Reader, out []float32) error {
	for i := range out {
		out[i] = math.Float32frombits(r.ReadBits(32))
	}
	return r.Err()
}

// maxGridBits bounds the magnitude of a grid's integers.
const maxGridBits = 26

// gridOf writes each of vs as an integer times 2^exp, with the largest exp. It
// reports false for −0 and what is not finite, and for integers that are too large.
func gridOf(vs []float32) (exp int, ints []int32, ok bool) {
	exp = math.MaxInt
	for _, x := range vs {
		b := math.Float32bits(x)
		e, m := int(b>>23&255), b&(1<<23-1)
		if e == 255 || b == 1<<31 {
			return 0, nil, false
		}
		if e > 0 {
			m |= 1 << 23
		}
		if m != 0 {
			exp = min(exp, max(e, 1)-150+bits.TrailingZeros32(m))
		}
	}
	if exp == math.MaxInt { // all zero
		exp = 0
	}
	ints = make([]int32, len(vs))
	for i, x := range vs {
		q := math.Ldexp(float64(x), -exp)
		if math.Abs(q) >= 1<<maxGridBits {
			return 0, nil, false
		}
		ints[i] = int32(q)
	}
	return exp, ints, true
}

// expBias makes a grid's exponent fit 8 bits: it is -149 to 127-23+23.
const expBias = 149

func gridValue(q int32, exp int) float32 { return float32(math.Ldexp(float64(q), exp)) }

// grid stores values that are multiples of one power of two as integers of a
// fixed number of bits above the smallest.
type grid struct{}

func (grid) name() string { return "grid" }

func (grid) plan(v *values) (plan, bool) {
	exp, ints, ok := gridOf(v.all)
	if !ok {
		return plan{}, false
	}
	lo, hi := slices.Min(ints), slices.Max(ints)
	width := uint(bits.Len32(uint32(hi - lo)))
	header := func(w *Writer) {
		w.WriteBits(uint32(exp+expBias), 9)
		w.WriteGamma(zigzag(lo))
		w.WriteBits(uint32(width), 5)
	}
	return plan{planBits(header) + len(ints)*int(width), func(w *Writer) {
		header(w)
		for _, q := range ints {
			w.WriteBits(uint32(q-lo), width)
		}
	}}, true
}

func (grid) read(r *Reader, out []float32) (int, error) {
	exp, lo, err := readGridHeader(r)
	if err != nil {
		return 0, err
	}
	width := uint(r.ReadBits(5))
	for i := range out {
		q := int64(lo) + int64(r.ReadBits(width))
		if q >= 1<<maxGridBits {
			return 0, fmt.Errorf("grid value %d: too large", i)
		}
		out[i] = gridValue(int32(q), exp)
	}
	return 0, r.Err()
}

// readGridHeader reads the exponent and the smallest integer.
func readGridHeader(r *Reader) (exp int, lo int32, err error) {
	exp = int(r.ReadBits(9)) - expBias
	lo = unzigzag(r.ReadGamma())
	if r.short {
		return 0, 0, errShort
	}
	if exp > 127 || lo <= -1<<maxGridBits || lo >= 1<<maxGridBits {
		return 0, 0, fmt.Errorf("grid of exponent %d from %d: too large", exp, lo)
	}
	return exp, lo, nil
}

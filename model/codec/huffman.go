package codec

import (
	"fmt"
	"sort"
)

const (
	// maxCodeBits is the longest Huffman code.
	maxCodeBits = 15
	// maxSymbols bounds an alphabet; more symbols than this are stored uncoded.
	maxSymbols = 4096
)

// node is one package of the package-merge algorithm: a weight and the symbols
// in it, as a linked pair of packages or a leaf.
type node struct {
	weight uint64
	symbol int // -1 for a package
	a, b   *node
}

// Lengths returns the code lengths, at most limit, of the optimal prefix code
// for symbols of these counts, by package-merge (Larmore & Hirschberg 1990,
// https://doi.org/10.1145/79147.79150). A count of zero gives length zero. One
// symbol alone gets length 1, and costs nothing in a stream. It panics if the
// symbols do not fit limit.
func Lengths(counts []int, limit int) []uint8 {
	lengths := make([]uint8, len(counts))
	leaves := make([]*node, 0, len(counts))
	for s, c := range counts {
		if c > 0 {
			leaves = append(leaves, &node{weight: uint64(c), symbol: s})
		}
	}
	if len(leaves) > 1<<limit {
		panic(fmt.Sprintf("codec.Lengths: %d symbols, want at most %d for a limit of %d bits", len(leaves), 1<<limit, limit))
	}
	if len(leaves) == 1 {
		lengths[leaves[0].symbol] = 1
	}
	if len(leaves) < 2 {
		return lengths
	}
	sort.SliceStable(leaves, func(i, j int) bool { return leaves[i].weight < leaves[j].weight })
	list := leaves
	for range limit - 1 {
		list = mergeNodes(leaves, pairNodes(list))
	}
	for _, n := range list[:2*len(leaves)-2] {
		n.count(lengths)
	}
	return lengths
}

// pairNodes packages neighbours; an odd last one is dropped.
func pairNodes(list []*node) []*node {
	out := make([]*node, len(list)/2)
	for i := range out {
		a, b := list[2*i], list[2*i+1]
		out[i] = &node{a.weight + b.weight, -1, a, b}
	}
	return out
}

// mergeNodes merges two lists sorted by weight, leaves first among equals.
func mergeNodes(leaves, packages []*node) []*node {
	out := make([]*node, 0, len(leaves)+len(packages))
	for len(leaves) > 0 && len(packages) > 0 {
		if leaves[0].weight <= packages[0].weight {
			out, leaves = append(out, leaves[0]), leaves[1:]
		} else {
			out, packages = append(out, packages[0]), packages[1:]
		}
	}
	return append(append(out, leaves...), packages...)
}

// count adds one to the length of every symbol in a package.
func (n *node) count(lengths []uint8) {
	if n.symbol >= 0 {
		lengths[n.symbol]++
		return
	}
	n.a.count(lengths)
	n.b.count(lengths)
}

// checkLengths verifies that lengths describe a complete prefix code. only is
// the symbol of an alphabet of one, else -1.
func checkLengths(lengths []uint8) (only int, err error) {
	used, last, kraft := 0, -1, 0
	for s, l := range lengths {
		if l > maxCodeBits {
			return -1, fmt.Errorf("code length %d of symbol %d, want at most %d", l, s, maxCodeBits)
		}
		if l > 0 {
			used, last = used+1, s
			kraft += 1 << (maxCodeBits - l)
		}
	}
	switch {
	case used == 1 && lengths[last] == 1:
		return last, nil
	case used > 0 && kraft > 1<<maxCodeBits:
		return -1, fmt.Errorf("code lengths are over-subscribed")
	case used > 0 && kraft < 1<<maxCodeBits:
		return -1, fmt.Errorf("code lengths are under-subscribed")
	}
	return -1, nil
}

// firstCodes returns the first canonical code of each length (RFC 1951, 3.2.2).
func firstCodes(lengths []uint8) (next [maxCodeBits + 2]uint32) {
	var count [maxCodeBits + 2]uint32
	for _, l := range lengths {
		count[l]++
	}
	count[0] = 0
	for l := 1; l <= maxCodeBits; l++ {
		next[l+1] = (next[l] + count[l]) << 1
	}
	return next
}

// Encoder writes symbols in a canonical Huffman code.
type Encoder struct {
	codes   []uint32
	lengths []uint8 // zero where a symbol costs nothing
}

// NewEncoder makes the code of these lengths, which Lengths returned.
func NewEncoder(lengths []uint8) (*Encoder, error) {
	only, err := checkLengths(lengths)
	if err != nil {
		return nil, fmt.Errorf("codec.NewEncoder: %w", err)
	}
	e := &Encoder{make([]uint32, len(lengths)), append([]uint8(nil), lengths...)}
	if only >= 0 {
		e.lengths[only] = 0
		return e, nil
	}
	next := firstCodes(lengths)
	for s, l := range lengths {
		if l > 0 {
			e.codes[s] = next[l]
			next[l]++
		}
	}
	return e, nil
}

// Write appends one symbol.
func (e *Encoder) Write(w *Writer, symbol int) {
	w.WriteBits(e.codes[symbol], uint(e.lengths[symbol]))
}

// Decoder reads symbols of a canonical Huffman code through one table.
type Decoder struct {
	table []uint32 // by the next bits bits: symbol<<4 | length
	bits  uint
	empty bool
}

// NewDecoder makes the code of these lengths. Lengths that are over- or
// under-subscribed are an error; an alphabet without symbols is none, but
// reading from it is.
func NewDecoder(lengths []uint8) (*Decoder, error) {
	only, err := checkLengths(lengths)
	if err != nil {
		return nil, fmt.Errorf("codec.NewDecoder: %w", err)
	}
	if only >= 0 {
		return &Decoder{table: []uint32{uint32(only) << 4}}, nil
	}
	d := &Decoder{}
	for _, l := range lengths {
		d.bits = max(d.bits, uint(l))
	}
	d.empty = d.bits == 0
	d.table = make([]uint32, 1<<d.bits)
	next := firstCodes(lengths)
	for s, l := range lengths {
		if l == 0 {
			continue
		}
		at, span := next[l]<<(d.bits-uint(l)), uint32(1)<<(d.bits-uint(l))
		next[l]++
		for i := at; i < at+span; i++ {
			d.table[i] = uint32(s)<<4 | uint32(l)
		}
	}
	return d, nil
}

// Read reads one symbol. Past the end of the stream it returns some symbol,
// and r.Err tells.
func (d *Decoder) Read(r *Reader) int {
	if d.empty {
		r.short = true
		return 0
	}
	if r.n < maxCodeBits {
		r.fill()
	}
	entry := d.table[r.acc>>32>>(32-d.bits)]
	r.skip(uint(entry & 15))
	return int(entry >> 4)
}

// zigzag maps 0, -1, 1, -2 … to 0, 1, 2, 3 ….
func zigzag(v int32) uint32   { return uint32(v<<1) ^ uint32(v>>31) }
func unzigzag(u uint32) int32 { return int32(u>>1) ^ -int32(u&1) }

// writeLengths writes the code lengths of a known number of symbols: the
// parameter of a Rice code in 2 bits, the first length in 4, then the
// differences. Neighbours in a codebook have like counts, so most differences
// take one to three bits.
func writeLengths(w *Writer, lengths []uint8) {
	if len(lengths) < 2 {
		return // one symbol needs no code
	}
	best, bestBits := uint(0), -1
	for k := uint(0); k < 4; k++ {
		n := 0
		for i := 1; i < len(lengths); i++ {
			n += int(zigzag(int32(lengths[i])-int32(lengths[i-1]))>>k) + 1 + int(k)
		}
		if bestBits < 0 || n < bestBits {
			best, bestBits = k, n
		}
	}
	w.WriteBits(uint32(best), 2)
	w.WriteBits(uint32(lengths[0]), 4)
	for i := 1; i < len(lengths); i++ {
		w.WriteRice(zigzag(int32(lengths[i])-int32(lengths[i-1])), best)
	}
}

// readLengths reads the code lengths of n symbols.
func readLengths(r *Reader, n int) ([]uint8, error) {
	lengths := make([]uint8, n)
	if n == 1 {
		lengths[0] = 1
	}
	if n < 2 {
		return lengths, nil
	}
	k := uint(r.ReadBits(2))
	lengths[0] = uint8(r.ReadBits(4))
	for i := 1; i < n; i++ {
		l := int32(lengths[i-1]) + unzigzag(r.ReadRice(k))
		if l < 0 || l > maxCodeBits {
			return nil, fmt.Errorf("code length %d of symbol %d, want 0 to %d", l, i, maxCodeBits)
		}
		lengths[i] = uint8(l)
		if r.short {
			return nil, errShort
		}
	}
	return lengths, nil
}

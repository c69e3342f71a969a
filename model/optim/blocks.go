package optim

import (
	"fmt"

	"github.com/millrace-go/millrace/model/weights"
)

// Block is a contiguous part of the flat parameter space of a set: its tensors
// one after another, in order.
type Block struct {
	Index  int // 0, 1, 2, …
	Offset int // of the first element
	Len    int // number of elements
}

// Blocks cuts a set into blocks of elems elements; the last may be shorter.
// Tensors may begin and end anywhere in a block. It panics if elems < 1.
func Blocks(set weights.Set, elems int) []Block {
	if elems < 1 {
		panic(fmt.Sprintf("optim.Blocks: blocks of %d elements, want at least 1", elems))
	}
	n := set.Len()
	out := make([]Block, 0, (n+elems-1)/elems)
	for at := 0; at < n; at += elems {
		out = append(out, Block{len(out), at, min(elems, n-at)})
	}
	return out
}

// Gather copies a block of a set into dst, of length b.Len.
func Gather(set weights.Set, b Block, dst []float32) error {
	return eachPart("optim.Gather", set, b, len(dst), func(at int, part []float32) { copy(dst[at:], part) })
}

// Scatter copies src, of length b.Len, into a block of a set.
func Scatter(set weights.Set, b Block, src []float32) error {
	return eachPart("optim.Scatter", set, b, len(src), func(at int, part []float32) { copy(part, src[at:]) })
}

// eachPart calls f with each part of a tensor in the block, and its offset in the block.
func eachPart(who string, set weights.Set, b Block, n int, f func(at int, part []float32)) error {
	if total := set.Len(); n != b.Len || b.Offset < 0 || b.Len < 0 || b.Offset > total-b.Len {
		return fmt.Errorf("%s: %d values for block %d of %d elements at %d in a set of %d", who, n, b.Index, b.Len, b.Offset, total)
	}
	begin := 0
	for _, t := range set {
		data := t.Data()
		lo, hi := max(b.Offset-begin, 0), min(b.Offset+b.Len-begin, len(data))
		if lo < hi {
			f(begin+lo-b.Offset, data[lo:hi])
		}
		begin += len(data)
	}
	return nil
}

package graph

import (
	"cmp"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// plan gives each block an offset so that blocks which live at the same time do
// not overlap, and returns the size of the arena. It tries two orders, the
// largest blocks first (Pisarchyk & Lee, https://arxiv.org/abs/2001.03288,
// greedy by size) and the order of their births, and takes the smaller arena. Equal
// blocks keep the order in which they were made, so a plan depends on the graph alone.
func plan(blocks []*block) int {
	bySize := slices.Clone(blocks)
	slices.SortStableFunc(bySize, func(a, b *block) int { return cmp.Compare(b.bytes, a.bytes) })
	best := pack(bySize)
	offsets := make([]int, len(blocks))
	for i, b := range blocks {
		offsets[i] = b.offset
	}
	if n := pack(blocks); n <= best {
		return n
	}
	for i, b := range blocks {
		b.offset = offsets[i]
	}
	return best
}

// pack places the blocks in the order given, each at the lowest offset that is
// free during all its life.
func pack(order []*block) int {
	size := 0
	var placed []*block // by offset
	for _, b := range order {
		at, n := 0, alignUp(b.bytes)
		for _, p := range placed {
			if p.last < b.first || b.last < p.first {
				continue
			}
			if p.offset-at >= n {
				break
			}
			at = max(at, p.offset+alignUp(p.bytes))
		}
		b.offset = at
		size = max(size, at+n)
		i, _ := slices.BinarySearchFunc(placed, at, func(p *block, at int) int { return cmp.Compare(p.offset, at) })
		placed = slices.Insert(placed, i, b)
	}
	return size
}

// liveBytes is the greatest sum of blocks that live at the same time: no plan
// can do with less.
func liveBytes(blocks []*block) int {
	most := 0
	for _, b := range blocks {
		sum := 0
		for _, p := range blocks {
			if p.first <= b.first && b.first <= p.last {
				sum += alignUp(p.bytes)
			}
		}
		most = max(most, sum)
	}
	return most
}

// alignUp rounds n up to a multiple of accel.Align.
func alignUp(n int) int { return (n + accel.Align - 1) / accel.Align * accel.Align }

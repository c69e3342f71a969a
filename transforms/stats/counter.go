package stats

import (
	"bytes"
	"slices"
)

// counter counts byte strings: a hash table with open addressing and linear
// probing, whose keys lie one after the other in one array.
type counter struct {
	max     int
	entries []entry
	data    []byte // the values
	slots   []slot // a power of two of them, at most half of them used
}

type entry struct {
	hash uint64
	end  int // of the value in data; it begins where the one before ends
	n    int64
}

type slot struct {
	tag   uint32 // upper half of the hash
	index uint32 // of the entry plus 1, 0 if empty
}

// bytesPerValue times max is how many bytes of values a counter holds.
const bytesPerValue = 32

func newCounter(max int) counter { return counter{max: max, slots: make([]slot, 16)} }

// full says that there are more values, or bytes of them, than the limit. That
// is a property of the set of values that were added.
func (c *counter) full() bool {
	return len(c.entries) > c.max || len(c.data) > bytesPerValue*c.max
}

// drop forgets all.
func (c *counter) drop() { c.entries, c.data, c.slots = nil, nil, nil }

func (c *counter) value(i int) []byte {
	start := 0
	if i > 0 {
		start = c.entries[i-1].end
	}
	return c.data[start:c.entries[i].end]
}

// add counts a value n times; it copies the value if it is new.
func (c *counter) add(value []byte, hash uint64, n int64) {
	last := uint32(len(c.slots) - 1)
	tag := uint32(hash >> 32)
	i := uint32(hash) & last
	for ; c.slots[i].index != 0; i = (i + 1) & last {
		if s := c.slots[i]; s.tag == tag && bytes.Equal(c.value(int(s.index-1)), value) {
			c.entries[s.index-1].n += n
			return
		}
	}
	c.data = append(c.data, value...)
	c.entries = append(c.entries, entry{hash, len(c.data), n})
	c.slots[i] = slot{tag, uint32(len(c.entries))}
	if 2*len(c.entries) > len(c.slots) {
		c.grow()
	}
}

func (c *counter) grow() {
	c.slots = make([]slot, 2*len(c.slots))
	last := uint32(len(c.slots) - 1)
	for k, e := range c.entries {
		i := uint32(e.hash) & last
		for c.slots[i].index != 0 {
			i = (i + 1) & last
		}
		c.slots[i] = slot{uint32(e.hash >> 32), uint32(k + 1)}
	}
}

// find is the count of a value.
func (c *counter) find(value []byte, hash uint64) int64 {
	if len(c.slots) == 0 {
		return 0
	}
	last := uint32(len(c.slots) - 1)
	tag := uint32(hash >> 32)
	for i := uint32(hash) & last; c.slots[i].index != 0; i = (i + 1) & last {
		if s := c.slots[i]; s.tag == tag && bytes.Equal(c.value(int(s.index-1)), value) {
			return c.entries[s.index-1].n
		}
	}
	return 0
}

// byValue lists the entries by rising bytes of their values.
func (c *counter) byValue() []int {
	return c.sorted(func(a, b int) int { return bytes.Compare(c.value(a), c.value(b)) })
}

// byCount lists the entries by falling counts, equal ones by bytes.
func (c *counter) byCount() []int {
	return c.sorted(func(a, b int) int {
		if c.entries[a].n != c.entries[b].n {
			if c.entries[a].n > c.entries[b].n {
				return -1
			}
			return 1
		}
		return bytes.Compare(c.value(a), c.value(b))
	})
}

func (c *counter) sorted(compare func(a, b int) int) []int {
	order := make([]int, len(c.entries))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, compare)
	return order
}

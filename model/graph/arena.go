package graph

import (
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// arena plans memory: it hands out offsets and takes them back, and remembers
// how much was in use at most. All sizes are rounded up to accel.Align.
type arena struct {
	size int
	free []span // by offset, never touching
}

type span struct{ at, len int }

// take returns the offset of n free bytes: the smallest hole that fits, the
// first of those, else new memory at the end.
func (a *arena) take(n int) int {
	n = alignUp(n)
	best := -1
	for i, s := range a.free {
		if s.len >= n && (best < 0 || s.len < a.free[best].len) {
			best = i
		}
	}
	if best < 0 {
		return a.grow(n)
	}
	at := a.free[best].at
	a.free[best].at += n
	a.free[best].len -= n
	if a.free[best].len == 0 {
		a.free = slices.Delete(a.free, best, best+1)
	}
	return at
}

// grow extends the arena, beginning in the hole at its end if there is one.
func (a *arena) grow(n int) int {
	at := a.size
	if last := len(a.free) - 1; last >= 0 && a.free[last].at+a.free[last].len == a.size {
		at = a.free[last].at
		a.free = a.free[:last]
	}
	a.size = at + n
	return at
}

// give takes n bytes at an offset back, joining neighbouring holes.
func (a *arena) give(at, n int) {
	n = alignUp(n)
	i, _ := slices.BinarySearchFunc(a.free, at, func(s span, at int) int { return s.at - at })
	a.free = slices.Insert(a.free, i, span{at, n})
	if i+1 < len(a.free) && at+n == a.free[i+1].at {
		a.free[i].len += a.free[i+1].len
		a.free = slices.Delete(a.free, i+1, i+2)
	}
	if i > 0 && a.free[i-1].at+a.free[i-1].len == at {
		a.free[i-1].len += a.free[i].len
		a.free = slices.Delete(a.free, i, i+1)
	}
}

func alignUp(n int) int { return (max(n, 1) + accel.Align - 1) / accel.Align * accel.Align }

package main

import (
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// heapFloor is the memory that the Go runtime may hold before it collects.
const heapFloor = 192 << 20

// heapCheck is the time between two looks at what is in use.
const heapCheck = 50 * time.Millisecond

// steadyHeap replaces the collector's usual goal, twice what is in use, by a
// fixed one, as long as no more than two thirds of it are in use. A pipeline streams
// batches past a few megabytes of state: with the usual goal it would collect
// hundreds of times a second, and its peak would follow every small wave.
func steadyHeap() {
	debug.SetGCPercent(-1)
	limit := int64(heapFloor)
	debug.SetMemoryLimit(limit)
	go func() {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		for range time.Tick(heapCheck) {
			metrics.Read(live)
			if want := max(heapFloor, 3*int64(live[0].Value.Uint64())/2); want > limit || want < limit/2 {
				limit = want
				debug.SetMemoryLimit(limit)
			}
		}
	}()
}

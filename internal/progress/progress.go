// Package progress is how work in this process says how far it is: transforms
// add to counters, a display reads them. What other machines do is not in it.
package progress

import (
	"sync"
	"sync/atomic"
)

var (
	rows atomic.Int64

	mu   sync.Mutex
	note string
)

// AddRows adds rows handled by the current step.
func AddRows(n int64) { rows.Add(n) }

// SetNote says in a few words where the current step is, such as its round and loss.
func SetNote(text string) {
	mu.Lock()
	defer mu.Unlock()
	note = text
}

// Current returns the rows and the note of the current step.
func Current() (int64, string) {
	mu.Lock()
	defer mu.Unlock()
	return rows.Load(), note
}

// Reset begins a step.
func Reset() {
	rows.Store(0)
	SetNote("")
}

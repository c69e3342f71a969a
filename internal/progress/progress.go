// Package progress is how work in this process says how far it is: transforms
// add to counters, a display reads them. What other machines do is not in it.
package progress

import "sync/atomic"

var rows atomic.Int64

// AddRows adds rows handled by the current step.
func AddRows(n int64) { rows.Add(n) }

// TakeRows returns the rows since the last call with reset, and forgets them if reset is set.
func TakeRows(reset bool) int64 {
	if reset {
		return rows.Swap(0)
	}
	return rows.Load()
}

package par

import "sync"

// Idle keeps the state of calls that have ended for calls to come, so that a call
// allocates nothing after the first few. The zero Idle keeps none. It may be
// used by several goroutines at once.
type Idle[T any] struct {
	mu   sync.Mutex
	list []*T
}

// Take returns what somebody gave, as it was then, or a new T.
func (i *Idle[T]) Take() *T {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := len(i.list) - 1
	if n < 0 {
		return new(T)
	}
	x := i.list[n]
	i.list = i.list[:n]
	return x
}

// Give keeps x, which the caller may not use any more.
func (i *Idle[T]) Give(x *T) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.list = append(i.list, x)
}

// Package arrowsafe stands between Arrow's decoders and bytes from outside.
//
// Arrow's readers trust what they read: a flipped bit makes them panic, or ask
// for memory that no machine has, which Go cannot recover from. So metadata is
// checked here before Arrow sees it, memory is asked of an allocator with a
// budget, and panics become errors at the file's boundary.
package arrowsafe

import (
	"fmt"
	"runtime"

	"github.com/apache/arrow/go/v15/arrow/memory"
)

// Recover turns a panic of the surrounding function into *err. Use it in a
// defer statement around calls into a decoder; what names the decoding.
//
//	defer arrowsafe.Recover(&err, "decoding the footer")
func Recover(err *error, what string) {
	switch p := recover().(type) {
	case nil:
	case overBudget:
		*err = fmt.Errorf("%s: %w", what, p)
	case runtime.Error:
		*err = fmt.Errorf("%s: the bytes are damaged (%v)", what, p)
	default:
		*err = fmt.Errorf("%s: the bytes are damaged: %v", what, p)
	}
}

// RecoverWrite is Recover for encoders, which panic at what they cannot write.
func RecoverWrite(err *error, what string) {
	switch p := recover().(type) {
	case nil:
	case error:
		*err = fmt.Errorf("%s: %w", what, p)
	default:
		*err = fmt.Errorf("%s: %v", what, p)
	}
}

// overBudget is what Budget panics with.
type overBudget struct{ asked, left, budget int }

func (o overBudget) Error() string {
	return fmt.Sprintf("it asks for %d bytes where %d are left of a limit of %d: the bytes are damaged", o.asked, o.left, o.budget)
}

// Budget is a memory.Allocator of Go memory that panics with an error, which
// Recover takes, once more than its limit is allocated and not freed. It is
// for one goroutine.
type Budget struct {
	limit, used int
	mem         *memory.GoAllocator
}

// NewBudget returns an allocator for at most limit bytes at a time.
func NewBudget(limit int) *Budget {
	return &Budget{limit: limit, mem: memory.NewGoAllocator()}
}

func (b *Budget) take(n int) {
	if n < 0 || n > b.limit-b.used {
		panic(overBudget{n, b.limit - b.used, b.limit})
	}
	b.used += n
}

// Allocate implements memory.Allocator.
func (b *Budget) Allocate(size int) []byte {
	b.take(size)
	return b.mem.Allocate(size)
}

// Reallocate implements memory.Allocator.
func (b *Budget) Reallocate(size int, old []byte) []byte {
	b.take(size)
	b.used -= len(old)
	return b.mem.Reallocate(size, old)
}

// Free implements memory.Allocator.
func (b *Budget) Free(p []byte) { b.used -= len(p) }

package pool

import (
	"syscall"
	"testing"
	"unsafe"
)

// atEdge copies v to memory that ends where the process may not read: a kernel
// that reads behind the end of a tensor faults. Not all places are tried: reads
// before the begin stay unseen.
func atEdge(t *testing.T, v []float32) []float32 {
	t.Helper()
	page := syscall.Getpagesize()
	size := (4*len(v) + page - 1) / page * page
	m, err := syscall.Mmap(-1, 0, size+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(m); err != nil {
			t.Error(err)
		}
	})
	if err := syscall.Mprotect(m[size:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	out := unsafe.Slice((*float32)(unsafe.Pointer(&m[size-4*len(v)])), len(v))
	copy(out, v)
	return out
}

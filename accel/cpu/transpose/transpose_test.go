package transpose

import (
	"fmt"
	"testing"
)

// untouched is what dst holds where nothing is to be written.
const untouched = 0xFFFFFFFF

// Every size around the squares' sides, with rows that have room between them
// and behind the last, which must stay as it is.
func TestWords(t *testing.T) {
	sizes := []int{0, 1, 7, 8, 9, 15, 16, 17, 24, 31, 33, 48, 57}
	for _, m := range available() {
		for _, rows := range sizes {
			for _, cols := range sizes {
				for _, room := range []int{0, 3} {
					check(t, m, rows, cols, cols+room, rows+2*room)
				}
			}
		}
	}
}

func check(t *testing.T, m impl, rows, cols, dy, dx int) {
	t.Helper()
	src, dst := make([]uint32, cols*dx+1), make([]uint32, rows*dy+1)
	for i := range src {
		src[i] = uint32(i)
	}
	for i := range dst {
		dst[i] = untouched
	}
	m.words(dst, src, rows, cols, dy, dx)
	for at, got := range dst {
		want := uint32(untouched)
		if i, j := at/max(dy, 1), at%max(dy, 1); i < rows && j < cols {
			want = uint32(j*dx + i)
		}
		if got != want {
			t.Fatalf("%v, %d × %d with strides %d and %d: word %d is %d, want %d", m, rows, cols, dy, dx, at, got, want)
		}
	}
}

func TestShortSlices(t *testing.T) {
	for _, c := range []struct{ dst, src, rows, cols, dy, dx int }{
		{5, 6, 2, 3, 3, 2}, {6, 5, 2, 3, 3, 2}, {6, 6, 2, 3, 2, 2}, {6, 6, 2, 3, 3, -1}, {6, 6, -1, 3, 3, 2},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v: no panic", c)
				}
			}()
			Words(make([]uint32, c.dst), make([]uint32, c.src), c.rows, c.cols, c.dy, c.dx)
		}()
	}
}

func BenchmarkWords(b *testing.B) {
	for _, c := range []struct{ rows, cols int }{{64, 128}, {3136, 64}, {1024, 1024}, {1000, 1000}} {
		src, dst := make([]uint32, c.rows*c.cols), make([]uint32, c.rows*c.cols)
		for _, m := range available() {
			b.Run(fmt.Sprintf("impl=%v/rows=%d/cols=%d", m, c.rows, c.cols), func(b *testing.B) {
				b.SetBytes(int64(8 * c.rows * c.cols))
				for b.Loop() {
					m.words(dst, src, c.rows, c.cols, c.cols, c.rows)
				}
			})
		}
	}
}

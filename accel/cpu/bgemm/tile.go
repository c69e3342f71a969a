package bgemm

import (
	"unsafe"

	"github.com/millrace-go/millrace/accel/cpu/cast"
)

// tileArgs is one tile of sums: rows of A by a panel of B. The assembly knows
// the offsets of the fields.
type tileArgs struct {
	c     *float32       // 0
	ldc   int            // 8, in bytes
	a     unsafe.Pointer // 16, bfloat16 or, for a wide core, float32
	lda   int            // 24, in bytes
	b     unsafe.Pointer // 32, a packed panel
	steps int            // 40
	more  int            // 48, 1 to go on from the sums in c, 0 to begin
}

// finishArgs is what becomes of a tile of sums, 32 columns wide.
type finishArgs struct {
	src    *float32       // 0
	rows   int            // 8
	dst    unsafe.Pointer // 16, float32 or 16-bit
	ldd    int            // 24, in bytes
	bias   *float32       // 32, of 32 columns
	lo, hi float32        // 40, 44
	lds    int            // 48, of src, in bytes
}

// portable is plain Go.
var portable = impl{
	name:    "portable",
	cores:   [2]core{{rows: 4, wide: true, tile: portableBF16}, {rows: 4, wide: true, tile: portableF16}},
	finish:  portableFinish,
	addTo:   portableAddTo,
	narrow:  [2]func(f *finishArgs){portableToBF16, portableToF16},
	pairs16: pairs16, pairs32: pairs32,
}

// at is element j of row i of a matrix with rows of ld bytes.
func at[T any](p unsafe.Pointer, ld, i, j int) *T {
	return (*T)(unsafe.Add(p, i*ld+j*int(unsafe.Sizeof(*new(T)))))
}

func portableBF16(rows int, t *tileArgs) {
	for i := range rows {
		a := unsafe.Slice(at[[2]float32](t.a, t.lda, i, 0), t.steps)
		c := at[[nr]float32](unsafe.Pointer(t.c), t.ldc, i, 0)
		var acc [nr]float32
		if t.more > 0 {
			acc = *c
		}
		for p := range a {
			b := (*[nr][2]uint16)(unsafe.Add(t.b, p*nr*4))
			a0, a1 := flush(a[p][0]), flush(a[p][1])
			for j := range acc {
				s := flush(acc[j] + float32(a1*flush(cast.FromBF16(b[j][1]))))
				acc[j] = flush(s + float32(a0*flush(cast.FromBF16(b[j][0]))))
			}
		}
		*c = acc
	}
}

func portableF16(rows int, t *tileArgs) {
	var wide [nr]float32
	var acc [maxRows]*[nr]float32
	for i := range rows {
		acc[i] = at[[nr]float32](unsafe.Pointer(t.c), t.ldc, i, 0)
		if t.more == 0 {
			*acc[i] = [nr]float32{}
		}
	}
	for k := range t.steps {
		cast.F16ToF32(wide[:], unsafe.Slice((*uint16)(unsafe.Add(t.b, k*nr*2)), nr))
		for i := range rows {
			a := *at[float32](t.a, t.lda, i, k)
			for j, b := range wide {
				acc[i][j] += float32(a * b)
			}
		}
	}
}

// value is the result for a sum, or a sum added to C: a NaN stays.
func (f *finishArgs) value(sum float32, j int) float32 {
	v := sum + *at[float32](unsafe.Pointer(f.bias), 0, 0, j)
	if f.lo > v {
		v = f.lo
	}
	if f.hi < v {
		v = f.hi
	}
	return v
}

// finishes calls put for the place of each result of type T and its sum.
func finishes[T any](f *finishArgs, put func(dst *T, sum float32, j int)) {
	for i := range f.rows {
		for j := range nr {
			put(at[T](f.dst, f.ldd, i, j), *at[float32](unsafe.Pointer(f.src), f.lds, i, j), j)
		}
	}
}

func portableFinish(f *finishArgs) {
	finishes(f, func(dst *float32, sum float32, j int) { *dst = f.value(sum, j) })
}

func portableAddTo(f *finishArgs) {
	finishes(f, func(dst *float32, sum float32, j int) { *dst = f.value(*dst+sum, j) })
}

func portableToBF16(f *finishArgs) {
	finishes(f, func(dst *uint16, sum float32, j int) { *dst = cast.ToBF16(f.value(sum, j)) })
}

func portableToF16(f *finishArgs) {
	finishes(f, func(dst *uint16, sum float32, j int) { *dst = cast.ToF16(f.value(sum, j)) })
}

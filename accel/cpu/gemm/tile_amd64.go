package gemm

import (
	"fmt"

	"github.com/millrace-go/millrace/accel/cpu/isa"
)

//go:generate go run ./gen/main.go ./gen/tile.go ./gen/dots.go ./gen/pack.go ./gen/row.go

// tileArgs is what the assembly is given; distances are in bytes.
type tileArgs struct {
	a, b, c       *float32
	rowA, stepA   int
	stepB, panelB int
	ldc           int
	k             int
	tail          int // columns in the last vector
	flags         uint32
	alpha         float32
	next          *float32 // what to prefetch at each k: this and nextRow bytes on
	nextStep      int      // bytes from k to k
	nextRow       int
}

// Flags of tileArgs.
const (
	addToC  = 1
	scaleBy = 2
)

func badTile(rows, vecs int) {
	panic(fmt.Sprintf("gemm: no tile of %d rows and %d vectors", rows, vecs))
}

// tileFor is the tile for m rows: at most rows of them, and vecs vectors of
// columns. Few rows get wide tiles, so that enough chains of FMAs run at once.
func tileFor(level isa.Level, m int) (rows, vecs, lanes int) {
	if level == isa.AVX512 {
		switch {
		case m == 1:
			return 1, 8, 16
		case m <= 6:
			return 6, 4, 16
		}
		return 14, 2, 16
	}
	switch {
	case m == 1:
		return 1, 8, 8
	case m == 2:
		return 2, 4, 8
	}
	return 6, 2, 8
}

// args are the arguments that all tiles share.
func (b *Block) args() tileArgs {
	t := tileArgs{rowA: b.RowA * 4, stepA: b.StepA * 4, stepB: b.StepB * 4, panelB: b.PanelB * 4, ldc: b.LDC * 4, k: b.K, alpha: b.Alpha}
	if b.Add {
		t.flags |= addToC
	}
	if b.Alpha != 1 {
		t.flags |= scaleBy
	}
	return t
}

// run computes the block at a level; every slice has been checked.
func (b *Block) run(level isa.Level) {
	if level == isa.Portable {
		b.portable()
		return
	}
	rows, vecs, lanes := tileFor(level, b.M)
	tiles := (b.M + rows - 1) / rows
	t := b.args()
	if b.K == 0 { // A and B may be empty, and are not read
		t.a, t.b = &b.C[0], &b.C[0]
	}
	for i, at := 0, 0; i < tiles; i++ {
		m := (b.M-at-1)/(tiles-i) + 1 // rows divided evenly
		b.rows(&t, level, at, m, vecs, lanes)
		at += m
	}
}

// rows computes m rows from row at, tile after tile.
func (b *Block) rows(t *tileArgs, level isa.Level, at, m, vecs, lanes int) {
	if b.K > 0 {
		t.a = &b.A[at*b.RowA]
	}
	for j, row := 0, 0; j < b.N; row += 2 {
		left := (b.N - j + lanes - 1) / lanes // vectors
		for vecs > left {
			vecs /= 2
		}
		n := min(b.N-j, vecs*lanes)
		if b.K > 0 {
			t.b = &b.B[j/NR*b.PanelB+j%NR]
		}
		t.c = &b.C[at*b.LDC+j]
		t.tail = n - (vecs-1)*lanes
		b.next.prefetch(t, row)
		if level == isa.AVX512 {
			tile512(t, m, vecs)
		} else {
			tile256(t, m, vecs)
		}
		j += n
	}
}

// prefetch makes a tile ask for two rows of the strip; for all of it, if it is
// stored by columns.
func (s *strip) prefetch(t *tileArgs, row int) {
	t.next, t.nextStep, t.nextRow = t.c, 0, 0
	switch {
	case row >= s.rows || s.step != 1 && row > 0:
	case s.step != 1:
		t.next, t.nextStep, t.nextRow = &s.a[0], s.step*4, (s.rows-1)*4
	default:
		t.next, t.nextStep = &s.a[row*s.row], 4
		if row+1 < s.rows {
			t.nextRow = s.row * 4
		}
	}
}

// dots computes a block of one row whose B is stored transposed, with rows StepB
// apart.
func (b *Block) dots(level isa.Level) {
	lanes := 8
	if level == isa.AVX512 {
		lanes = 16
	}
	t := b.args()
	t.a = &b.A[0]
	for j := 0; j < b.N; j += lanes {
		t.b, t.c, t.tail = &b.B[j*b.StepB], &b.C[j], min(lanes, b.N-j)
		if level == isa.AVX512 {
			dots512(&t)
		} else {
			dots256(&t)
		}
	}
}

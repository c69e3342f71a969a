package gemm

import "github.com/millrace-go/millrace/accel/cpu/isa"

// Limits of blocking; no result depends on them.
const (
	fewCols   = 12 * NR // columns of a task that has fewer than fewRows rows,
	moreCols  = 24 * NR // more rows,
	maxCols   = 32 * NR // or a B that was packed beforehand
	fewRows   = 512
	narrow    = 8       // up to so many columns, C is computed transposed
	fewTiles  = 18      // for up to so many strips of A, B is not packed
	directB   = 1 << 15 // nor is a B of at most so many floats
	minRows   = 28      // of a task, if the rows are divided
	minWork   = 1 << 18 // multiply-adds worth a task
	stripRow  = KC + 16 // floats between the copied rows of a strip of A
	stripRows = 16      // rows of a strip that has room for
)

// product is the product that is computed: that of the Spec, or its transpose
// if C is narrow. Then the sums run over vectors of rows of C, which are
// gathered and scattered.
type product struct {
	m, n, k       int
	rowA, stepA   int // distances of A's rows and of its values along k
	ldb           int
	transB        bool
	swapped       bool
	copyA, direct bool // copy strips of A; read B where it lies
	dots          bool // one row, and B stored transposed
	rows          int  // rows of a tile at most
	scratch       int  // floats for one worker
	offA, offC    int  // where in it the strip of A and the narrow C are
}

func newProduct(s *Spec, level isa.Level) product {
	p := product{m: s.M, n: s.N, k: s.K, ldb: s.LDB, transB: s.TransB}
	p.rowA, p.stepA = strides(s.LDA, s.TransA)
	if s.N <= narrow && s.M >= 2*NR {
		p.swapped = true
		p.m, p.n = s.N, s.M
		p.rowA, p.stepA = strides(s.LDB, !s.TransB)
		p.ldb, p.transB = s.LDA, !s.TransA
	}
	p.rows, _, _ = tileFor(level, p.m)
	p.copyA = level != isa.Portable && p.evicts()
	p.dots = level != isa.Portable && p.transB && p.m == 1
	p.direct = !p.transB && (p.m <= fewTiles*p.rows || p.n*p.k <= directB)
	cols := min(p.maxCols(false), roundUp(p.n, NR))
	switch {
	case p.dots:
	case p.direct:
		p.offA = min(KC, p.k) * NR // for the last columns
	default:
		p.offA = min(KC, p.k) * cols
	}
	p.offC = p.offA
	if p.copyA {
		p.offC += stripRows * stripRow
	}
	p.scratch = p.offC
	if p.swapped {
		p.scratch += p.m * cols
	}
	return p
}

// strides are the distances between rows, and within a row, of op(X).
func strides(ld int, trans bool) (row, step int) {
	if trans {
		return 1, ld
	}
	return ld, 1
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// evicts reports whether a strip of A has too many cache lines in one set of a
// first-level cache of 64 sets and eight ways, as with rows 4 KiB apart.
func (p *product) evicts() bool {
	const line, sets, ways = 16, 64, 8
	rows, kc := min(p.rows, p.m), min(KC, p.k)
	if p.n <= 2*NR {
		return false // a strip is used once or twice
	}
	var used [sets]int
	count := func(from, to int) {
		for l := from / line; l <= to/line; l++ {
			used[l%sets]++
		}
	}
	if p.stepA == 1 {
		for i := range rows {
			count(i*p.rowA, i*p.rowA+kc-1)
		}
	} else {
		for k := range kc {
			count(k*p.stepA, k*p.stepA+rows-1)
		}
	}
	for _, n := range used {
		if n >= ways {
			return true
		}
	}
	return false
}

// maxCols is the most columns of a task. A block of B is read again for each
// strip of A, and should stay in the second-level cache; but then A is read
// again for each block of B, so with many rows it is larger and in the third.
func (p *product) maxCols(packed bool) int {
	switch {
	case packed && !p.swapped:
		return maxCols
	case p.m < fewRows:
		return fewCols
	}
	return moreCols
}

// grid cuts the product into tasks: batches, times groups of columns, times
// groups of rows.
type grid struct {
	batch, colTasks, rowTasks int
	cols, rows                int // of a task
}

func (p *product) grid(batch, threads int, packed bool) grid {
	g := grid{batch: batch}
	work := p.m * p.n * max(p.k, 1) // of one matrix
	tasks := 1
	if threads > 1 && work*batch >= 2*minWork {
		tasks = min(threads, work*batch/minWork)
	}
	wantCols := (tasks + batch - 1) / batch
	g.cols = min(p.maxCols(packed), max(2*NR, roundUp((p.n+wantCols-1)/wantCols, NR)))
	g.colTasks = (p.n + g.cols - 1) / g.cols
	if tasks > 1 && batch == 1 && g.colTasks > 1 {
		g.colTasks = roundUp(g.colTasks, threads) // so that all have the same to do
	}
	g.cols = roundUp((p.n+g.colTasks-1)/g.colTasks, NR)
	g.colTasks = (p.n + g.cols - 1) / g.cols
	g.rowTasks = max(1, min(tasks/(batch*g.colTasks), p.m/minRows))
	g.rows = (p.m + g.rowTasks - 1) / g.rowTasks
	g.rowTasks = (p.m + g.rows - 1) / g.rows
	return g
}

func (g *grid) tasks() int { return g.batch * g.colTasks * g.rowTasks }

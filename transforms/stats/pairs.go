package stats

import (
	"math"
	"math/big"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/internal/exactsum"
)

// pairs holds the exact co-moments of every two of some numeric columns, over
// the rows where both are finite.
type pairs struct {
	names []string
	pair  []comoments // of columns (0,1), (0,2), (1,2), (0,3), …

	columns []pairColumn // scratch
}

// comoments are of n rows with values x and y.
type comoments struct {
	n                int64
	x, y, xx, yy, xy exactsum.Sum
}

// pairColumn is a column of the batch at hand.
type pairColumn struct {
	values  []float64
	ok      []bool // whether the value is there and finite, nil if all are
	sum, sq exactsum.Sum
}

func newPairs(names []string) *pairs {
	n := len(names)
	return &pairs{names: names, pair: make([]comoments, n*(n-1)/2), columns: make([]pairColumn, n)}
}

// add takes in the rows of a batch; columns are those of names.
func (p *pairs) add(columns []arrow.Array) error {
	for i, col := range columns {
		if err := p.columns[i].read(col); err != nil {
			return err
		}
	}
	at := 0
	for j := range p.columns {
		for i := range j {
			p.pair[at].add(&p.columns[i], &p.columns[j])
			at++
		}
	}
	return nil
}

func (c *pairColumn) read(col arrow.Array) (err error) {
	if c.values, err = readNumbers(col, c.values[:0], true); err != nil {
		return err
	}
	c.sum, c.sq = exactsum.Sum{}, exactsum.Sum{}
	complete := col.NullN() == 0
	for _, x := range c.values {
		complete = complete && finite(x)
	}
	if complete {
		c.ok = nil
		for _, x := range c.values {
			c.sum.Add(x)
			c.sq.AddSquare(x)
		}
		return nil
	}
	c.ok = make([]bool, len(c.values))
	for i, x := range c.values {
		c.ok[i] = col.IsValid(i) && finite(x)
	}
	return nil
}

func (m *comoments) add(a, b *pairColumn) {
	if a.ok == nil && b.ok == nil {
		m.n += int64(len(a.values))
		m.x.Merge(&a.sum)
		m.y.Merge(&b.sum)
		m.xx.Merge(&a.sq)
		m.yy.Merge(&b.sq)
		for i, x := range a.values {
			m.xy.AddProduct(x, b.values[i])
		}
		return
	}
	for i, x := range a.values {
		if (a.ok != nil && !a.ok[i]) || (b.ok != nil && !b.ok[i]) {
			continue
		}
		y := b.values[i]
		m.n++
		m.x.Add(x)
		m.y.Add(y)
		m.xx.AddSquare(x)
		m.yy.AddSquare(y)
		m.xy.AddProduct(x, y)
	}
}

func (p *pairs) merge(o *pairs) {
	for i := range p.pair {
		m, q := &p.pair[i], &o.pair[i]
		m.n += q.n
		m.x.Merge(&q.x)
		m.y.Merge(&q.y)
		m.xx.Merge(&q.xx)
		m.yy.Merge(&q.yy)
		m.xy.Merge(&q.xy)
	}
}

// pearson is (nΣxy - ΣxΣy) / √((nΣx² - (Σx)²)(nΣy² - (Σy)²)), computed without
// rounding up to the root; false where one of the columns does not vary.
func (m *comoments) pearson() (r float64, ok bool) {
	if m.n < 2 {
		return 0, false
	}
	n := new(big.Rat).SetInt64(m.n)
	x, y := m.x.Rat(), m.y.Rat()
	spread := func(sq, a, b *big.Rat) *big.Rat {
		v := new(big.Rat).Mul(n, sq)
		return v.Sub(v, new(big.Rat).Mul(a, b))
	}
	vx, vy, c := spread(m.xx.Rat(), x, x), spread(m.yy.Rat(), y, y), spread(m.xy.Rat(), x, y)
	if vx.Sign() == 0 || vy.Sign() == 0 {
		return 0, false
	}
	// The square root of c²/(vx vy), which is at most 1, with c's sign.
	sq := new(big.Rat).Mul(c, c)
	sq.Quo(sq, new(big.Rat).Mul(vx, vy))
	root := new(big.Float).SetPrec(128).SetRat(sq)
	r, _ = root.Sqrt(root).Float64()
	return math.Copysign(r, float64(c.Sign())), true
}

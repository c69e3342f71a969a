package arrowio

import (
	"github.com/millrace-go/millrace/internal/arrowsafe"
)

// maxRows bounds the rows of a record batch, and the values of a child.
const maxRows = 1<<31 - 1

// column is a node in one record batch.
type column struct {
	*node
	rows  int64
	nulls int64
	valid *part   // nil where there is no bitmap, or nothing null
	parts []*part // the buffers behind the bitmap
	kids  []*column
	ends  []int64 // of runs, once read
}

// layer hands out the nodes and buffers of a record batch in their order.
type layer struct {
	batch                   *arrowsafe.Batch
	node, buffer, variadics int
}

// lay finds the buffers of nodes in batch.
func lay(batch *arrowsafe.Batch, nodes []*node) (cols []*column, err error) {
	defer recoverFailure(&err)
	l := layer{batch: batch}
	for _, n := range nodes {
		c := l.column(n)
		if c.rows != batch.Rows {
			fail("column %q has %d rows, its record batch %d", n.name, c.rows, batch.Rows)
		}
		cols = append(cols, c)
	}
	if l.node != len(batch.Nodes) || l.buffer != len(batch.Buffers) {
		fail("%d nodes and %d buffers that no column has", len(batch.Nodes)-l.node, len(batch.Buffers)-l.buffer)
	}
	return cols, nil
}

func (l *layer) part() *part {
	if l.buffer == len(l.batch.Buffers) {
		fail("only %d buffers", l.buffer)
	}
	l.buffer++
	return &part{Buffer: l.batch.Buffers[l.buffer-1]}
}

func (l *layer) column(n *node) *column {
	if l.node == len(l.batch.Nodes) {
		fail("only %d nodes", l.node)
	}
	at := l.batch.Nodes[l.node]
	l.node++
	if at.Rows < 0 || at.Rows > maxRows || at.Nulls < 0 || at.Nulls > at.Rows {
		fail("a column of %d rows and %d nulls", at.Rows, at.Nulls)
	}
	c := &column{node: n, rows: at.Rows, nulls: at.Nulls}
	if n.layout != empty && n.layout != runs && n.layout != union {
		if valid := l.part(); at.Nulls > 0 {
			c.valid = valid
		}
	}
	for range l.buffers(n) {
		c.parts = append(c.parts, l.part())
	}
	if n.layout == indices {
		return c
	}
	for _, k := range n.kids {
		c.kids = append(c.kids, l.column(k))
	}
	l.check(c)
	return c
}

// buffers is how many a node has behind its bitmap.
func (l *layer) buffers(n *node) int {
	switch n.layout {
	case fixed, bits, list, indices:
		return 1
	case text, listView:
		return 2
	case union:
		return n.buffers
	case view:
		if l.variadics == len(l.batch.Variadic) {
			fail("no count of the buffers of a view")
		}
		l.variadics++
		more := l.batch.Variadic[l.variadics-1]
		if more < 0 || more > int64(len(l.batch.Buffers)) {
			fail("a view of %d buffers", more)
		}
		return 1 + int(more)
	}
	return 0
}

// check wants children with as many values as their parent refers to.
func (l *layer) check(c *column) {
	for _, k := range c.kids {
		switch {
		case c.layout == structure && k.rows < c.rows,
			c.layout == fixedList && c.reason == "" && k.rows < c.rows*int64(c.width):
			fail("%d values in a child of %d rows", k.rows, c.rows)
		}
	}
	if c.layout == runs && (c.rows > 0 && c.kids[0].rows == 0 || c.kids[0].rows > c.kids[1].rows || c.kids[0].nulls > 0) {
		fail("%d ends of runs, %d of them null, with %d values", c.kids[0].rows, c.kids[0].nulls, c.kids[1].rows)
	}
}

// stored is how many bytes c takes in its body.
func (c *column) stored() (n int64) {
	for _, p := range c.parts {
		n += p.Len
	}
	for _, k := range c.kids {
		n += k.stored()
	}
	return n
}

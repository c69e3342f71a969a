package tfrecordio

import (
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/internal/columns"
)

// column is one feature on its way into batches.
type column struct {
	name     string
	at       int // its number among the features
	sequence bool
	kind     kind
	text     bool // bytes that are to be UTF-8
	many     bool // a list, or a sequence of lists
	out      *columns.Column
	item     *columns.Column // of the single values

	// Of the record that check saw: a context feature's values.
	got  content // of no kind if there are none
	n    int
	size int // of the values, a sequence's too
}

// newColumn returns the column of feature number at.
func newColumn(f arrow.Field, at int, bytes *int) (column, error) {
	_, sequence := featureOf(f)
	c := column{name: f.Name, at: at, sequence: sequence}
	out, err := columns.New(f.Type, bytes)
	if err != nil {
		return c, err
	}
	c.out, c.item = out, out
	depth := 0
	for c.item.Type().ID() == arrow.LIST {
		c.item = c.item.Child(0)
		depth++
	}
	switch c.item.Type().ID() {
	case arrow.NULL:
		c.kind = noKind
	case arrow.INT64:
		c.kind = intKind
	case arrow.FLOAT32:
		c.kind = floatKind
	case arrow.STRING:
		c.kind, c.text = bytesKind, true
	case arrow.BINARY:
		c.kind = bytesKind
	default:
		depth = -1
	}
	least, most := 0, 1
	if sequence && c.kind != noKind {
		least, most = 1, 2
	}
	if depth < least || depth > most || c.kind == noKind && depth > 0 {
		return c, fmt.Errorf("column %q: no feature is of type %s", f.Name, f.Type)
	}
	c.many = depth == most
	return c, nil
}

// check looks at the feature in the record. A fault of the record is a letter; any
// other error says what the schema did not expect.
func (c *column) check(rec *record, maxCell int) error {
	c.got, c.size, c.n = content{}, 0, 0
	p := &rec.places[c.at]
	if p.record != rec.current {
		return nil
	}
	if !c.sequence {
		if err := c.feature(p.body); err != nil {
			return err
		}
		return c.within(maxCell)
	}
	for body := p.body; len(body) > 0; {
		_, step, rest, ok := message(body, 1)
		if !ok {
			return c.malformed()
		}
		if err := c.feature(step); err != nil {
			return err
		}
		c.size += 4 // an empty step takes memory too
		body = rest
	}
	return c.within(maxCell)
}

func (c *column) malformed() error {
	return letter{rule: RuleExample, column: c.name, reason: errNotExample.Error()}
}

func (c *column) within(maxCell int) error {
	if c.size <= maxCell {
		return nil
	}
	l := letter{rule: RuleCell, column: c.name, reason: fmt.Sprintf("want at most %d bytes, has %d", maxCell, c.size)}
	if c.got.kind == bytesKind {
		c.got.values((*first)(&l.value))
	}
	return l
}

// first is a sink that keeps the first text.
type first []byte

func (f *first) Bytes(v []byte) {
	if *f == nil {
		*f = v
	}
}
func (*first) Block([]byte)  {}
func (*first) Fixed8(uint64) {}

// feature looks at a tf.Feature.
func (c *column) feature(b []byte) error {
	got, ok := openFeature(b)
	if !ok {
		return c.malformed()
	}
	if got.kind == noKind {
		return nil
	}
	t, ok := got.count(c.text)
	switch {
	case !ok:
		return c.malformed()
	case t.n > 0 && c.kind == noKind:
		return fmt.Errorf("feature %q has values", c.name)
	case t.n > 0 && got.kind != c.kind:
		return letter{rule: RuleKind, column: c.name, reason: fmt.Sprintf("want a list of %s, as in the records before, has one of %s", c.kind, got.kind)}
	case t.n > 1 && !c.many:
		return fmt.Errorf("feature %q has %d values", c.name, t.n)
	case t.binary:
		return fmt.Errorf("feature %q has a value that is not UTF-8", c.name)
	}
	c.got, c.n = got, t.n
	c.size += t.size
	if got.kind == bytesKind && !c.sequence && !c.many {
		c.size -= 4 * t.n // a cell is as long as its text
	}
	return nil
}

// append adds the feature of a record that check accepted.
func (c *column) append(rec *record) {
	switch {
	case rec.places[c.at].record != rec.current || c.kind == noKind:
		c.out.Null()
	case c.sequence:
		for body := rec.places[c.at].body; len(body) > 0; {
			_, step, rest, _ := message(body, 1)
			body = rest
			got, _ := openFeature(step)
			t := tally{n: 1}
			if !c.many {
				t, _ = got.count(false)
			}
			c.one(c.out.Child(0), got, t.n)
		}
		c.out.List()
	default:
		c.one(c.out, c.got, c.n)
	}
}

// one adds the n values of one tf.Feature to out: null if it is a scalar without a value, or a list of no kind.
func (c *column) one(out *columns.Column, got content, n int) {
	if got.kind == noKind || !c.many && n == 0 {
		out.Null()
		return
	}
	got.values(c.item)
	if c.many {
		out.List()
	}
}

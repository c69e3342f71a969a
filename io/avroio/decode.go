package avroio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/millrace-go/millrace/internal/columns"
)

// decoder reads values from a block. Its err is the first fault, after which all values are empty.
type decoder struct {
	b    []byte
	err  error
	size *int // of the values in all columns

	// Of the cell being read.
	maxCell int
	start   int    // of *size
	rule    string // a rule that it broke
	value   []byte // of that
	length  int    // of that, if known
}

var errCut = errors.New("a value goes on behind the end of the block")

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
	d.b = nil
}

// long reads a number: zigzag, seven bits a byte.
func (d *decoder) long() int64 {
	if len(d.b) > 0 && d.b[0] < 0x80 {
		v := uint64(d.b[0])
		d.b = d.b[1:]
		return int64(v>>1) ^ -int64(v&1)
	}
	if len(d.b) > 1 && d.b[1] < 0x80 {
		v := uint64(d.b[0]&0x7f) | uint64(d.b[1])<<7
		d.b = d.b[2:]
		return int64(v>>1) ^ -int64(v&1)
	}
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		if n < 0 {
			d.fail(errors.New("a number of more than 64 bits"))
		}
		d.fail(errCut)
		return 0
	}
	d.b = d.b[n:]
	return int64(v>>1) ^ -int64(v&1)
}

func (d *decoder) int() int32 {
	v := d.long()
	if v != int64(int32(v)) {
		d.fail(fmt.Errorf("the int %d: want one of 32 bits", v))
		return 0
	}
	return int32(v)
}

// take returns the next n bytes.
func (d *decoder) take(n int64) []byte {
	if n < 0 || n > int64(len(d.b)) {
		d.fail(errCut)
		return nil
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) fixed4() uint32 {
	if b := d.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (d *decoder) fixed8() uint64 {
	if b := d.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// bytes reads bytes that carry their length.
func (d *decoder) bytes() []byte { return d.take(d.long()) }

// bool reads a byte of 0 or 1.
func (d *decoder) bool() bool {
	b := d.take(1)
	if b != nil && b[0] > 1 {
		d.fail(fmt.Errorf("the boolean %d: want 0 or 1", b[0]))
	}
	return b != nil && b[0] == 1
}

// index reads the number of one of n.
func (d *decoder) index(n int, what string) int {
	v := d.long()
	if v < 0 || v >= int64(n) {
		d.fail(fmt.Errorf("%s %d of %d", what, v, n))
		return 0
	}
	return int(v)
}

// items reads the head of a block of an array or map whose items take least bytes, and says how
// many items it has; none end the array. bytes is their length if the block says it, or -1.
func (d *decoder) items(least int) (n int, bytes int64) {
	count, bytes := d.long(), int64(-1)
	if count < 0 {
		count = -count
		if bytes = d.long(); bytes < 0 || bytes > int64(len(d.b)) {
			d.fail(errCut)
			return 0, -1
		}
	}
	if count < 0 || count > int64(len(d.b)/least) {
		d.fail(fmt.Errorf("%d items in %d bytes", count, len(d.b)))
		return 0, -1
	}
	return int(count), bytes
}

// broke notes the first rule that the cell breaks.
func (d *decoder) broke(rule string, value []byte, length int) {
	if d.rule == "" {
		d.rule, d.value, d.length = rule, value, length
	}
}

// over says that the cell has become too large, so that the rest of it is passed over.
func (d *decoder) over() bool {
	if *d.size-d.start <= d.maxCell {
		return false
	}
	d.broke(RuleCell, nil, 0)
	return true
}

// text appends a value of bytes, unless it breaks a rule.
func (d *decoder) text(v []byte, out *columns.Column, isText bool) {
	switch {
	case len(v) > d.maxCell:
		d.broke(RuleCell, v, len(v))
		v = nil
	case isText && !utf8.Valid(v):
		d.broke(RuleUTF8, v, len(v))
		v = nil
	}
	out.Bytes(v)
}

// read appends a value of type n to out.
func (n *node) read(d *decoder, out *columns.Column) {
	if n.op == opOptional {
		at := d.index(len(n.kids), "branch")
		if at == n.null {
			out.Null()
			return
		}
		n = n.kids[at]
	}
	switch n.op {
	case opNull:
		out.Null()
	case opBool:
		out.Bool(d.bool())
	case opInt:
		out.Fixed4(uint32(d.int()))
	case opLong:
		out.Fixed8(uint64(d.long()))
	case opIntAsLong:
		out.Fixed8(uint64(int64(d.int())))
	case opFloat:
		out.Fixed4(d.fixed4())
	case opDouble:
		out.Fixed8(d.fixed8())
	case opFloatAsDbl:
		out.Fixed8(widenFloat(d.fixed4()))
	case opBytes:
		d.text(d.bytes(), out, false)
	case opString:
		d.text(d.bytes(), out, true)
	case opFixed:
		d.text(d.take(int64(n.size)), out, false)
	case opEnum:
		out.Bytes(n.symbols[d.index(len(n.symbols), "symbol")])
	case opUUID:
		out.Bytes(uuid(d.take(16)))
	case opDecimal:
		out.Fixed8(n.decimal(d))
	default:
		n.readNested(d, out)
	}
}

// readNested is read of the types that hold others.
func (n *node) readNested(d *decoder, out *columns.Column) {
	switch n.op {
	case opDuration:
		for i := range durationNames {
			out.Child(i).Fixed8(uint64(d.fixed4()))
		}
		out.Struct()
	case opRecord:
		for i, kid := range n.kids {
			kid.read(d, out.Child(i))
		}
		out.Struct()
	case opArray:
		for count, _ := d.items(n.kids[0].least); count > 0; count, _ = d.items(n.kids[0].least) {
			n.readItems(d, count, out.Child(0))
		}
		out.List()
	case opMap:
		for count, _ := d.items(1 + n.kids[0].least); count > 0; count, _ = d.items(1 + n.kids[0].least) {
			n.readItems(d, count, out.Child(0))
		}
		out.List()
	case opUnion:
		n.readUnion(d, out)
	}
}

// readItems appends the items of a block of an array or map, until the cell is too large.
func (n *node) readItems(d *decoder, count int, out *columns.Column) {
	for i := 0; i < count && d.err == nil; i++ {
		if d.over() {
			n.skipItems(d, count-i)
			return
		}
		if n.op == opArray {
			n.kids[0].read(d, out)
			continue
		}
		d.text(d.bytes(), out.Child(0), true)
		n.kids[0].read(d, out.Child(1))
		out.Struct()
	}
}

// readUnion appends a struct of one field a branch, or null.
func (n *node) readUnion(d *decoder, out *columns.Column) {
	at := d.index(len(n.kids), "branch")
	if at == n.null {
		out.Null()
		return
	}
	field := 0
	for i, kid := range n.kids {
		switch {
		case i == n.null:
			continue
		case i == at:
			kid.read(d, out.Child(field))
		default:
			out.Child(field).Null()
		}
		field++
	}
	out.Struct()
}

// skip passes over a value of type n.
func (n *node) skip(d *decoder) {
	switch n.op {
	case opNull:
	case opBool:
		d.bool()
	case opInt, opIntAsLong:
		d.int()
	case opLong:
		d.long()
	case opFloat, opFloatAsDbl:
		d.take(4)
	case opDouble:
		d.take(8)
	case opBytes, opString:
		d.bytes()
	case opFixed:
		d.take(int64(n.size))
	case opUUID:
		d.take(16)
	case opDuration:
		d.take(12)
	case opEnum:
		d.index(len(n.symbols), "symbol")
	case opDecimal:
		if n.size > 0 {
			d.take(int64(n.size))
		} else {
			d.bytes()
		}
	case opRecord:
		for _, kid := range n.kids {
			kid.skip(d)
		}
	case opArray, opMap:
		n.skipBlocks(d)
	case opUnion, opOptional:
		n.kids[d.index(len(n.kids), "branch")].skip(d)
	}
}

func (n *node) skipBlocks(d *decoder) {
	least := n.kids[0].least
	if n.op == opMap {
		least++
	}
	for {
		count, bytes := d.items(least)
		if count == 0 {
			return
		}
		if bytes >= 0 {
			d.take(bytes)
		} else {
			n.skipItems(d, count)
		}
	}
}

// skipItems passes over count items of an array or map.
func (n *node) skipItems(d *decoder, count int) {
	for i := 0; i < count && d.err == nil; i++ {
		if n.op == opMap {
			d.bytes()
		}
		n.kids[0].skip(d)
	}
}

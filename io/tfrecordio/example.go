package tfrecordio

import (
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// kind is what a feature's values are: the number of the field of tf.Feature that holds them.
type kind uint8

const (
	noKind kind = iota
	bytesKind
	floatKind
	intKind
)

func (k kind) String() string {
	return [...]string{"no kind", "bytes", "float", "int64"}[k]
}

// bytesType, likewise fixed and varint, is a tag's wire type.
const (
	varintType = byte(protowire.VarintType)
	bytesType  = byte(protowire.BytesType)
	fixed4Type = byte(protowire.Fixed32Type)
)

// field reads a field of one of these messages: its number is 1 to 3 and so its tag a
// byte. Without field, or with one cut short, ok is false.
func field(b []byte) (number byte, wire byte, body, rest []byte, ok bool) {
	if len(b) == 0 {
		return 0, 0, nil, nil, false
	}
	number, wire = b[0]>>3, b[0]&7
	b = b[1:]
	switch wire {
	case bytesType:
		if len(b) > 0 && b[0] < 0x80 && int(b[0]) < len(b) {
			n := 1 + int(b[0])
			return number, wire, b[1:n], b[n:], true
		}
		size, n := protowire.ConsumeVarint(b)
		if n < 0 || size > uint64(len(b)-n) {
			return 0, 0, nil, nil, false
		}
		n += int(size)
		return number, wire, b[n-int(size) : n], b[n:], true
	case varintType:
		_, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return 0, 0, nil, nil, false
		}
		return number, wire, b[:n], b[n:], true
	case fixed4Type:
		if len(b) < 4 {
			return 0, 0, nil, nil, false
		}
		return number, wire, b[:4], b[4:], true
	}
	return 0, 0, nil, nil, false
}

// message reads a field that is a message or bytes, of a number up to most.
func message(b []byte, most byte) (number byte, body, rest []byte, ok bool) {
	number, wire, body, rest, ok := field(b)
	return number, body, rest, ok && wire == bytesType && number >= 1 && number <= most
}

// entry reads the first entry of a map of strings to messages, whose entries are field 1.
func entry(b []byte) (key, value, rest []byte, ok bool) {
	_, body, rest, ok := message(b, 1)
	for ok && len(body) > 0 {
		var number byte
		var part []byte
		if number, part, body, ok = message(body, 2); number == 1 {
			key = part
		} else {
			value = part
		}
	}
	return key, value, rest, ok
}

// content is what a tf.Feature holds.
type content struct {
	kind kind
	run  []byte // the lists of that kind
	body []byte // of the run's one list, the one field; nil if it is made of more
}

// openFeature returns what of a tf.Feature counts: a field of another kind
// takes the place of those before it, one of the same kind adds to them.
func openFeature(b []byte) (c content, ok bool) {
	// Nearly all features are one list in one field, both shorter than 128 bytes.
	if n := len(b); n >= 4 && n < 0x80 && int(b[1]) == n-2 && b[2] == 1<<3|bytesType && int(b[3]) == n-4 {
		if b[0]&7 == bytesType && b[0]>>3 >= byte(bytesKind) && b[0]>>3 <= byte(intKind) {
			return content{kind(b[0] >> 3), b, b[4:]}, true
		}
	}
	c.run = b
	for len(b) > 0 {
		number, _, rest, ok := message(b, byte(intKind))
		if !ok {
			return content{}, false
		}
		if kind(number) != c.kind {
			c.kind, c.run = kind(number), b
		}
		b = rest
	}
	return c, true
}

// tally is what is known of a feature's values.
type tally struct {
	n      int
	size   int  // of the values as a column holds them
	binary bool // not all are valid UTF-8, if that was asked for
}

// count goes through the values; text asks whether they are UTF-8.
func (c content) count(text bool) (t tally, ok bool) {
	if c.body != nil {
		ok = t.add(c.kind, bytesType, c.body, text)
		return t, ok
	}
	for run := c.run; len(run) > 0; {
		_, list, rest, ok := message(run, byte(intKind))
		if !ok {
			return t, false
		}
		run = rest
		for len(list) > 0 {
			number, wire, body, rest, ok := field(list)
			if !ok || number != 1 {
				return t, false
			}
			if list = rest; !t.add(c.kind, wire, body, text) {
				return t, false
			}
		}
	}
	return t, true
}

// add counts the values of one field of a list of kind k.
func (t *tally) add(k kind, wire byte, body []byte, text bool) bool {
	n, width := 1, 8
	switch {
	case k == bytesKind && wire == bytesType:
		width = len(body) + 4
		t.binary = t.binary || text && !utf8.Valid(body)
	case k == floatKind && wire == fixed4Type:
		width = 4
	case k == floatKind && wire == bytesType && len(body)%4 == 0:
		n, width = len(body)/4, 4
	case k == intKind && wire == varintType:
	case k == intKind && wire == bytesType:
		var ok bool
		if n, ok = varints(body); !ok {
			return false
		}
	default:
		return false
	}
	t.n += n
	t.size += n * width
	return true
}

// varints counts the varints of b.
func varints(b []byte) (n int, ok bool) {
	for len(b) > 0 {
		size := 1
		if b[0] >= 0x80 {
			if _, size = protowire.ConsumeVarint(b); size < 0 {
				return 0, false
			}
		}
		b = b[size:]
		n++
	}
	return n, true
}

// sink takes a feature's values.
type sink interface {
	Bytes(v []byte)
	Block(v []byte) // floats, as they lie in the message
	Fixed8(v uint64)
}

// values gives the values, which count has accepted, to out.
func (c content) values(out sink) {
	if c.body != nil {
		c.kind.values(bytesType, c.body, out)
		return
	}
	for run := c.run; len(run) > 0; {
		_, list, rest, _ := message(run, byte(intKind))
		run = rest
		for len(list) > 0 {
			_, wire, body, rest, _ := field(list)
			list = rest
			c.kind.values(wire, body, out)
		}
	}
}

// values gives the values of one field of a list to out.
func (k kind) values(wire byte, body []byte, out sink) {
	switch {
	case k == bytesKind:
		out.Bytes(body)
	case k == floatKind:
		out.Block(body)
	case wire == varintType:
		v, _ := protowire.ConsumeVarint(body)
		out.Fixed8(v)
	default:
		for len(body) > 0 {
			v, n := uint64(body[0]), 1
			if v >= 0x80 {
				v, n = protowire.ConsumeVarint(body)
			}
			out.Fixed8(v)
			body = body[n:]
		}
	}
}

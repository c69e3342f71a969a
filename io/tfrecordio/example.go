package tfrecordio

import (
	"encoding/binary"
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

// openFeature returns the kind of a tf.Feature and the part of it that counts: a field of another kind
// takes the place of those before it, one of the same kind adds to them.
func openFeature(b []byte) (k kind, run []byte, ok bool) {
	run = b
	for len(b) > 0 {
		number, _, rest, ok := message(b, byte(intKind))
		if !ok {
			return noKind, nil, false
		}
		if kind(number) != k {
			k, run = kind(number), b
		}
		b = rest
	}
	return k, run, true
}

// tally is what is known of a feature's values.
type tally struct {
	n      int
	size   int  // of the values as a column holds them
	binary bool // not all are valid UTF-8, if that was asked for
}

// count goes through the values of a run of kind k; text asks whether they are UTF-8.
func count(k kind, run []byte, text bool) (t tally, ok bool) {
	for len(run) > 0 {
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
			list = rest
			switch {
			case k == bytesKind && wire == bytesType:
				t.n++
				t.size += len(body) + 4
				t.binary = t.binary || text && !utf8.Valid(body)
			case k == floatKind && wire == fixed4Type:
				t.n++
				t.size += 4
			case k == floatKind && wire == bytesType && len(body)%4 == 0:
				t.n += len(body) / 4
				t.size += len(body)
			case k == intKind && wire == varintType:
				t.n++
				t.size += 8
			case k == intKind && wire == bytesType:
				n, ok := varints(body)
				if !ok {
					return t, false
				}
				t.n += n
				t.size += 8 * n
			default:
				return t, false
			}
		}
	}
	return t, true
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
	Fixed4(v uint32)
	Fixed8(v uint64)
}

// values gives the values of a run of kind k, which count has accepted, to out.
func values(k kind, run []byte, out sink) {
	for len(run) > 0 {
		_, list, rest, _ := message(run, byte(intKind))
		run = rest
		for len(list) > 0 {
			_, wire, body, rest, _ := field(list)
			list = rest
			switch {
			case k == bytesKind:
				out.Bytes(body)
			case k == floatKind:
				for ; len(body) >= 4; body = body[4:] {
					out.Fixed4(binary.LittleEndian.Uint32(body))
				}
			case wire == varintType:
				v, _ := protowire.ConsumeVarint(body)
				out.Fixed8(v)
			default:
				for len(body) > 0 {
					v, n := protowire.ConsumeVarint(body)
					out.Fixed8(v)
					body = body[n:]
				}
			}
		}
	}
}

package wire

import (
	"bytes"
	"errors"
	"testing"
)

func TestPack(t *testing.T) {
	for _, c := range []struct {
		typ   DataType
		elems []byte
		raw   []byte
	}{
		{Uint4, []byte{1, 2, 15}, []byte{0x21, 0x0f}},
		{Int4, []byte{1, 0xff, 0xf8, 7}, []byte{0xf1, 0x78}}, // 1, -1, -8, 7
		{Float4E2M1, []byte{9}, []byte{9}},
		{Uint2, []byte{0, 1, 2, 3, 2}, []byte{0b11_10_01_00, 2}},
		{Int2, []byte{0xff, 1, 0xfe, 0}, []byte{0b00_10_01_11}}, // -1, 1, -2, 0
		// byte0 = x0 | (x1&3)<<6; byte1 = x1>>2 | (x2&15)<<4; byte2 = x2>>4 | x3<<2
		{Float6E2M3, []byte{0x3f, 0x01, 0x32, 0x20}, []byte{0x7f, 0x20, 0x83}},
		{Float6E3M2, []byte{0, 0x3f}, []byte{0xc0, 0x0f}},
		{Uint4, nil, nil},
	} {
		raw, err := Pack(c.typ, c.elems)
		if err != nil || !bytes.Equal(raw, c.raw) {
			t.Errorf("Pack(%v, %x): got %x, %v, want %x", c.typ, c.elems, raw, err, c.raw)
		}
		elems, err := Unpack(c.typ, c.raw, len(c.elems))
		if err != nil || !bytes.Equal(elems, c.elems) {
			t.Errorf("Unpack(%v, %x): got %x, %v, want %x", c.typ, c.raw, elems, err, c.elems)
		}
	}
	for _, typ := range []DataType{Uint8, String, Undefined, 99} {
		if _, err := Pack(typ, []byte{1}); !errors.Is(err, ErrInvalid) {
			t.Errorf("Pack(%v): got error %v", typ, err)
		}
		if _, err := Unpack(typ, []byte{1}, 1); !errors.Is(err, ErrInvalid) {
			t.Errorf("Unpack(%v): got error %v", typ, err)
		}
	}
	if _, err := Unpack(Uint4, []byte{1, 2}, 5); !errors.Is(err, ErrInvalid) {
		t.Errorf("Unpack of too many: got error %v", err)
	}
}

// Codes of small integers are taken with or without their sign extended; what
// no such integer can be is an error.
func TestRange(t *testing.T) {
	for _, c := range []struct {
		typ   DataType
		value int32
		want  int // the byte; -1: an error
	}{
		{Int8, -128, 0x80}, {Int8, 255, 0xff}, {Int8, -129, -1}, {Int8, 256, -1}, {Uint8, 200, 200}, {Uint8, 256, -1},
		{Bool, 1, 1}, {Bool, 2, -1}, {Bool, -1, -1}, {Float6E2M3, 63, 63}, {Float6E2M3, 64, -1}, {Float6E2M3, -1, -1},
		{Float8E5M2, 0xf0, 0xf0}, {Int2, 3, 3}, {Uint4, 15, 15},
	} {
		w := &Tensor{Type: c.typ, Dims: []int64{1}, Int32s: []int32{c.value}}
		got, err := w.Data()
		if c.want < 0 && !errors.Is(err, ErrInvalid) {
			t.Errorf("%v %d: got %x, %v, want an error", c.typ, c.value, got, err)
		}
		if c.want >= 0 && (err != nil || len(got) != 1 || int(got[0]) != c.want) {
			t.Errorf("%v %d: got %x, %v, want %x", c.typ, c.value, got, err, c.want)
		}
	}
	w := &Tensor{Type: Uint32, Dims: []int64{1}, Uint64s: []uint64{1 << 32}}
	if got, err := w.Data(); !errors.Is(err, ErrInvalid) {
		t.Errorf("UINT32 1<<32: got %x, %v, want an error", got, err)
	}
}

// The tables are in the order of the field numbers, which is that of writing.
func TestTables(t *testing.T) {
	checkOrder(t, &tables.model)
	checkOrder(t, &tables.training)
	checkOrder(t, &tables.graph)
	checkOrder(t, &tables.node)
	checkOrder(t, &tables.attribute)
	checkOrder(t, &tables.function)
	checkOrder(t, &tables.tensor)
	checkOrder(t, &tables.valueInfo)
	checkOrder(t, &tables.typ)
	checkOrder(t, &tables.sequence)
	checkOrder(t, &tables.mapping)
	checkOrder(t, &tables.optional)
}

func checkOrder[T any](t *testing.T, m *message[T]) {
	t.Helper()
	for i, f := range m.fields {
		if i > 0 && f.num <= m.fields[i-1].num {
			t.Errorf("%s: field %d after %d", m.name, f.num, m.fields[i-1].num)
		}
	}
}

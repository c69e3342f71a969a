package arrowsafe

import (
	"encoding/binary"
	"fmt"
)

// flat reads FlatBuffers tables (https://flatbuffers.dev/internals): a table
// begins with the distance back to its vtable, which holds, for each field,
// its distance from the table's start, or 0. Reads beyond the buffer panic,
// which the callers of this package recover.
type flat []byte

func (f flat) u16(p int) int { return int(binary.LittleEndian.Uint16(f[p:])) }
func (f flat) u32(p int) int { return int(binary.LittleEndian.Uint32(f[p:])) }
func (f flat) i32(p int) int { return int(int32(binary.LittleEndian.Uint32(f[p:]))) }
func (f flat) i64(p int) int64 {
	return int64(binary.LittleEndian.Uint64(f[p:]))
}

// root is the position of the buffer's root table.
func (f flat) root() int { return f.u32(0) }

// field is the position of the slot-th field of table t; 0 if it is absent.
func (f flat) field(t, slot int) int {
	vtable := t - f.i32(t)
	at := 4 + 2*slot
	if vtable < 0 {
		panic(fmt.Errorf("vtable at %d", vtable))
	}
	if at >= f.u16(vtable) {
		return 0
	}
	if off := f.u16(vtable + at); off != 0 {
		return t + off
	}
	return 0
}

// indirect follows the offset at p.
func (f flat) indirect(p int) int { return p + f.u32(p) }

// vector is the position of the first element of the vector that field p
// refers to, and the number of its elements of size bytes, which are there.
func (f flat) vector(p, size int) (first, n int) {
	if p == 0 {
		return 0, 0
	}
	v := f.indirect(p)
	n = f.u32(v)
	if n > (len(f)-v-4)/size {
		panic(fmt.Errorf("a vector of %d elements in a buffer of %d bytes", n, len(f)))
	}
	return v + 4, n
}

// number is the field of table t of so many bytes, a signed integer; def if it is absent.
func (f flat) number(t, slot, width, def int) int {
	p := f.field(t, slot)
	switch {
	case p == 0:
		return def
	case width == 1:
		return int(f[p])
	case width == 2:
		return int(int16(f.u16(p)))
	}
	return f.i32(p)
}

func (f flat) byte(t, slot int) byte      { return byte(f.number(t, slot, 1, 0)) }
func (f flat) flag(t, slot int) bool      { return f.number(t, slot, 1, 0) != 0 }
func (f flat) short(t, slot, def int) int { return f.number(t, slot, 2, def) }
func (f flat) long(t, slot int, def int64) int64 {
	if p := f.field(t, slot); p != 0 {
		return f.i64(p)
	}
	return def
}

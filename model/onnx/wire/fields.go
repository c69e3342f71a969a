package wire

import (
	"encoding/binary"
	"math"
	"reflect"

	"google.golang.org/protobuf/encoding/protowire"
)

// field is one line of the table of a message T: how a field is read and written.
type field[T any] struct {
	num   protowire.Number
	name  string
	read  func(d *decoder, v *T, typ protowire.Type) error
	write func(e *encoder, v *T)
	// label is what the field adds to the name of its message in an error; mostly nil.
	label func(v *T) string
}

// when writes f only where present says so; there it is written even if zero.
func when[T any](present func(*T) bool, f field[T]) field[T] {
	write := f.write
	f.write = func(e *encoder, v *T) {
		if present(v) {
			write(e, v)
		}
	}
	return f
}

// clearing calls clear before f is read: f belongs to a oneof, of which the last field counts.
func clearing[T any](clear func(*T), f field[T]) field[T] {
	read := f.read
	f.read = func(d *decoder, v *T, typ protowire.Type) error {
		clear(v)
		return read(d, v, typ)
	}
	return f
}

func wrongType(got, want protowire.Type) error {
	names := map[protowire.Type]string{protowire.VarintType: "varint", protowire.Fixed32Type: "32-bit",
		protowire.Fixed64Type: "64-bit", protowire.BytesType: "length-delimited"}
	if name, ok := names[got]; ok {
		return syntaxError("wire type %s, want %s", name, names[want])
	}
	return syntaxError("wire type %d, want %s", got, names[want])
}

// always is a string that is written even if empty.
func always[T any](num protowire.Number, name string, at func(*T) *string) field[T] {
	return field[T]{num: num, name: name,
		read: func(d *decoder, v *T, typ protowire.Type) (err error) {
			if typ != protowire.BytesType {
				return wrongType(typ, protowire.BytesType)
			}
			*at(v), err = d.text()
			return err
		},
		write: func(e *encoder, v *T) { e.text(num, *at(v)) },
	}
}

func text[T any](num protowire.Number, name string, at func(*T) *string) field[T] {
	return when(func(v *T) bool { return *at(v) != "" }, always(num, name, at))
}

// title is a string that identifies its message.
func title[T any](num protowire.Number, name string, at func(*T) *string) field[T] {
	f := text(num, name, at)
	f.label = func(v *T) string { return *at(v) }
	return f
}

func texts[T any](num protowire.Number, name string, at func(*T) *[]string) field[T] {
	return field[T]{num: num, name: name,
		read: func(d *decoder, v *T, typ protowire.Type) error {
			if typ != protowire.BytesType {
				return wrongType(typ, protowire.BytesType)
			}
			s, err := d.text()
			if err != nil {
				return err
			}
			return add(d, at(v), s)
		},
		write: func(e *encoder, v *T) {
			for _, s := range *at(v) {
				e.text(num, s)
			}
		},
	}
}

// number is an integer or enum that is written even if 0.
func number[T any, I ~int32 | ~int64](num protowire.Number, name string, at func(*T) *I) field[T] {
	return field[T]{num: num, name: name,
		read: func(d *decoder, v *T, typ protowire.Type) error {
			if typ != protowire.VarintType {
				return wrongType(typ, protowire.VarintType)
			}
			u, err := d.varint()
			*at(v) = I(u)
			return err
		},
		write: func(e *encoder, v *T) {
			e.tag(num, protowire.VarintType)
			e.varint(uint64(*at(v)))
		},
	}
}

func integer[T any, I ~int32 | ~int64](num protowire.Number, name string, at func(*T) *I) field[T] {
	return when(func(v *T) bool { return *at(v) != 0 }, number(num, name, at))
}

// integers is a list of integers, written one by one or in one run; both are read.
func integers[T any, I ~int32 | ~int64 | ~uint64](num protowire.Number, name string, inOne bool, at func(*T) *[]I) field[T] {
	return field[T]{num: num, name: name,
		read: func(d *decoder, v *T, typ protowire.Type) error {
			if typ == protowire.BytesType {
				return d.run(func() error { return readInteger(d, at(v)) })
			}
			if typ != protowire.VarintType {
				return wrongType(typ, protowire.VarintType)
			}
			return readInteger(d, at(v))
		},
		write: func(e *encoder, v *T) {
			if inOne && len(*at(v)) > 0 {
				packed(e, num, *at(v), func(i I) int { return protowire.SizeVarint(uint64(i)) },
					func(b []byte, i I) []byte { return protowire.AppendVarint(b, uint64(i)) })
				return
			}
			for _, i := range *at(v) {
				e.tag(num, protowire.VarintType)
				e.varint(uint64(i))
			}
		},
	}
}

func readInteger[I ~int32 | ~int64 | ~uint64](d *decoder, list *[]I) error {
	u, err := d.varint()
	if err != nil {
		return err
	}
	return add(d, list, I(u))
}

// run calls read until a length-delimited field is used up.
func (d *decoder) run(read func() error) error {
	n, err := d.length()
	outer := d.end
	d.end = d.pos + n
	for err == nil && d.pos < d.end {
		err = read()
	}
	d.end = outer
	return err
}

// float is a float32 that is written even if 0.
func float[T any](num protowire.Number, name string, at func(*T) *float32) field[T] {
	return field[T]{num: num, name: name,
		read: func(d *decoder, v *T, typ protowire.Type) error {
			if typ != protowire.Fixed32Type {
				return wrongType(typ, protowire.Fixed32Type)
			}
			p, err := d.peek(4)
			if err != nil {
				return err
			}
			u, n := protowire.ConsumeFixed32(p)
			*at(v) = math.Float32frombits(u)
			return d.consumed(n, "number")
		},
		write: func(e *encoder, v *T) {
			e.tag(num, protowire.Fixed32Type)
			e.put(appendFloat(e.scratch[:0], *at(v)))
		},
	}
}

func appendFloat(b []byte, f float32) []byte { return protowire.AppendFixed32(b, math.Float32bits(f)) }

func appendDouble(b []byte, f float64) []byte { return protowire.AppendFixed64(b, math.Float64bits(f)) }

func floatOf(p []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(p)) }

func doubleOf(p []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(p)) }

func floats[T any](num protowire.Number, name string, inOne bool, at func(*T) *[]float32) field[T] {
	return fixed(num, name, inOne, protowire.Fixed32Type, floatOf, appendFloat, at)
}

func doubles[T any](num protowire.Number, name string, at func(*T) *[]float64) field[T] {
	return fixed(num, name, true, protowire.Fixed64Type, doubleOf, appendDouble, at)
}

// fixed is a list of numbers of fixed size.
func fixed[T, F any](num protowire.Number, name string, inOne bool, one protowire.Type,
	of func([]byte) F, appendTo func([]byte, F) []byte, at func(*T) *[]F) field[T] {
	size := int(reflect.TypeFor[F]().Size())
	return field[T]{num: num, name: name,
		read: func(d *decoder, v *T, typ protowire.Type) error {
			switch typ {
			case protowire.BytesType:
				return readFixed(d, at(v), size, of)
			case one:
				p, err := d.peek(int64(size))
				if err != nil {
					return err
				}
				if len(p) < size {
					return syntaxError("truncated")
				}
				d.pos += int64(size)
				return add(d, at(v), of(p))
			}
			return wrongType(typ, one)
		},
		write: func(e *encoder, v *T) {
			if inOne && len(*at(v)) > 0 {
				packed(e, num, *at(v), func(F) int { return size }, appendTo)
				return
			}
			for _, f := range *at(v) {
				e.tag(num, one)
				e.put(appendTo(e.scratch[:0], f))
			}
		},
	}
}

// readFixed reads a run of numbers of size bytes.
func readFixed[F any](d *decoder, list *[]F, size int, of func([]byte) F) error {
	n, err := d.length()
	if err != nil {
		return err
	}
	if n%int64(size) != 0 {
		return syntaxError("%d bytes of numbers of %d bytes", n, size)
	}
	if err := d.charge(n); err != nil {
		return err
	}
	grown := make([]F, len(*list), len(*list)+int(n)/size)
	copy(grown, *list)
	for end := d.pos + n; d.pos < end; {
		p, err := d.peek(min(end-d.pos, windowBytes))
		if err != nil {
			return err
		}
		for i := 0; i < len(p); i += size {
			grown = append(grown, of(p[i:]))
		}
		d.pos += int64(len(p))
	}
	*list = grown
	return nil
}

package wire

import (
	"fmt"
	"reflect"

	"google.golang.org/protobuf/encoding/protowire"
)

// maxNumber is above every field number of ONNX.
const maxNumber = 32

// message is the table of a message T.
type message[T any] struct {
	name   string
	fields []field[T]       // by ascending number: the order in which they are written
	index  [maxNumber]uint8 // 1 + the place in fields, by number
	bytes  int64            // of memory for one T
	check  func(*T) error   // rules beyond the types of fields; may be nil
	// located is called once a T has been read; may be nil.
	located func(*decoder, *T) error
}

func (m *message[T]) define(name string, fields ...field[T]) {
	m.name, m.fields, m.bytes = name, fields, int64(reflect.TypeFor[T]().Size())
	for i, f := range fields {
		m.index[f.num] = uint8(i + 1)
	}
}

// decode reads a T from d.pos up to end, and merges it into v. The error names place.
func (m *message[T]) decode(d *decoder, v *T, end int64, place string) error {
	start, outer := d.pos, d.end
	err := m.enter(d)
	d.end = end
	for err == nil && d.pos < end {
		err = m.decodeField(d, v)
	}
	if err == nil && m.located != nil {
		err = m.located(d, v)
	}
	if err == nil && m.check != nil {
		err = m.check(v)
	}
	d.depth--
	if err != nil {
		at := d.pos
		d.end = end
		m.findLabels(d, v, start)
		return within(place+m.label(v), at, err)
	}
	d.end = outer
	return nil
}

// enter counts a message and its depth.
func (m *message[T]) enter(d *decoder) error {
	d.depth++
	d.messages--
	if d.depth > d.opt.MaxDepth {
		return limitError("messages nested more than %d deep", d.opt.MaxDepth)
	}
	if d.messages < 0 {
		return limitError("more than %d messages", d.opt.MaxMessages)
	}
	return nil
}

func (m *message[T]) decodeField(d *decoder, v *T) error {
	num, typ, err := d.tag()
	if err != nil {
		return err
	}
	f := m.field(num)
	if f == nil {
		return d.skip(typ)
	}
	if err := f.read(d, v, typ); err != nil {
		if _, nested := err.(*Error); nested {
			return err
		}
		return fmt.Errorf("field %s: %w", f.name, err)
	}
	return nil
}

func (m *message[T]) field(num protowire.Number) *field[T] {
	if num >= maxNumber || m.index[num] == 0 {
		return nil
	}
	return &m.fields[m.index[num]-1]
}

// findLabels reads the fields that identify a message in which decoding has
// failed, for a name may stand after the fault. It gives up early.
func (m *message[T]) findLabels(d *decoder, v *T, start int64) {
	d.pos = start
	for range 1 << 14 {
		if d.pos >= d.end {
			return
		}
		num, typ, err := d.tag()
		if err != nil {
			return
		}
		if f := m.field(num); f != nil && f.label != nil {
			err = f.read(d, v, typ)
		} else {
			err = d.skip(typ)
		}
		if err != nil {
			return
		}
	}
}

// label identifies v among its like: its name, or nothing.
func (m *message[T]) label(v *T) string {
	text := ""
	for _, f := range m.fields {
		if f.label == nil {
			continue
		}
		if s := f.label(v); s != "" {
			text += " " + quote(s)
		}
	}
	return text
}

// encode writes the fields of v. An error names place.
func (m *message[T]) encode(e *encoder, v *T, place func() string) {
	if e.err != nil {
		return
	}
	e.depth++
	switch {
	case v == nil:
		e.err = invalid("nil")
	case e.depth > defaultDepth:
		e.err = limitError("messages nested more than %d deep", defaultDepth)
	case e.w == nil && m.check != nil:
		e.err = m.check(v)
	}
	for i := 0; i < len(m.fields) && e.err == nil; i++ {
		m.fields[i].write(e, v)
	}
	e.depth--
	if e.err != nil {
		name := place()
		if v != nil {
			name += m.label(v)
		}
		e.err = within(name, -1, e.err)
	}
}

// encodeNested writes v as a field.
func (m *message[T]) encodeNested(e *encoder, num protowire.Number, v *T, place func() string) {
	if e.err != nil {
		return
	}
	e.tag(num, protowire.BytesType)
	if e.w != nil {
		e.varint(uint64(e.lengths[e.next]))
		e.next++
		m.encode(e, v, place)
		return
	}
	slot, start := len(e.lengths), e.n
	e.lengths = append(e.lengths, 0)
	m.encode(e, v, place)
	e.lengths[slot] = e.n - start
	e.varint(uint64(e.lengths[slot]))
}

// decodeNested reads the length of a message and the message into v.
func (m *message[T]) decodeNested(d *decoder, typ protowire.Type, v *T, place func() string) error {
	if typ != protowire.BytesType {
		return wrongType(typ, protowire.BytesType)
	}
	n, err := d.length()
	if err != nil {
		return err
	}
	return m.decode(d, v, d.pos+n, place())
}

// one is a field that holds a message.
func one[T, M any](num protowire.Number, name string, m *message[M], at func(*T) **M) field[T] {
	place := func() string { return name }
	return field[T]{num: num, name: name,
		read: func(d *decoder, v *T, typ protowire.Type) error {
			p := at(v)
			if *p == nil {
				if err := d.charge(m.bytes); err != nil {
					return err
				}
				*p = new(M)
			}
			return m.decodeNested(d, typ, *p, place)
		},
		write: func(e *encoder, v *T) {
			if p := *at(v); p != nil {
				m.encodeNested(e, num, p, place)
			}
		},
	}
}

// many is a field that holds a list of messages.
func many[T, M any](num protowire.Number, name string, m *message[M], at func(*T) *[]*M) field[T] {
	return field[T]{num: num, name: name,
		read: func(d *decoder, v *T, typ protowire.Type) error {
			if err := d.charge(m.bytes); err != nil {
				return err
			}
			x := new(M)
			if err := m.decodeNested(d, typ, x, func() string { return item(name, len(*at(v))) }); err != nil {
				return err
			}
			return add(d, at(v), x)
		},
		write: func(e *encoder, v *T) {
			for i, x := range *at(v) {
				m.encodeNested(e, num, x, func() string { return item(name, i) })
			}
		},
	}
}

// list is a field that holds a list of small messages, as values.
func list[T, M any](num protowire.Number, name string, m *message[M], at func(*T) *[]M) field[T] {
	return field[T]{num: num, name: name,
		read: func(d *decoder, v *T, typ protowire.Type) error {
			var x M
			if err := m.decodeNested(d, typ, &x, func() string { return item(name, len(*at(v))) }); err != nil {
				return err
			}
			return add(d, at(v), x)
		},
		write: func(e *encoder, v *T) {
			for i := range *at(v) {
				m.encodeNested(e, num, &(*at(v))[i], func() string { return item(name, i) })
			}
		},
	}
}

func item(name string, i int) string { return fmt.Sprintf("%s %d", name, i) }

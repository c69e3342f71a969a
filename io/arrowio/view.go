package arrowio

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/internal/arrays"
)

const (
	viewBytes = 16 // of a view: a length, then the text, or its beginning, buffer and offset
	inline    = 12 // a text of so many bytes is in its view
	// viewSlack is how much more than the texts of a batch is read of a buffer at once.
	viewSlack = 4
)

// ref is where a text of a view lies.
type ref struct {
	size, buffer, offset int64
	inline               []byte
}

// views reads utf8 or binary views as plain text.
func (d *decoder) views(c *column, valid *memory.Buffer, from, n int64) []*memory.Buffer {
	refs := d.refs(c, valid, from, n)
	windows := d.windows(c, refs)
	d.take(4 * (n + 1))
	offsets := make([]int32, n+1)
	var data []byte
	for i, r := range refs {
		data = append(data, d.cut(i, r.size, func(size int64) []byte {
			if r.size <= inline {
				return r.inline[:size]
			}
			if w := windows[r.buffer]; w.data != nil {
				return w.data[r.offset-w.from:][:size]
			}
			return d.body.bytes(c.parts[1+r.buffer], r.offset, size)
		})...)
		if len(data) > math.MaxInt32 {
			panic(failure{errLarge})
		}
		offsets[i+1] = int32(len(data))
	}
	return []*memory.Buffer{int32Buffer(offsets), memory.NewBufferBytes(data)}
}

// refs reads the views; those of nulls are empty.
func (d *decoder) refs(c *column, valid *memory.Buffer, from, n int64) []ref {
	d.take(viewBytes * n)
	src := d.body.bytes(c.parts[0], from*viewBytes, n*viewBytes)
	order := binary.ByteOrder(binary.LittleEndian)
	if d.body.swap {
		order = binary.BigEndian
	}
	out := make([]ref, n)
	for i := range out {
		if !isValid(valid, int64(i)) {
			continue
		}
		v := src[i*viewBytes : (i+1)*viewBytes]
		r := ref{size: int64(int32(order.Uint32(v)))}
		switch {
		case r.size < 0:
			fail("a text of %d bytes", r.size)
		case r.size <= inline:
			r.inline = v[4 : 4+r.size]
		default:
			r.buffer, r.offset = int64(int32(order.Uint32(v[8:]))), int64(int32(order.Uint32(v[12:])))
			if r.buffer < 0 || r.buffer >= int64(len(c.parts)-1) || r.offset < 0 || r.offset+r.size > d.body.length(c.parts[1+r.buffer]) {
				fail("a text of %d bytes at %d of data buffer %d of %d", r.size, r.offset, r.buffer, len(c.parts)-1)
			}
		}
		out[i] = r
	}
	return out
}

// window is what is read of a data buffer at once.
type window struct {
	from, to, used int64
	data           []byte
}

// windows reads the part of each data buffer that the texts lie in, where they lie close together.
func (d *decoder) windows(c *column, refs []ref) []window {
	out := make([]window, len(c.parts)-1)
	for _, r := range refs {
		if r.size <= inline {
			continue
		}
		w := &out[r.buffer]
		if w.to == 0 || r.offset < w.from {
			w.from = r.offset
		}
		w.to = max(w.to, r.offset+r.size)
		w.used += r.size
	}
	for i := range out {
		if w := &out[i]; w.to > 0 && w.to-w.from <= viewSlack*w.used && w.to-w.from <= d.left {
			w.data = d.body.bytes(c.parts[1+i], w.from, w.to-w.from)
		}
	}
	return out
}

// listView reads a list view as a list: its elements in the order of the rows.
func (d *decoder) listView(c *column, valid *memory.Buffer, from, n int64) ([]int32, *array.Data) {
	starts := d.numbers(c.parts[0], c.width, true, from, n)
	sizes := d.numbers(c.parts[1], c.width, true, from, n)
	d.take(4 * (n + 1))
	offsets := make([]int32, n+1)
	child := c.kids[0]
	low, high, total := int64(math.MaxInt64), int64(0), int64(0)
	for i := range sizes {
		if !isValid(valid, int64(i)) {
			sizes[i] = 0
		}
		if sizes[i] < 0 || starts[i] < 0 || sizes[i] > child.rows || sizes[i] > 0 && starts[i] > child.rows-sizes[i] {
			fail("a list of %d elements at %d of %d", sizes[i], starts[i], child.rows)
		}
		if sizes[i] > 0 {
			low, high = min(low, starts[i]), max(high, starts[i]+sizes[i])
		}
		if total += sizes[i]; total > math.MaxInt32 {
			panic(failure{errLarge})
		}
		offsets[i+1] = int32(total)
	}
	if total == 0 {
		return offsets, d.array(child, 0, 0)
	}
	elements := d.array(child, low, high)
	var pick []arrays.Run
	for i := range sizes {
		if sizes[i] == 0 {
			continue
		}
		run := arrays.Run{From: int(starts[i] - low), To: int(starts[i] - low + sizes[i])}
		if last := len(pick) - 1; last >= 0 && pick[last].To == run.From {
			pick[last].To = run.To
			continue
		}
		pick = append(pick, run)
	}
	if len(pick) == 1 && pick[0].From == 0 && pick[0].To == elements.Len() {
		return offsets, elements
	}
	return offsets, d.pick(elements, pick)
}

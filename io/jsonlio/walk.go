package jsonlio

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/millrace-go/millrace/io/table"
)

// walker reads lines. What it does with a value is up to the sink of its member.
type walker struct {
	scanner
	flatten int // table.JSON.FlattenDepth
	limit   int // of the bytes of a line
	maxCell int
	root    object
	made    []made // the members that the line added
	valid   bool   // data is valid UTF-8
	num     number

	survey *survey // one of these two
	rows   *builder
	misfit *string // the last name of a column that does not fit the schema
}

// object is an object of which columns are made, as met in any row.
type object struct {
	prefix  string // of the names of its columns: "a.b."
	level   int    // 1 for the row
	first   *member
	members map[string]*member // by name
}

// member is a member of an object. Rows tend to have the same members in the same order, so
// each remembers which came after it, and how the text of its name looked.
type member struct {
	name       string // of the column
	raw        []byte // `"name":`
	head, mask uint64 // the first 8 bytes of raw, and which of them it has
	next       *member
	object     *object // for values that are objects
	known      *known  // in a survey
	column     *column // in a reading; nil is not read
	foreign    bool    // in a reading: not in the schema
}

// made says that a line added a member to an object.
type made struct {
	o    *object
	name string
}

func newWalker(o table.JSON, limit int, s *survey, b *builder) *walker {
	return &walker{limit: limit, flatten: min(o.FlattenDepth, maxDepth-1), root: object{level: 1}, survey: s, rows: b}
}

// take makes ch the text.
func (w *walker) take(ch chunk) {
	w.data = ch.data[:len(ch.data)+padBytes]
	w.valid = utf8.Valid(ch.data)
}

// line reads the line at p and returns the index behind it, and whether the line is
// blank; or -1 if the line is no row: fault says why.
func (w *walker) line(p int) (end int, blank bool) {
	d := w.data
	w.made = w.made[:0]
	start := p
	p = space(d, p)
	if d[p] == '\n' {
		return p + 1, true
	}
	if !w.valid && !utf8.Valid(d[start:w.lineEnd(start)]) {
		w.fault = fault{rule: RuleUTF8, reason: "want valid UTF-8: convert the file to UTF-8", at: p}
		return -1, false
	}
	if d[p] != '{' {
		if p = w.skip(p, 0); p >= 0 && w.endOfLine(p) >= 0 {
			w.fault = fault{rule: RuleObject, reason: "want an object: one line is one row, {\"column\":value,…}", at: start}
		}
		return -1, false
	}
	if p = w.object(&w.root, p); p >= 0 {
		p = w.endOfLine(p)
	}
	if p >= 0 && p-1-start > w.limit {
		p = -1 // each says so
	}
	if p < 0 {
		w.forget()
	}
	return p, false
}

// lineEnd is the index behind the line that p is in.
func (w *walker) lineEnd(p int) int { return p + bytes.IndexByte(w.data[p:], '\n') + 1 }

func tooLongLine(size, limit int) fault {
	return fault{rule: RuleLine, reason: fmt.Sprintf("want at most %d bytes in a line, has %d", limit, size)}
}

// endOfLine wants blanks from p to the end of the line, and returns the index behind it.
func (w *walker) endOfLine(p int) int {
	if p = space(w.data, p); w.data[p] != '\n' {
		return w.fail(p, "text behind the value: want one object in a line, and nothing else")
	}
	return p + 1
}

// forget takes back the members that a faulty line added, and what was expected to come after any other of theirs.
func (w *walker) forget() {
	for _, m := range w.made {
		delete(m.o.members, m.name)
	}
	for _, m := range w.made {
		if m.o.first != nil {
			m.o.first = nil
			for _, other := range m.o.members {
				other.next = nil
			}
		}
	}
}

// object reads the object at p.
func (w *walker) object(o *object, p int) int {
	d := w.data
	if p = space(d, p+1); d[p] == '}' {
		return p + 1
	}
	at, guess := &o.first, o.first
	for {
		m := guess
		if m != nil && (load64(d, p)^m.head)&m.mask == 0 && (len(m.raw) <= 8 || bytes.HasPrefix(d[p:], m.raw)) {
			p += len(m.raw)
		} else {
			if m, p = w.find(o, p); p < 0 {
				return -1
			}
			*at = m
		}
		if d[p] <= ' ' {
			p = space(d, p)
		}
		if p = w.value(o, m, p); p < 0 {
			return -1
		}
		if d[p] != ',' {
			switch p = space(d, p); d[p] {
			case '}':
				return p + 1
			case ',':
			default:
				return w.fail(p, "want a comma or } after a value")
			}
		}
		if p++; d[p] != '"' {
			p = space(d, p)
		}
		at, guess = &m.next, m.next
	}
}

// find reads the name at p and finds its member of o, which it may have to add.
func (w *walker) find(o *object, p int) (*member, int) {
	quote, end, escaped := w.key(p)
	if end < 0 {
		return nil, -1
	}
	name := w.data[p+1 : quote]
	if escaped {
		name = appendText(nil, name)
	}
	if m, ok := o.members[string(name)]; ok {
		return m, end
	}
	if len(o.prefix)+len(name) > maxNameBytes {
		w.fault = fault{rule: RuleName, reason: fmt.Sprintf("want names of at most %d bytes, has %d", maxNameBytes, len(o.prefix)+len(name)), at: p}
		return nil, -1
	}
	m := &member{name: o.prefix + string(name)}
	m.setRaw(w.data[p:end])
	if w.keep(m) {
		if o.members == nil {
			o.members = map[string]*member{}
		}
		o.members[string(name)] = m
		w.made = append(w.made, made{o, string(name)})
	}
	return m, end
}

// keep says whether to remember m, and finds its column.
func (w *walker) keep(m *member) bool {
	if w.survey != nil {
		return w.survey.keep()
	}
	return w.rows.keep(m)
}

func (m *member) setRaw(raw []byte) {
	if len(raw) > 2*maxNameBytes { // all escapes: it is never expected
		m.head, m.mask = ^uint64(0), ^uint64(0)
		return
	}
	m.raw = bytes.Clone(raw)
	var head [8]byte
	copy(head[:], raw)
	m.head, m.mask = load64(head[:], 0), ^uint64(0)
	if len(raw) < 8 {
		m.mask = 1<<(8*len(raw)) - 1
	}
}

// value reads the value of member m of o at p.
func (w *walker) value(o *object, m *member, p int) int {
	switch {
	case w.data[p] == '{' && o.level < w.flatten:
		if m.object == nil {
			m.object = &object{prefix: m.name + ".", level: o.level + 1}
		}
		return w.object(m.object, p)
	case w.survey != nil:
		return w.note(m, p, o.level)
	case m.column != nil:
		return w.cell(m.column, p, o.level)
	case m.foreign:
		w.misfit = &m.name
	}
	return w.skip(p, o.level)
}

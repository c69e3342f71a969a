package jsonlio

// survey is what one goroutine learns of the columns.
type survey struct {
	columns map[string]*known
	most    int // columns
	branch  int // members
	members int
	offset  int64     // of the chunk in the text
	fresh   []*member // that the line gave a column
	later   []finding // what a good line adds to the facts
	over    bool      // the line has a column too many
}

type finding struct {
	of           *known
	facts, items facts
}

// keep says if there may be one more member.
func (s *survey) keep() bool {
	if s.members == s.branch {
		s.over = true
		return false
	}
	s.members++
	return true
}

// column finds the column of m, which is new to it.
func (s *survey) column(m *member, first int64) *known {
	k, ok := s.columns[m.name]
	if !ok {
		k = &known{Name: m.name, first: first}
		if len(s.columns) == s.most {
			s.over = true
			return k
		}
		s.columns[m.name] = k
	}
	m.known = k
	s.fresh = append(s.fresh, m)
	return k
}

// end commits what the line showed, or forgets it.
//
// It is at offset start of the text, and added made members.
func (s *survey) end(ok bool, start int64, made int) {
	if !ok {
		s.members -= made
		for _, m := range s.fresh {
			if k := s.columns[m.name]; k != nil && k.first >= start {
				delete(s.columns, m.name)
			}
			m.known = nil
		}
	} else {
		for _, f := range s.later {
			f.of.Facts |= f.facts
			f.of.Items |= f.items
		}
	}
	s.fresh, s.later, s.over = s.fresh[:0], s.later[:0], s.over && ok
}

// note adds the value at p, in depth objects, to the facts of the column of m.
func (w *walker) note(m *member, p, depth int) int {
	k := m.known
	if k == nil {
		k = w.survey.column(m, w.survey.offset+int64(p))
	}
	first := w.data[p]
	if first == '"' && k.Facts&sawString != 0 { // most values show nothing new
		if end := stringEnd(w.data, p+1); w.data[end] == '"' {
			return end + 1
		}
	}
	var saw, items facts
	switch first {
	case '[':
		p, saw, items = w.noteList(k, p, depth)
	default:
		p, saw = w.noteValue(k.Facts, p, depth)
	}
	if saw&^k.Facts|items&^k.Items != 0 && p >= 0 {
		w.survey.later = append(w.survey.later, finding{k, saw, items})
	}
	return p
}

// noteValue scans any value; have is what is known already.
func (w *walker) noteValue(have facts, p, depth int) (int, facts) {
	switch w.data[p] {
	case '"':
		p, _ = w.text(p)
		return p, sawString
	case 'n':
		return w.word(p, "null"), sawNull
	case 't', 'f':
		return w.skip(p, depth), sawBool
	case '{', '[':
		return w.skip(p, depth), sawNested
	}
	start := p
	p, float := w.pass(p)
	switch {
	case float || p < 0:
		return p, sawFloat
	case p-start <= 15: // an int64, and a float64 has all digits of it
		return p, sawInt
	}
	return p, w.noteInteger(have, start)
}

// noteInteger looks at a long number without point and exponent.
func (w *walker) noteInteger(have facts, p int) facts {
	saw := sawInt
	end := w.number(p, &w.num)
	if _, ok := w.num.int64(); !ok {
		saw |= sawBig
	}
	if have&sawDigits == 0 && !w.survives(&w.num, end) {
		saw |= sawDigits
	}
	return saw
}

// noteList scans an array.
func (w *walker) noteList(k *known, p, depth int) (end int, saw, items facts) {
	if p = space(w.data, p+1); w.data[p] == ']' {
		return p + 1, sawList, 0
	}
	for {
		var item facts
		if p, item = w.noteValue(k.Items|items, p, depth+1); p < 0 {
			return -1, 0, 0
		}
		items |= item
		switch p = space(w.data, p); w.data[p] {
		case ']':
			if items&sawNested != 0 {
				return p + 1, sawNested, 0
			}
			return p + 1, sawList, items
		case ',':
			p = space(w.data, p+1)
		default:
			return w.fail(p, "want a comma or ] after a value"), 0, 0
		}
	}
}

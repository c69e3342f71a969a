package jsonlio

import (
	"fmt"
	"math"
)

// cell reads the value at p, in depth objects, into the next cell of c.
func (w *walker) cell(c *column, p, depth int) int {
	if row := len(w.rows.rows); c.n != row || !w.rows.started {
		w.rows.align(c, row)
	}
	start, first := p, w.data[p]
	switch {
	case c.kind == kindList:
		p = w.list(c, p, depth)
	case (first-'0' <= 9 || first == '-') && c.kind != kindText:
		if p = w.number(p, &w.num); p >= 0 {
			p = w.numeric(c, start, p)
		}
	case first == '"' && c.kind == kindText:
		end := stringEnd(w.data, p+1)
		if w.data[end] != '"' {
			p = w.scalar(c, p, depth)
			break
		}
		c.addText(w.data[p+1 : end])
		w.rows.bytes += end - p
		p = end + 1
	default:
		p = w.scalar(c, p, depth)
	}
	if p-start > w.maxCell && p >= 0 {
		return w.tooLong(c, start, p)
	}
	return p
}

// tooLong checks a cell whose JSON text has more bytes than a cell may have.
func (w *walker) tooLong(c *column, start, end int) int {
	size := end - start
	if c.kind == kindText && w.data[start] == '"' {
		size = int(c.ends[c.n] - c.ends[c.n-1])
	}
	if size <= w.maxCell {
		return end
	}
	w.fault = fault{rule: RuleCell, column: c.name, value: w.data[start:end], at: start,
		reason: fmt.Sprintf("want at most %d bytes, has %d", w.maxCell, size)}
	return -1
}

// scalar appends the value at p to c, which is no list. A value of another
// kind than c's makes the line a misfit and appends nothing.
func (w *walker) scalar(c *column, p, depth int) int {
	start := p
	switch w.data[p] {
	case 'n':
		if p = w.word(p, "null"); p >= 0 {
			c.null()
		}
		return p
	case '"':
		p, escaped := w.text(p)
		switch {
		case p < 0:
		case c.kind != kindText:
			w.misfit = &c.name
		case escaped:
			c.text = appendText(c.text, w.data[start+1:p-1])
			c.addText(nil)
			w.rows.bytes += p - start
		default:
			c.addText(w.data[start+1 : p-1])
			w.rows.bytes += p - start
		}
		return p
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if p = w.number(p, &w.num); p < 0 || c.kind == kindText {
			break
		}
		return w.numeric(c, start, p)
	default:
		c0 := w.data[p]
		if p = w.skip(p, depth); p >= 0 && c.kind == kindBool {
			if c0 != 't' && c0 != 'f' {
				w.misfit = &c.name
				return p
			}
			var flag byte
			if c0 == 't' {
				flag = 1
			}
			c.flags = append(c.flags, flag)
			c.n++
			return p
		}
	}
	switch {
	case p < 0:
	case c.kind == kindText:
		c.addText(w.data[start:p])
		w.rows.bytes += p - start
	default:
		w.misfit = &c.name
	}
	return p
}

// numeric appends the scanned number to c.
func (w *walker) numeric(c *column, start, end int) int {
	switch c.kind {
	case kindInt:
		v, ok := w.num.int64()
		if !ok {
			w.misfit = &c.name
			return end
		}
		c.words = append(c.words, uint64(v))
	case kindFloat:
		v, ok := w.float64(&w.num, end)
		if !ok {
			w.fault = fault{rule: RuleNumber, column: c.name, value: w.data[start:end], at: start, reason: "want a number that a float64 can hold: less than 1.8e308"}
			return -1
		}
		c.words = append(c.words, math.Float64bits(v))
	default:
		w.misfit = &c.name
		return end
	}
	c.n++
	return end
}

// list appends the array at p to c.
func (w *walker) list(c *column, p, depth int) int {
	d, start := w.data, p
	if d[p] != '[' {
		if d[p] != 'n' {
			w.misfit = &c.name
			return w.skip(p, depth)
		}
		return w.scalar(c, p, depth)
	}
	if p = space(d, p+1); d[p] == ']' {
		p++
	} else {
		for more := true; more; {
			if p = w.scalar(c.items, p, depth+1); p < 0 {
				c.items.cut(int(c.ends[c.n]))
				return -1
			}
			switch p = space(d, p); d[p] {
			case ']':
				more = false
			case ',':
				if p-start > w.maxCell { // what follows is only looked at
					c.items.cut(int(c.ends[c.n]))
					if p = w.skip(start, depth); p < 0 {
						return -1
					}
					return w.tooLong(c, start, p)
				}
				p = space(d, p+1)
				continue
			default:
				c.items.cut(int(c.ends[c.n]))
				return w.fail(p, "want a comma or ] after a value")
			}
			p++
		}
	}
	c.ends = append(c.ends, int32(c.items.n))
	c.n++
	w.rows.bytes += p - start
	return p
}

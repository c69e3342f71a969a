package clean

import (
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// converter turns cells of one kind into another. It gives the rows, ascending,
// whose value does not fit without loss; they are not null and their new value
// is meaningless.
type converter func(c *cells) (to *cells, misfits []int)

// textParser turns a text into the integer form of a kind.
type textParser func(string) (int64, bool)

// converterFor finds how cells of kind from become kind to; f is how
// text is written, nil for the defaults. It is nil if there is no way
// without guessing a unit.
func converterFor(from, to kind, f *form) converter {
	switch {
	case from == kindString && to == kindString:
		return checkUTF8
	case from == to:
		return func(c *cells) (*cells, []int) { return c, nil }
	case from == kindString && to == kindFloat64:
		return textsToFloats(f.floatParser())
	case from == kindString:
		return textsToInts(to, f.parserOf(to))
	case to == kindString:
		return toTexts
	}
	switch [2]kind{from, to} {
	case [2]kind{kindInt64, kindFloat64}, [2]kind{kindBool, kindFloat64}:
		return intsToFloats
	case [2]kind{kindFloat64, kindInt64}:
		return floatsToInts
	case [2]kind{kindBool, kindInt64}:
		return mapInts(kindInt64, func(v int64) (int64, bool) { return v, true })
	case [2]kind{kindInt64, kindBool}:
		return mapInts(kindBool, func(v int64) (int64, bool) { return v, v == 0 || v == 1 })
	case [2]kind{kindDate, kindTimestamp}:
		return mapInts(kindTimestamp, func(v int64) (int64, bool) {
			us := v * microsPerDay
			return us, us/microsPerDay == v
		})
	case [2]kind{kindTimestamp, kindDate}:
		return mapInts(kindDate, func(v int64) (int64, bool) { return floorDiv(v, microsPerDay), true })
	}
	return nil
}

// checkUTF8 keeps texts that are UTF-8.
func checkUTF8(c *cells) (*cells, []int) {
	var misfits []int
	for i, s := range c.texts {
		if !utf8.ValidString(s) && !c.isNull(i) {
			misfits = append(misfits, i)
		}
	}
	return c, misfits
}

func textsToInts(to kind, parse textParser) converter {
	return func(c *cells) (*cells, []int) {
		out := &cells{kind: to, n: c.n, valid: c.valid, ints: make([]int64, c.n)}
		var misfits []int
		for i, s := range c.texts {
			if c.isNull(i) {
				continue
			}
			v, ok := parse(s)
			if !ok {
				misfits = append(misfits, i)
			}
			out.ints[i] = v
		}
		return out, misfits
	}
}

func textsToFloats(parse func(string) (float64, bool)) converter {
	return func(c *cells) (*cells, []int) {
		out := &cells{kind: kindFloat64, n: c.n, valid: c.valid, floats: make([]float64, c.n)}
		var misfits []int
		for i, s := range c.texts {
			if c.isNull(i) {
				continue
			}
			v, ok := parse(s)
			if !ok {
				misfits = append(misfits, i)
			}
			out.floats[i] = v
		}
		return out, misfits
	}
}

// mapInts applies f to every value; false is a misfit.
func mapInts(to kind, f func(int64) (int64, bool)) converter {
	return func(c *cells) (*cells, []int) {
		out := &cells{kind: to, n: c.n, valid: c.valid, ints: make([]int64, c.n)}
		var misfits []int
		for i, v := range c.ints {
			w, ok := f(v)
			if !ok && !c.isNull(i) {
				misfits = append(misfits, i)
			}
			out.ints[i] = w
		}
		return out, misfits
	}
}

// intsToFloats takes integers that a float64 holds exactly.
func intsToFloats(c *cells) (*cells, []int) {
	out := &cells{kind: kindFloat64, n: c.n, valid: c.valid, floats: make([]float64, c.n)}
	var misfits []int
	for i, v := range c.ints {
		f := float64(v)
		out.floats[i] = f
		if back, ok := exactInt(f); (!ok || back != v) && !c.isNull(i) {
			misfits = append(misfits, i)
		}
	}
	return out, misfits
}

// floatsToInts takes integral values.
func floatsToInts(c *cells) (*cells, []int) {
	out := &cells{kind: kindInt64, n: c.n, valid: c.valid, ints: make([]int64, c.n)}
	var misfits []int
	for i, f := range c.floats {
		v, ok := exactInt(f)
		if !ok && !c.isNull(i) {
			misfits = append(misfits, i)
		}
		out.ints[i] = v
	}
	return out, misfits
}

// exactInt is f as an integer, if it is one of int64.
func exactInt(f float64) (int64, bool) {
	if !(f >= -0x1p63 && f < 0x1p63) || f != math.Trunc(f) {
		return 0, false
	}
	return int64(f), true
}

// toTexts writes values in the form their own parser reads.
func toTexts(c *cells) (*cells, []int) {
	out := &cells{kind: kindString, n: c.n, valid: c.valid, texts: make([]string, c.n)}
	for i := range out.texts {
		if !c.isNull(i) {
			out.texts[i] = c.text(i)
		}
	}
	return out, nil
}

// text is the value of row i as text: floats with the fewest digits that give
// them back, dates and timestamps in ISO 8601.
func (c *cells) text(i int) string {
	switch c.kind {
	case kindString:
		return c.texts[i]
	case kindFloat64:
		return strconv.FormatFloat(c.floats[i], 'g', -1, 64)
	case kindBool:
		return strconv.FormatBool(c.ints[i] != 0)
	case kindDate:
		return formatDate(c.ints[i])
	case kindTimestamp:
		return formatTimestamp(c.ints[i])
	}
	return strconv.FormatInt(c.ints[i], 10)
}

func formatDate(days int64) string {
	year, month, day := civilFromDays(days)
	return fmt.Sprintf("%04d-%02d-%02d", year, month, day)
}

func formatTimestamp(micros int64) string {
	days := floorDiv(micros, microsPerDay)
	rest := micros - days*microsPerDay
	seconds := rest / microsPerSecond
	clock := fmt.Sprintf("T%02d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
	if us := rest % microsPerSecond; us != 0 {
		clock += fmt.Sprintf(".%06d", us)
	}
	return formatDate(days) + clock + "Z"
}

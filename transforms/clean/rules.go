package clean

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// rule is one check of one column, or of a row: its id, what happens on
// failure, and what to say.
type rule struct {
	index  int32 // position among the cleaner's rules
	id     string
	reason string   // what was expected
	column *column  // nil for a rule of rows
	row    *rowRule // nil for a rule of a column
	action Action
}

// check finds the rows of a column that fail a rule and hands each to fail. It
// skips nulls, unless nulls are what it looks for. One with alter changes the
// column instead.
type check struct {
	rule  *rule
	find  func(c *cells, fail func(row int))
	alter func(c *cells)
}

// rangeCheck compares with bounds. Bounds of an int64 are rounded inwards, so
// that the comparison is exact.
func rangeCheck(k kind, r *Range) func(c *cells, fail func(int)) {
	low, high := math.Inf(-1), math.Inf(1)
	if r.Min != nil {
		low = *r.Min
	}
	if r.Max != nil {
		high = *r.Max
	}
	if k == kindFloat64 {
		return func(c *cells, fail func(int)) {
			for i, v := range c.floats {
				if !(v >= low && v <= high) && !c.isNull(i) {
					fail(i)
				}
			}
		}
	}
	least, none1 := atLeast(low)
	most, none2 := atMost(high)
	return func(c *cells, fail func(int)) {
		for i, v := range c.ints {
			if (v < least || v > most || none1 || none2) && !c.isNull(i) {
				fail(i)
			}
		}
	}
}

// atLeast is the least int64 that is at least f; none says there is none.
func atLeast(f float64) (v int64, none bool) {
	f = math.Ceil(f)
	if f >= 0x1p63 {
		return 0, true
	}
	if f < -0x1p63 {
		return math.MinInt64, false
	}
	return int64(f), false
}

// atMost is the greatest int64 that is at most f.
func atMost(f float64) (v int64, none bool) {
	f = math.Floor(f)
	if f < -0x1p63 {
		return 0, true
	}
	if f >= 0x1p63 {
		return math.MaxInt64, false
	}
	return int64(f), false
}

func rangeReason(k kind, r *Range) string {
	what := "a number"
	if k == kindInt64 {
		what = "an integer"
	}
	number := func(f *float64) string { return strconv.FormatFloat(*f, 'g', -1, 64) }
	switch {
	case r.Max == nil:
		return fmt.Sprintf("want %s of at least %s", what, number(r.Min))
	case r.Min == nil:
		return fmt.Sprintf("want %s of at most %s", what, number(r.Max))
	}
	return fmt.Sprintf("want %s from %s to %s", what, number(r.Min), number(r.Max))
}

// domainCheck looks values up among those of the domain, written as the kind
// is in text. It fails on the position of a value that is none of the kind.
func domainCheck(k kind, f *form, values []string) (find func(c *cells, fail func(int)), bad int) {
	switch k {
	case kindString:
		return memberCheck(values, func(c *cells) []string { return c.texts }), -1
	case kindFloat64:
		floats, parse := make([]float64, len(values)), f.floatParser()
		for i, s := range values {
			v, ok := parse(s)
			if !ok || !finite(v) {
				return nil, i
			}
			floats[i] = v
		}
		return memberCheck(floats, func(c *cells) []float64 { return c.floats }), -1
	}
	parse := f.parserOf(k)
	ints := make([]int64, len(values))
	for i, s := range values {
		v, ok := parse(s)
		if !ok {
			return nil, i
		}
		ints[i] = v
	}
	return memberCheck(ints, func(c *cells) []int64 { return c.ints }), -1
}

func memberCheck[T comparable](values []T, of func(*cells) []T) func(c *cells, fail func(int)) {
	listed := make(map[T]struct{}, len(values))
	for _, v := range values {
		listed[v] = struct{}{}
	}
	return func(c *cells, fail func(int)) {
		for i, v := range of(c) {
			if _, ok := listed[v]; !ok && !c.isNull(i) {
				fail(i)
			}
		}
	}
}

// shownValues bounds the values of a domain that a reason lists.
const shownValues = 10

func domainReason(values []string) string {
	shown := slices.Clone(values[:min(len(values), shownValues)])
	for i, v := range shown {
		shown[i] = strconv.Quote(v)
	}
	more := ""
	if n := len(values) - len(shown); n > 0 {
		more = fmt.Sprintf(" or %d others", n)
	}
	return "want one of " + strings.Join(shown, ", ") + more
}

// compileWhole compiles a pattern that must match the whole text.
func compileWhole(pattern string) (*regexp.Regexp, error) {
	if _, err := regexp.Compile(pattern); err != nil { // before brackets can hide a stray one
		return nil, err
	}
	return regexp.Compile(`\A(?:` + pattern + `)\z`)
}

func regexCheck(re *regexp.Regexp) func(c *cells, fail func(int)) {
	return func(c *cells, fail func(int)) {
		for i, s := range c.texts {
			if !c.isNull(i) && !re.MatchString(s) {
				fail(i)
			}
		}
	}
}

func finiteCheck(c *cells, fail func(int)) {
	for i, v := range c.floats {
		if v-v != 0 && !c.isNull(i) { // NaN for NaN and ±Inf
			fail(i)
		}
	}
}

func requiredCheck(c *cells, fail func(int)) {
	if c.valid == nil {
		return
	}
	for i := range c.n {
		if c.isNull(i) {
			fail(i)
		}
	}
}

package clean

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/internal/fielderr"
)

// column is how one cleaned column is made.
type column struct {
	source string
	field  arrow.Field // of the source
	name   string
	kind   kind

	keepSpace bool
	nulls     []string
	convert   converter
	typeRule  *rule
	checks    []check // those after type, in order
}

// defaultNulls are the null texts of a spec that lists none.
var defaultNulls = []string{""}

// newColumn plans the column o of a source field; sectionNulls are the spec's.
func newColumn(o output, f arrow.Field, sectionNulls []string) (*column, error) {
	from, ok := sourceKind(f.Type)
	if !ok {
		return nil, fielderr.New(o.at("name"), "column %q: type %v is not supported; list the columns to keep in clean.columns and leave it out", o.source, f.Type)
	}
	l, err := o.layout()
	if err != nil {
		return nil, fielderr.FieldError{Path: o.at("format"), Err: err}
	}
	c := &column{source: o.source, field: f, name: o.name, kind: o.defaultKind(from, l), keepSpace: o.KeepSpace}
	if o.Type != "" {
		c.kind, _ = kindOf(o.Type)
	}
	if c.convert = converterFor(from, c.kind, l); c.convert == nil {
		return nil, fielderr.New(o.at("type"), "column %q: type %v, cannot become %v", o.source, f.Type, c.kind)
	}
	c.nulls = defaultNulls
	for _, list := range [][]string{sectionNulls, o.Nulls} {
		if list != nil {
			c.nulls = list
		}
	}
	return c, c.addRules(o, l)
}

// defaultKind is the kind of a column without a type: what its other keys
// mean, else that of its source.
func (c Column) defaultKind(from kind, l *layout) kind {
	switch {
	case from != kindString:
		return from
	case c.Range != nil:
		return kindFloat64
	case l != nil && l.hasTime():
		return kindTimestamp
	case l != nil:
		return kindDate
	}
	return kindString
}

func (c *column) addRules(o output, l *layout) error {
	c.typeRule = c.newRule("type", c.typeReason(o), o.OnTypeError)
	if c.kind == kindFloat64 {
		c.check(c.newRule("finite", "want a finite number", o.OnTypeError), finiteCheck)
	}
	if r := o.Range; r != nil {
		if c.kind != kindInt64 && c.kind != kindFloat64 {
			return fielderr.New(o.at("range"), "column %q: a range is for int64 and float64, the type is %v", c.name, c.kind)
		}
		c.check(c.newRule("range", rangeReason(c.kind, r), r.Action), rangeCheck(c.kind, r))
	}
	if d := o.Domain; d != nil {
		find, bad := domainCheck(c.kind, l, d.Values)
		if bad >= 0 {
			return fielderr.New(o.at("domain"), "column %q: the value %q is no %v", c.name, d.Values[bad], c.kind)
		}
		c.check(c.newRule("domain", domainReason(d.Values), d.Action), find)
	}
	if r := o.Regex; r != nil {
		if c.kind != kindString {
			return fielderr.New(o.at("regex"), "column %q: a regex is for string, the type is %v", c.name, c.kind)
		}
		re, err := compileWhole(r.Pattern)
		if err != nil {
			return fielderr.FieldError{Path: o.at("regex.pattern"), Err: err}
		}
		c.check(c.newRule("regex", "want text that matches "+r.Pattern, r.Action), regexCheck(re))
	}
	if r := o.Required; r != nil {
		c.check(c.newRule("required", "want a value, got null", r.Action), requiredCheck)
	}
	return nil
}

func (c *column) check(r *rule, find func(*cells, func(int))) {
	c.checks = append(c.checks, check{r, find})
}

func (c *column) newRule(check, reason string, a Action) *rule {
	if a == "" {
		a = Dead
	}
	return &rule{id: c.name + "." + check, reason: reason, column: c, action: a}
}

func (c *column) typeReason(o output) string {
	switch {
	case o.Format != "":
		return fmt.Sprintf("want a %v like %s", c.kind, o.Format)
	case c.kind == kindDate:
		return "want a date like 2006-01-02"
	case c.kind == kindTimestamp:
		return "want a timestamp like 2006-01-02T15:04:05Z"
	case c.kind == kindString:
		return "want UTF-8 text"
	case c.kind == kindInt64:
		return "want an integer"
	case c.kind == kindFloat64:
		return "want a number"
	}
	return "want true or false"
}

// rules lists the column's rules in order.
func (c *column) rules() []*rule {
	list := []*rule{c.typeRule}
	for _, check := range c.checks {
		list = append(list, check.rule)
	}
	return list
}

// tidy trims the cells of a text column and takes away those that mean null.
func (c *column) tidy(t *cells) {
	if !c.keepSpace {
		for i, s := range t.texts {
			trimmed := strings.TrimSpace(s)
			if len(trimmed) != len(s) && !t.isNull(i) {
				t.same = nil
			}
			t.texts[i] = trimmed
		}
	}
	if len(c.nulls) == 1 && c.nulls[0] == "" { // the usual case, at the speed of a length
		for i, s := range t.texts {
			if s == "" && !t.isNull(i) {
				t.setNull(i)
			}
		}
		return
	}
	for i, s := range t.texts {
		if slices.Contains(c.nulls, s) && !t.isNull(i) {
			t.setNull(i)
		}
	}
}

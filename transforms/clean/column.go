package clean

import (
	"fmt"

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
	rewrite   *rewriter // of texts, nil for none
	nulls     []string
	convert   converter
	typeRule  *rule
	checks    []check // those after type, in order
}

// defaultNulls are the null texts of a spec that lists none.
var defaultNulls = []string{""}

// newColumn plans the column o of a source field; s is the whole spec.
func newColumn(o output, f arrow.Field, s Spec) (*column, error) {
	from, ok := sourceKind(f.Type)
	if !ok {
		return nil, fielderr.New(o.at("name"), "column %q: type %v is not supported; list the columns to keep in clean.columns and leave it out", o.source, f.Type)
	}
	written, err := o.form()
	if err != nil {
		return nil, o.under(err)
	}
	c := &column{source: o.source, field: f, name: o.name, kind: o.defaultKind(from, written), keepSpace: o.KeepSpace}
	if o.Type != "" {
		c.kind, _ = kindOf(o.Type)
	}
	if c.convert = converterFor(from, c.kind, written); c.convert == nil {
		return nil, fielderr.New(o.at("type"), "column %q: type %v, cannot become %v", o.source, f.Type, c.kind)
	}
	if c.rewrite, err = newRewriter(o.Text); err != nil {
		return nil, o.under(err)
	}
	c.nulls = defaultNulls
	for _, list := range [][]string{s.Nulls, o.Nulls} {
		if list != nil {
			c.nulls = list
		}
	}
	return c, c.addRules(o, written, s.Fitted)
}

// defaultKind is the kind of a column without a type: what its other keys
// mean, else that of its source.
func (c Column) defaultKind(from kind, written *form) kind {
	if from != kindString {
		return from
	}
	if k, ok := written.kind(); ok {
		return k
	}
	if c.Range != nil {
		return kindFloat64
	}
	return kindString
}

func (c *column) addRules(o output, written *form, fitted *Fitted) error {
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
		find, bad := domainCheck(c.kind, written, d.Values)
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
	if r := o.Length; r != nil {
		if c.kind != kindString {
			return fielderr.New(o.at("length"), "column %q: a length is for string, the type is %v", c.name, c.kind)
		}
		c.check(c.newRule("length", lengthReason(r), r.Action), lengthCheck(r))
	}
	if err := c.addFitted(o, fitted); err != nil {
		return err
	}
	if r := o.Required; r != nil {
		c.check(c.newRule("required", "want a value, got null", r.Action), requiredCheck)
	}
	return nil
}

func (c *column) check(r *rule, find func(*cells, func(int))) {
	c.checks = append(c.checks, check{rule: r, find: find})
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
		if check.rule != nil {
			list = append(list, check.rule)
		}
	}
	return list
}

package clean

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/internal/fielderr"
	"github.com/millrace-go/millrace/internal/names"
	"github.com/millrace-go/millrace/io/batch"
)

// Infer returns spec with every column of the result listed and every type
// set, so that New makes the same of any part of the source. Set types stay; a
// typed source column keeps its own. A text column without a type gets the
// first of these that every cell of the sample is, nulls and white space left
// out as the spec says:
//
//   - int64, of cells like -12: no leading zeros or +, which identifiers have
//   - float64, of decimal numbers with at least one finite among them
//   - bool, of true and false in any letter case
//   - date, of cells like 2006-01-02
//   - timestamp, of cells like 2006-01-02T15:04:05Z, as Column.Format says
//   - string
//
// Other keys narrow the choice: a column with a format is a date, or a
// timestamp if the format has an hour; one with a range is a number, float64 if
// the sample is none; one with a regex is a string; the values of a domain
// count as cells. A column of nulls only is a string.
//
// sample holds batches of any columns of the source, by name. A run of columns
// of one type stays one entry. Errors about a key are FieldErrors.
//
// Columns that o.Only does not need are neither typed nor required of the source.
func Infer(source *arrow.Schema, sample []*batch.Batch, spec Spec, o Options) (Spec, error) {
	out, err := infer(source, sample, spec, o)
	if err != nil {
		return Spec{}, fmt.Errorf("clean: %w", err)
	}
	return out, nil
}

func infer(source *arrow.Schema, sample []*batch.Batch, spec Spec, o Options) (Spec, error) {
	if err := spec.Validate(); err != nil {
		return Spec{}, err
	}
	list, err := spec.expand(source)
	if err != nil {
		return Spec{}, err
	}
	list, derive, rules, err := needed(list, spec, o.Only)
	if err != nil {
		return Spec{}, err
	}
	fields, err := find(source, list)
	if err != nil {
		return Spec{}, err
	}
	kinds := make([]kind, len(list))
	var failed []error
	for i, o := range list {
		if kinds[i], err = inferOne(o, fields[i], sample, spec); err != nil {
			failed = append(failed, err)
		}
	}
	if err := errors.Join(failed...); err != nil {
		return Spec{}, err
	}
	out := spec
	out.KeepOthers, out.Derive, out.Rules = false, derive, rules
	out.Columns = typedColumns(list, kinds)
	return out, nil
}

// typedColumns writes outputs as columns again, runs of one type as one.
func typedColumns(list []output, kinds []kind) []Column {
	var columns []Column
	for i := 0; i < len(list); {
		end := i + 1
		for end < len(list) && list[i].position >= 0 && list[end].position == list[i].position {
			end++
		}
		same := !slices.ContainsFunc(kinds[i:end], func(k kind) bool { return k != kinds[i] })
		if same && list[i].position >= 0 {
			c := list[i].Column
			c.Type = kinds[i].String()
			columns = append(columns, c)
			i = end
			continue
		}
		for ; i < end; i++ {
			c := list[i].Column
			c.Name, c.Rename, c.Type = names.Escape(list[i].source), "", kinds[i].String()
			if list[i].name != list[i].source {
				c.Rename = names.Escape(list[i].name)
			}
			columns = append(columns, c)
		}
	}
	return columns
}

func inferOne(o output, f arrow.Field, sample []*batch.Batch, spec Spec) (kind, error) {
	c, err := newColumn(o, f, spec) // also finds what is wrong with the column
	if err != nil {
		return 0, err
	}
	from, _ := sourceKind(f.Type)
	fixed := o.Type != "" || o.Format != "" || len(o.Formats) > 0 || o.Number != nil || o.Bool != nil || o.Regex != nil || from != kindString
	if fixed {
		return c.kind, nil
	}
	g := guess{}
	for _, b := range sample {
		a, err := c.of(b)
		if err != nil {
			return 0, fielderr.New(o.at("name"), "%s: %w", b.File, err)
		}
		t, _, err := load(a)
		if err != nil {
			return 0, fielderr.New(o.at("name"), "column %q: %w", o.source, err)
		}
		c.tidy(t)
		for i, s := range t.texts {
			if !t.isNull(i) {
				g.see(s)
			}
		}
	}
	if o.Domain != nil && g.cells > 0 {
		for _, s := range o.Domain.Values {
			g.see(s)
		}
	}
	return g.kind(o.Range != nil), nil
}

// guess counts, of the cells seen, those that each kind would take.
type guess struct {
	cells, finite int64
	fits          [kindTimestamp + 1]int64
}

func (g *guess) see(s string) {
	g.cells++
	if g.cells > 1 && g.best() == kindString {
		return // nothing fits all any more
	}
	count := func(k kind, ok bool) {
		if ok {
			g.fits[k]++
		}
	}
	plain := !identifier(s)
	_, isInt := parseInt(s)
	count(kindInt64, isInt && plain)
	f, isFloat := parseFloat(s)
	count(kindFloat64, isFloat && plain)
	if isFloat && finite(f) {
		g.finite++
	}
	count(kindBool, strings.EqualFold(s, "true") || strings.EqualFold(s, "false"))
	_, isDate := parseISODate(s)
	count(kindDate, isDate)
	_, isTimestamp := parseISOTimestamp(s)
	count(kindTimestamp, isTimestamp)
}

// best is the first kind that all cells before the last one fit.
func (g *guess) best() kind {
	for k := kindInt64; k <= kindTimestamp; k++ {
		if g.fits[k] == g.cells-1 {
			return k
		}
	}
	return kindString
}

func (g *guess) kind(number bool) kind {
	if g.cells > 0 && g.fits[kindInt64] == g.cells {
		return kindInt64
	}
	if number || g.cells > 0 && g.fits[kindFloat64] == g.cells && g.finite > 0 {
		return kindFloat64
	}
	for k := kindBool; k <= kindTimestamp; k++ {
		if g.cells > 0 && g.fits[k] == g.cells {
			return k
		}
	}
	return kindString
}

// identifier tells whether s has a leading + or a leading zero before another
// digit, which a number would lose.
func identifier(s string) bool {
	if s == "" || s[0] == '+' {
		return s != ""
	}
	if s[0] == '-' {
		s = s[1:]
	}
	return len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9'
}

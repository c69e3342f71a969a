package clean

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/millrace-go/millrace/internal/fielderr"
	"github.com/millrace-go/millrace/internal/names"
)

// Validate checks all that can be checked without data. Its error joins
// FieldErrors whose paths start at the spec: "columns[3].range.min".
func (s Spec) Validate() error {
	v := &validator{outputs: map[string]string{}, open: s.KeepOthers || len(s.Columns) == 0}
	for i, c := range s.Columns {
		v.column(fmt.Sprintf("columns[%d]", i), c)
	}
	for i, d := range s.Derive {
		v.derive(fmt.Sprintf("derive[%d]", i), d)
	}
	return errors.Join(v.found...)
}

// validator collects what is wrong with a spec.
type validator struct {
	found   []error
	outputs map[string]string // path of the key that makes a column, by the column's name
	open    bool              // there may be more columns than the spec names
}

func (v *validator) add(path, format string, args ...any) {
	v.found = append(v.found, fielderr.New(path, format, args...))
}

func (v *validator) column(path string, c Column) {
	v.names(path, c)
	k, typed := kindOf(c.Type)
	if c.Type != "" && !typed {
		v.add(path+".type", "unknown type %q, want %s; did you mean %s?", c.Type, strings.Join(typeNames, ", "), names.Nearest(c.Type, typeNames))
		return
	}
	l, err := c.layout()
	if err != nil {
		v.add(path+".format", "%w", err)
		return
	}
	if c.Format != "" && typed && k != kindDate && k != kindTimestamp {
		v.add(path+".format", "a format is for dates and timestamps, the type is %v", k)
	}
	v.action(path+".on_type_error", c.OnTypeError, Dead, Drop, Null)
	v.rules(path, c, k, typed, l)
}

// names checks the columns that c makes.
func (v *validator) names(path string, c Column) {
	outputs, err := c.outputs()
	if err != nil {
		v.found = append(v.found, fielderr.All(err)[0].Under(path))
		return
	}
	if len(v.outputs)+len(outputs) > names.MaxNames {
		v.add(path+".name", "more than %d columns", names.MaxNames)
		return
	}
	for _, name := range outputs {
		v.output(path, name)
	}
}

func (v *validator) output(path, name string) {
	if other, taken := v.outputs[name]; taken {
		v.add(path, "column %q is made by %s already; rename one", name, other)
		return
	}
	v.outputs[name] = path
}

func (v *validator) action(path string, a Action, allowed ...Action) {
	if a == "" || slices.Contains(allowed, a) {
		return
	}
	words := make([]string, len(allowed))
	for i, w := range allowed {
		words[i] = string(w)
	}
	v.add(path, "unknown action %q, want %s", a, strings.Join(words, ", "))
}

func (v *validator) rules(path string, c Column, k kind, typed bool, l *layout) {
	if c.Required != nil {
		v.action(path+".required.action", c.Required.Action, Dead, Drop)
	}
	if c.Range != nil {
		v.action(path+".range.action", c.Range.Action, Dead, Drop, Null)
		v.bounds(path+".range", c.Range)
		if typed && k != kindInt64 && k != kindFloat64 {
			v.add(path+".range", "a range is for int64 and float64, the type is %v", k)
		}
	}
	if c.Domain != nil {
		v.action(path+".domain.action", c.Domain.Action, Dead, Drop, Null)
		v.domain(path+".domain.values", c, k, typed, l)
	}
	if c.Regex != nil {
		v.action(path+".regex.action", c.Regex.Action, Dead, Drop, Null)
		if _, err := compileWhole(c.Regex.Pattern); err != nil {
			v.add(path+".regex.pattern", "%w", err)
		}
		if typed && k != kindString {
			v.add(path+".regex", "a regex is for string, the type is %v", k)
		}
	}
}

func (v *validator) bounds(path string, r *Range) {
	switch {
	case r.Min == nil && r.Max == nil:
		v.add(path, "want min, max or both")
	case r.Min != nil && !finite(*r.Min):
		v.add(path+".min", "%v is no bound, want a finite number, or leave it out", *r.Min)
	case r.Max != nil && !finite(*r.Max):
		v.add(path+".max", "%v is no bound, want a finite number, or leave it out", *r.Max)
	case r.Min != nil && r.Max != nil && *r.Min > *r.Max:
		v.add(path, "min %v exceeds max %v", *r.Min, *r.Max)
	}
}

func (v *validator) domain(path string, c Column, k kind, typed bool, l *layout) {
	values := c.Domain.Values
	if len(values) == 0 {
		v.add(path, "want at least one value")
	}
	for i, s := range values {
		if !c.KeepSpace && s != strings.TrimSpace(s) {
			v.add(fmt.Sprintf("%s[%d]", path, i), "%q has white space around it and cells are trimmed; remove it or set keep_space", s)
		}
	}
	if typed {
		if _, bad := domainCheck(k, l, values); bad >= 0 {
			v.add(fmt.Sprintf("%s[%d]", path, bad), "%q is no %v", values[bad], k)
		}
	}
}

func (v *validator) derive(path string, d Derive) {
	as, known := deriveOf(d.As)
	switch {
	case d.Name == "":
		v.add(path+".name", "empty name")
	case !known:
		v.add(path+".as", "unknown %q, want %s; did you mean %s?", d.As, strings.Join(deriveNames(), ", "), names.Nearest(d.As, deriveNames()))
	}
	if _, made := v.outputs[d.From]; !made && !v.open {
		v.add(path+".from", "no column %q; did you mean %q?", d.From, names.Nearest(d.From, sortedKeys(v.outputs)))
	}
	if known {
		v.deriveArguments(path, d, as)
	}
	v.output(path+".name", d.Name)
}

func (v *validator) deriveArguments(path string, d Derive, as derivation) {
	if as.mapped && len(d.Map) == 0 {
		v.add(path+".map", "want at least one entry for as: %s", d.As)
	}
	if !as.mapped && (len(d.Map) > 0 || d.Default != nil) {
		v.add(path+".as", "map and default are for as: map, not %s", d.As)
	}
	if as.bounded && (d.Value == nil || !finite(*d.Value)) {
		v.add(path+".value", "want a finite number for as: %s", d.As)
	}
	if !as.bounded && d.Value != nil {
		v.add(path+".value", "a value is for as: at_least, not %s", d.As)
	}
}

// outputs lists the names of the columns that c makes. Its error is a
// FieldError.
func (c Column) outputs() ([]string, error) {
	sources, err := names.Expand(c.Name)
	if err != nil {
		return nil, fielderr.FieldError{Path: "name", Err: err}
	}
	if c.Rename == "" {
		return sources, nil
	}
	renamed, err := names.Expand(c.Rename)
	if err != nil {
		return nil, fielderr.FieldError{Path: "rename", Err: err}
	}
	if len(renamed) != len(sources) {
		return nil, fielderr.New("rename", "%q is %d names, want %d as in %q", c.Rename, len(renamed), len(sources), c.Name)
	}
	return renamed, nil
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

// layout compiles the format, nil if there is none.
func (c Column) layout() (*layout, error) {
	if c.Format == "" {
		return nil, nil
	}
	return compileLayout(c.Format)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

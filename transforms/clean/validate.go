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
	v := &validator{outputs: map[string]string{}, kinds: map[string]kind{}, open: s.KeepOthers || len(s.Columns) == 0}
	for i, c := range s.Columns {
		v.column(fmt.Sprintf("columns[%d]", i), c)
	}
	for i, d := range s.Derive {
		v.derive(fmt.Sprintf("derive[%d]", i), d)
	}
	seen := map[string]bool{}
	for i, r := range s.Rules {
		v.rule(fmt.Sprintf("rules[%d]", i), r, seen)
	}
	if s.Sample != nil {
		v.sample("sample", s.Sample)
	}
	if s.NearDuplicates != nil {
		v.near("near_duplicates", s.NearDuplicates)
	}
	return errors.Join(v.found...)
}

// validator collects what is wrong with a spec.
type validator struct {
	found   []error
	outputs map[string]string // path of the key that makes a column, by the column's name
	kinds   map[string]kind   // of the columns whose type the spec tells
	open    bool              // there may be more columns than the spec names
}

func (v *validator) add(path, format string, args ...any) {
	v.found = append(v.found, fielderr.New(path, format, args...))
}

func (v *validator) column(path string, c Column) {
	k, typed := kindOf(c.Type)
	v.names(path, c, k, typed)
	if c.Type != "" && !typed {
		v.add(path+".type", "unknown type %q, want %s; did you mean %s?", c.Type, strings.Join(typeNames, ", "), names.Nearest(c.Type, typeNames))
		return
	}
	written, err := c.form()
	if err == nil && typed {
		err = written.takes(k)
	}
	if err != nil {
		v.found = append(v.found, under(path, err))
		return
	}
	if _, err := newRewriter(c.Text); err != nil {
		v.found = append(v.found, under(path, err))
		return
	}
	v.action(path+".on_type_error", c.OnTypeError, Dead, Drop, Null)
	v.rules(path, c, k, typed, written)
	v.fits(path, c, k, typed)
}

// names checks the columns that c makes.
func (v *validator) names(path string, c Column, k kind, typed bool) {
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
		if typed {
			v.kinds[name] = k
		}
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

func (v *validator) rules(path string, c Column, k kind, typed bool, written *form) {
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
		v.domain(path+".domain.values", c, k, typed, written)
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
	if c.Length != nil {
		v.action(path+".length.action", c.Length.Action, Dead, Drop, Null)
		v.length(path+".length", c.Length)
		if typed && k != kindString {
			v.add(path+".length", "a length is for string, the type is %v", k)
		}
	}
}

// fits checks the rules that look at all rows.
func (v *validator) fits(path string, c Column, k kind, typed bool) {
	if c.Outliers != nil {
		v.outliers(path+".outliers", c.Outliers, k, typed)
	}
	if c.Rare != nil {
		v.rare(path+".rare", c.Rare, k, typed)
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

func (v *validator) length(path string, l *Length) {
	switch {
	case l.Min == nil && l.Max == nil:
		v.add(path, "want min, max or both")
	case l.Min != nil && *l.Min < 0:
		v.add(path+".min", "%d, want 0 or more", *l.Min)
	case l.Max != nil && *l.Max < 0:
		v.add(path+".max", "%d, want 0 or more", *l.Max)
	case l.Min != nil && l.Max != nil && *l.Min > *l.Max:
		v.add(path, "min %d exceeds max %d", *l.Min, *l.Max)
	}
	if l.Unit != "" && l.Unit != runesUnit && l.Unit != bytesUnit {
		v.add(path+".unit", "unknown unit %q, want %s or %s", l.Unit, runesUnit, bytesUnit)
	}
}

func (v *validator) domain(path string, c Column, k kind, typed bool, written *form) {
	values := c.Domain.Values
	if len(values) == 0 {
		v.add(path, "want at least one value")
	}
	text, _ := newRewriter(c.Text)
	for i, s := range values {
		if !c.KeepSpace && s != strings.TrimSpace(s) {
			v.add(fmt.Sprintf("%s[%d]", path, i), "%q has white space around it and cells are trimmed; remove it or set keep_space", s)
		} else if text != nil && text.one(s) != s {
			v.add(fmt.Sprintf("%s[%d]", path, i), "%q is %q once the column's text is changed; write that", s, text.one(s))
		}
	}
	if typed {
		if _, bad := domainCheck(k, written, values); bad >= 0 {
			v.add(fmt.Sprintf("%s[%d]", path, bad), "%q is no %v", values[bad], k)
		}
	}
}

func (v *validator) derive(path string, d Derive) {
	if d.Expr != "" {
		v.deriveExpression(path, d)
		return
	}
	if d.From == "" && d.As == "" {
		v.add(path, "want from and as, or expr")
		return
	}
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
		v.kinds[d.Name] = as.to
	}
	v.output(path+".name", d.Name)
}

func (v *validator) deriveExpression(path string, d Derive) {
	if d.Name == "" {
		v.add(path+".name", "empty name")
	}
	if d.From != "" || d.As != "" || len(d.Map) > 0 || d.Default != nil || d.Value != nil {
		v.add(path+".expr", "an expression takes the place of from and as; keep one")
	}
	if k, known := v.checkExpression(path+".expr", d.Expr); known {
		v.kinds[d.Name] = k
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

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

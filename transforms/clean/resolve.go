package clean

import (
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/internal/fielderr"
	"github.com/millrace-go/millrace/internal/names"
)

// output is one column to be made: a column of the spec with its run of names
// expanded, or a column of the source that the spec keeps without naming it.
type output struct {
	Column          // Name and Rename are patterns still; use source and name
	source   string // the source column
	name     string // the cleaned column
	position int    // in the spec's Columns; -1 if it does not name it
}

// at is the key path of a key of the output.
func (o output) at(key string) string {
	if o.position < 0 {
		return "columns"
	}
	return fmt.Sprintf("columns[%d].%s", o.position, key)
}

// under puts the path of a FieldError below that of the output.
func (o output) under(err error) error {
	e := fielderr.All(err)[0]
	return fielderr.FieldError{Path: o.at(e.Path), Err: e.Err}
}

// expand lists the outputs of the spec, which must be valid, in order.
func (s Spec) expand(source *arrow.Schema) ([]output, error) {
	var list []output
	named := map[string]bool{}
	for i, c := range s.Columns {
		outputs, err := c.outputs()
		if err != nil {
			return nil, err
		}
		sources, err := names.Expand(c.Name)
		if err != nil {
			return nil, err
		}
		for j, name := range sources {
			named[name] = true
			list = append(list, output{Column: c, source: name, name: outputs[j], position: i})
		}
	}
	if len(s.Columns) > 0 && !s.KeepOthers {
		return list, nil
	}
	for _, f := range source.Fields() {
		if !named[f.Name] {
			list = append(list, output{source: f.Name, name: f.Name, position: -1})
		}
	}
	return list, nil
}

// checkOutputs fails on two outputs, or an output and a derived column, of one
// name.
func checkOutputs(list []output, derive []Derive) error {
	taken := map[string]string{}
	for _, o := range list {
		if other, ok := taken[o.name]; ok {
			return fielderr.New(o.at("rename"), "column %q is made of source columns %q and %q; rename one", o.name, other, o.source)
		}
		taken[o.name] = o.source
	}
	for i, d := range derive {
		if _, ok := taken[d.Name]; ok {
			return fielderr.New(fmt.Sprintf("derive[%d].name", i), "there is a column %q already", d.Name)
		}
		taken[d.Name] = "derive"
	}
	return nil
}

// needed restricts the spec's outputs, derivations and rules to what the columns
// only need; nil needs all.
func needed(list []output, spec Spec, only []string) ([]output, []Derive, []Rule, error) {
	if only == nil {
		return list, spec.Derive, spec.Rules, nil
	}
	wanted, known := map[string]bool{}, map[string]bool{}
	for _, name := range only {
		wanted[name] = true
	}
	for _, d := range slices.Backward(spec.Derive) {
		known[d.Name] = true
		if !wanted[d.Name] {
			continue
		}
		for _, from := range d.fromOf() {
			wanted[from] = true
		}
	}
	for _, o := range list {
		known[o.name] = true
	}
	for _, name := range only {
		if !known[name] {
			return nil, nil, nil, fmt.Errorf("column %q: not made by the clean section; did you mean %q?", name, names.Nearest(name, sortedKeys(known)))
		}
	}
	list = slices.DeleteFunc(slices.Clone(list), func(o output) bool { return !wanted[o.name] })
	derive := slices.DeleteFunc(slices.Clone(spec.Derive), func(d Derive) bool { return !wanted[d.Name] })
	return list, derive, computable(spec.Rules, wanted), nil
}

// find gives the source's field of each output.
func find(source *arrow.Schema, list []output) ([]arrow.Field, error) {
	var missing []error
	fields := make([]arrow.Field, len(list))
	for i, o := range list {
		at := source.FieldIndices(o.source)
		switch len(at) {
		case 1:
			fields[i] = source.Field(at[0])
		case 0:
			missing = append(missing, fielderr.New(o.at("name"), "column %q: not in the source%s", o.source, meant(source, o.source)))
		default:
			return nil, fielderr.New(o.at("name"), "column %q: the source has %d columns of that name", o.source, len(at))
		}
	}
	return fields, errors.Join(missing...)
}

// meant is "; did you mean …?", or nothing if the source has no columns.
func meant(source *arrow.Schema, name string) string {
	all := make([]string, source.NumFields())
	for i, f := range source.Fields() {
		all[i] = f.Name
	}
	if len(all) == 0 {
		return ", which has no columns"
	}
	return fmt.Sprintf("; did you mean %q?", names.Nearest(name, all))
}

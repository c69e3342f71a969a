package normalize

import (
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/internal/fielderr"
)

// resolveForm sets the defaults of the feature's form and finds its other
// columns.
func (f *feature) resolveForm(schema *arrow.Schema) error {
	switch {
	case f.Image != nil:
		if f.kind != kindBinary && f.kind != kindText {
			return fielderr.New(f.path+".image", "column %q: kind %s, want the bytes of files", f.Column, f.kind)
		}
		m := f.Image.withDefaults()
		f.Image = &m
		return nil
	case f.Sequence == nil && !isToken(f.kind) || !isToken(elements(f.kind)):
		return fielderr.New(f.path+".column", "column %q: kind %s, want string, int64 or bool", f.Column, f.kind)
	}
	switch {
	case f.Cross != nil:
		for i, name := range f.Cross.With {
			kind, err := tokenKind(schema, fmt.Sprintf("%s.cross.with[%d]", f.path, i), name)
			if err != nil {
				return err
			}
			f.others = append(f.others, read{name, kind})
		}
	case f.Target != nil:
		t := f.Target.withDefaults()
		f.Target = &t
		for i, name := range t.Key {
			field, err := findField(schema, name)
			if err == nil && !hashed(field.Type) {
				err = fmt.Errorf("column %q: type %s has no hash", name, field.Type)
			}
			if err != nil {
				return fielderr.New(fmt.Sprintf("%s.target.key[%d]", f.path, i), "%w", err)
			}
		}
		if t.Key == nil {
			for _, field := range schema.Fields() {
				if hashed(field.Type) {
					t.Key = append(t.Key, field.Name)
				}
			}
		}
	case f.Text != nil:
		if f.kind != kindText {
			return fielderr.New(f.path+".text", "column %q is no string", f.Column)
		}
		t := f.Text.withDefaults()
		f.Text = &t
	}
	return f.checkFill()
}

// hashed says whether cells of a type are part of a row's hash: lists and
// bytes are not.
func hashed(t arrow.DataType) bool {
	kind := kindOf(t)
	return isNumber(kind) || kind == kindText || t.ID() == arrow.DATE32 || t.ID() == arrow.TIMESTAMP
}

// resolveSequence holds the sequence against the column's type.
func (f *feature) resolveSequence(t arrow.DataType) error {
	list := f.kind != elements(f.kind)
	if f.Sequence == nil {
		if list {
			return fielderr.New(f.path+".column", "column %q: type %s; give it a sequence", f.Column, t)
		}
		return nil
	}
	s := f.Sequence.withDefaults()
	f.Sequence = &s
	switch {
	case f.kind == kindText && s.Separator == "":
		return fielderr.New(f.path+".sequence.separator", "column %q: no separator to cut a string with", f.Column)
	case f.kind != kindText && !list:
		return fielderr.New(f.path+".sequence", "column %q: type %s, want a list or a string", f.Column, t)
	case list && s.Separator != "":
		return fielderr.New(f.path+".sequence.separator", "column %q: type %s, which is cut already", f.Column, t)
	}
	return nil
}

// resolvePCA makes one feature of the columns of a pattern and those beside
// them.
func resolvePCA(path string, f Feature, columns []string, schema *arrow.Schema) (feature, error) {
	columns = append(slices.Clone(columns), f.PCA.With...)
	f.Column = columns[0]
	r := feature{Feature: f, path: path}
	seen := map[string]bool{}
	for i, name := range columns {
		field, err := findField(schema, name)
		if err != nil {
			return r, fielderr.New(path+".column", "%w", err)
		}
		kind := kindOf(field.Type)
		if !isNumber(kind) || seen[name] {
			return r, fielderr.New(path+".column", "column %q: type %s, or there twice; want numbers, each once", name, field.Type)
		}
		seen[name] = true
		if i == 0 {
			r.kind = kind
		} else {
			r.others = append(r.others, read{name, kind})
		}
	}
	if n := len(columns); n > maxPCA || f.PCA.Components > n {
		return r, fielderr.New(path+".pca", "%d components of %d columns, want at most as many as columns, and these at most %d", f.PCA.Components, n, maxPCA)
	}
	return r, r.checkFill()
}

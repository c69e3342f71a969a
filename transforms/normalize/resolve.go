package normalize

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/internal/fielderr"
	"github.com/millrace-go/millrace/internal/names"
)

// feature is a Feature of one column whose type is known.
type feature struct {
	Feature        // Column is a single name, Vocabulary and its defaults are set for tokens
	path    string // in the Spec: "features[2]"
	kind    string // of the column
	others  []read // what fitting reads beside the column
}

// read is a column that a feature reads, of any type of its kind.
type read struct{ name, kind string }

// reads lists the columns that fitting the feature reads, its own first.
func (f feature) reads() []read { return append([]read{{f.Column, f.kind}}, f.others...) }

// tokens says whether the feature has a vocabulary.
func (f feature) tokens() bool { return f.Vocabulary != nil || f.Hash != nil }

// needsSketch says whether fitting the feature takes quantiles.
func (f feature) needsSketch() bool {
	return f.Clip != nil ||
		f.Fill != nil && (f.Fill.With == fillMedian || f.Fill.With == fillMostFrequent) ||
		f.Bucketize != nil && f.Bucketize.Quantiles > 0 ||
		f.scale() == scaleRobust || f.scale() == scaleQuantile || f.scale() == scalePower
}

// resolve binds the spec to the cleaned columns: a feature for each column,
// and the label.
func resolve(s Spec, schema *arrow.Schema) (features []feature, label feature, err error) {
	if err := s.Validate(); err != nil {
		return nil, feature{}, err
	}
	var errs []error
	for i, f := range s.Features {
		path := fmt.Sprintf("features[%d]", i)
		columns, err := names.Expand(f.Column)
		if err != nil {
			return nil, feature{}, fielderr.New(path+".column", "%w", err)
		}
		if f.PCA != nil {
			r, err := resolvePCA(path, f, columns, schema)
			errs = append(errs, err)
			features = append(features, r)
			continue
		}
		for _, name := range columns {
			one := f
			one.Column = name
			r, err := resolveFeature(path, one, schema)
			if err != nil {
				errs = append(errs, err)
				break // the run's other columns would say the same
			}
			features = append(features, r)
		}
	}
	label, err = resolveLabel(s.Label, schema)
	for i := range features {
		if features[i].Target != nil {
			features[i].others = []read{{label.Column, label.kind}}
		}
	}
	if err = errors.Join(append(errs, err)...); err != nil {
		return nil, feature{}, err
	}
	return features, label, nil
}

func resolveFeature(path string, f Feature, schema *arrow.Schema) (feature, error) {
	r := feature{Feature: f, path: path}
	field, err := findField(schema, f.Column)
	if err != nil {
		return r, fielderr.New(path+".column", "%w", err)
	}
	if r.kind = kindOf(field.Type); r.kind == "" {
		return r, fielderr.New(path+".column", "column %q: type %s, want string, int64, float64 or bool; a date's parts can be taken by clean.derive", f.Column, field.Type)
	}
	if err := r.resolveSequence(field.Type); err != nil {
		return r, err
	}
	switch {
	case f.form().name != "" && f.Vocabulary == nil:
		return r, r.resolveForm(schema)
	case r.kind == kindBinary:
		return r, fielderr.New(path+".column", "column %q: type %s, want image beside it", f.Column, field.Type)
	case elements(r.kind) == kindText && f.Vocabulary == nil:
		if step := f.numericStep(); step != "" {
			return r, fielderr.New(path+"."+step, "column %q: type %s, want a number; give it a numeric type in clean", f.Column, field.Type)
		}
		r.Vocabulary = &Vocabulary{}
	case elements(r.kind) == kindFloat && f.Vocabulary != nil:
		return r, fielderr.New(path+".vocabulary", "column %q: type %s, want string, int64 or bool; use bucketize for fractional numbers", f.Column, field.Type)
	}
	if r.Vocabulary != nil {
		v := r.Vocabulary.withDefaults()
		r.Vocabulary = &v
	}
	if f.Encode != "" && !r.tokens() && f.Bucketize == nil {
		return r, fielderr.New(path+".encode", "column %q is a number; encode is for a vocabulary or bucketize", f.Column)
	}
	if err := r.resolveKey(schema); err != nil {
		return r, err
	}
	return r, r.checkFill()
}

// resolveKey finds the column of per_key.
func (f *feature) resolveKey(schema *arrow.Schema) error {
	if f.PerKey == nil {
		return nil
	}
	k := f.PerKey.withDefaults()
	f.PerKey = &k
	kind, err := tokenKind(schema, f.path+".per_key.column", k.Column)
	if err != nil {
		return err
	}
	f.others = append(f.others, read{k.Column, kind})
	return nil
}

// tokenKind is the kind of a column of tokens, an error if it has none; path
// is that of the key in the Spec that names it.
func tokenKind(schema *arrow.Schema, path, name string) (string, error) {
	field, err := findField(schema, name)
	if err != nil {
		return "", fielderr.New(path, "%w", err)
	}
	kind := kindOf(field.Type)
	if !isToken(kind) {
		return "", fielderr.New(path, "column %q: type %s, want string, int64 or bool", name, field.Type)
	}
	return kind, nil
}

// checkFill holds the fill against the type of the column.
func (f feature) checkFill() error {
	if f.Fill == nil {
		return nil
	}
	if f.tokens() && (f.Fill.With == fillMean || f.Fill.With == fillMedian) {
		return fielderr.New(f.path+".fill.with", "column %q: %s of tokens; use constant or most_frequent", f.Column, f.Fill.With)
	}
	if f.Fill.With != fillConstant {
		return nil
	}
	if f.tokens() {
		if !canonical(elements(f.kind), f.Fill.Value) {
			return fielderr.New(f.path+".fill.value", "column %q: %q is no %s", f.Column, f.Fill.Value, f.kind)
		}
		return nil
	}
	if _, err := parseConstant(f.Fill.Value); err != nil {
		return fielderr.New(f.path+".fill.value", "column %q: %w", f.Column, err)
	}
	return nil
}

func resolveLabel(l Label, schema *arrow.Schema) (feature, error) {
	r := feature{Feature: Feature{Column: l.Column}, path: "label"}
	field, err := findField(schema, l.Column)
	if err != nil {
		return r, fielderr.New("label.column", "%w", err)
	}
	switch r.kind = kindOf(field.Type); r.kind {
	case kindText, kindInteger, kindBool:
	default:
		return r, fielderr.New("label.column", "column %q: type %s, want string, int64 or bool", l.Column, field.Type)
	}
	for i, class := range l.Classes {
		if !canonical(r.kind, class) {
			return r, fielderr.New(fmt.Sprintf("label.classes[%d]", i), "column %q: %q is no %s", l.Column, class, r.kind)
		}
	}
	return r, nil
}

func findField(schema *arrow.Schema, name string) (arrow.Field, error) {
	at := schema.FieldIndices(name)
	switch len(at) {
	case 1:
		return schema.Field(at[0]), nil
	case 0:
		have := make([]string, schema.NumFields())
		for i, f := range schema.Fields() {
			have[i] = f.Name
		}
		if near := names.Nearest(name, have); near != "" {
			return arrow.Field{}, fmt.Errorf("no column %q in the cleaned rows; did you mean %q?", name, near)
		}
		return arrow.Field{}, fmt.Errorf("no column %q in the cleaned rows, which have no columns", name)
	}
	return arrow.Field{}, fmt.Errorf("column %q appears %d times", name, len(at))
}

// canonical says whether token is how a value of the kind is written.
func canonical(kind, token string) bool {
	switch kind {
	case kindInteger:
		v, err := strconv.ParseInt(token, 10, 64)
		if err != nil {
			u, err := strconv.ParseUint(token, 10, 64)
			return err == nil && strconv.FormatUint(u, 10) == token
		}
		return strconv.FormatInt(v, 10) == token
	case kindBool:
		return token == "true" || token == "false"
	}
	return true
}

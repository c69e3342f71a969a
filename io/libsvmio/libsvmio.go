// Package libsvmio reads libsvm (svmlight) files, sparse rows as text:
//
//	label [qid:query] index:value index:value ... # comment
//
// as dense columns: label, qid if any row of the file has one, and a float64 column for each index, with 0
// where a row has no value. Blank lines, and lines with nothing but a comment, are no rows.
//
// Indices may come in any order (XGBoost's own samples are not sorted), but each at most once in a row.
// They begin at 1, as libsvm's own tools and XGBoost's samples have them, unless the options say 0,
// scikit-learn's default when it writes: a file does not tell, and guessing would shift the columns of one
// file against those of another.
package libsvmio

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/io/lines"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/table"
)

// The rules by which Read turns rows away.
const (
	RuleLabel = "libsvm.label" // no label, or not one number
	RuleQuery = "libsvm.qid"   // a qid that is not an integer
	RulePair  = "libsvm.pair"  // something that is not index:value
	RuleIndex = "libsvm.index" // an index below the first or beyond the last, or twice in a row
	RuleLine  = "libsvm.line"  // a line of more than 16 MiB
)

const (
	// maxLine bounds the text of a row.
	maxLine = 16 << 20
	// MaxFeatures bounds the columns of features.
	MaxFeatures = 4096
)

// Format is the table.Format of libsvm files.
type Format struct{}

var _ table.Format = Format{}

// Name implements table.Format.
func (Format) Name() string { return "libsvm" }

var rows = lines.Rows{Format: "libsvm", Limit: maxLine, Row: func(l lines.Line) bool {
	text := bytes.TrimLeft(l.Text, " \t")
	return len(text) > 0 && text[0] != '#'
}}

// shape is what is known of the columns of a file.
type shape struct {
	first, features int
	integral        bool // the labels are
	query           bool
}

// String is the form in a Span; parseShape reads it.
func (s shape) String() string {
	label := "float64"
	if s.integral {
		label = "int64"
	}
	out := fmt.Sprintf("first=%d features=%d label=%s", s.first, s.features, label)
	if s.query {
		out += " qid"
	}
	return out
}

func parseShape(text string) (s shape, err error) {
	text, s.query = strings.CutSuffix(text, " qid")
	var label string
	_, err = fmt.Sscanf(text, "first=%d features=%d label=%s", &s.first, &s.features, &label)
	s.integral = label == "int64"
	if err != nil || s.features < 1 || s.features > MaxFeatures || s.first < 0 || s.first > 1 {
		return s, fmt.Errorf("a span of shape %q: it is not one of a survey of this format", text)
	}
	return s, nil
}

// schema has the columns: label, qid, features.
func (s shape) schema() *arrow.Schema {
	label := arrow.Field{Name: "label", Type: arrow.PrimitiveTypes.Float64, Nullable: true}
	if s.integral {
		label.Type = arrow.PrimitiveTypes.Int64
	}
	fields := []arrow.Field{label}
	if s.query {
		fields = append(fields, arrow.Field{Name: "qid", Type: arrow.PrimitiveTypes.Int64, Nullable: true})
	}
	for i := range s.features {
		fields = append(fields, arrow.Field{Name: "f" + strconv.Itoa(s.first+i), Type: arrow.PrimitiveTypes.Float64, Nullable: true})
	}
	return arrow.NewSchema(fields, nil)
}

// start is the shape as the options have it, before a file is seen.
func start(o table.LibSVM) (shape, error) {
	s := shape{first: 1, features: o.Features, integral: o.Label != "float64"}
	if o.ZeroBased {
		s.first = 0
	}
	switch {
	case o.Label != "" && o.Label != "int64" && o.Label != "float64":
		return s, fmt.Errorf("libsvm label %q: want int64, float64 or nothing", o.Label)
	case o.Features < 0 || o.Features > MaxFeatures:
		return s, fmt.Errorf("libsvm features %d: want 0 (as many as the file has) to %d", o.Features, MaxFeatures)
	}
	return s, nil
}

// Survey implements table.Format: one pass over all rows, for the columns that the file needs. A plain file
// is cut into spans at rows, a compressed one is one span.
func (Format) Survey(ctx context.Context, s store.Store, name string, o table.Options) (*table.File, error) {
	file, err := survey(ctx, s, name, o)
	if err != nil {
		return nil, fmt.Errorf("libsvmio: %s: %w", name, err)
	}
	return file, nil
}

func survey(ctx context.Context, s store.Store, name string, o table.Options) (*table.File, error) {
	o, err := o.WithDefaults()
	if err != nil {
		return nil, err
	}
	sh, err := start(o.LibSVM)
	if err != nil {
		return nil, err
	}
	v := surveyor{shape: sh, options: o.LibSVM, parser: parser{first: sh.first, last: sh.first + MaxFeatures - 1}}
	if o.LibSVM.Features > 0 {
		v.parser.last = sh.first + sh.features - 1
	}
	file, err := rows.Survey(ctx, s, name, o.SpanBytes, v.see)
	if err != nil {
		return nil, err
	}
	if !v.good {
		return nil, fmt.Errorf("no row of %d is of the form \"label index:value ...\": is this a libsvm file?", file.Rows)
	}
	sh = v.shape
	sh.features = max(sh.features, 1)
	for i := range file.Spans {
		file.Spans[i].Schema = sh.String()
	}
	file.Schema = sh.schema()
	_, err = table.Select(file.Schema, o.Columns)
	return file, err
}

// surveyor learns the shape of a file.
type surveyor struct {
	shape   shape
	options table.LibSVM
	parser  parser
	good    bool // there is a row without a fault
}

func (v *surveyor) see(l lines.Line) error {
	p := &v.parser
	if p.parse(l) != nil {
		if p.beyond > 0 && v.options.Features == 0 {
			return fmt.Errorf("line %d: index %d: there are columns for %d features: hash or select features where the file is written, "+
				"or say how many features there are if this index is wrong", l.Number, p.beyond, MaxFeatures)
		}
		return nil
	}
	v.good = true
	v.shape.integral = v.shape.integral && (p.integral || v.options.Label != "")
	v.shape.query = v.shape.query || p.hasQuery
	if v.options.Features == 0 {
		v.shape.features = max(v.shape.features, p.highest-p.first+1)
	}
	return nil
}

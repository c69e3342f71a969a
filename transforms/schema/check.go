package schema

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/millrace-go/millrace/transforms/drift"
	"github.com/millrace-go/millrace/transforms/stats"
)

// CheckOptions are what a table is held against beside its schema.
type CheckOptions struct {
	// Previous is the data before, for drift; nil skips that.
	Previous *stats.Analyzer
	// Training is the data of training where the table is that of serving, for
	// skew; nil skips that.
	Training *stats.Analyzer
	// Drift says how distances are measured.
	Drift drift.Options
}

// Check holds a table against s, which must be valid.
func (s *Schema) Check(table *stats.Analyzer, o CheckOptions) (*Report, error) {
	found, err := table.Statistics()
	if err != nil {
		return nil, err
	}
	k := &check{schema: s, table: table, report: &Report{Version: ReportVersion, Rows: found.Rows, Anomalies: []Anomaly{}}}
	k.rows(found.Rows)
	if o.Previous != nil {
		before, err := o.Previous.Statistics()
		if err != nil {
			return nil, fmt.Errorf("schema: the data before: %w", err)
		}
		k.ratio(found.Rows, before.Rows)
	}
	if found.Rows == 0 {
		return k.report, nil
	}
	for i := range s.Columns {
		k.at = &s.Columns[i]
		if k.at.Skip {
			continue
		}
		c := found.Column(k.at.Name)
		if k.column(c, found.Rows); c == nil {
			continue
		}
		k.compare("drift", o.Previous, thresholdsOf(k.at.Drift, s.Drift, c.Type), o.Drift, &k.report.Drift)
		k.compare("skew", o.Training, thresholdsOf(k.at.Skew, s.Skew, c.Type), o.Drift, &k.report.Skew)
	}
	k.at = nil
	for _, c := range found.Columns {
		if s.Column(c.Name) == nil {
			k.addTo(c.Name, NewColumn, "New column", "The table has a column of type %s that is not in the schema.", c.Type)
		}
	}
	return k.report, nil
}

// check is a Check at work.
type check struct {
	schema *Schema
	table  *stats.Analyzer
	report *Report
	at     *Column // nil for what is not of a column of the schema
}

func (k *check) add(kind Kind, short, format string, args ...any) {
	name := ""
	if k.at != nil {
		name = k.at.Name
	}
	k.addTo(name, kind, short, format, args...)
}

func (k *check) addTo(name string, kind Kind, short, format string, args ...any) {
	severity := kind.severity()
	if k.at != nil && k.at.Severity != "" {
		severity = k.at.Severity
	}
	k.report.Anomalies = append(k.report.Anomalies, Anomaly{name, kind, severity, short, fmt.Sprintf(format, args...)})
}

func (k *check) rows(n int64) {
	if n == 0 {
		k.add(NoData, "No rows", "The table has no rows.")
		return
	}
	if r := k.schema.Rows; r != nil {
		if r.Min != nil && n < *r.Min {
			k.add(FewRows, "Few rows", "The table has %d rows, want at least %d.", n, *r.Min)
		}
		if r.Max != nil && n > *r.Max {
			k.add(ManyRows, "Many rows", "The table has %d rows, want at most %d.", n, *r.Max)
		}
	}
}

func (k *check) ratio(n, before int64) {
	r := k.schema.Rows
	if r == nil || before == 0 {
		return
	}
	ratio := float64(n) / float64(before)
	if r.MinRatio != nil && ratio < *r.MinRatio {
		k.add(FewerRows, "Fewer rows", "The table has %d rows, %.4g times the %d before, want at least %v.", n, ratio, before, *r.MinRatio)
	}
	if r.MaxRatio != nil && ratio > *r.MaxRatio {
		k.add(MoreRows, "More rows", "The table has %d rows, %.4g times the %d before, want at most %v.", n, ratio, before, *r.MaxRatio)
	}
}

// column checks a column; c is nil if it is not in the table.
func (k *check) column(c *stats.Column, rows int64) {
	want := k.at
	if c == nil {
		if p := want.Presence; p != nil && (p.MinCount > 0 || p.MinFraction > 0) {
			k.add(MissingColumn, "Column missing", "The schema has a column of type %s that has to be there, and the table has not.", want.Type)
		}
		return
	}
	k.presence(c, rows)
	if c.Present == 0 || !k.sameType(c) {
		return
	}
	if c.List != nil && want.Lengths != nil {
		k.lengths(c.List)
	}
	if c.Numeric != nil {
		k.numbers(c)
	}
	if u := want.Unique; u != nil && c.Unique != nil {
		if u.Min != nil && c.Unique.Count < *u.Min {
			k.add(LowUnique, "Few distinct values", "There are %d distinct values, want at least %d.", c.Unique.Count, *u.Min)
		}
		if u.Max != nil && c.Unique.Count > *u.Max {
			k.add(HighUnique, "Many distinct values", "There are %d distinct values, want at most %d.", c.Unique.Count, *u.Max)
		}
	}
	if want.Type == stats.TypeString {
		k.texts(c)
	}
}

func (k *check) presence(c *stats.Column, rows int64) {
	p := k.at.Presence
	if p == nil {
		return
	}
	if c.Present == 0 && (p.MinCount > 0 || p.MinFraction > 0) {
		k.add(NotPresent, "All values missing", "All %d rows are null.", rows)
		return
	}
	if c.Present < p.MinCount {
		k.add(LowCount, "Few values present", "The column is there in %d rows, want at least %d.", c.Present, p.MinCount)
	}
	if f := float64(c.Present) / float64(rows); f < p.MinFraction {
		k.add(LowFraction, "Values missing", "The column is null in %d of %d rows, so that a share of %.6g has it, want at least %v.", c.Missing, rows, f, p.MinFraction)
	}
}

// sameType says whether the values can be checked further.
func (k *check) sameType(c *stats.Column) bool {
	want := k.at
	switch {
	case c.List != nil && !want.List:
		k.add(UnexpectedLists, "Lists", "Rows hold lists of up to %d values, want one value.", c.List.Max)
		return false
	case c.List == nil && want.List:
		k.add(NoLists, "No lists", "Rows hold one value, want lists.")
		return false
	case c.Type == want.Type && c.Unit == want.Unit:
		return true
	case want.Type == stats.TypeBool && c.Type == stats.TypeInteger && c.Numeric.Moments != nil:
		return k.boolIntegers(c)
	}
	k.add(typeKind(want, c.Type), "Type changed", "The type is %s, want %s.", withUnit(c.Type, c.Unit), withUnit(want.Type, want.Unit))
	return false
}

// boolIntegers takes integers for booleans if they are 0 and 1.
func (k *check) boolIntegers(c *stats.Column) bool {
	m := c.Numeric.Moments
	if m.Min < 0 {
		k.add(BoolSmallInt, "Not a boolean", "The smallest value is %s, want 0 and 1 only.", c.Format(m.Min))
	}
	if m.Max > 1 {
		k.add(BoolBigInt, "Not a boolean", "The largest value is %s, want 0 and 1 only.", c.Format(m.Max))
	}
	return m.Min >= 0 && m.Max <= 1
}

func typeKind(want *Column, got string) Kind {
	enum := len(want.Domain) > 0
	switch want.Type + " " + got {
	case "string integer":
		if enum {
			return EnumInt
		}
		return StringNowInt
	case "string float":
		if enum {
			return EnumFloat
		}
		return StringNowFloat
	case "string binary":
		if enum {
			return EnumBytes
		}
	case "bool float":
		return BoolFloat
	case "bool string":
		return BoolString
	case "bool binary":
		return BoolBytes
	case "bool integer": // without a finite value
		return UnexpectedType
	}
	switch want.Type {
	case stats.TypeInteger:
		return IntExpected
	case stats.TypeFloat:
		return NotFloat
	}
	return UnexpectedType
}

func withUnit(typ, unit string) string {
	if unit == "" {
		return typ
	}
	return typ + " in " + unit
}

func (k *check) lengths(l *stats.Lengths) {
	b := k.at.Lengths
	if b.Min != nil && l.Min < *b.Min {
		if l.Min == 0 {
			k.add(NoValues, "Empty lists", "%d lists are empty, want at least %d values.", l.Empty, *b.Min)
		} else {
			k.add(FewValues, "Short lists", "A list has %d values, want at least %d.", l.Min, *b.Min)
		}
	}
	if b.Max != nil && l.Max > *b.Max {
		k.add(ManyValues, "Long lists", "A list has %d values, want at most %d.", l.Max, *b.Max)
	}
}

func (k *check) numbers(c *stats.Column) {
	n, want := c.Numeric, k.at
	if want.DisallowNaN && n.NaN > 0 {
		k.add(HasNaN, "NaN", "%d values are NaN.", n.NaN)
	}
	if inf := n.PositiveInf + n.NegativeInf; want.DisallowInf && inf > 0 {
		k.add(HasInf, "Infinite values", "%d values are infinite, %d of them negative.", inf, n.NegativeInf)
	}
	if want.Range == nil || n.Moments == nil {
		return
	}
	small, big := SmallInt, BigInt
	if c.Type == stats.TypeFloat {
		small, big = SmallFloat, BigFloat
	}
	if low := want.Range.Min; low != nil && n.Moments.Min < *low {
		k.add(small, "Below the range", "The smallest value is %s, want at least %s.", c.Format(n.Moments.Min), c.Format(*low))
	}
	if high := want.Range.Max; high != nil && n.Moments.Max > *high {
		k.add(big, "Above the range", "The largest value is %s, want at most %s.", c.Format(n.Moments.Max), c.Format(*high))
	}
}

// unexpected is a value outside of the domain.
type unexpected struct {
	value []byte
	n     int64
}

// maxExamples is how many values outside of the domain are named.
const maxExamples = 5

func (k *check) texts(c *stats.Column) {
	d, _ := k.table.Distribution(c.Name)
	texts, counted := d.Texts()
	if !counted {
		if n := len(k.at.Domain); n > 0 && c.Unique.Count > int64(n) {
			k.add(UnexpectedValues, "Values outside of the domain", "There are about %d distinct values, too many to be counted; the domain has %d.", c.Unique.Count, n)
		}
		return
	}
	domain := map[string]bool{}
	for _, v := range k.at.Domain {
		domain[v] = true
	}
	var outside []unexpected
	var total, invalid int64
	for value, n := range texts {
		if !utf8.Valid(value) {
			invalid += n
		}
		if len(domain) > 0 && !domain[string(value)] {
			outside, total = append(outside, unexpected{value, n}), total+n
		}
	}
	if invalid > 0 {
		k.add(InvalidUTF8, "Not UTF-8", "%d values are not UTF-8.", invalid)
	}
	mass := 1.
	if k.at.MinDomainMass != nil {
		mass = *k.at.MinDomainMass
	}
	if in := float64(d.Count()-total) / float64(d.Count()); total > 0 && in < mass {
		k.add(UnexpectedValues, "Values outside of the domain", "%d of %d values, a share of %.4g, are outside of the domain, want at most %.4g: %s.",
			total, d.Count(), 1-in, 1-mass, examples(outside, d.Count()))
	}
}

// examples names the most frequent of some values, which are in byte order.
func examples(list []unexpected, all int64) string {
	slices.SortStableFunc(list, func(a, b unexpected) int { return cmp.Compare(b.n, a.n) })
	var out []string
	for _, v := range list[:min(len(list), maxExamples)] {
		out = append(out, fmt.Sprintf("%q (%.4g %%)", shorten(v.value), 100*float64(v.n)/float64(all)))
	}
	if more := len(list) - len(out); more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(out, ", ")
}

func shorten(value []byte) string {
	const most = 60
	if r := []rune(string(value)); len(r) > most {
		return string(r[:most]) + "…"
	}
	return string(value)
}

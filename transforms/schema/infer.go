package schema

import (
	"unicode/utf8"

	"github.com/millrace-go/millrace/transforms/stats"
)

// InferOptions say how strict an inferred schema is.
type InferOptions struct {
	// MaxDomain is the most distinct values of a string column that become its
	// domain, 100 if 0; -1 means no domains.
	MaxDomain int
	// Ranges asks for the smallest and largest value of numbers and times to become
	// their range. Without it they have none: what comes next may well be larger.
	Ranges bool
}

// Infer makes the schema that a describes. As in TensorFlow Data Validation, a
// column that was there in every row has to be, and one that was there in some
// has to be there once; lists have to have a value if all had, and no more than
// one if none had more.
func Infer(a *stats.Analyzer, o InferOptions) (*Schema, error) {
	if o.MaxDomain == 0 {
		o.MaxDomain = 100
	}
	found, err := a.Statistics()
	if err != nil {
		return nil, err
	}
	s := &Schema{Version: Version}
	for i := range found.Columns {
		c := &found.Columns[i]
		d, _ := a.Distribution(c.Name)
		s.Columns = append(s.Columns, inferColumn(c, d, o))
	}
	return s, s.Validate()
}

func inferColumn(c *stats.Column, d *stats.Distribution, o InferOptions) Column {
	out := Column{Name: c.Name, Type: c.Type, Unit: c.Unit, List: c.List != nil}
	if c.Present > 0 {
		out.Presence = &Presence{MinCount: 1}
		if c.Missing == 0 {
			out.Presence.MinFraction = 1
		}
	}
	if l := c.List; l != nil && c.Present > 0 && l.Min > 0 {
		out.Lengths = &Bounds{Min: ptr[int64](1)}
		if l.Max == 1 {
			out.Lengths.Max = ptr[int64](1)
		}
	}
	if n := c.Numeric; n != nil && n.Moments != nil {
		if c.Type == stats.TypeFloat {
			out.DisallowNaN, out.DisallowInf = n.NaN == 0, n.PositiveInf+n.NegativeInf == 0
		}
		if o.Ranges && c.Type != stats.TypeBool {
			out.Range = &Range{Min: ptr(n.Moments.Min), Max: ptr(n.Moments.Max)}
		}
	}
	if c.Type == stats.TypeString && c.Unique.Count <= int64(o.MaxDomain) {
		out.Domain = domainOf(d)
	}
	return out
}

// domainOf lists the values in byte order; none if one is no text.
func domainOf(d *stats.Distribution) []string {
	texts, ok := d.Texts()
	if !ok {
		return nil
	}
	var out []string
	for value := range texts {
		if !utf8.Valid(value) {
			return nil
		}
		out = append(out, string(value))
	}
	return out
}

func ptr[T any](x T) *T { return &x }

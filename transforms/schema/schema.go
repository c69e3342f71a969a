// Package schema says what the columns of a table have to be like: inferred
// from the statistics of one table, written to a YAML file that people edit,
// and held against the statistics of other tables, which gives anomalies. The
// rules and anomalies are those of TensorFlow Data Validation, as far as they
// apply to tables; see README.md.
package schema

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/millrace-go/millrace/internal/fielderr"
	"github.com/millrace-go/millrace/transforms/stats"
)

// Version is that of a schema file.
const Version = 1

// Schema says what a table has to be like.
type Schema struct {
	Version int `yaml:"version"`
	// Rows bounds the number of rows.
	Rows *Rows `yaml:"rows,omitempty"`
	// Drift and Skew are the thresholds of columns that have none of their own,
	// as far as they apply to their types: against the data before, and against
	// that of training.
	Drift   *Thresholds `yaml:"drift,omitempty"`
	Skew    *Thresholds `yaml:"skew,omitempty"`
	Columns []Column    `yaml:"columns"`
}

// Rows bounds the number of rows. What is nil is not checked.
type Rows struct {
	Min *int64 `yaml:"min,omitempty"`
	Max *int64 `yaml:"max,omitempty"`
	// MinRatio and MaxRatio bound them as a multiple of the rows before.
	MinRatio *float64 `yaml:"min_ratio,omitempty"`
	MaxRatio *float64 `yaml:"max_ratio,omitempty"`
}

// Column says what a column has to be like.
type Column struct {
	Name string `yaml:"name"`
	// Type is one of the Type constants of package stats.
	Type string `yaml:"type"`
	// Unit of dates, times and durations: d, s, ms, us or ns.
	Unit string `yaml:"unit,omitempty"`
	// List says that rows hold lists.
	List     bool      `yaml:"list,omitempty"`
	Presence *Presence `yaml:"presence,omitempty"`
	// Lengths bounds the lengths of lists.
	Lengths *Bounds `yaml:"lengths,omitempty"`
	// Range bounds numbers and times, these in their unit.
	Range *Range `yaml:"range,omitempty"`
	// Domain lists the texts there may be. It is not checked if it is empty.
	Domain []string `yaml:"domain,omitempty"`
	// MinDomainMass is the share of values that have to be of the domain, 1 if nil.
	MinDomainMass *float64 `yaml:"min_domain_mass,omitempty"`
	// Unique bounds the number of distinct values.
	Unique      *Bounds     `yaml:"unique,omitempty"`
	DisallowNaN bool        `yaml:"disallow_nan,omitempty"`
	DisallowInf bool        `yaml:"disallow_inf,omitempty"`
	Drift       *Thresholds `yaml:"drift,omitempty"`
	Skew        *Thresholds `yaml:"skew,omitempty"`
	// Severity of the column's anomalies, "error" or "warning". The default is
	// that of their kinds.
	Severity string `yaml:"severity,omitempty"`
	// Skip says that the column may be there, and is not checked.
	Skip bool `yaml:"skip,omitempty"`
}

// Presence says how often a column has to be there, that is, not null. A
// column without it need not be in the table.
type Presence struct {
	MinFraction float64 `yaml:"min_fraction,omitempty"`
	MinCount    int64   `yaml:"min_count,omitempty"`
}

// Bounds are of whole numbers from 0. What is nil is not checked.
type Bounds struct {
	Min *int64 `yaml:"min,omitempty"`
	Max *int64 `yaml:"max,omitempty"`
}

// Range is of numbers. What is nil is not checked.
type Range struct {
	Min *float64 `yaml:"min,omitempty"`
	Max *float64 `yaml:"max,omitempty"`
}

// Thresholds are the distances above which there is an anomaly; see package
// drift. What is nil is not checked.
type Thresholds struct {
	LInfinity     *float64 `yaml:"l_infinity,omitempty"`
	JensenShannon *float64 `yaml:"jensen_shannon,omitempty"`
	PSI           *float64 `yaml:"psi,omitempty"`
	KS            *float64 `yaml:"ks,omitempty"`
}

var types = []string{stats.TypeInteger, stats.TypeFloat, stats.TypeBool, stats.TypeDate, stats.TypeTime, stats.TypeTimestamp, stats.TypeDuration, stats.TypeString, stats.TypeBinary, stats.TypeOther}

// Column finds a column by name, nil if there is none.
func (s *Schema) Column(name string) *Column {
	for i := range s.Columns {
		if s.Columns[i].Name == name {
			return &s.Columns[i]
		}
	}
	return nil
}

// Validate finds rules that do not make sense. Its errors are fielderr.FieldErrors.
func (s *Schema) Validate() error {
	var c checker
	if s.Version != Version {
		c.fail("version", "%d, want %d", s.Version, Version)
	}
	if r := s.Rows; r != nil {
		c.bounds("rows", r.Min, r.Max)
		c.between("rows.min_ratio", r.MinRatio, 0, math.MaxFloat64)
		c.between("rows.max_ratio", r.MaxRatio, 0, math.MaxFloat64)
		if r.MinRatio != nil && r.MaxRatio != nil && *r.MinRatio > *r.MaxRatio {
			c.fail("rows.min_ratio", "%v is above max_ratio %v", *r.MinRatio, *r.MaxRatio)
		}
	}
	c.thresholds("drift", s.Drift, "")
	c.thresholds("skew", s.Skew, "")
	for i := range s.Columns {
		col, path := &s.Columns[i], fmt.Sprintf("columns[%d]", i)
		if first := slices.IndexFunc(s.Columns, func(o Column) bool { return o.Name == col.Name }); first < i {
			c.fail(path+".name", "%q is the name of columns[%d] too", col.Name, first)
		}
		c.column(path, col)
	}
	return errors.Join(c.errs...)
}

type checker struct{ errs []error }

func (c *checker) fail(path, format string, args ...any) {
	c.errs = append(c.errs, fielderr.New(path, format, args...))
}

func (c *checker) column(path string, col *Column) {
	if col.Name == "" {
		c.fail(path+".name", "missing; a column needs a name")
	}
	if !slices.Contains(types, col.Type) {
		c.fail(path+".type", "%q, want one of %v", col.Type, types)
		return
	}
	text := col.Type == stats.TypeString || col.Type == stats.TypeBinary
	numeric := !text && col.Type != stats.TypeOther
	timed := slices.Contains([]string{stats.TypeDate, stats.TypeTime, stats.TypeTimestamp, stats.TypeDuration}, col.Type)
	if timed != slices.Contains([]string{"d", "s", "ms", "us", "ns"}, col.Unit) || !timed && col.Unit != "" {
		c.fail(path+".unit", "%q of type %s; dates and times need one of d, s, ms, us and ns, others none", col.Unit, col.Type)
	}
	if p := col.Presence; p != nil {
		c.between(path+".presence.min_fraction", &p.MinFraction, 0, 1)
		if p.MinCount < 0 {
			c.fail(path+".presence.min_count", "%d, want at least 0", p.MinCount)
		}
	}
	c.only(path+".lengths", col.Lengths != nil, col.List, "lists; set list: true")
	c.only(path+".range", col.Range != nil, numeric, "numbers and times")
	c.only(path+".domain", len(col.Domain) > 0, col.Type == stats.TypeString, "strings")
	c.only(path+".min_domain_mass", col.MinDomainMass != nil, len(col.Domain) > 0, "columns with a domain")
	c.only(path+".unique", col.Unique != nil, text || numeric, "numbers, times and texts")
	c.only(path+".disallow_nan", col.DisallowNaN, col.Type == stats.TypeFloat, "floats")
	c.only(path+".disallow_inf", col.DisallowInf, col.Type == stats.TypeFloat, "floats")
	c.between(path+".min_domain_mass", col.MinDomainMass, 0, 1)
	if b := col.Lengths; b != nil {
		c.bounds(path+".lengths", b.Min, b.Max)
	}
	if b := col.Unique; b != nil {
		c.bounds(path+".unique", b.Min, b.Max)
	}
	if r := col.Range; r != nil && r.Min != nil && r.Max != nil && !(*r.Min <= *r.Max) {
		c.fail(path+".range.min", "%v is above max %v", *r.Min, *r.Max)
	}
	for i, v := range col.Domain {
		if slices.Index(col.Domain, v) < i {
			c.fail(fmt.Sprintf("%s.domain[%d]", path, i), "%q is there twice", v)
		}
	}
	c.thresholds(path+".drift", col.Drift, col.Type)
	c.thresholds(path+".skew", col.Skew, col.Type)
	if !slices.Contains([]string{"", Error, Warning}, col.Severity) {
		c.fail(path+".severity", "%q, want error or warning", col.Severity)
	}
}

// only reports a rule that is set where it does not apply.
func (c *checker) only(path string, set, applies bool, to string) {
	if set && !applies {
		c.fail(path, "applies to %s only", to)
	}
}

func (c *checker) bounds(path string, low, high *int64) {
	for _, b := range []*int64{low, high} {
		if b != nil && *b < 0 {
			c.fail(path, "%d, want at least 0", *b)
		}
	}
	if low != nil && high != nil && *low > *high {
		c.fail(path+".min", "%d is above max %d", *low, *high)
	}
}

func (c *checker) between(path string, x *float64, low, high float64) {
	if x != nil && !(*x >= low && *x <= high) {
		c.fail(path, "%v, want %v to %v", *x, low, high)
	}
}

// thresholds of a column of a type, or of all columns if it is "".
func (c *checker) thresholds(path string, t *Thresholds, typ string) {
	if t == nil {
		return
	}
	for _, m := range measures {
		x := m.threshold(t)
		c.between(path+"."+m.key, x, 0, m.most)
		if typ != "" {
			c.only(path+"."+m.key, x != nil, m.applies(typ), m.to)
		}
	}
}

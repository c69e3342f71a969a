package clean

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/millrace-go/millrace/internal/fielderr"
)

// Fitted is what the rules that look at all rows need to know of them: see
// package fit. A spec that holds it cleans any rows by it, those to be scored too.
type Fitted struct {
	// Columns are the columns with such rules, by their cleaned names.
	Columns map[string]FittedColumn
}

// FittedColumn is what was found in one column.
type FittedColumn struct {
	// Low and High bound what is no outlier; nil: nothing is one.
	Low, High *float64 `json:",omitempty"`
	// Common are the texts that are not rare, sorted.
	Common []string `json:",omitempty"`
}

// Fit is a column whose rules look at all rows.
type Fit struct {
	Column   string // its cleaned name
	Outliers *Outliers
	Rare     *Rare
}

// Fits lists the columns with rules that look at all rows. A cleaner whose
// spec is not fitted leaves those rules out.
func (c *Cleaner) Fits() []Fit { return c.fits }

// The methods of Outliers.
const (
	ZScore = "z_score"
	IQR    = "iqr"
	Hampel = "hampel"
)

var outlierMethods = []string{ZScore, IQR, Hampel}

// Factor is K, or the method's default: 1.5 for iqr, else 3.
func (o *Outliers) Factor() float64 {
	switch {
	case o.K != nil:
		return *o.K
	case o.Method == IQR:
		return 1.5
	}
	return 3
}

// OtherText is Other, or its default.
func (r *Rare) OtherText() string {
	if r.Other == "" {
		return "other"
	}
	return r.Other
}

// defaultMaxDistinct is the default of Rare.MaxDistinct.
const defaultMaxDistinct = 1_000_000

// DistinctLimit is MaxDistinct, or its default.
func (r *Rare) DistinctLimit() int {
	if r.MaxDistinct == 0 {
		return defaultMaxDistinct
	}
	return r.MaxDistinct
}

func (v *validator) outliers(path string, o *Outliers, k kind, typed bool) {
	v.action(path+".action", o.Action, Dead, Drop, Null, Clip)
	if !slices.Contains(outlierMethods, o.Method) {
		v.add(path+".method", "unknown method %q, want z_score, iqr or hampel", o.Method)
	}
	if f := o.Factor(); !(f > 0) || math.IsInf(f, 0) {
		v.add(path+".k", "%v, want a number above 0", f)
	}
	if typed && k != kindInt64 && k != kindFloat64 {
		v.add(path, "outliers are for int64 and float64, the type is %v", k)
	}
}

func (v *validator) rare(path string, r *Rare, k kind, typed bool) {
	switch {
	case r.MinCount < 0:
		v.add(path+".min_count", "%d, want 0 or more", r.MinCount)
	case r.TopK < 0:
		v.add(path+".top_k", "%d, want 0 or more", r.TopK)
	case r.MaxDistinct < 0:
		v.add(path+".max_distinct", "%d, want 1 or more", r.MaxDistinct)
	case r.MinCount <= 1 && r.TopK == 0:
		v.add(path, "want a min_count above 1, a top_k or both")
	}
	if typed && k != kindString {
		v.add(path, "rare texts are those of a string, the type is %v", k)
	}
}

// addFitted adds the rules that need what was fitted, if it is there.
func (c *column) addFitted(o output, fitted *Fitted) error {
	if o.Outliers != nil && c.kind != kindInt64 && c.kind != kindFloat64 {
		return fielderr.New(o.at("outliers"), "column %q: outliers are for int64 and float64, the type is %v", c.name, c.kind)
	}
	if o.Rare != nil && c.kind != kindString {
		return fielderr.New(o.at("rare"), "column %q: rare texts are those of a string, the type is %v", c.name, c.kind)
	}
	if fitted == nil || o.Outliers == nil && o.Rare == nil {
		return nil
	}
	found, ok := fitted.Columns[c.name]
	if !ok {
		return fmt.Errorf("column %q: the rules were fitted without it", c.name)
	}
	if o.Outliers != nil && found.Low != nil && found.High != nil {
		c.addOutliers(o.Outliers, *found.Low, *found.High)
	}
	if o.Rare != nil {
		c.checks = append(c.checks, check{alter: foldRare(found.Common, o.Rare.OtherText())})
	}
	return nil
}

func (c *column) addOutliers(o *Outliers, low, high float64) {
	if o.Action == Clip {
		c.checks = append(c.checks, check{alter: clip(c.kind, low, high)})
		return
	}
	show := func(f float64) string { return strconv.FormatFloat(f, 'g', 6, 64) }
	reason := fmt.Sprintf("want %s to %s: what lies beyond is an outlier by %s, k %v", show(low), show(high), o.Method, o.Factor())
	c.check(c.newRule("outliers", reason, o.Action), rangeCheck(c.kind, &Range{Min: &low, Max: &high}))
}

// clip moves values to the nearest bound; those of an int64 are rounded
// inwards. Bounds with no integer between them change nothing.
func clip(k kind, low, high float64) func(*cells) {
	if k == kindFloat64 {
		return func(c *cells) {
			c.floats = clipped(c, c.floats, low, high)
		}
	}
	least, none1 := atLeast(low)
	most, none2 := atMost(high)
	return func(c *cells) {
		if !none1 && !none2 && least <= most {
			c.ints = clipped(c, c.ints, least, most)
		}
	}
}

// clipped copies values only if one of them is out of bounds.
func clipped[T int64 | float64](c *cells, values []T, low, high T) []T {
	own := false
	for i, v := range values {
		if v >= low && v <= high || v != v || c.isNull(i) {
			continue
		}
		if !own {
			values, own, c.same = slices.Clone(values), true, nil
		}
		values[i] = min(max(v, low), high)
	}
	return values
}

// foldRare makes one text of all that are not common.
func foldRare(common []string, other string) func(*cells) {
	keep := make(map[string]struct{}, len(common))
	for _, s := range common {
		keep[s] = struct{}{}
	}
	return func(c *cells) {
		last := other // of a run of equal texts, the one that is kept
		for i, s := range c.texts {
			if s == last || c.isNull(i) {
				continue
			}
			if _, ok := keep[s]; ok {
				last = s
				continue
			}
			c.texts[i], c.same = other, nil
		}
	}
}

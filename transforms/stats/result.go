package stats

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// ResultVersion is the Version of Statistics.
const ResultVersion = 1

// Statistics are what was found in a table, in a form that is stable as JSON:
// the same rows and options give the same bytes. Shares, means and deviations
// are rounded once, from exact sums.
type Statistics struct {
	Version int `json:"version"`
	Table
	// Slices are in the order of Options.SliceBy, then of the bytes of values.
	Slices []Slice `json:"slices,omitempty"`
	// Unsliced are the columns of Options.SliceBy with more than MaxSlices values.
	Unsliced []string `json:"unsliced,omitempty"`
}

// Table are the statistics of the whole or of a slice.
type Table struct {
	Rows         int64         `json:"rows"`
	Columns      []Column      `json:"columns"`
	Correlations []Correlation `json:"correlations,omitempty"`
}

// Slice are the statistics of the rows with one value in a column.
type Slice struct {
	Column string `json:"column"`
	Value  string `json:"value"` // as text; "" is the empty text
	Table
}

// Column are the statistics of one column. As in TensorFlow Data Validation,
// a null is a missing row, and an empty list is not.
type Column struct {
	Name string `json:"name"`
	// Type is one of the Type constants.
	Type string `json:"type"`
	// Unit of dates, times and durations: they are counted from 1970 or from midnight in it.
	Unit    string   `json:"unit,omitempty"`
	Present int64    `json:"present"`
	Missing int64    `json:"missing"`
	List    *Lengths `json:"list,omitempty"`    // of list columns
	Numeric *Numeric `json:"numeric,omitempty"` // of numbers, booleans (0 and 1) and times
	Text    *Text    `json:"text,omitempty"`    // of strings and bytes
	// Unique is the number of distinct values (of finite ones), nil for type other.
	Unique *Unique `json:"unique,omitempty"`
	// Top lists the most frequent values, equal ones in order of their numbers
	// or bytes. It is empty if not all values are counted (Unique.Estimate).
	Top []ValueCount `json:"top,omitempty"`
	// Ranks is the histogram of the counts of values by rank, the most frequent
	// first; its last bucket holds the ranks beyond Options.Ranks. It is only
	// there with Top, and not for floats and times.
	Ranks []RankBucket `json:"ranks,omitempty"`
}

// Lengths are of the lists of a column: of the rows that are present.
type Lengths struct {
	Min    int64   `json:"min"`
	Max    int64   `json:"max"`
	Mean   float64 `json:"mean"`
	Values int64   `json:"values"` // in all, without nulls
	Nulls  int64   `json:"nulls"`
	Empty  int64   `json:"empty"` // lists of length 0
	// QuantileHistogram is of the lengths, in buckets of equal count.
	QuantileHistogram []Bucket `json:"quantile_histogram,omitempty"`
}

// Numeric are the statistics of numbers. All but the first three are of the
// finite values. Integers are taken as float64: exactly up to 2^53.
type Numeric struct {
	NaN         int64    `json:"nan"`
	PositiveInf int64    `json:"positive_inf"`
	NegativeInf int64    `json:"negative_inf"`
	Finite      int64    `json:"finite"`
	Zeros       int64    `json:"zeros"`
	Moments     *Moments `json:"moments,omitempty"` // nil if there is no finite value
}

// Moments are of at least one value.
type Moments struct {
	Mean   float64 `json:"mean"`
	StdDev float64 `json:"std_dev"` // of the population: divided by n
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
	// Exact says that median, quantiles and histograms are. If not, a value in
	// them is off by at most RelativeError of itself.
	Exact         bool       `json:"exact"`
	RelativeError float64    `json:"relative_error,omitempty"`
	Quantiles     []Quantile `json:"quantiles"`
	// Histogram has buckets of equal width. A bucket holds its Low and not its
	// High, but for the last, which holds both.
	Histogram []Bucket `json:"histogram"`
	// QuantileHistogram has buckets of equal count, between quantiles.
	QuantileHistogram []Bucket `json:"quantile_histogram"`
}

// Quantile is the value below which a share of Q of the values lie, with
// linear interpolation between two values (numpy's default, type 7).
type Quantile struct {
	Q     float64 `json:"q"`
	Value float64 `json:"value"`
}

// Bucket counts the values in a range. The count of a bucket between quantiles
// is n divided by the number of buckets, and need not be a whole number.
type Bucket struct {
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Count float64 `json:"count"`
}

// Text are the statistics of strings and bytes. Lengths are in bytes, as those
// of TensorFlow Data Validation are.
type Text struct {
	MinBytes   int64   `json:"min_bytes"`
	MaxBytes   int64   `json:"max_bytes"`
	MeanBytes  float64 `json:"mean_bytes"` // 0 if there are no values
	TotalBytes int64   `json:"total_bytes"`
}

// Unique is a number of distinct values. An estimate has a standard error of
// 0.81%, and is the same for any order of the same rows.
type Unique struct {
	Count    int64 `json:"count"`
	Estimate bool  `json:"estimate,omitempty"`
}

// ValueCount is a value and how often it is there.
type ValueCount struct {
	// Value is a number or a text, or else Base64 is set.
	Value  string `json:"value"`
	Base64 []byte `json:"base64,omitempty"` // a value that is not UTF-8
	Count  int64  `json:"count"`
}

// RankBucket is the number of rows with values of some ranks, from 0.
type RankBucket struct {
	Low   int64 `json:"low"`
	High  int64 `json:"high"` // the last one
	Count int64 `json:"count"`
}

// Correlation is Pearson's coefficient of two columns over the rows where both
// are finite; nil if there are fewer than two, or one column does not vary.
type Correlation struct {
	A       string   `json:"a"`
	B       string   `json:"b"`
	Rows    int64    `json:"rows"`
	Pearson *float64 `json:"pearson"`
}

// Column finds a column by name, nil if there is none.
func (t *Table) Column(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

// Encode is the JSON form, indented, with a line break at its end.
func (s *Statistics) Encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(s); err != nil {
		return nil, fmt.Errorf("stats: %w", err)
	}
	return b.Bytes(), nil
}

// Decode reads what Encode wrote. Unknown keys are an error.
func Decode(data []byte) (*Statistics, error) {
	s := &Statistics{}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(s); err != nil {
		return nil, fmt.Errorf("stats: statistics file: %w", err)
	}
	if d.More() {
		return nil, fmt.Errorf("stats: statistics file: more than one value")
	}
	if s.Version != ResultVersion {
		return nil, fmt.Errorf("stats: statistics file of version %d, want %d", s.Version, ResultVersion)
	}
	return s, nil
}

// Format writes a value of a column for people: a date or timestamp as ISO
// 8601 in UTC, anything else as the shortest decimal number that is it.
func (c *Column) Format(x float64) string {
	per := map[string]int64{"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}[c.Unit]
	const lastSecond = 253402300799 // of the year 9999
	switch {
	case c.Type == TypeDate && c.Unit == "d" && x >= -719162 && x <= 2932896: // the years 1 to 9999
		return time.Unix(int64(x)*86400, 0).UTC().Format(time.DateOnly)
	case (c.Type == TypeDate || c.Type == TypeTimestamp) && per > 0 && x/float64(per) >= -62135596800 && x/float64(per) <= lastSecond:
		n := int64(x)
		seconds, rest := n/per, n%per
		return time.Unix(seconds, rest*(1e9/per)).UTC().Format("2006-01-02T15:04:05.999999999Z")
	case c.Type == TypeInteger && x == float64(int64(x)):
		return strconv.FormatInt(int64(x), 10)
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}

// FormatValue writes one of the values of Top for people: a date or timestamp
// as Format does, and bytes that are no UTF-8 as they are.
func (c *Column) FormatValue(v ValueCount) string {
	if v.Base64 != nil {
		return string(v.Base64)
	}
	if c.Unit != "" {
		if x, err := strconv.ParseFloat(v.Value, 64); err == nil {
			return c.Format(x)
		}
	}
	return v.Value
}

// valueOf is a text for a result.
func valueOf(value []byte, n int64) ValueCount {
	if utf8.Valid(value) {
		return ValueCount{Value: string(value), Count: n}
	}
	return ValueCount{Base64: bytes.Clone(value), Count: n}
}

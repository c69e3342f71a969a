package stats

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/millrace-go/millrace/internal/arrays"
)

// Slicer gathers the statistics of a table and of its slices: an Analyzer of
// the whole, and one for each value of each column of Options.SliceBy. A row
// whose value there is null is in no slice of that column. It is not safe for
// concurrent use.
type Slicer struct {
	Whole   *Analyzer
	options Options // with defaults
	schema  *arrow.Schema
	by      []*sliced
}

// sliced are the slices of one column.
type sliced struct {
	column string
	values map[string]*Analyzer // nil if there are too many
}

// NewSlicer returns a Slicer without rows. Its errors are those of Options.Validate.
func NewSlicer(o Options, schema *arrow.Schema) (*Slicer, error) {
	whole, err := NewAnalyzer(o, schema)
	if err != nil {
		return nil, err
	}
	s := &Slicer{Whole: whole, options: whole.options, schema: schema}
	for _, name := range o.SliceBy {
		s.by = append(s.by, &sliced{name, map[string]*Analyzer{}})
	}
	return s, nil
}

// Add takes in the rows of r.
func (s *Slicer) Add(r arrow.Record) error {
	if err := s.Whole.Add(r); err != nil {
		return err
	}
	for _, by := range s.by {
		if err := s.addSlices(by, r); err != nil {
			return fmt.Errorf("stats: slices of column %q: %w", by.column, err)
		}
	}
	return nil
}

func (s *Slicer) addSlices(by *sliced, r arrow.Record) error {
	at := r.Schema().FieldIndices(by.column)
	if len(at) != 1 {
		return fmt.Errorf("the column is there %d times in rows of %s, want once", len(at), r.Schema())
	}
	if by.values == nil {
		return nil
	}
	runs, err := runsByValue(r.Column(at[0]))
	if err != nil {
		return err
	}
	for value, rows := range runs {
		a := s.slice(by, value)
		if a == nil {
			return nil
		}
		part, err := arrays.TakeRecord(r, rows)
		if err != nil {
			return err
		}
		if err := a.Add(part); err != nil {
			return err
		}
	}
	return nil
}

// slice is the analyzer of a value, made if there is none; nil if there are too many.
func (s *Slicer) slice(by *sliced, value string) *Analyzer {
	if by.values == nil {
		return nil
	}
	a := by.values[value]
	if a == nil {
		if len(by.values) == s.options.MaxSlices {
			by.values = nil
			return nil
		}
		a = newAnalyzer(s.options.ofSlice(), s.schema)
		by.values[value] = a
	}
	return a
}

// runsByValue lists the rows of each value.
func runsByValue(col arrow.Array) (map[string][]arrays.Run, error) {
	text, err := sliceNames(col)
	if err != nil {
		return nil, err
	}
	out := map[string][]arrays.Run{}
	for i := range col.Len() {
		if col.IsNull(i) {
			continue
		}
		value, ok := text(i)
		if !ok {
			continue
		}
		runs := out[value]
		if n := len(runs); n > 0 && runs[n-1].To == i {
			runs[n-1].To++
			continue
		}
		out[strings.Clone(value)] = append(runs, arrays.Run{From: i, To: i + 1})
	}
	return out, nil
}

// sliceNames returns a function that gives a row's value as text, false if it is null.
func sliceNames(col arrow.Array) (func(i int) (string, bool), error) {
	switch c := col.(type) {
	case *array.String:
		return func(i int) (string, bool) { return c.Value(i), true }, nil
	case *array.LargeString:
		return func(i int) (string, bool) { return c.Value(i), true }, nil
	case *array.Boolean:
		return func(i int) (string, bool) { return strconv.FormatBool(c.Value(i)), true }, nil
	case *array.Uint64:
		return func(i int) (string, bool) { return strconv.FormatUint(c.Value(i), 10), true }, nil
	case *array.Int64:
		return func(i int) (string, bool) { return strconv.FormatInt(c.Value(i), 10), true }, nil
	case *array.Dictionary:
		inner, err := sliceNames(c.Dictionary())
		return func(i int) (string, bool) {
			k := c.GetValueIndex(i)
			if c.Dictionary().IsNull(k) {
				return "", false
			}
			return inner(k)
		}, err
	}
	if kindOf(col.DataType()).name != TypeInteger {
		return nil, fmt.Errorf("type %s, want text, integers or booleans", col.DataType())
	}
	values, err := readNumbers(col, nil, true) // at most 32 bits: exact
	return func(i int) (string, bool) { return strconv.FormatInt(int64(values[i]), 10), true }, err
}

// Merge adds the statistics of o, which must be of the same options and columns
// and stays as it was.
func (s *Slicer) Merge(o *Slicer) error {
	if len(s.by) != len(o.by) {
		return fmt.Errorf("stats: merge of slices by different columns")
	}
	if err := s.Whole.Merge(o.Whole); err != nil {
		return err
	}
	for i, by := range o.by {
		if by.values == nil {
			s.by[i].values = nil
		}
		for value, from := range by.values {
			a := s.slice(s.by[i], value)
			if a == nil {
				break
			}
			if err := a.Merge(from); err != nil {
				return fmt.Errorf("slice %s=%q: %w", by.column, value, err)
			}
		}
	}
	return nil
}

// Statistics is the result of all rows taken in.
func (s *Slicer) Statistics() (*Statistics, error) {
	out, err := s.Whole.Statistics()
	if err != nil {
		return nil, err
	}
	for _, by := range s.by {
		if by.values == nil {
			out.Unsliced = append(out.Unsliced, by.column)
		}
		for _, value := range slices.Sorted(maps.Keys(by.values)) {
			t, err := by.values[value].table()
			if err != nil {
				return nil, fmt.Errorf("slice %s=%q: %w", by.column, value, err)
			}
			out.Slices = append(out.Slices, Slice{by.column, value, t})
		}
	}
	return out, nil
}

// EachPart calls f with every part of the statistics, in a fixed order, and the
// key under which it is to be merged with those of other Slicers, by MergeParts.
func (s *Slicer) EachPart(f func(key string, data []byte) error) error {
	each := func(prefix string, a *Analyzer) error {
		for i := range a.Parts() {
			data, err := a.MarshalPart(i)
			if err == nil {
				err = f(prefix+strconv.Itoa(i), data)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	if err := each("whole/", s.Whole); err != nil {
		return err
	}
	for i, by := range s.by {
		if by.values == nil {
			data, _ := overflowPart{}.append(nil)
			if err := f(fmt.Sprintf("overflow/%d", i), data); err != nil {
				return err
			}
		}
		for _, value := range slices.Sorted(maps.Keys(by.values)) {
			if err := each(fmt.Sprintf("slice/%d/%s/", i, value), by.values[value]); err != nil {
				return err
			}
		}
	}
	return nil
}

// sliceKey is a value of a column of Options.SliceBy; the whole has by -1.
type sliceKey struct {
	by    int
	value string
}

// SlicerOf makes a Slicer of merged parts by their keys.
func SlicerOf(o Options, schema *arrow.Schema, parts map[string][]byte) (*Slicer, error) {
	s, err := NewSlicer(o, schema)
	if err != nil {
		return nil, err
	}
	all := map[sliceKey][][]byte{{-1, ""}: make([][]byte, s.Whole.Parts())}
	var over []int
	for _, key := range slices.Sorted(maps.Keys(parts)) {
		t, index, err := s.parseKey(key)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(key, "overflow/") {
			over = append(over, t.by)
			continue
		}
		if all[t] == nil {
			all[t] = make([][]byte, s.Whole.Parts())
		}
		all[t][index] = parts[key]
	}
	for _, i := range over {
		s.by[i].values = nil
	}
	for t, data := range all {
		a := s.Whole
		if t.by >= 0 {
			a = s.slice(s.by[t.by], t.value)
		}
		if a == nil {
			continue
		}
		if err := a.fill(data); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// parseKey reads a key that EachPart gave.
func (s *Slicer) parseKey(key string) (t sliceKey, index int, err error) {
	fail := func() { err = fmt.Errorf("stats: a part with the key %q, which these options do not have", key) }
	what, rest, _ := strings.Cut(key, "/")
	number := func(text string, below int) int {
		n, bad := strconv.Atoi(text)
		if bad != nil || n < 0 || n >= below {
			fail()
		}
		return n
	}
	switch what {
	case "whole":
		t.by, index = -1, number(rest, s.Whole.Parts())
	case "overflow":
		t.by = number(rest, len(s.by))
	case "slice":
		by, value, _ := strings.Cut(rest, "/")
		cut := strings.LastIndexByte(value, '/')
		if cut < 0 {
			fail()
			return t, 0, err
		}
		t.by, t.value, index = number(by, len(s.by)), value[:cut], number(value[cut+1:], s.Whole.Parts())
	default:
		fail()
	}
	return t, index, err
}

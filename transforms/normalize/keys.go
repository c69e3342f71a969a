package normalize

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/internal/quantile"
)

// keyDistinct is the number of distinct values up to which the sketch of a
// key is exact.
const keyDistinct = 1 << 12

// keyStats are the statistics of a numeric column for each value of another.
type keyStats struct {
	max      int // keys that are held
	all      *numberStats
	overflow bool // there were more keys; they are gone
	keys     map[string]*numberStats

	blank func() *numberStats
}

func newKeyStats(f feature) *keyStats {
	return &keyStats{
		max: f.PerKey.MaxKeys, all: newNumberStats(f, quantile.DefaultMax), keys: map[string]*numberStats{},
		blank: func() *numberStats { return newNumberStats(f, keyDistinct) },
	}
}

func (s *keyStats) total() int64 { return s.all.total() }

// add takes in the values of cols[0] with the keys of cols[1].
func (s *keyStats) add(cols []arrow.Array, src *source) error {
	token, err := tokenReader(cols[1])
	if err != nil {
		return err
	}
	values, err := readNumbers(cols[0], s.all.scratch)
	if err != nil {
		return err
	}
	for i, x := range values {
		if cols[1].IsNull(i) || s.overflow {
			continue
		}
		k := s.key(token(i))
		switch {
		case k == nil:
		case cols[0].IsNull(i):
			k.nulls++
		case !finite(x):
			k.bad++
		default:
			k.scratch = append(k.scratch, x)
		}
	}
	for _, k := range s.keys {
		k.addFinite(k.scratch)
		k.scratch = k.scratch[:0]
	}
	return s.all.add(cols[:1], src)
}

// key finds or makes the statistics of a key; nil if there are too many.
func (s *keyStats) key(token string) *numberStats {
	if k, ok := s.keys[token]; ok {
		return k
	}
	if len(s.keys) == s.max {
		s.forget()
		return nil
	}
	k := s.blank()
	s.keys[strings.Clone(token)] = k
	return k
}

func (s *keyStats) forget() { s.overflow, s.keys = true, nil }

func (s *keyStats) merge(other stats) error {
	o, ok := other.(*keyStats)
	if !ok || s.max != o.max {
		return errOtherKind
	}
	if err := s.all.merge(o.all); err != nil {
		return err
	}
	if o.overflow {
		s.forget()
	}
	for token, k := range o.keys { // the order changes neither the statistics nor whether they overflow
		if s.overflow {
			break
		}
		if mine := s.key(token); mine != nil {
			if err := mine.merge(k); err != nil {
				return err
			}
		}
	}
	return nil
}

var errOtherKind = errors.New("merge of statistics of different kinds; were they taken for different jobs?")

const wireOverflow = 1 << 7

func (s *keyStats) append(b []byte) ([]byte, error) {
	flags := byte(0)
	if s.overflow {
		flags = wireOverflow
	}
	b = append(b, wireVersion, wireKeys, flags)
	b = appendCounts(b, int64(s.max), int64(len(s.keys)))
	b, err := appendNested(b, s.all)
	if err != nil {
		return nil, err
	}
	for _, key := range sortedKeys(s.keys) {
		b = appendText(b, key)
		if b, err = appendNested(b, s.keys[key]); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func sortedKeys[T any](m map[string]T) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// appendNested appends the statistics with their length before them.
func appendNested(b []byte, s stats) ([]byte, error) {
	inner, err := s.append(nil)
	if err != nil {
		return nil, err
	}
	b = binary.AppendUvarint(b, uint64(len(inner)))
	return append(b, inner...), nil
}

func (d *decoder) keys(flags byte) *keyStats {
	s := &keyStats{max: int(min(d.count("max"), largestMaxKeys)), keys: map[string]*numberStats{}}
	n := d.length("keys", 3)
	if s.overflow = flags == wireOverflow; flags&^wireOverflow != 0 || n > s.max || s.overflow && n > 0 {
		d.fail("%d keys with flags %#x, want at most %d", n, flags, s.max)
	}
	s.all = d.nestedNumbers()
	left := s.all.total()
	last := ""
	for i := 0; i < n && d.err == nil; i++ {
		key := string(d.bytes("key"))
		k := d.nestedNumbers()
		if left -= k.total(); left < 0 || k.total() == 0 || i > 0 && last >= key || (k.sketch == nil) != (s.all.sketch == nil) || (k.logs == nil) != (s.all.logs == nil) {
			d.fail("keys out of order, or of other statistics than the column")
		}
		if k.sketch != nil && k.sketch.Max() != keyDistinct {
			d.fail("a sketch of at most %d values", k.sketch.Max())
		}
		s.keys[key], last = k, key
	}
	if s.overflow {
		s.keys = nil
	}
	s.blank = func() *numberStats { return s.all.likeForKey() }
	return s
}

// likeForKey is an empty accumulator for a key of the column.
func (s *numberStats) likeForKey() *numberStats {
	out := &numberStats{}
	if s.sketch != nil {
		out.sketch = quantile.New(keyDistinct)
	}
	if s.logs != nil {
		out.logs = &logStats{}
	}
	return out
}

func (d *decoder) nestedNumbers() *numberStats {
	data := d.bytes("statistics")
	if d.err != nil {
		return &numberStats{}
	}
	s, err := decodeStats(data)
	d.check(err)
	if s, ok := s.(*numberStats); ok {
		return s
	}
	d.fail("statistics of another kind within")
	return &numberStats{}
}

// FittedKeys are the steps of each value of a column.
type FittedKeys struct {
	Column string      `json:"column"`
	Kind   string      `json:"kind"`
	Keys   []FittedKey `json:"keys"` // by rising key
}

// FittedKey are the steps of one key, fitted on Count values.
type FittedKey struct {
	Key   string `json:"key"`
	Count int64  `json:"count"`
	NumberSteps
}

// fitKeys fits the steps to the whole column and to each key with a value.
func fitKeys(f feature, s *keyStats, out *Fitted) error {
	if s.overflow {
		return fmt.Errorf("per_key: more than %d distinct keys in column %q; raise max_keys", s.max, f.PerKey.Column)
	}
	if err := fitNumbers(f, s.all, out); err != nil {
		return err
	}
	out.PerKey = &FittedKeys{Column: f.PerKey.Column, Kind: f.others[0].kind, Keys: []FittedKey{}}
	for _, key := range sortedKeys(s.keys) {
		k := s.keys[key]
		if k.n == 0 || !utf8.ValidString(key) {
			continue
		}
		fitted := FittedKey{Key: key, Count: k.n}
		if err := newNumberFit(f, k, &fitted.NumberSteps).fit(); err != nil {
			return fmt.Errorf("key %q: %w", key, err)
		}
		out.PerKey.Keys = append(out.PerKey.Keys, fitted)
	}
	return nil
}

// keyStep is a numeric feature whose steps depend on another column.
type keyStep struct {
	where
	index map[string]int32
	steps []*numberStep // one a key; the last is for all other rows
}

func newKeyStep(f *Fitted, w where) *keyStep {
	s := &keyStep{where: w, index: map[string]int32{}}
	for i := range f.PerKey.Keys {
		k := &f.PerKey.Keys[i]
		s.index[k.Key] = int32(i)
		s.steps = append(s.steps, &numberStep{where: w, f: &k.NumberSteps})
	}
	s.steps = append(s.steps, &numberStep{where: w, f: &f.NumberSteps})
	return s
}

// apply gathers the rows of each key, takes them through its steps, and lets
// these write each to its row.
func (s *keyStep) apply(cols []arrow.Array, o *output) error {
	values, err := readNumbers(cols[0], o.scratch)
	if err != nil {
		return fmt.Errorf("column %q: %w", s.name, err)
	}
	o.scratch = values
	token, err := tokenReader(cols[1])
	if err != nil {
		return fmt.Errorf("column %q: %w", s.name, err)
	}
	groups := map[int32]*cells{}
	var order []int32
	for i, x := range values {
		k := int32(len(s.steps) - 1)
		if cols[1].IsValid(i) {
			if at, ok := s.index[token(i)]; ok {
				k = at
			}
		}
		g := groups[k]
		if g == nil {
			g = &cells{where: s.where, col: cols[0], nulls: cols[0].NullN() > 0, rows: []int32{}}
			groups[k], order = g, append(order, k)
		}
		g.values, g.rows = append(g.values, x), append(g.rows, int32(i))
	}
	for _, k := range order {
		s.steps[k].run(groups[k], o)
	}
	return nil
}

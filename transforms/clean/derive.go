package clean

import (
	"fmt"
	"slices"
	"strings"

	"github.com/millrace-go/millrace/internal/fielderr"
	"github.com/millrace-go/millrace/internal/names"
)

// derivation is one way to compute a column from another.
type derivation struct {
	name    string
	from    []kind
	to      kind
	mapped  bool // takes Map and Default
	bounded bool // takes Value
	compute func(d Derive, from *cells) *cells
}

var derivations = []derivation{
	{name: "year", from: calendar, to: kindInt64, compute: datePart(func(y, m, d int) int64 { return int64(y) })},
	{name: "month", from: calendar, to: kindInt64, compute: datePart(func(y, m, d int) int64 { return int64(m) })},
	{name: "day", from: calendar, to: kindInt64, compute: datePart(func(y, m, d int) int64 { return int64(d) })},
	{name: "weekday", from: calendar, to: kindInt64, compute: deriveWeekday},
	{name: "hour", from: []kind{kindTimestamp}, to: kindInt64, compute: deriveHour},
	{name: "map", from: []kind{kindString, kindInt64, kindBool}, to: kindString, mapped: true, compute: deriveMap},
	{name: "at_least", from: []kind{kindInt64, kindFloat64}, to: kindBool, bounded: true, compute: deriveAtLeast},
}

var calendar = []kind{kindDate, kindTimestamp}

func deriveOf(name string) (derivation, bool) {
	for _, d := range derivations {
		if d.name == name {
			return d, true
		}
	}
	return derivation{}, false
}

func deriveNames() []string {
	list := make([]string, len(derivations))
	for i, d := range derivations {
		list[i] = d.name
	}
	return list
}

// accepts is an error unless the derivation takes columns of kind k.
func (d derivation) accepts(k kind) error {
	if slices.Contains(d.from, k) {
		return nil
	}
	words := make([]string, len(d.from))
	for i, f := range d.from {
		words[i] = f.String()
	}
	return fmt.Errorf("type %v, want %s for as: %s", k, strings.Join(words, " or "), d.name)
}

// derived is an empty column with the nulls of from.
func derived(k kind, from *cells) *cells {
	return &cells{kind: k, n: from.n, valid: slices.Clone(from.valid)}
}

// eachDay calls f with the days since 1970 of every row that has a value.
func eachDay(from *cells, f func(row int, days int64)) {
	for i, v := range from.ints {
		if from.isNull(i) {
			continue
		}
		if from.kind == kindTimestamp {
			v = floorDiv(v, microsPerDay)
		}
		f(i, v)
	}
}

func datePart(part func(year, month, day int) int64) func(Derive, *cells) *cells {
	return func(_ Derive, from *cells) *cells {
		out := derived(kindInt64, from)
		out.ints = make([]int64, from.n)
		eachDay(from, func(i int, days int64) { out.ints[i] = part(civilFromDays(days)) })
		return out
	}
}

func deriveWeekday(_ Derive, from *cells) *cells {
	out := derived(kindInt64, from)
	out.ints = make([]int64, from.n)
	eachDay(from, func(i int, days int64) { out.ints[i] = weekday(days) })
	return out
}

func deriveHour(_ Derive, from *cells) *cells {
	out := derived(kindInt64, from)
	out.ints = make([]int64, from.n)
	for i, us := range from.ints {
		out.ints[i] = (us - floorDiv(us, microsPerDay)*microsPerDay) / (3600 * microsPerSecond)
	}
	return out
}

func deriveMap(d Derive, from *cells) *cells {
	out := derived(kindString, from)
	out.texts = make([]string, from.n)
	for i := range out.texts {
		if from.isNull(i) {
			continue
		}
		text, ok := d.Map[from.text(i)]
		switch {
		case ok:
			out.texts[i] = text
		case d.Default != nil:
			out.texts[i] = *d.Default
		default:
			out.setNull(i)
		}
	}
	return out
}

func deriveAtLeast(d Derive, from *cells) *cells {
	out := derived(kindBool, from)
	out.ints = make([]int64, from.n)
	least, none := atLeast(*d.Value)
	for i := range out.ints {
		reached := false
		if from.kind == kindFloat64 {
			reached = from.floats[i] >= *d.Value
		} else {
			reached = !none && from.ints[i] >= least
		}
		if reached {
			out.ints[i] = 1
		}
	}
	return out
}

// derivePositions maps the names of derived columns to their key paths.
func derivePositions(derive []Derive) map[string]string {
	at := make(map[string]string, len(derive))
	for i, d := range derive {
		at[d.Name] = fmt.Sprintf("derive[%d]", i)
	}
	return at
}

// addDerived plans the derived columns; at gives their key paths.
func (c *Cleaner) addDerived(derive []Derive, at map[string]string, s *scope) error {
	for _, d := range derive {
		made, err := newDerived(d, s)
		if err != nil {
			return fielderr.All(err)[0].Under(at[d.Name])
		}
		made.name = d.Name
		s.add(d.Name, made.to)
		c.derive = append(c.derive, made)
	}
	return nil
}

// newDerived plans one column. Its error is a FieldError.
func newDerived(d Derive, s *scope) (derivedColumn, error) {
	if d.Expr != "" {
		made, err := deriveBy(d.Expr, s)
		if err != nil {
			return made, fielderr.FieldError{Path: "expr", Err: err}
		}
		return made, nil
	}
	from, ok := s.position[d.From]
	if !ok {
		return derivedColumn{}, fielderr.New("from", "column %q: not cleaned, or derived only later; did you mean %q?", d.From, names.Nearest(d.From, sortedKeys(s.position)))
	}
	as, _ := deriveOf(d.As)
	if err := as.accepts(kind(s.kinds[d.From])); err != nil {
		return derivedColumn{}, fielderr.New("from", "column %q: %w", d.From, err)
	}
	return derivedColumn{to: as.to, compute: func(_ int, work []*cells) *cells { return as.compute(d, work[from]) }}, nil
}

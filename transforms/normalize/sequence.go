package normalize

import (
	"fmt"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// listPrefix is that of the kind of a list, before that of its values.
const listPrefix = "list of "

// listOf is the kind of a list type, "" for other types and other lists.
func listOf(t arrow.DataType) string {
	l, ok := t.(arrow.ListLikeType)
	if !ok || t.ID() == arrow.MAP {
		return ""
	}
	if kind := kindOf(l.Elem()); isNumber(kind) || kind == kindText {
		return listPrefix + kind
	}
	return ""
}

// elements is the kind of what a list holds, or the kind itself.
func elements(kind string) string { return strings.TrimPrefix(kind, listPrefix) }

// FittedSequence makes Length values of a list, as Sequence says.
type FittedSequence struct {
	Length    int     `json:"length"`
	Separator string  `json:"separator,omitempty"`
	Pad       float64 `json:"pad,omitempty"`
	Side      string  `json:"side"`
	Keep      string  `json:"keep"`
}

// items are the values of the lists of a column, those that are cut off left
// out: those of row i are from start[i] to start[i+1].
type items struct {
	start  []int
	child  arrow.Array // holds them at the positions at, nil for a text
	at     []int
	tokens []string // of a text
}

// read finds the values.
func (s *FittedSequence) read(col arrow.Array) (*items, error) {
	out := &items{start: make([]int, 1, col.Len()+1)}
	switch c := col.(type) {
	case array.ListLike:
		out.child = c.ListValues()
		for i := range col.Len() {
			if col.IsValid(i) {
				from, to := c.ValueOffsets(i)
				from, to = s.cut(from, to)
				for ; from < to; from++ {
					out.at = append(out.at, int(from))
				}
			}
			out.start = append(out.start, len(out.at))
		}
		return out, nil
	case *array.String, *array.LargeString:
		text, err := tokenReader(col)
		if err != nil {
			return nil, err
		}
		for i := range col.Len() {
			if col.IsValid(i) && text(i) != "" {
				parts := strings.Split(text(i), s.Separator)
				from, to := s.cut(0, int64(len(parts)))
				out.tokens = append(out.tokens, parts[from:to]...)
			}
			out.start = append(out.start, len(out.tokens))
		}
		return out, nil
	}
	return nil, fmt.Errorf("type %s, want a list", col.DataType())
}

// cut leaves at most Length values.
func (s *FittedSequence) cut(from, to int64) (int64, int64) {
	n := int64(s.Length)
	switch {
	case to-from <= n:
	case s.Keep == keepLast:
		from = to - n
	default:
		to = from + n
	}
	return from, to
}

// slot is the place of value j of a list of n.
func (s *FittedSequence) slot(j, n int) int {
	if s.Side == sideStart {
		return s.Length - n + j
	}
	return j
}

// numbers are the values of lists of numbers; that of a null is arbitrary.
func (it *items) numbers() ([]float64, error) {
	if it.child == nil {
		return nil, fmt.Errorf("a text, want a list of numbers")
	}
	all, err := readNumbers(it.child, nil)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(it.at))
	for i, at := range it.at {
		out[i] = all[at]
	}
	return out, nil
}

// reader gives the token of value i, which is not null.
func (it *items) reader() (func(i int) string, error) {
	if it.child == nil {
		return func(i int) string { return it.tokens[i] }, nil
	}
	token, err := tokenReader(it.child)
	if err != nil {
		return nil, err
	}
	return func(i int) string { return token(it.at[i]) }, nil
}

func (it *items) isNull(i int) bool { return it.child != nil && it.child.IsNull(it.at[i]) }

// sequenceStats are those of the values of lists.
type sequenceStats struct {
	rows  int64
	inner stats
	f     *FittedSequence // of an accumulator that takes rows
}

func newSequenceStats(f feature) *sequenceStats {
	s := &sequenceStats{f: f.Sequence.fitted()}
	f.Sequence = nil
	s.inner = newStats(f)
	return s
}

func (s *Sequence) fitted() *FittedSequence {
	return &FittedSequence{Length: s.Length, Separator: s.Separator, Pad: s.Pad + 0, Side: s.Side, Keep: s.Keep}
}

func (s *sequenceStats) total() int64 { return s.rows }

func (s *sequenceStats) add(cols []arrow.Array, _ *source) error {
	it, err := s.f.read(cols[0])
	if err != nil {
		return err
	}
	s.rows += int64(cols[0].Len())
	n := it.start[len(it.start)-1]
	switch inner := s.inner.(type) {
	case *numberStats:
		values, err := it.numbers()
		if err != nil {
			return err
		}
		kept := values[:0]
		for i, x := range values {
			switch {
			case it.isNull(i):
				inner.nulls++
			case !finite(x):
				inner.bad++
			default:
				kept = append(kept, x)
			}
		}
		inner.addFinite(kept)
	case *tokenStats:
		token, err := it.reader()
		if err != nil {
			return err
		}
		for i := range n {
			if it.isNull(i) {
				inner.nulls++
				continue
			}
			inner.n++
			if !inner.overflow {
				inner.count(token(i), 1)
			}
		}
	case *countStats:
		for i := range n {
			if it.isNull(i) {
				inner.nulls++
			} else {
				inner.n++
			}
		}
	}
	return nil
}

func (s *sequenceStats) merge(other stats) error {
	o, ok := other.(*sequenceStats)
	if !ok {
		return errOtherKind
	}
	s.rows += o.rows
	return s.inner.merge(o.inner)
}

func (s *sequenceStats) append(b []byte) ([]byte, error) {
	return appendNested(appendCounts(append(b, wireVersion, wireSequence, 0), s.rows), s.inner)
}

func (d *decoder) sequence(flags byte) *sequenceStats {
	s := &sequenceStats{rows: d.count("rows"), inner: &countStats{}}
	data := d.bytes("statistics")
	if flags != 0 {
		d.fail("unknown flags %#x", flags)
	}
	if d.err != nil {
		return s
	}
	if len(data) > 1 && data[1] != wireNumbers && data[1] != wireTokens && data[1] != wireCounts {
		d.fail("statistics of another kind within")
		return s
	}
	inner, err := decodeStats(data)
	if err != nil {
		d.check(err)
		return s
	}
	s.inner = inner
	return s
}

func (s *FittedSequence) check(f *Fitted) error {
	switch {
	case s.Length < 1 || s.Length > MaxWidth:
		return fmt.Errorf("sequence of %d", s.Length)
	case s.Side != sideEnd && s.Side != sideStart || s.Keep != keepFirst && s.Keep != keepLast:
		return fmt.Errorf("sequence padded at %q, keeps %q", s.Side, s.Keep)
	case f.PerKey != nil || f.indicator():
		return fmt.Errorf("sequence with keys or an indicator")
	case f.Kind == kindText && (s.Separator == "" || f.Vocabulary == nil) || f.Kind != kindText && !strings.HasPrefix(f.Kind, listPrefix):
		return fmt.Errorf("sequence of kind %q", f.Kind)
	}
	return nil
}

// sequenceStep takes the values of lists through the steps of one value.
type sequenceStep struct {
	where
	f      *FittedSequence
	number *numberStep // or
	token  *tokenStep
	pad    int32 // id of what is not there, with an embedding
}

func newSequenceStep(f *Fitted, w where) *sequenceStep {
	s := &sequenceStep{where: w, f: f.Sequence, pad: int32(f.ids() - 1)}
	if f.Vocabulary != nil {
		s.token = newTokenStep(f, w)
	} else {
		s.number = &numberStep{where: w, f: &f.NumberSteps}
	}
	return s
}

func (s *sequenceStep) apply(cols []arrow.Array, o *output) error {
	it, err := s.f.read(cols[0])
	if err != nil {
		return fmt.Errorf("column %q: %w", s.name, err)
	}
	rows, slots := s.places(it, o.n)
	s.fill(it, o)
	if s.token == nil {
		values, err := it.numbers()
		if err != nil {
			return fmt.Errorf("column %q: %w", s.name, err)
		}
		s.number.run(&cells{
			where: s.where, col: cols[0], values: values, rows: rows, slots: slots,
			nulls: it.child.NullN() > 0, null: it.isNull,
		}, o)
		return nil
	}
	token, err := it.reader()
	if err != nil {
		return fmt.Errorf("column %q: %w", s.name, err)
	}
	for i, row := range rows {
		id := s.token.null
		if !it.isNull(i) {
			id = s.token.id(token(i))
		}
		s.put(o, int(row), int(slots[i]), id)
	}
	return nil
}

// places gives the row and the slot of each value.
func (s *sequenceStep) places(it *items, n int) (rows, slots []int32) {
	total := it.start[n]
	rows, slots = make([]int32, 0, total), make([]int32, 0, total)
	for row := range n {
		count := it.start[row+1] - it.start[row]
		for j := range count {
			rows, slots = append(rows, int32(row)), append(slots, int32(s.f.slot(j, count)))
		}
	}
	return rows, slots
}

// fill pads where no value will be.
func (s *sequenceStep) fill(it *items, o *output) {
	if s.ids < 0 && (s.oneHot > 0 || s.f.Pad == 0) {
		return
	}
	for row := range o.n {
		count := it.start[row+1] - it.start[row]
		for j := count; j < s.f.Length; j++ {
			slot := j
			if s.f.Side == sideStart {
				slot = j - count
			}
			if s.ids >= 0 {
				s.put(o, row, slot, s.pad)
			} else {
				o.slab[row*o.width+s.offset+slot] = float32(s.f.Pad)
			}
		}
	}
}

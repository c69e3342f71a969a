package clean

import (
	"strings"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
)

// sieve keeps the fate of each row of a batch while its columns are checked
// one after the other.
type sieve struct {
	rules  []*rule
	fate   []int32 // 0 as long as the row is kept, else 1 + the index of the rule that it failed first
	gone   int
	nulled map[string]int64
}

// fail does what the rule says about row, unless an earlier rule has already.
func (s *sieve) fail(r *rule, c *cells, row int) {
	if s.fate[row] != 0 {
		return
	}
	if r.action == Null {
		c.setNull(row)
		if s.nulled == nil {
			s.nulled = map[string]int64{}
		}
		s.nulled[r.id]++
		return
	}
	s.fate[row] = r.index + 1
	s.gone++
}

// kept lists the rows kept, ascending; nil if all are.
func (s *sieve) kept() []int32 {
	if s.gone == 0 {
		return nil
	}
	keep := make([]int32, 0, len(s.fate)-s.gone)
	for row, fate := range s.fate {
		if fate == 0 {
			keep = append(keep, int32(row))
		}
	}
	return keep
}

// left gives a letter for each row that is dead, and counts those dropped.
func (s *sieve) left(b *batch.Batch, columns []*column, sources []arrow.Array, work []*cells) (dead []deadletter.Letter, dropped map[string]int64) {
	at := make(map[*column]int, len(columns))
	for i, col := range columns {
		at[col] = i
	}
	for row, fate := range s.fate {
		if fate == 0 {
			continue
		}
		r := s.rules[fate-1]
		if r.action == Drop {
			if dropped == nil {
				dropped = map[string]int64{}
			}
			dropped[r.id]++
			continue
		}
		letter := deadletter.Letter{File: b.File, Row: b.Rows[row], Rule: r.id, Reason: r.reason}
		if r.row != nil {
			letter.Column, letter.Value = strings.Join(r.row.names, ", "), deadletter.Cut(r.row.shown(work, row))
		} else {
			letter.Column, letter.Value = r.column.source, deadletter.Cut(cellText(sources[at[r.column]], row))
		}
		dead = append(dead, letter)
	}
	return dead, dropped
}

// cellText is the source's cell as text; a null is empty.
func cellText(a arrow.Array, row int) string {
	if a.IsNull(row) {
		return ""
	}
	switch a := a.(type) {
	case interface{ ValueString(int) string }: // binary, whose ValueStr is base64
		return a.ValueString(row)
	}
	return a.ValueStr(row)
}

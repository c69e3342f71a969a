package normalize

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"
)

// tokenStats count the tokens of a column.
type tokenStats struct {
	max      int // distinct tokens that are held
	nulls, n int64
	// overflow says that there were more than max distinct tokens; the counts
	// are then gone, as they are of no use.
	overflow bool
	index    map[string]int32 // of a token in counts; the keys are copies
	counts   []int64
}

func newTokenStats(max int) *tokenStats {
	return &tokenStats{max: max, index: map[string]int32{}}
}

func (s *tokenStats) total() int64 { return s.nulls + s.n }

func (s *tokenStats) add(cols []arrow.Array, _ *source) error {
	col := cols[0]
	token, err := tokenReader(col)
	if err != nil {
		return err
	}
	nulls := col.NullN()
	s.nulls += int64(nulls)
	s.n += int64(col.Len() - nulls)
	for i := 0; i < col.Len() && !s.overflow; i++ {
		if nulls == 0 || col.IsValid(i) {
			s.count(token(i), 1)
		}
	}
	return nil
}

// count adds to a token's count; it copies the token if it is new.
func (s *tokenStats) count(token string, n int64) {
	if i, ok := s.index[token]; ok {
		s.counts[i] += n
		return
	}
	if len(s.counts) == s.max {
		s.forget()
		return
	}
	s.index[strings.Clone(token)] = int32(len(s.counts))
	s.counts = append(s.counts, n)
}

func (s *tokenStats) forget() {
	s.overflow, s.index, s.counts = true, nil, nil
}

func (s *tokenStats) merge(other stats) error {
	o, ok := other.(*tokenStats)
	if !ok || s.max != o.max {
		return fmt.Errorf("merge of statistics of different kinds; were they taken for different jobs?")
	}
	s.nulls += o.nulls
	s.n += o.n
	if o.overflow {
		s.forget()
	}
	for token, i := range o.index { // the order changes neither counts nor whether they overflow
		if s.overflow {
			break
		}
		s.count(token, o.counts[i])
	}
	return nil
}

// tokenCount is a token and how often it occurs.
type tokenCount struct {
	token string
	n     int64
}

// byCount lists the tokens that are valid UTF-8, the most frequent first,
// ties by bytes. (One that is not could not be written to a Plan; it is out of
// every vocabulary.) extra is counted too, if its n is not 0.
func (s *tokenStats) byCount(extra tokenCount) []tokenCount {
	list := make([]tokenCount, 0, len(s.counts)+1)
	for token, i := range s.index {
		n := s.counts[i]
		if token == extra.token {
			n, extra.n = n+extra.n, 0
		}
		if utf8.ValidString(token) {
			list = append(list, tokenCount{token, n})
		}
	}
	if extra.n > 0 {
		list = append(list, extra)
	}
	slices.SortFunc(list, func(a, b tokenCount) int {
		if a.n != b.n {
			if a.n > b.n {
				return -1
			}
			return 1
		}
		return strings.Compare(a.token, b.token)
	})
	return list
}

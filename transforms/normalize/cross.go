package normalize

import (
	"encoding/binary"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/cespare/xxhash/v2"
)

// FittedCross gives the tokens of the feature's column and of the others a
// bucket, as Cross says.
type FittedCross struct {
	With    []FittedColumn `json:"with"`
	Buckets int            `json:"buckets"`
}

// FittedColumn is a column that a feature reads beside its own.
type FittedColumn struct {
	Column string `json:"column"`
	Kind   string `json:"kind"`
}

func (c *FittedCross) check() error {
	if len(c.With) == 0 || c.Buckets < 1 || c.Buckets > maxOOVBuckets {
		return fmt.Errorf("cross with %d columns in %d buckets", len(c.With), c.Buckets)
	}
	for _, w := range c.With {
		if w.Column == "" || !isToken(w.Kind) {
			return fmt.Errorf("cross with column %q, kind %q", w.Column, w.Kind)
		}
	}
	return nil
}

type crossStep struct {
	where
	buckets uint64
}

func (s *crossStep) apply(cols []arrow.Array, o *output) error {
	tokens := make([]func(int) string, len(cols))
	for i, col := range cols {
		var err error
		if tokens[i], err = tokenReader(col); err != nil {
			return fmt.Errorf("column %q: %w", s.name, err)
		}
	}
	var key []byte
	for row := range o.n {
		key = key[:0]
		for i, col := range cols {
			if col.IsNull(row) {
				key = append(key, 0)
				continue
			}
			t := tokens[i](row)
			key = binary.AppendUvarint(append(key, 1), uint64(len(t)))
			key = append(key, t...)
		}
		s.put(o, row, 0, int32(xxhash.Sum64(key)%s.buckets))
	}
	return nil
}

package split

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/bits"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/zeebo/xxh3"

	"github.com/millrace-go/millrace/internal/fielderr"
	"github.com/millrace-go/millrace/internal/names"
)

// Part is one of the three parts of the data.
type Part uint8

// The parts, in the order of their share of the hash range.
const (
	Train Part = iota
	Validation
	Test
)

// Parts lists the parts in order.
var Parts = []Part{Train, Validation, Test}

func (p Part) String() string {
	if int(p) < len(partNames) {
		return partNames[p]
	}
	return fmt.Sprintf("Part(%d)", uint8(p))
}

var partNames = []string{"train", "validation", "test"}

// Shares are the shares of train, validation and test: 0.7, 0.15 and 0.15 if
// the spec sets none of them.
func (s Spec) Shares() [3]float64 {
	if s.Train == 0 && s.Validation == 0 && s.Test == 0 {
		return [3]float64{0.7, 0.15, 0.15}
	}
	return [3]float64{s.Train, s.Validation, s.Test}
}

// Validate checks the shares and that no key column is listed twice or empty.
// Its error joins FieldErrors.
func (s Spec) Validate() error {
	var found []error
	shares, sum := s.Shares(), 0.0
	for i, share := range shares {
		if !(share >= 0 && share <= 1) {
			found = append(found, fielderr.New(partNames[i], "share %v, want 0 to 1", share))
		}
		sum += share
	}
	if len(found) == 0 && math.Abs(sum-1) > 1e-9 {
		found = append(found, fielderr.New("", "train %v + validation %v + test %v is %v, want 1", shares[0], shares[1], shares[2], sum))
	}
	seen := map[string]bool{}
	for i, name := range s.Key {
		if name == "" || seen[name] {
			found = append(found, fielderr.New(fmt.Sprintf("key[%d]", i), "column %q: empty or listed before", name))
		}
		seen[name] = true
	}
	if s.Time != nil {
		if _, err := s.Time.boundaries(); err != nil {
			found = append(found, err)
		}
	}
	return errors.Join(found...)
}

// KeyColumns lists the columns to hash, in order: Key, or all columns of the
// cleaned schema. It fails on a key column that the schema lacks.
func (s Spec) KeyColumns(cleaned *arrow.Schema) ([]string, error) {
	all := make([]string, cleaned.NumFields())
	for i, f := range cleaned.Fields() {
		all[i] = f.Name
	}
	if len(s.Key) == 0 {
		return all, nil
	}
	for i, name := range s.Key {
		if !cleaned.HasField(name) {
			return nil, fmt.Errorf("split: %w", fielderr.New(fmt.Sprintf("key[%d]", i), "column %q: not among the cleaned columns; did you mean %q?", name, names.Nearest(name, all)))
		}
	}
	return append([]string(nil), s.Key...), nil
}

// Splitter assigns rows by their hash. It is immutable.
type Splitter struct {
	ends   [2]edge // where train and validation end
	last   Part    // the last part with a share
	seed   uint64
	shards uint64
	time   *boundaries // nil: by the shares
}

// edge is the end of a part: the part has the hashes below at, or all if full.
type edge struct {
	at   uint64
	full bool
}

// New plans a split whose training rows go to so many shards, at least 1.
func New(spec Spec, shards int) (*Splitter, error) {
	if err := spec.Validate(); err != nil {
		return nil, fmt.Errorf("split: %w", err)
	}
	if shards < 1 {
		return nil, fmt.Errorf("split: %d shards, want at least 1", shards)
	}
	shares := spec.Shares()
	s := &Splitter{seed: xxh3.HashString(spec.Salt), shards: uint64(shards)}
	if spec.Time != nil {
		var err error
		if s.time, err = spec.Time.boundaries(); err != nil {
			return nil, fmt.Errorf("split: %w", err)
		}
	}
	s.ends[0] = edgeOf(shares[:1])
	s.ends[1] = edgeOf(shares[:2])
	for p, share := range shares {
		if share > 0 {
			s.last = Part(p)
		}
	}
	return s, nil
}

// edgeOf is 2^64 times the sum of shares, rounded down, exactly: float64s are
// rational numbers, and no float64 rounding comes in between.
func edgeOf(shares []float64) edge {
	sum := new(big.Rat)
	for _, share := range shares {
		sum.Add(sum, new(big.Rat).SetFloat64(share))
	}
	scaled := new(big.Int).Lsh(sum.Num(), 64)
	scaled.Quo(scaled, sum.Denom())
	if !scaled.IsUint64() {
		return edge{full: true}
	}
	return edge{at: scaled.Uint64()}
}

// Assign gives the part of a row and the shard (which is of use in Train), from
// the 128-bit hash of the row or of its key.
//
// The hash is hashed again with the salt: XXH3-128 of its 16 bytes, high half
// first, big-endian, seeded with XXH3-64 of the salt. The high 64 bits, as a
// fraction of 2^64, fall into the share of train, validation or test; the low
// 64 bits choose the shard. So a row keeps its part for ever, whatever rows are
// added and however many shards there are, and keeps its shard as long as
// their number stays.
func (s *Splitter) Assign(h xxh3.Uint128) (part Part, shard int) {
	var p [16]byte
	binary.BigEndian.PutUint64(p[:8], h.Hi)
	binary.BigEndian.PutUint64(p[8:], h.Lo)
	mixed := xxh3.Hash128Seed(p[:], s.seed)
	at, _ := bits.Mul64(mixed.Lo, s.shards)
	return s.part(mixed.Hi), int(at)
}

// part finds the share that a hash falls into.
func (s *Splitter) part(hash uint64) Part {
	for i, end := range s.ends {
		if end.full || hash < end.at {
			return Part(i)
		}
	}
	return s.last
}

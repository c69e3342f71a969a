package clean

import (
	"fmt"
	"math"

	"github.com/zeebo/xxh3"

	"github.com/millrace-go/millrace/internal/fielderr"
	"github.com/millrace-go/millrace/internal/names"
)

// sampler keeps the rows of a Sample.
type sampler struct {
	rule *rule
	at   []int  // the key's columns among the columns, then the derived ones
	seed uint64 // of the salt
	last uint64 // the greatest hash that is kept
}

// addSample plans the sample of the columns that come out; nil is no sample.
func (c *Cleaner) addSample(s *Sample, columns *scope) error {
	if s == nil {
		return nil
	}
	p := &sampler{seed: xxh3.HashString("sample " + s.Salt), last: math.MaxUint64, at: c.outputs}
	if s.Fraction < 1 {
		p.last = uint64(math.Ldexp(s.Fraction, 64)) // exact: a power of two times a float64
	}
	if len(s.Key) > 0 {
		p.at = nil
	}
	for i, name := range s.Key {
		at, ok := columns.position[name]
		if !ok {
			return fielderr.New(fmt.Sprintf("sample.key[%d]", i), "column %q: not among the cleaned columns; did you mean %q?", name, names.Nearest(name, sortedKeys(columns.position)))
		}
		p.at = append(p.at, at)
	}
	p.rule = &rule{index: int32(len(c.rules)), id: "sample", action: Drop}
	c.rules = append(c.rules, p.rule)
	c.sampler = p
	return nil
}

// check hashes the canonical bytes of the key, as HashRows does, with a seed of
// its own: what is sampled says nothing of the split.
func (p *sampler) check(work []*cells, s *sieve) {
	var key []byte
	for row, fate := range s.fate {
		if fate != 0 {
			continue
		}
		key = key[:0]
		for _, at := range p.at {
			key = work[at].appendCanonical(key, row)
		}
		if xxh3.HashSeed(key, p.seed) > p.last {
			s.fail(p.rule, nil, row)
		}
	}
}

func (v *validator) sample(path string, s *Sample) {
	if !(s.Fraction > 0 && s.Fraction <= 1) {
		v.add(path+".fraction", "%v, want above 0 and at most 1", s.Fraction)
	}
	for i, name := range s.Key {
		if _, made := v.outputs[name]; !made && !v.open {
			v.add(fmt.Sprintf("%s.key[%d]", path, i), "no column %q; did you mean %q?", name, names.Nearest(name, sortedKeys(v.outputs)))
		}
	}
}

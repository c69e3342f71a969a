package arrowio

import (
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/internal/arrays"
)

const (
	// maxDictionary bounds what all dictionaries in force take in memory, decoded.
	maxDictionary = 48 << 20
	// maxStored bounds what is kept of their messages: the bodies too where the file is compressed as a whole.
	maxStored = 32 << 20
)

var errRuns = fmt.Errorf("a record batch of more than %d runs: write it in smaller record batches", maxRuns)

// dictionaries are those in force at a place of the file.
type dictionaries struct {
	messages map[int64][]*message  // by number: the values, then those of deltas
	decoded  map[int64]*array.Data // nested values with a null behind them
	left     int64
	opening  map[int64]bool
}

func newDictionaries() *dictionaries {
	return &dictionaries{messages: map[int64][]*message{}, decoded: map[int64]*array.Data{}, left: maxDictionary, opening: map[int64]bool{}}
}

// add makes m part of what is in force.
func (s *dictionaries) add(m *message) error {
	// What is decoded may refer to what changes: nothing of it stays.
	clear(s.decoded)
	s.left = maxDictionary
	if !m.Delta {
		s.messages[m.ID] = nil
	}
	s.messages[m.ID] = append(s.messages[m.ID], m)
	stored := int64(0)
	for _, list := range s.messages {
		for _, m := range list {
			stored += m.stored()
		}
	}
	if stored > maxStored {
		return fmt.Errorf("its dictionaries take more than %d MiB: write the columns plain, or uncompress the file", maxStored>>20)
	}
	return nil
}

// stored is what m takes in memory.
func (m *message) stored() int64 {
	return int64(16*(len(m.Batch.Nodes)+len(m.Batch.Buffers))) + int64(len(m.held))
}

// values returns the values of the dictionary of n.
func (s *dictionaries) values(n *node) *array.Data {
	if v := s.decoded[n.id]; v != nil {
		if !arrow.TypeEqual(v.DataType(), n.out) {
			fail("dictionary %d is of type %s, want %s", n.id, v.DataType(), n.out)
		}
		return v
	}
	if len(s.messages[n.id]) == 0 {
		fail("dictionary %d is not there", n.id)
	}
	if s.opening[n.id] {
		fail("dictionary %d holds itself", n.id)
	}
	s.opening[n.id] = true
	defer delete(s.opening, n.id)
	var parts []arrow.Array
	for _, m := range s.messages[n.id] {
		parts = append(parts, array.MakeFromData(s.decode(m, n.kids[0])))
	}
	v := parts[0].Data().(*array.Data)
	if len(parts) > 1 {
		all, err := arrays.Concat(parts)
		if err != nil {
			panic(failure{err})
		}
		v = all.Data().(*array.Data)
	}
	if nested(v.DataType()) {
		null := array.MakeArrayOfNull(memory.NewGoAllocator(), v.DataType(), 1)
		all, err := arrays.Concat([]arrow.Array{array.MakeFromData(v), null})
		if err != nil {
			panic(failure{err})
		}
		v = all.Data().(*array.Data)
	}
	s.decoded[n.id] = v
	return v
}

// decode reads the values of one message.
func (s *dictionaries) decode(m *message, values *node) *array.Data {
	cols, err := lay(m.Batch, []*node{values})
	if err != nil {
		panic(failure{err})
	}
	d := &decoder{body: m.body(), dicts: s, left: s.left, depth: 1}
	out := d.array(cols[0], 0, cols[0].rows)
	s.left = d.left
	return out
}

// indices reads the values that indices refer to.
func (d *decoder) indices(c *column, from, to int64) *array.Data {
	values, err := d.dictionary(c.node)
	if err != nil {
		panic(failure{err})
	}
	size := int64(values.Len())
	if nested(values.DataType()) {
		size--
	}
	valid, _ := d.validity(c, from, to)
	at := d.numbers(c.parts[0], c.width, c.signed, from, to-from)
	for i, v := range at {
		switch {
		case !isValid(valid, int64(i)):
			at[i] = -1
		case v < 0 || v >= size:
			fail("row %d: index %d of a dictionary of %d", from+int64(i), v, size)
		}
	}
	return d.gather(values, at)
}

// dictionary is the values of n; that they are too large is not for want of a smaller batch.
func (d *decoder) dictionary(n *node) (values *array.Data, err error) {
	defer func() { err = named(err) }()
	defer recoverFailure(&err)
	return d.dicts.values(n), nil
}

// named says which dictionaries are too large.
func named(err error) error {
	if errors.Is(err, errLarge) {
		return fmt.Errorf("its dictionaries take more than %d MiB: write the columns plain", maxDictionary>>20)
	}
	return err
}

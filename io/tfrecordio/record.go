package tfrecordio

import (
	"fmt"
	"unicode/utf8"
)

// place is where the record being read has a feature.
type place struct {
	record int64  // the number of the last record that has it
	body   []byte // its tf.Feature, or tf.FeatureList
}

// record finds the features of one record after the other.
type record struct {
	numbers [2]map[string]int // of context features and of sequence features, by name
	names   []string          // by number
	spaces  []int             // by number: which of numbers
	places  []place           // by number
	found   []int             // the numbers of the features of this record, each once
	current int64
	after   []int // by number, behind 0 for the beginning: one more than what came next in an earlier record

	// unknown is asked about a name that is new.
	unknown func(name string, sequence bool) error
}

func newRecord(unknown func(name string, sequence bool) error) *record {
	return &record{numbers: [2]map[string]int{{}, {}}, after: []int{0}, unknown: unknown}
}

// add gives a feature the next number.
func (r *record) add(name string, sequence bool) {
	r.numbers[space(sequence)][name] = len(r.names)
	r.names = append(r.names, name)
	r.spaces = append(r.spaces, space(sequence))
	r.places = append(r.places, place{})
	r.after = append(r.after, 0)
}

// space is 0 for context features, 1 for sequence features.
func space(sequence bool) int {
	if sequence {
		return 1
	}
	return 0
}

// errNotExample is of a record that is no Example; its text is the reason of the letter.
var errNotExample = fmt.Errorf("want a tf.Example or tf.SequenceExample: write the record as one of these")

// read finds the features of msg, which is kept until the next read.
func (r *record) read(msg []byte) error {
	r.current++
	r.found = r.found[:0]
	last := 0
	for rest := msg; len(rest) > 0; {
		number, body, after, ok := message(rest, 2)
		if !ok {
			return errNotExample
		}
		rest = after
		for len(body) > 0 {
			key, value, after, ok := entry(body)
			if !ok {
				return errNotExample
			}
			body = after
			at, err := r.number(msg, key, number == 2, last)
			if err != nil {
				return err
			}
			r.after[last] = at + 1
			last = at + 1
			if p := &r.places[at]; p.record != r.current {
				p.record = r.current
				r.found = append(r.found, at)
			}
			r.places[at].body = value // of two entries with one key, the last counts
		}
	}
	return nil
}

// number finds the number of the feature called key, which comes behind the one before last.
func (r *record) number(msg, key []byte, sequence bool, last int) (int, error) {
	numbers := r.numbers[space(sequence)]
	if at := r.after[last] - 1; at >= 0 && r.names[at] == string(key) && r.spaces[at] == space(sequence) {
		return at, nil
	}
	if at, ok := numbers[string(key)]; ok {
		return at, nil
	}
	// The columns of a record that is no Example are no columns.
	if !utf8.Valid(key) || !wellFormed(msg) {
		return 0, errNotExample
	}
	if err := r.unknown(string(key), sequence); err != nil {
		return 0, err
	}
	return numbers[string(key)], nil
}

// wellFormed says that msg is made of maps of names to messages.
func wellFormed(msg []byte) bool {
	for len(msg) > 0 {
		_, body, rest, ok := message(msg, 2)
		if !ok {
			return false
		}
		msg = rest
		for len(body) > 0 {
			key, _, rest, ok := entry(body)
			if !ok || !utf8.Valid(key) {
				return false
			}
			body = rest
		}
	}
	return true
}

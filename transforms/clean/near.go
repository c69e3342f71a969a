package clean

import "github.com/millrace-go/millrace/internal/fielderr"

// The units of shingles.
const (
	wordShingles      = "words"
	characterShingles = "characters"
)

// Limit is Threshold, or its default of 0.8.
func (n *NearDuplicates) Limit() float64 {
	if n.Threshold == 0 {
		return 0.8
	}
	return n.Threshold
}

// Words tells whether shingles are of words, not characters.
func (n *NearDuplicates) Words() bool { return n.Shingles != characterShingles }

// Run is Size, or its default: 3 words or 5 characters.
func (n *NearDuplicates) Run() int {
	switch {
	case n.Size != 0:
		return n.Size
	case n.Words():
		return 3
	}
	return 5
}

// maxShingle bounds the words or characters of a shingle.
const maxShingle = 64

func (v *validator) near(path string, n *NearDuplicates) {
	if _, made := v.outputs[n.Column]; !made && !v.open {
		v.add(path+".column", "no column %q is cleaned", n.Column)
	}
	if k, known := v.kinds[n.Column]; known && k != kindString {
		v.add(path+".column", "column %q: type %v, want string", n.Column, k)
	}
	if t := n.Limit(); !(t >= minThreshold && t <= 1) {
		v.add(path+".threshold", "%v, want %v to 1", t, minThreshold)
	}
	if n.Shingles != "" && n.Shingles != wordShingles && n.Shingles != characterShingles {
		v.add(path+".shingles", "unknown unit %q, want %s or %s", n.Shingles, wordShingles, characterShingles)
	}
	if n.Size < 0 || n.Size > maxShingle {
		v.add(path+".size", "%d, want 1 to %d", n.Size, maxShingle)
	}
}

// minThreshold is the least threshold for which 128 minima are enough.
const minThreshold = 0.05

// checkNear fails unless the near duplicates' column is a string that comes out
// of c.
func (c *Cleaner) checkNear(n *NearDuplicates) error {
	i := c.schema.FieldIndices(n.Column)
	if len(i) != 1 {
		return fielderr.New("near_duplicates.column", "no column %q is cleaned", n.Column)
	}
	if t := c.schema.Field(i[0]).Type; t.ID() != arrowTypes[kindString].ID() {
		return fielderr.New("near_duplicates.column", "column %q: type %v, want string", n.Column, t)
	}
	return nil
}

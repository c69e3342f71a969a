// Package split puts every row, for ever, in train, validation or test, by a
// hash of the row, and in one of the training shards by another.
package split

// Spec is the job's split section. The shares must sum to 1.
type Spec struct {
	Train      float64 `yaml:"train"`      // default 0.7
	Validation float64 `yaml:"validation"` // default 0.15
	Test       float64 `yaml:"test"`       // default 0.15
	// Key lists the cleaned columns whose values are hashed, so that rows of one key stay together. The default is all columns.
	Key []string `yaml:"key"`
	// Salt changes the assignment. The default is "".
	Salt string `yaml:"salt"`
}

// Package split puts every row, for ever, in train, validation or test, by a
// hash of the row, and in one of the training shards by another.
package split

// Spec is the job's split section. The shares must sum to 1; a row keeps its
// part as long as they, Key and Salt stay, whatever rows are added.
type Spec struct {
	// Train is the share of rows to train on. The default is 0.7.
	Train float64 `yaml:"train"`
	// Validation is the share of rows that decide when to stop. The default is 0.15.
	Validation float64 `yaml:"validation"`
	// Test is the share of rows that measure the result. The default is 0.15.
	Test float64 `yaml:"test"`
	// Key lists the cleaned columns whose values are hashed, so that rows of one key stay together. The default is all columns.
	Key []string `yaml:"key"`
	// Salt changes the assignment. The default is "".
	Salt string `yaml:"salt"`
}

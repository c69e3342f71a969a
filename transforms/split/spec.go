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
	// Time splits by time instead of by the shares: the past to train on, what came later to validate and test. Key and Salt then only choose the shard.
	Time *Time `yaml:"time" json:",omitempty"`
}

// Time splits at two moments. A row without a time is trained on.
type Time struct {
	// Column is the cleaned date or timestamp.
	Column string `yaml:"column"`
	// Validation is the first moment of validation: a date, which begins at midnight UTC, or a timestamp, in ISO 8601.
	Validation string `yaml:"validation"`
	// Test is the first moment of test, likewise.
	Test string `yaml:"test"`
}

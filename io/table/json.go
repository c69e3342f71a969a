package table

import "fmt"

// The defaults of JSON.
const (
	DefaultFlattenDepth = 8
	DefaultMaxColumns   = 1000
)

// JSON are the settings of JSON Lines. The zero value means the defaults.
type JSON struct {
	// FlattenDepth is how many levels of objects become columns: with 1 an object in a row is
	// one column of JSON text, with 2 its members are columns "a.b", and an object in it is text. The default is 8.
	FlattenDepth int `yaml:"flatten_depth"`
	// MaxColumns bounds the columns of a file; one with more is refused. The default is 1000.
	MaxColumns int `yaml:"max_columns"`
}

// WithDefaults replaces the zero fields by the defaults and checks the rest.
func (o JSON) WithDefaults() (JSON, error) {
	if o.FlattenDepth < 0 || o.MaxColumns < 0 {
		return o, fmt.Errorf("table.JSON: FlattenDepth %d, MaxColumns %d: want none negative (0 is the default)", o.FlattenDepth, o.MaxColumns)
	}
	if o.FlattenDepth == 0 {
		o.FlattenDepth = DefaultFlattenDepth
	}
	if o.MaxColumns == 0 {
		o.MaxColumns = DefaultMaxColumns
	}
	return o, nil
}

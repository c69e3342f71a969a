// Package clean makes typed, checked rows of raw ones. A row that fails a rule
// leaves with its reason: to the dead letters, or counted as dropped.
package clean

// Spec is the job's clean section.
type Spec struct {
	// Columns are the columns kept, with their types and rules, by source name.
	// A source column that is not listed is ignored, unless KeepOthers is set.
	// Empty keeps every column of the source with its inferred type.
	Columns []Column `yaml:"columns"`
	// KeepOthers keeps the source columns that Columns does not list, with their inferred types.
	KeepOthers bool `yaml:"keep_others"`
	// Nulls are the cell texts that mean null, after trimming, in every text column. The default is [""].
	Nulls []string `yaml:"nulls"`
	// Derive computes columns from cleaned ones, in order.
	Derive []Derive `yaml:"derive"`
	// DropDuplicates drops rows equal to an earlier kept row in all cleaned columns, counted under the rule "duplicate".
	DropDuplicates bool `yaml:"drop_duplicates"`
}

// Column is one source column (or a run of them) and its rules.
type Column struct {
	// Name is the source column. "p{0..63}" means p0, p1, … p63: every other key holds for each.
	Name string `yaml:"name"`
	// Rename is the name from here on. The default is Name.
	Rename string `yaml:"rename"`
	// Type is string, int64, float64, bool, date or timestamp. The default is inferred.
	Type string `yaml:"type"`
	// Format is the layout of a date or timestamp in text, in strftime terms. The default is ISO 8601.
	Format string `yaml:"format"`
	// KeepSpace keeps leading and trailing white space of text cells, which is trimmed otherwise.
	KeepSpace bool `yaml:"keep_space"`
	// Nulls replaces the section's nulls for this column.
	Nulls []string `yaml:"nulls"`
	// OnTypeError says what becomes of a row whose cell is not of the type (or is NaN or infinite).
	OnTypeError Action `yaml:"on_type_error"`

	Required *Required `yaml:"required"`
	Range    *Range    `yaml:"range"`
	Domain   *Domain   `yaml:"domain"`
	Regex    *Regex    `yaml:"regex"`
}

// Action says what becomes of a row that fails a rule: "dead" (to the dead
// letters), "drop" (counted only) or "null" (the cell becomes null and the row
// stays). The default is "dead".
type Action string

// Required fails on null.
type Required struct {
	Action Action `yaml:"action"` // dead or drop
}

// Range fails outside [Min, Max]; either may be left out. Nulls pass.
type Range struct {
	Min    *float64 `yaml:"min"`
	Max    *float64 `yaml:"max"`
	Action Action   `yaml:"action"`
}

// Domain fails on a value that is not listed. Nulls pass.
type Domain struct {
	Values []string `yaml:"values"`
	Action Action   `yaml:"action"`
}

// Regex fails on text that does not match the whole of an RE2 pattern. Nulls pass.
type Regex struct {
	Pattern string `yaml:"pattern"`
	Action  Action `yaml:"action"`
}

// Derive computes column Name from column From; null gives null.
type Derive struct {
	Name string `yaml:"name"`
	From string `yaml:"from"`
	// As is year, month (1-12), day (1-31), weekday (1 is Monday), hour, map or at_least.
	As string `yaml:"as"`
	// Value is, for at_least, the bound: the result is the bool From >= Value.
	Value *float64 `yaml:"value"`
	// Map gives the text for each text of From; what it does not list becomes Default, or null without one.
	Map     map[string]string `yaml:"map"`
	Default *string           `yaml:"default"`
}

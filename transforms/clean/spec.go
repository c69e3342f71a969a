// Package clean makes typed, checked rows of raw ones. A row that fails a rule
// leaves with its reason: to the dead letters, or counted as dropped.
//
// The checks of a column run in this order, on the trimmed cell:
//
//	nulls → type → finite → range → domain → regex → required
//
// Columns are checked in the order of the job file, then the others that are
// kept in the order of the source. A row leaves by the first rule it fails, so
// rows read = kept + dropped + dead. Rules are counted by id: the column's name
// after renaming, a dot and the check, such as "speed.range".
//
// A cell that fails a check whose action is "null" becomes null and passes the
// rest; required comes last, so that it fails if the column has it.
package clean

// Spec is the job's clean section.
type Spec struct {
	// Columns are the columns kept, with their types and rules, by source name.
	// A source column that is not listed is ignored, unless KeepOthers is set.
	// Empty keeps every column of the source with its inferred type.
	Columns []Column `yaml:"columns"`
	// KeepOthers keeps the source columns that Columns does not list, with their inferred types. The default is false.
	KeepOthers bool `yaml:"keep_others"`
	// Nulls are the cell texts that mean null, after trimming, in every text column. The default is [""].
	// A list that leaves out "" makes an empty cell a text, and a type error in a number or date.
	Nulls []string `yaml:"nulls"`
	// Derive computes columns from cleaned ones, in order; one may build on those before it.
	Derive []Derive `yaml:"derive"`
	// DropDuplicates drops rows equal to an earlier kept row in all cleaned columns, counted under the rule "duplicate".
	DropDuplicates bool `yaml:"drop_duplicates"`
}

// Column is one source column (or a run of them) and its rules.
type Column struct {
	// Name is the source column. "p{0..63}" means p0, p1, … p63: every other key holds for each.
	Name string `yaml:"name"`
	// Rename is the name from here on. The default is Name. For a run of columns it is a run of as many names.
	Rename string `yaml:"rename"`
	// Type is string, int64, float64, bool, date or timestamp (microseconds, UTC). The default is inferred
	// from the first rows of a text column, and the column's own type in a typed file.
	//
	// Text becomes an int64 in base 10 without a fraction ("12.0" is none), a bool from true/false, t/f, yes/no
	// or 1/0 in any letter case. A typed column is converted where nothing is lost: 3.0 to int64, but not 3.5.
	Type string `yaml:"type"`
	// Format is the layout of a date or timestamp in text, in strftime terms: %Y %y %m %b %d %j %H %M %S %f %z.
	// The default is ISO 8601: 2006-01-02, or 2006-01-02T15:04:05 with a blank for the T, a fraction and a zone allowed.
	Format string `yaml:"format"`
	// KeepSpace keeps leading and trailing white space of text cells, which is trimmed otherwise. The default is false.
	KeepSpace bool `yaml:"keep_space"`
	// Nulls replaces the section's nulls for this column.
	Nulls []string `yaml:"nulls"`
	// OnTypeError says what becomes of a row whose cell is not of the type (rule "type"), or is NaN or infinite
	// (rule "finite"). The default is "dead".
	OnTypeError Action `yaml:"on_type_error"`

	// Required refuses nulls.
	Required *Required `yaml:"required"`
	// Range bounds an int64 or float64.
	Range *Range `yaml:"range"`
	// Domain lists the values allowed.
	Domain *Domain `yaml:"domain"`
	// Regex is the pattern of a string.
	Regex *Regex `yaml:"regex"`
}

// Action says what becomes of a row that fails a rule: "dead" (to the dead
// letters), "drop" (counted only) or "null" (the cell becomes null and the row
// stays). The default is "dead".
type Action string

// The actions. The empty Action is Dead.
const (
	Dead Action = "dead"
	Drop Action = "drop"
	Null Action = "null"
)

// Required fails on null, and on a cell that another rule made null.
type Required struct {
	// Action is dead or drop. The default is dead.
	Action Action `yaml:"action"`
}

// Range fails outside [Min, Max]; either may be left out. Nulls pass.
type Range struct {
	// Min is the least value allowed. The default is none.
	Min *float64 `yaml:"min"`
	// Max is the greatest value allowed. The default is none.
	Max *float64 `yaml:"max"`
	// Action is dead, drop or null. The default is dead.
	Action Action `yaml:"action"`
}

// Domain fails on a value that is not listed. Nulls pass.
type Domain struct {
	// Values are the values allowed, written as cells of the column's type and format.
	Values []string `yaml:"values"`
	// Action is dead, drop or null. The default is dead.
	Action Action `yaml:"action"`
}

// Regex fails on text that does not match the whole of an RE2 pattern. Nulls pass.
type Regex struct {
	// Pattern is the RE2 expression for the whole cell.
	Pattern string `yaml:"pattern"`
	// Action is dead, drop or null. The default is dead.
	Action Action `yaml:"action"`
}

// Derive computes column Name from column From; null gives null.
type Derive struct {
	// Name is the new column.
	Name string `yaml:"name"`
	// From is a cleaned column, after renaming, or one derived before.
	From string `yaml:"from"`
	// As is year, month (1-12), day (1-31), weekday (1 is Monday), hour, map or at_least.
	// The parts of a date need a date or timestamp (hour: a timestamp, in UTC) and give an int64.
	As string `yaml:"as"`
	// Value is, for at_least, the bound: the result is the bool From >= Value.
	Value *float64 `yaml:"value"`
	// Map gives the text for each text of From; what it does not list becomes Default, or null without one.
	// From is a string, int64 or bool; the texts of a bool are true and false.
	Map map[string]string `yaml:"map"`
	// Default is the text for values that Map does not list. The default is null.
	Default *string `yaml:"default"`
}

// Package clean makes typed, checked rows of raw ones. A row that fails a rule
// leaves with its reason: to the dead letters, or counted as dropped.
//
// What is done to a column is done in this order, on the trimmed cell:
//
//	text → nulls → type → finite → range → domain → regex → length → outliers → rare → required
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
	// Rules are what must be true of each row, in order, after all columns are cleaned and derived.
	Rules []Rule `yaml:"rules,omitempty" json:",omitempty"`
	// DropDuplicates drops rows equal to an earlier kept row in all cleaned columns, counted under the rule "duplicate".
	DropDuplicates bool `yaml:"drop_duplicates"`
	// NearDuplicates drops rows whose text is nearly that of an earlier row.
	NearDuplicates *NearDuplicates `yaml:"near_duplicates" json:",omitempty"`
	// Sample keeps a share of the rows; the others are dropped, counted under the rule "sample".
	Sample *Sample `yaml:"sample" json:",omitempty"`
	// Fitted is what was found in all rows, for the rules that need it; nil as long as they are not fitted. It is no key
	// of the job file.
	Fitted *Fitted `yaml:"-" json:",omitempty"`
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
	// A cell of text becomes an int64 in base 10 without a fraction ("12.0" is none), a bool from true/false, t/f, yes/no
	// or 1/0 in any letter case. A typed column is converted where nothing is lost: 3.0 to int64, but not 3.5.
	Type string `yaml:"type"`
	// Format is the layout of a date or timestamp in text, in strftime terms: %Y %y %m %b %d %j %H %M %S %f %z.
	// The default is ISO 8601: 2006-01-02, or 2006-01-02T15:04:05 with a blank for the T, a fraction and a zone allowed.
	Format string `yaml:"format"`
	// Formats are several formats, tried in order: the first that fits a cell reads it. "iso" stands for the default of Format.
	Formats []string `yaml:"formats,omitempty" json:",omitempty"`
	// Number says how numbers are written in text. The column is a float64 unless Type is int64.
	Number *Number `yaml:"number" json:",omitempty"`
	// Bool gives the texts of true and false, in place of those of Type.
	Bool *BoolWords `yaml:"bool" json:",omitempty"`
	// KeepSpace keeps leading and trailing white space of text cells, which is trimmed otherwise. The default is false.
	KeepSpace bool `yaml:"keep_space"`
	// Text changes the cells of a text column before anything else looks at them: nulls, type and rules see the result.
	Text *Text `yaml:"text" json:",omitempty"`
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
	// Length bounds the length of a string.
	Length *Length `yaml:"length" json:",omitempty"`
	// Outliers bounds an int64 or float64 by the other values of the column.
	Outliers *Outliers `yaml:"outliers" json:",omitempty"`
	// Rare makes one text of all rare ones of a string column.
	Rare *Rare `yaml:"rare" json:",omitempty"`
}

// Text is what becomes of a cell of text, in the order of the keys; white space around it is trimmed last. A cell that
// is no UTF-8 stays as it is, and is a type error.
type Text struct {
	// Normalize is a Unicode normalization form: nfc, nfd, nfkc or nfkd. The default is none.
	Normalize string `yaml:"normalize"`
	// Case is lower, upper or fold, which makes texts equal that differ in case only (ß is ss); the rules are those of
	// Unicode for no language in particular. What it changes is normalized again. The default is none.
	Case string `yaml:"case"`
	// CollapseSpace makes one blank of each run of white space. The default is false.
	CollapseSpace bool `yaml:"collapse_space"`
}

// Number is how a number is written for people: "-$1,234.50", "1 234,5 €", "12 %".
// Prefix, suffix and separators may be there or not; what is not declared may not.
type Number struct {
	// Decimal separates the decimals: one character. The default is ".".
	Decimal string `yaml:"decimal"`
	// Thousands separates groups of three digits: one character, which a number may also do without. A blank stands for
	// no-break and thin blanks too. The default is none.
	Thousands string `yaml:"thousands"`
	// Prefixes are texts that may precede a number, such as currencies, before or after its sign. The default is none.
	Prefixes []string `yaml:"prefixes"`
	// Suffixes are texts that may follow a number. The default is none.
	Suffixes []string `yaml:"suffixes"`
	// Percent takes a % at the end: 12.5% is 0.125. A number without it stays as it is. The default is false.
	Percent bool `yaml:"percent"`
	// Parentheses takes a number in parentheses as negative, as accountants write it. The default is false.
	Parentheses bool `yaml:"parentheses"`
}

// BoolWords are the texts of a bool, in any letter case.
type BoolWords struct {
	// True are the texts of true.
	True []string `yaml:"true"`
	// False are the texts of false.
	False []string `yaml:"false"`
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
	// Clip moves an outlier to the nearest bound; no other rule has it.
	Clip Action = "clip"
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

// Length fails on a string shorter than Min or longer than Max. Nulls pass.
type Length struct {
	// Min is the least length allowed. The default is none.
	Min *int `yaml:"min"`
	// Max is the greatest length allowed. The default is none.
	Max *int `yaml:"max"`
	// Unit is runes (Unicode code points) or bytes (of UTF-8). The default is runes.
	Unit string `yaml:"unit"`
	// Action is dead, drop or null. The default is dead.
	Action Action `yaml:"action"`
}

// Rule fails on a row for which an expression is false. Where it is null, as it is if a column that it compares is null,
// the row passes: write "tip != nil && tip < fare" to refuse nulls. A letter shows the columns that were read, as cleaned.
type Rule struct {
	// Name is the rule's; rows are counted under "rules." and the name.
	Name string `yaml:"name"`
	// Expr is a bool in the syntax of https://expr-lang.org of columns after renaming, and derived ones: + - * / %,
	// == != < <= > >=, in, && || !, ?:, ??, contains, startsWith, endsWith, matches, len, lower, upper, trim, abs, floor,
	// ceil, round, sqrt, min, max, int, float, string, date, year, month, day, weekday, hour. $env["a b"] is a column
	// whose name is no word. A result that does not exist (a division by zero, an overflow) is null.
	Expr string `yaml:"expr"`
	// Action is dead or drop. The default is dead.
	Action Action `yaml:"action"`
}

// Outliers fails on a value far from the others. What is far is found in a pass of its own over all rows that pass
// every other rule, the outliers among them, and holds for the rows to be scored, too. Nulls pass; so do all values if
// the spread is 0.
type Outliers struct {
	// Method is z_score (mean +- K standard deviations), iqr (K times the distance between the quartiles beyond them) or
	// hampel (median +- K * 1.4826 times the median distance from it). Quantiles are exact up to 65,536 distinct values,
	// and beyond that as in normalize.
	Method string `yaml:"method"`
	// K is the factor. The default is 3, of iqr 1.5.
	K *float64 `yaml:"k"`
	// Action is dead, drop, null or clip, which moves the value to the nearest bound. The default is dead.
	Action Action `yaml:"action"`
}

// Rare makes Other of every text that is not common, in a pass of its own over all rows that pass every rule. A text
// that is first seen in the rows to be scored is rare. Nulls stay.
type Rare struct {
	// MinCount is how often a common text occurs at least. The default is 1.
	MinCount int64 `yaml:"min_count"`
	// TopK is how many texts are common at most, the most frequent first, ties by bytes. The default is all.
	TopK int `yaml:"top_k"`
	// Other is what rare texts become. The default is "other".
	Other string `yaml:"other"`
	// MaxDistinct bounds the distinct texts held while they are counted; more is an error. The default is 1,000,000.
	MaxDistinct int `yaml:"max_distinct"`
}

// NearDuplicates drops rows, counted under the rule "near_duplicate", whose text shares most of its shingles (runs of
// words or characters) with that of an earlier row. Texts that are alike make a group, also by way of others; its first
// row in the order of the input stays. Nulls and empty texts are never duplicates. Two texts at the threshold are missed
// once in a hundred; none below it are taken for duplicates. It comes after DropDuplicates.
type NearDuplicates struct {
	// Column is a string column, after renaming. Its text keys say what differences do not count.
	Column string `yaml:"column"`
	// Threshold is the least share of common shingles, of all that two texts have, 0.05 to 1. The default is 0.8.
	Threshold float64 `yaml:"threshold"`
	// Shingles is words or characters. The default is words.
	Shingles string `yaml:"shingles"`
	// Size is how many of them make a shingle. The default is 3 words or 5 characters.
	Size int `yaml:"size"`
}

// Sample keeps the rows whose hash falls into a share, of those that pass every rule of columns and rows. A row is kept or
// not for ever, whatever rows are added, and one kept at a smaller fraction is kept at a larger. Rows to be scored are
// all kept.
type Sample struct {
	// Fraction is the share of rows to keep, above 0 and at most 1.
	Fraction float64 `yaml:"fraction"`
	// Key lists the cleaned columns whose values are hashed, so that rows of one key stay or go together. The default is all columns.
	Key []string `yaml:"key"`
	// Salt changes which rows are kept. The default is "".
	Salt string `yaml:"salt"`
}

// Derive computes column Name from column From, or from several by an expression; null gives null.
type Derive struct {
	// Name is the new column.
	Name string `yaml:"name"`
	// Expr computes the column from any others, as in a rule, with the type that it has. It takes the place of From and As.
	Expr string `yaml:"expr,omitempty" json:",omitempty"`
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

package table

// Text are the settings of lines of text.
type Text struct {
	// SkipBlank passes over lines without a character other than spaces and tabs. By default each
	// line is a row, so that the row number is the line number.
	SkipBlank bool `yaml:"skip_blank"`
}

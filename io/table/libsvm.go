package table

// LibSVM are the settings of libsvm files.
type LibSVM struct {
	// ZeroBased says that indices begin at 0, and the columns of features with f0. By default they
	// begin at 1, and f1.
	ZeroBased bool `yaml:"zero_based"`
	// Features is the number of columns of features; a row with an index beyond them is a dead letter.
	// The default is what the greatest index of the file needs: say it where the files of an
	// input differ in that.
	Features int `yaml:"features"`
	// Label is the type of the label: "int64" or "float64". The default is int64 if all labels of
	// the file are integers.
	Label string `yaml:"label"`
}

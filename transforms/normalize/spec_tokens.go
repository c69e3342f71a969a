package normalize

// Hash gives every token a bucket by its hash, xxhash64(token) mod Buckets.
// Nothing is fitted, so no token is too many. Unless there is a fill (by a
// constant), null has an id of its own after the buckets.
type Hash struct {
	// Buckets is the number of ids, 1 to 1,048,576.
	Buckets int `yaml:"buckets"`
}

// Cross gives every combination of the tokens of several columns a bucket: by
// xxhash64 over, for each column, a byte 0 for null, or a byte 1, the length of
// the token as a varint, and the token.
type Cross struct {
	// With are the cleaned columns to cross the feature's column with: string, int64 or bool.
	With []string `yaml:"with"`
	// Buckets is the number of ids, 1 to 1,048,576.
	Buckets int `yaml:"buckets"`
}

// Target replaces a token by the share of each class among the train split's
// rows of that token: one number, the share of the second class, if there are
// two, else one a class. It is (rows of the class + smoothing * its overall
// share) / (rows + smoothing); a token that was never seen has the overall
// share. Null is a token like others. So that a model does not see its label,
// rows of the train split are prepared out of fold: by the rows of all other
// folds. All others are prepared by all rows.
type Target struct {
	// Folds is the number of folds, 2 to 64. The default is 5.
	Folds int `yaml:"folds"`
	// Smoothing is the weight of the overall share, in rows. The default is 10.
	Smoothing float64 `yaml:"smoothing"`
	// Key lists the cleaned columns whose hash chooses the fold, so that rows of one key stay together. The default is all columns but those of lists and bytes.
	Key []string `yaml:"key"`
	// MaxDistinct bounds the distinct tokens held while fitting; more is an error. The default is 100,000.
	MaxDistinct int `yaml:"max_distinct"`
}

// Text makes one number for each of the most frequent terms of a text: a term
// is a run of words, or of characters. A null is a text without terms.
type Text struct {
	// Split is words (the runs of letters, marks and digits, as Unicode has
	// them), spaces (the runs of anything but white space) or characters. The
	// default is words.
	Split string `yaml:"split"`
	// Lower lower-cases the text first.
	Lower bool `yaml:"lower"`
	// Ngrams says how many words or characters, one after the other, are a term. The default is one.
	Ngrams *Ngrams `yaml:"ngrams"`
	// Weight is count, binary (1 if the term is there), tf (count over the
	// number of terms of the text, those that have no number included) or
	// tf_idf: tf times 1+ln((N+1)/(n+1)), where n of the train split's N texts
	// have the term. The default is tf_idf.
	Weight string `yaml:"weight"`
	// Unsmoothed takes 1+ln(N/n) in tf_idf.
	Unsmoothed bool `yaml:"unsmoothed"`
	// TopK is the number of terms that get a number, most frequent first, ties by bytes. The default is 1,000.
	TopK int `yaml:"top_k"`
	// MinCount leaves out terms seen fewer times in the train split. The default is 1.
	MinCount int64 `yaml:"min_count"`
	// MaxDistinct bounds the distinct terms held while fitting; more is an error. The default is 1,000,000.
	MaxDistinct int `yaml:"max_distinct"`
}

// Ngrams are the lengths of terms.
type Ngrams struct {
	// Min is the shortest, at least 1, which is the default.
	Min int `yaml:"min"`
	// Max is the longest, at most 8. The default is min.
	Max int `yaml:"max"`
}

const (
	defaultFolds, largestFolds                       = 5, 64
	defaultSmoothing                                 = 10
	defaultTargets                                   = 100_000
	defaultTopK                                      = 1000
	largestNgram                                     = 8
	splitWords, splitSpaces, splitCharacters         = "words", "spaces", "characters"
	weightCount, weightBinary, weightTF, weightTFIDF = "count", "binary", "tf", "tf_idf"
)

func (t Target) withDefaults() Target {
	if t.Folds == 0 {
		t.Folds = defaultFolds
	}
	if t.Smoothing == 0 {
		t.Smoothing = defaultSmoothing
	}
	if t.MaxDistinct == 0 {
		t.MaxDistinct = defaultTargets
	}
	return t
}

func (t Text) withDefaults() Text {
	if t.Split == "" {
		t.Split = splitWords
	}
	if t.Weight == "" {
		t.Weight = weightTFIDF
	}
	n := Ngrams{}
	if t.Ngrams != nil {
		n = *t.Ngrams
	}
	n.Min = max(n.Min, 1)
	if n.Max == 0 {
		n.Max = n.Min
	}
	t.Ngrams = &n
	if t.TopK == 0 {
		t.TopK = defaultTopK
	}
	t.MinCount = max(t.MinCount, 1)
	if t.MaxDistinct == 0 {
		t.MaxDistinct = defaultMaxDistinct
	}
	return t
}

package normalize

import (
	"slices"
	"strings"
)

// form is what kind of thing is made of a column.
type form struct {
	name string // the key in the Spec that asks for it
	set  func(f Feature) bool
	// allows are the keys that may stand beside it.
	allows []string
}

// forms are those that exclude each other; none is a number, or the
// vocabulary of a string column.
var forms = []form{
	{"vocabulary", func(f Feature) bool { return f.Vocabulary != nil }, []string{"fill", "encode", "sequence"}},
	{"hash", func(f Feature) bool { return f.Hash != nil }, []string{"fill", "encode", "sequence"}},
	{"cross", func(f Feature) bool { return f.Cross != nil }, []string{"encode"}},
	{"target", func(f Feature) bool { return f.Target != nil }, nil},
	{"text", func(f Feature) bool { return f.Text != nil }, nil},
	{"pca", func(f Feature) bool { return f.PCA != nil }, []string{"fill"}},
	{"image", func(f Feature) bool { return f.Image != nil }, nil},
}

// form is the one asked for, or one without a name.
func (f Feature) form() form {
	for _, one := range forms {
		if one.set(f) {
			return one
		}
	}
	return form{}
}

// IsNumber says whether the feature makes one number of each column, as far as
// can be told without its type.
func (f Feature) IsNumber() bool {
	return f.form().name == "" && f.Bucketize == nil && f.Sequence == nil
}

// Others lists the columns that the feature reads beside its own, but for the
// label.
func (f Feature) Others() []string {
	switch {
	case f.PerKey != nil:
		return []string{f.PerKey.Column}
	case f.Cross != nil:
		return f.Cross.With
	case f.Target != nil:
		return f.Target.Key
	case f.PCA != nil:
		return f.PCA.With
	}
	return nil
}

// steps lists the keys of steps that the feature has.
func (f Feature) steps() []string {
	var out []string
	if f.Fill != nil {
		out = append(out, "fill")
	}
	if f.Encode != "" {
		out = append(out, "encode")
	}
	if f.Sequence != nil {
		out = append(out, "sequence")
	}
	if step := f.numericStep(); step != "" {
		out = append(out, step)
	}
	return out
}

func (c *checker) form(at string, f Feature) {
	if f.Sequence != nil {
		c.sequence(at+".sequence", f)
	}
	one := f.form()
	for _, other := range forms {
		if other.set(f) && other.name != one.name {
			c.fail(at+"."+other.name, "with %s: one of them is asked for twice over; list the column again", one.name)
		}
	}
	if one.name == "" {
		return
	}
	for _, step := range f.steps() {
		if !slices.Contains(one.allows, step) {
			what := "a step that does not go with"
			if step == f.numericStep() {
				what = "a numeric step on a column with"
			}
			c.fail(at+"."+step, "%s %s", what, article(one.name))
		}
	}
	switch {
	case f.Hash != nil:
		c.buckets(at+".hash.buckets", f.Hash.Buckets)
		if f.Fill != nil && f.Fill.With != fillConstant {
			c.fail(at+".fill.with", "%s with a hash, want constant", f.Fill.With)
		}
	case f.Cross != nil:
		c.buckets(at+".cross.buckets", f.Cross.Buckets)
		c.others(at+".cross.with", f.Column, f.Cross.With)
		if len(f.Cross.With) == 0 {
			c.fail(at+".cross.with", "no columns to cross with")
		}
	case f.Target != nil:
		c.target(at+".target", f.Target.withDefaults())
	case f.Text != nil:
		c.text(at+".text", f.Text.withDefaults())
	case f.PCA != nil:
		c.pca(at+".pca", f)
	case f.Image != nil:
		c.image(at+".image", f.Image.withDefaults())
	}
}

func article(name string) string {
	if strings.ContainsAny(name[:1], "aeiou") {
		return "an " + name
	}
	return "a " + name
}

func (c *checker) buckets(at string, n int) {
	if n < 1 || n > maxOOVBuckets {
		c.fail(at, "%d, want 1 to %d", n, maxOOVBuckets)
	}
}

// others checks a list of columns beside the feature's own.
func (c *checker) others(at, own string, list []string) {
	seen := map[string]bool{own: true}
	for _, name := range list {
		if name == "" || seen[name] {
			c.fail(at, "column %q: empty, or there twice", name)
		}
		seen[name] = true
	}
}

func (c *checker) target(at string, t Target) {
	if t.Folds < 2 || t.Folds > largestFolds {
		c.fail(at+".folds", "%d, want 2 to %d", t.Folds, largestFolds)
	}
	if !(t.Smoothing > 0) || !isFinite(t.Smoothing) {
		c.fail(at+".smoothing", "%v, want a number above 0", t.Smoothing)
	}
	c.others(at+".key", "", t.Key)
	c.maxDistinct(at+".max_distinct", t.MaxDistinct)
}

func (c *checker) text(at string, t Text) {
	c.oneOf(at+".split", t.Split, splitWords, splitSpaces, splitCharacters)
	c.oneOf(at+".weight", t.Weight, weightCount, weightBinary, weightTF, weightTFIDF)
	if n := t.Ngrams; n.Min < 1 || n.Min > n.Max || n.Max > largestNgram {
		c.fail(at+".ngrams", "%d to %d, want 1 <= min <= max <= %d", n.Min, n.Max, largestNgram)
	}
	if t.Unsmoothed && t.Weight != weightTFIDF {
		c.fail(at+".unsmoothed", "with weight: %s; it is for tf_idf", t.Weight)
	}
	if t.TopK < 1 || t.TopK > MaxWidth {
		c.fail(at+".top_k", "%d, want 1 to %d", t.TopK, MaxWidth)
	}
	c.maxDistinct(at+".max_distinct", t.MaxDistinct)
}

func (c *checker) maxDistinct(at string, n int) {
	if n < 1 || n > largestMaxDistinct {
		c.fail(at, "%d, want 1 to %d", n, largestMaxDistinct)
	}
}

package clean

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"github.com/millrace-go/millrace/internal/fielderr"
)

// normalForms are the job's words for Unicode's normalization forms, and letterCases
// those for its case mappings.
var (
	normalForms = map[string]norm.Form{"nfc": norm.NFC, "nfd": norm.NFD, "nfkc": norm.NFKC, "nfkd": norm.NFKD}
	letterCases = map[string]func() cases.Caser{
		"lower": func() cases.Caser { return cases.Lower(language.Und) },
		"upper": func() cases.Caser { return cases.Upper(language.Und) },
		"fold":  func() cases.Caser { return cases.Fold() },
	}
)

// rewriter does what a Text says. It is immutable.
type rewriter struct {
	normal   norm.Form
	hasForm  bool
	letters  string // key of letterCases, "" for none
	collapse bool
}

// newRewriter compiles t; nil if it changes nothing. Its error is a FieldError.
func newRewriter(t *Text) (*rewriter, error) {
	if t == nil {
		return nil, nil
	}
	r := &rewriter{letters: t.Case, collapse: t.CollapseSpace}
	if r.normal, r.hasForm = normalForms[t.Normalize]; t.Normalize != "" && !r.hasForm {
		return nil, fielderr.New("text.normalize", "unknown form %q, want nfc, nfd, nfkc or nfkd", t.Normalize)
	}
	if _, known := letterCases[t.Case]; t.Case != "" && !known {
		return nil, fielderr.New("text.case", "unknown case %q, want lower, upper or fold", t.Case)
	}
	if !r.hasForm && r.letters == "" && !r.collapse {
		return nil, fielderr.New("text", "want normalize, case, collapse_space or more than one of them")
	}
	return r, nil
}

// one rewrites a single text.
func (r *rewriter) one(s string) string { return r.start().rewrite(s) }

// rewriting is a rewriter at work, for one goroutine.
type rewriting struct {
	*rewriter
	caser   cases.Caser
	started bool
}

func (r *rewriter) start() *rewriting { return &rewriting{rewriter: r} }

// rewrite takes no memory where it changes nothing.
func (r *rewriting) rewrite(s string) string {
	if ascii(s) { // every form of it is itself
		s = r.asciiCase(s)
	} else if utf8.ValidString(s) {
		s = r.unicodeCase(r.normalize(s))
	} else {
		return s
	}
	if r.collapse {
		s = collapseSpace(s)
	}
	return s
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (r *rewriting) asciiCase(s string) string {
	switch r.letters {
	case "lower", "fold":
		return strings.ToLower(s)
	case "upper":
		return strings.ToUpper(s)
	}
	return s
}

func (r *rewriting) normalize(s string) string {
	if !r.hasForm || r.normal.IsNormalString(s) {
		return s
	}
	return r.normal.String(s)
}

func (r *rewriting) unicodeCase(s string) string {
	if r.letters == "" {
		return s
	}
	if !r.started {
		r.caser, r.started = letterCases[r.letters](), true
	}
	changed := r.caser.String(s)
	if changed == s {
		return s
	}
	return r.normalize(changed)
}

// collapseSpace makes one blank of each run of white space.
func collapseSpace(s string) string {
	at := unevenSpace(s)
	if at < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	b.WriteString(s[:at])
	within := false
	for _, c := range s[at:] {
		space := unicode.IsSpace(c)
		switch {
		case !space:
			b.WriteRune(c)
		case !within:
			b.WriteByte(' ')
		}
		within = space
	}
	return b.String()
}

// unevenSpace is where the first white space begins that is not a single
// blank; -1 if there is none.
func unevenSpace(s string) int {
	last := -1 // where a blank that came right before lies
	for i, c := range s {
		if !unicode.IsSpace(c) {
			last = -1
			continue
		}
		if last >= 0 {
			return last
		}
		if c != ' ' {
			return i
		}
		last = i
	}
	return -1
}

// tidy rewrites and trims the cells of a text column and takes away those that
// mean null.
func (c *column) tidy(t *cells) {
	if c.rewrite != nil {
		c.rewriteTexts(t)
	}
	if !c.keepSpace {
		for i, s := range t.texts {
			trimmed := strings.TrimSpace(s)
			if len(trimmed) != len(s) && !t.isNull(i) {
				t.same = nil
			}
			t.texts[i] = trimmed
		}
	}
	if len(c.nulls) == 1 && c.nulls[0] == "" { // the usual case, at the speed of a length
		for i, s := range t.texts {
			if s == "" && !t.isNull(i) {
				t.setNull(i)
			}
		}
		return
	}
	for i, s := range t.texts {
		if slices.Contains(c.nulls, s) && !t.isNull(i) {
			t.setNull(i)
		}
	}
}

// rewriteTexts rewrites a text that follows its like only once.
func (c *column) rewriteTexts(t *cells) {
	r := c.rewrite.start()
	last, result := "", ""
	for i, s := range t.texts {
		if t.isNull(i) {
			continue
		}
		if s != last {
			last, result = s, r.rewrite(s)
		}
		if result != s {
			t.texts[i], t.same = result, nil
		}
	}
}

// runesUnit and bytesUnit are the units of a length.
const (
	runesUnit = "runes"
	bytesUnit = "bytes"
)

// lengthCheck counts runes only where bytes leave a doubt: a text of n bytes
// has n/4 to n runes.
func lengthCheck(l *Length) func(c *cells, fail func(int)) {
	low, high := 0, int(^uint(0)>>1)
	if l.Min != nil {
		low = *l.Min
	}
	if l.Max != nil {
		high = *l.Max
	}
	bytes := l.Unit == bytesUnit
	return func(c *cells, fail func(int)) {
		for i, s := range c.texts {
			n := len(s)
			if !bytes && (n > high || n/utf8.UTFMax < low) {
				n = utf8.RuneCountInString(s)
			}
			if (n < low || n > high) && !c.isNull(i) {
				fail(i)
			}
		}
	}
}

func lengthReason(l *Length) string {
	unit := "characters"
	if l.Unit == bytesUnit {
		unit = bytesUnit
	}
	switch {
	case l.Max == nil:
		return fmt.Sprintf("want at least %d %s", *l.Min, unit)
	case l.Min == nil:
		return fmt.Sprintf("want at most %d %s", *l.Max, unit)
	}
	return fmt.Sprintf("want %d to %d %s", *l.Min, *l.Max, unit)
}

package names

import (
	"slices"
	"strings"
	"testing"
)

func TestExpand(t *testing.T) {
	for _, c := range []struct {
		pattern string
		want    []string
	}{
		{"speed", []string{"speed"}},
		{"p{0..2}", []string{"p0", "p1", "p2"}},
		{"p{9..10}x", []string{"p9x", "p10x"}}, // no padding without a leading zero
		{"{08..10}", []string{"08", "09", "10"}},
		{"{8..010}", []string{"008", "009", "010"}}, // either bound pads
		{"{0..1}", []string{"0", "1"}},              // a single 0 is no padding
		{"{7..7}", []string{"7"}},
		{"a{{b}}", []string{"a{b}"}},
		{"{{{1..2}}}", []string{"{1}", "{2}"}}, // escaped braces around a range
		{"été{1..2}", []string{"été1", "été2"}},
	} {
		got, err := Expand(c.pattern)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("Expand(%q): got %q, %v, want %q", c.pattern, got, err, c.want)
		}
	}
}

func TestExpandErrors(t *testing.T) {
	for _, c := range []struct{ pattern, want string }{
		{"", "empty name"},
		{"p{0..3", "{ without }"},
		{"p0..3}", "} without {"},
		{"p{}", "no range"},
		{"p{a..b}", "no range"},
		{"p{-1..3}", "no range"},
		{"p{1..9999999999}", "no range"},
		{"p{3..1}", "goes down, want {1..3}"},
		{"p{0..1}{0..1}", "second range"},
		{"p{1..100001}", "more than 100000 names"},
		{"p{0..999999999}", "more than 100000 names"},
	} {
		_, err := Expand(c.pattern)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Expand(%q): got error %v, want %q in it", c.pattern, err, c.want)
		}
	}
}

func TestExpandAtTheBound(t *testing.T) {
	got, err := Expand("p{1..100000}")
	if err != nil || len(got) != MaxNames {
		t.Errorf("got %d names, %v, want %d", len(got), err, MaxNames)
	}
}

func TestEscape(t *testing.T) {
	for _, name := range []string{"plain", "a{b}", "{0..3}", "{{", "}"} {
		got, err := Expand(Escape(name))
		if err != nil || len(got) != 1 || got[0] != name {
			t.Errorf("Expand(Escape(%q)): got %q, %v", name, got, err)
		}
	}
}

func TestNearest(t *testing.T) {
	keys := []string{"batch_size", "epochs", "rate", "Rate", "speed", "spend"}
	for _, c := range []struct{ word, want string }{
		{"batch_sise", "batch_size"},
		{"BATCH_SIZE", "batch_size"}, // case costs nothing
		{"epohcs", "epochs"},         // a swap is one step
		{"rate", "rate"},
		{"Rate", "Rate"}, // case decides among equals
		{"spee d", "speed"},
		{"spe", "speed"},                     // as near as spend: byte order decides
		{strings.Repeat("x", 1<<20), "Rate"}, // all equally far: byte order, in bounded time
	} {
		if got := Nearest(c.word, keys); got != c.want {
			t.Errorf("Nearest(%.20q): got %q, want %q", c.word, got, c.want)
		}
	}
	if got := Nearest("x", nil); got != "" {
		t.Errorf("no candidates: got %q", got)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"ab", "ba", 1},
		{"ca", "abc", 3}, // restricted: no edit between swapped letters
		{"naïve", "naive", 1},
	} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance(%q, %q): got %d, want %d", c.a, c.b, got, c.want)
		}
		if got := distance(c.b, c.a); got != c.want {
			t.Errorf("distance(%q, %q): got %d, want %d", c.b, c.a, got, c.want)
		}
	}
}

func FuzzExpand(f *testing.F) {
	for _, s := range []string{"p{0..63}", "{{{01..2}}}", "}", "{", "{9..1}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		list, err := Expand(pattern)
		if err == nil && (len(list) == 0 || len(list) > MaxNames) {
			t.Errorf("Expand(%q): %d names", pattern, len(list))
		}
	})
}

package lint

import (
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// link is one link of a Markdown file.
type link struct {
	line   int
	target string
}

var (
	inlineLink = regexp.MustCompile(`\]\(<?([^()\s<>]+)>?(?:\s+"[^"]*")?\)`)
	codeSpan   = regexp.MustCompile("`+[^`]*`+")
)

// linksOf finds the inline links of a Markdown text outside of code.
func linksOf(text string) []link {
	var found []link
	fenced := false
	for i, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
			continue
		}
		if fenced || strings.HasPrefix(line, "    ") {
			continue
		}
		for _, m := range inlineLink.FindAllStringSubmatch(codeSpan.ReplaceAllString(line, "code"), -1) {
			found = append(found, link{i + 1, m[1]})
		}
	}
	return found
}

var notInAnchors = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)

// anchorsOf are the anchors that GitHub gives the headings of a Markdown text.
func anchorsOf(text string) map[string]bool {
	anchors := map[string]bool{}
	fenced := false
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
		}
		title := strings.TrimLeft(line, "#")
		if fenced || title == line || !strings.HasPrefix(title, " ") {
			continue
		}
		title = notInAnchors.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
		anchors[strings.ReplaceAll(title, " ", "-")] = true
	}
	return anchors
}

// Every link of a Markdown file to another file, or to a heading, leads there.
// Links to other sites are not followed.
func TestLinksResolve(t *testing.T) {
	checked := 0
	for _, name := range repository(t).files {
		if path.Ext(name) != ".md" || strings.Contains(name, "/testdata/") {
			continue
		}
		for _, l := range linksOf(readFile(t, name)) {
			u, err := url.Parse(l.target)
			if err != nil {
				t.Errorf("%s:%d: link %q: %v", name, l.line, l.target, err)
				continue
			}
			if u.Scheme != "" || u.Host != "" {
				continue
			}
			checked++
			checkLink(t, name, l, u)
		}
	}
	if checked < 20 { // the README alone has more than ten
		t.Errorf("only %d links checked", checked)
	}
}

func checkLink(t *testing.T, name string, l link, u *url.URL) {
	t.Helper()
	target := name
	if u.Path != "" {
		target = path.Join(path.Dir(name), u.Path)
	}
	if target == ".." || strings.HasPrefix(target, "../") {
		t.Errorf("%s:%d: link %q leads out of the repository", name, l.line, l.target)
		return
	}
	info, err := os.Stat(filepath.Join(root, filepath.FromSlash(target)))
	if err != nil {
		t.Errorf("%s:%d: link %q: there is no %s", name, l.line, l.target, target)
		return
	}
	if u.Fragment == "" || info.IsDir() || path.Ext(target) != ".md" {
		return
	}
	if !anchorsOf(readFile(t, target))[u.Fragment] {
		t.Errorf("%s:%d: link %q: %s has no such heading", name, l.line, l.target, target)
	}
}

func TestLinksOf(t *testing.T) {
	const text = "See [a](a.md) and [b](<b.md>), `[no](no.md)`.\n" +
		"```\n[no](no.md)\n```\n" +
		"    [no](no.md)\n" +
		"- [c](c/d.md#e \"title\"), ![p](p.png), [w](https://example.org/x)\n"
	want := []link{{1, "a.md"}, {1, "b.md"}, {6, "c/d.md#e"}, {6, "p.png"}, {6, "https://example.org/x"}}
	got := linksOf(text)
	if len(got) != len(want) {
		t.Fatalf("linksOf = %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("link %d is %v, want %v", i, got[i], want[i])
		}
	}
}

func TestAnchorsOf(t *testing.T) {
	got := anchorsOf("# The job file\n```\n# not this\n```\n## `input.csv`\n#no heading\n### Why, and how?\n")
	for _, want := range []string{"the-job-file", "inputcsv", "why-and-how"} {
		if !got[want] {
			t.Errorf("no anchor %q in %v", want, got)
		}
	}
	if len(got) != 3 {
		t.Errorf("anchors %v, want three", got)
	}
}

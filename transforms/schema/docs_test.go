package schema

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestReadme: it names every kind of anomaly, and its example is a schema.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("anomaly.go")
	if err != nil {
		t.Fatal(err)
	}
	kinds := regexp.MustCompile(`Kind += "([A-Z_0-9]+)"`).FindAllSubmatch(source, -1)
	if len(kinds) < 40 {
		t.Fatalf("found %d kinds", len(kinds))
	}
	for _, k := range kinds {
		if !strings.Contains(string(readme), "`"+string(k[1])+"`") {
			t.Errorf("README.md does not name %s", k[1])
		}
	}
	_, rest, _ := strings.Cut(string(readme), "```yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	s, err := Parse([]byte(example), "README.md")
	if err != nil || len(s.Columns) != 5 {
		t.Errorf("the example: %v", err)
	}
}

package lint

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// direct matches a line of a require block of go.mod that has no "// indirect".
var direct = regexp.MustCompile(`(?m)^(?:require )?\t?([a-z0-9.-]+\.[a-z]+/\S+) (v\S+)$`)

// directDependencies lists the modules that go.mod requires for this module's own imports.
func directDependencies(t *testing.T) []string {
	t.Helper()
	var list []string
	for _, m := range direct.FindAllStringSubmatch(readFile(t, "go.mod"), -1) {
		list = append(list, m[1])
	}
	if len(list) < 5 {
		t.Fatalf("only %d direct dependencies in go.mod: %q", len(list), list)
	}
	return list
}

// permissive are the licences that a dependency may have.
var permissive = regexp.MustCompile(`\b(Apache-2\.0|MIT|BSD-2-Clause|BSD-3-Clause|ISC)\b`)

// Each direct dependency has a row in docs/dependencies.md, with a permissive licence, and each row a dependency.
func TestDependenciesAreExplained(t *testing.T) {
	explained := map[string]bool{}
	for _, row := range strings.Split(readFile(t, "docs/dependencies.md"), "\n") {
		cells := strings.Split(row, "|")
		if len(cells) < 5 || !strings.HasPrefix(strings.TrimSpace(cells[1]), "`") {
			continue
		}
		name := strings.Trim(strings.TrimSpace(cells[1]), "`")
		explained[name] = true
		if !permissive.MatchString(row) {
			t.Errorf("docs/dependencies.md: %s: no permissive licence in its row", name)
		}
	}
	for _, name := range directDependencies(t) {
		if !explained[name] {
			t.Errorf("docs/dependencies.md: no row for %s, a direct dependency in go.mod", name)
		}
		delete(explained, name)
	}
	for name := range explained {
		t.Errorf("docs/dependencies.md: %s is no direct dependency in go.mod", name)
	}
}

// bazelName is Bazel's name for a module: com_github_a_b for github.com/a/b.
func bazelName(module string) string {
	host, rest, _ := strings.Cut(strings.ToLower(module), "/")
	parts := strings.Split(host, ".")
	slices.Reverse(parts)
	return regexp.MustCompile(`[^a-z0-9_]`).ReplaceAllString(strings.Join(parts, "_")+"_"+rest, "_")
}

// Bazel sees only the modules that MODULE.bazel lists.
func TestBazelModulesAreInStep(t *testing.T) {
	want := map[string]bool{}
	for _, name := range directDependencies(t) {
		want[bazelName(name)] = true
	}
	for _, m := range regexp.MustCompile(`(?m)^    "([a-z0-9_]+)",$`).FindAllStringSubmatch(readFile(t, "MODULE.bazel"), -1) {
		if !want[m[1]] {
			t.Errorf("MODULE.bazel: %s is no direct dependency in go.mod", m[1])
		}
		delete(want, m[1])
	}
	for name := range want {
		t.Errorf("MODULE.bazel: no %s in use_repo", name)
	}
}

// Without this version every binary that imports gorgonia.org/tensor panics at start.
func TestMovingGCPin(t *testing.T) {
	const pin = "go4.org/unsafe/assume-no-moving-gc v0.0.0-20231121144256-b99613f794b6"
	if !strings.Contains(readFile(t, "go.mod"), pin) {
		t.Errorf("go.mod lacks %s; run go get %s", pin, strings.Replace(pin, " ", "@", 1))
	}
}

// Thrift before 0.24 reads some damaged Parquet files without bound.
func TestThriftIsNewEnough(t *testing.T) {
	m := regexp.MustCompile(`github\.com/apache/thrift v0\.(\d+)\.`).FindStringSubmatch(readFile(t, "go.mod"))
	if m == nil || len(m[1]) < 2 || m[1] < "24" {
		t.Errorf("go.mod has thrift %q, want v0.24 or later", m)
	}
}

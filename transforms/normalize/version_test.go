package normalize

import (
	"bytes"
	"strings"
	"testing"
)

// TestPlansOfOldJobsStay holds the file of a Plan that uses version 1 only:
// what is added to Specs and Plans must not change a job that does not ask for
// it, byte for byte.
func TestPlansOfOldJobsStay(t *testing.T) {
	p, _ := dirtyPlan(t)
	if got, want := p.Digest(), "sha256:8fe1d3c34641e0e868e97468743d6ec3103c620ce96aa46622ec2a18071d42d8"; got != want {
		t.Errorf("digest: got %s want %s", got, want)
	}
}

// TestVersions: a Plan has the lowest version that can say what it says, and
// is refused under another.
func TestVersions(t *testing.T) {
	for i, s := range suites {
		_, file := planOf(t, s)
		if got, want := file[len(planFormat)], []byte{version1, version2}[i]; got != want {
			t.Fatalf("%s: got version %c want %c", s.name, got, want)
		}
		body, err := unseal(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := resealedAs(file[len(planFormat)], body); !bytes.Equal(got, file) {
			t.Fatalf("%s: sealed again it is another file", s.name)
		}
		for _, other := range []byte{version1, version2, '3'} {
			if other == file[len(planFormat)] {
				continue
			}
			if _, err := DecodePlan(resealedAs(other, body)); err == nil || !strings.Contains(err.Error(), "fit it again") {
				t.Errorf("%s as version %c: got %v want an error with the remedy", s.name, other, err)
			}
		}
	}
}

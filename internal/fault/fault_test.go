package fault

import (
	"errors"
	"fmt"
	"testing"
)

func TestTextSurvivesARunnersWrapping(t *testing.T) {
	cause := errors.New("digits.csv: row 7:\n\"a>>b\" is not a number")
	marked := Wrap(cause)
	if !errors.Is(marked, cause) {
		t.Errorf("Wrap hides its cause")
	}
	// What a runner does: the text alone, within its own.
	remote := fmt.Errorf("job 3 failed: bundle inst01: %s\n caused by: %s", marked.Error(), marked.Error())
	for _, err := range []error{marked, Wrap(marked), remote, fmt.Errorf("step: %w", marked)} {
		got, ok := Text(err)
		if !ok || got != cause.Error() {
			t.Errorf("Text(%q) = %q, %v, want %q", err, got, ok, cause)
		}
	}
}

func TestTextOfAnUnmarkedError(t *testing.T) {
	for _, s := range []string{"", "plain", open, open + "x" + close, open + `"x"`} {
		if got, ok := Text(errors.New(s)); ok {
			t.Errorf("Text(%q) = %q, want none", s, got)
		}
	}
	if Wrap(nil) != nil {
		t.Errorf("Wrap(nil) is not nil")
	}
}

func TestLast(t *testing.T) {
	err := errors.New("a\n\tcaused by:\nb\n\tcaused by:\nboom\n")
	if got := Last(err); got != "boom" {
		t.Errorf("Last = %q, want boom", got)
	}
}

package fielderr

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
)

func TestError(t *testing.T) {
	e := New("columns[3].range", "min %d exceeds max %d: %w", 5, 2, io.EOF)
	if got, want := e.Error(), "columns[3].range: min 5 exceeds max 2: EOF"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !errors.Is(e, io.EOF) {
		t.Error("the cause is not unwrapped")
	}
	if got, want := (FieldError{Err: io.EOF}).Error(), "EOF"; got != want {
		t.Errorf("without path: got %q, want %q", got, want)
	}
}

func TestUnder(t *testing.T) {
	for _, c := range []struct{ prefix, path, want string }{
		{"clean", "columns[0]", "clean.columns[0]"},
		{"columns", "[0].name", "columns[0].name"},
		{"clean", "", "clean"},
		{"", "nulls", "nulls"},
	} {
		if got := (FieldError{Path: c.path}).Under(c.prefix).Path; got != c.want {
			t.Errorf("%q under %q: got %q, want %q", c.path, c.prefix, got, c.want)
		}
	}
}

func TestAll(t *testing.T) {
	a, b := New("a", "x"), New("b", "y")
	joined := fmt.Errorf("job: %w", errors.Join(a, errors.New("no field"), &b))
	var got []string
	for _, e := range All(joined) {
		got = append(got, e.Path)
	}
	if want := []string{"a", "b"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := All(io.EOF); len(got) != 0 {
		t.Errorf("an error without fields: got %v", got)
	}
	if got := All(nil); len(got) != 0 {
		t.Errorf("nil: got %v", got)
	}
}

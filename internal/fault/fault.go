// Package fault carries a message for the user through a runner. A runner
// reports the error of a DoFn as text wrapped in its own description of the
// bundle; Wrap marks the part that a user should read, Text finds it again.
package fault

import (
	"errors"
	"strconv"
	"strings"
)

const (
	open  = "fault<<"
	close = ">>fault"
)

// Wrap marks err's message. It returns nil for nil and leaves a marked error as it is.
func Wrap(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := Text(err); ok {
		return err
	}
	return &fault{err}
}

type fault struct{ err error }

func (f *fault) Error() string { return open + strconv.Quote(f.err.Error()) + close }
func (f *fault) Unwrap() error { return f.err }

// Text returns the first marked message within err's text.
func Text(err error) (string, bool) {
	var f *fault
	if errors.As(err, &f) {
		return f.err.Error(), true
	}
	_, rest, ok := strings.Cut(err.Error(), open)
	if !ok {
		return "", false
	}
	quoted, _, ok := strings.Cut(rest, close)
	if !ok {
		return "", false
	}
	text, uerr := strconv.Unquote(quoted)
	if uerr != nil {
		return "", false
	}
	return text, true
}

// Last shortens the text of an unmarked runner error to its innermost cause.
func Last(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, "caused by:\n"); i >= 0 {
		text = text[i+len("caused by:\n"):]
	}
	return strings.TrimSpace(text)
}

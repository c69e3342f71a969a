// Package fielderr ties an error to the key of a settings struct it is about,
// so that whoever read the settings from a file can add line and column.
package fielderr

import (
	"errors"
	"fmt"
)

// FieldError is an error about one key.
type FieldError struct {
	// Path leads from the struct that was checked to the key, in the file's
	// terms: "columns[3].range.min". It is empty if the struct itself is meant.
	Path string
	Err  error
}

// New returns a FieldError whose cause is fmt.Errorf(format, args...).
func New(path, format string, args ...any) FieldError {
	return FieldError{Path: path, Err: fmt.Errorf(format, args...)}
}

// Error is "path: cause".
func (e FieldError) Error() string {
	if e.Path == "" {
		return e.Err.Error()
	}
	return e.Path + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e FieldError) Unwrap() error { return e.Err }

// Under returns e with prefix put before its path.
func (e FieldError) Under(prefix string) FieldError {
	switch {
	case e.Path == "":
		e.Path = prefix
	case prefix != "" && e.Path[0] != '[':
		e.Path = prefix + "." + e.Path
	default:
		e.Path = prefix + e.Path
	}
	return e
}

// All lists the FieldErrors in err and in what it joins or wraps, in order.
// An error without any gives an empty list.
func All(err error) []FieldError {
	switch e := err.(type) {
	case nil:
		return nil
	case FieldError:
		return []FieldError{e}
	case *FieldError:
		return []FieldError{*e}
	case interface{ Unwrap() []error }:
		var all []FieldError
		for _, each := range e.Unwrap() {
			all = append(all, All(each)...)
		}
		return all
	}
	return All(errors.Unwrap(err))
}

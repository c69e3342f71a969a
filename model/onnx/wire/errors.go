package wire

import (
	"errors"
	"fmt"
	"strconv"
)

// What is wrong with a file, for errors.Is.
var (
	// ErrSyntax: the bytes are no protobuf message of this kind: truncated,
	// a field of the wrong wire type, a number of more than 64 bits.
	ErrSyntax = errors.New("damaged protobuf")
	// ErrInvalid: the message breaks a rule of ONNX, such as a tensor whose
	// data does not fit its dims.
	ErrInvalid = errors.New("invalid ONNX")
	// ErrLimit: reading on would go beyond a limit of Options.
	ErrLimit = errors.New("limit exceeded")
)

// Error says where in a file and why reading or writing it failed. It wraps
// one of the errors above or the one of the file system.
type Error struct {
	// Path leads from the message down to the fault, such as
	// `model: graph "g": node 3 "conv1" ("Conv"): attribute 0 "value"`.
	Path string
	// Offset is the byte of the file where the fault was noticed, -1 in writing.
	Offset int64
	// Err is the reason.
	Err error
}

func (e *Error) Error() string {
	if e.Offset < 0 {
		return fmt.Sprintf("onnx: %s: %v", e.Path, e.Err)
	}
	return fmt.Sprintf("onnx: %s: %v (at byte %d)", e.Path, e.Err, e.Offset)
}

func (e *Error) Unwrap() error { return e.Err }

// within puts place before the path of err, which happened at offset if
// nothing more exact is known.
func within(place string, offset int64, err error) error {
	if e, ok := err.(*Error); ok {
		e.Path = place + ": " + e.Path
		return e
	}
	return &Error{place, offset, err}
}

func syntaxError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrSyntax, fmt.Sprintf(format, args...))
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

func limitError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrLimit, fmt.Sprintf(format, args...))
}

// quote is s as an error shows it: in quotes, and not all of a long one.
func quote(s string) string {
	const most = 80
	if len(s) > most {
		return strconv.Quote(s[:most]) + "…"
	}
	return strconv.Quote(s)
}

package store

import (
	"fmt"
	"io/fs"
	"strings"
)

// reserved begins the file names that the local store keeps for itself; no
// object's name may have a segment that starts with it, and List and Glob do
// not see such files.
const reserved = ".millrace-"

// temporary begins the names of files being written.
const temporary = reserved + "tmp-"

// checkName reports why name cannot be an object's: it must be a
// slash-separated path without empty, "." or ".." segments.
func checkName(name string) error {
	switch {
	case name == "" || name == ".":
		return fmt.Errorf("store: empty object name")
	case strings.ContainsRune(name, 0):
		return fmt.Errorf("store: object name %q: contains a NUL byte", name)
	case strings.HasPrefix(name, "/"):
		return fmt.Errorf("store: object name %q: is absolute, want a name relative to the store's root", name)
	case !fs.ValidPath(name):
		return fmt.Errorf("store: object name %q: want slash-separated segments, none of them empty, \".\" or \"..\"", name)
	}
	for seg := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(seg, reserved) {
			return fmt.Errorf("store: object name %q: %q is reserved for the store's own files", name, reserved)
		}
	}
	return nil
}

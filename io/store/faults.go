package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// fault describes a failed operation on the object at path: what happened and
// what to do about it. It wraps ErrNotExist or ErrExist where they apply, and
// always the system's error.
func fault(op, path string, err error) error {
	if err == nil {
		return nil
	}
	var pe *fs.PathError
	var le *os.LinkError
	switch { // the message names the path already
	case errors.As(err, &pe):
		err = pe.Err
	case errors.As(err, &le):
		err = le.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("store: %s %s: %w (%w)", op, path, ErrNotExist, err)
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("store: %s %s: %w (%w)", op, path, ErrExist, err)
	}
	if hint := remedy(err); hint != "" {
		return fmt.Errorf("store: %s %s: %w: %s", op, path, err, hint)
	}
	return fmt.Errorf("store: %s %s: %w", op, path, err)
}

// remedy says what the reader of an error can do.
func remedy(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "the disk or quota is full; free some space and run again, finished steps are kept"
	case errors.Is(err, syscall.EROFS):
		return "the file system is read-only; choose another folder"
	case errors.Is(err, fs.ErrPermission):
		return "this user may not do that; change the permissions or choose another folder"
	case errors.Is(err, syscall.EISDIR):
		return "it is a folder, want a file"
	case errors.Is(err, syscall.ENOTDIR):
		return "a part of the path is a file, want a folder"
	case errors.Is(err, syscall.ENAMETOOLONG):
		return "the name is too long for this file system"
	case errors.Is(err, syscall.EMFILE):
		return "too many open files; raise the limit (ulimit -n)"
	}
	return ""
}

// isInvalid says that a file system cannot do what was asked, as when some
// refuse to sync a folder.
func isInvalid(err error) bool { return errors.Is(err, syscall.EINVAL) }

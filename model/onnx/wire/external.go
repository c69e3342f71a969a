package wire

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// externalBlob returns the data that a tensor's entries locate in a file of
// folder: want bytes of it.
func externalBlob(folder string, entries []Entry, want int64) (Blob, error) {
	b := Blob{n: want}
	location := ""
	for _, e := range entries {
		var err error
		switch e.Key {
		case "location":
			location = e.Value
		case "offset":
			b.off, err = parseExtent(e)
		case "length":
			var n int64
			if n, err = parseExtent(e); err == nil && n != want {
				err = invalid("external data of %d bytes, want %d", n, want)
			}
		}
		if err != nil {
			return Blob{}, err
		}
	}
	if b.off > 1<<62 || b.n > 1<<62 {
		return Blob{}, invalid("external data beyond byte %d", int64(1)<<62)
	}
	if err := checkLocation(location); err != nil {
		return Blob{}, err
	}
	b.src = &externalFile{folder, filepath.FromSlash(location)}
	return b, nil
}

func parseExtent(e Entry) (int64, error) {
	n, err := strconv.ParseUint(e.Value, 10, 63)
	if err != nil {
		return 0, invalid("external data: %s is %s, want a number of bytes", e.Key, quote(e.Value))
	}
	return int64(n), nil
}

// checkLocation refuses a path that is not one below the model's folder.
func checkLocation(location string) error {
	if location == "" {
		return invalid("external data without a location")
	}
	if !filepath.IsLocal(filepath.FromSlash(location)) {
		return invalid("external data in %s, want a relative path within the model's folder", quote(location))
	}
	return nil
}

// externalFile reads a file below a folder. It opens the file for each read,
// so that many tensors in many files hold no file open, and follows no link
// that leads out of the folder.
type externalFile struct{ folder, name string }

// ReadAt is io.ReaderAt's.
func (x *externalFile) ReadAt(p []byte, off int64) (n int, err error) {
	err = x.with(func(f *os.File) error {
		n, err = f.ReadAt(p, off)
		return err
	})
	return n, err
}

// holds fails if the file has fewer than end bytes.
func (x *externalFile) holds(end int64) error {
	return x.with(func(f *os.File) error {
		info, err := f.Stat()
		if err == nil && info.Size() < end {
			err = fmt.Errorf("external data in %s ends at byte %d, want %d: %w", quote(x.name), info.Size(), end, ErrInvalid)
		}
		return err
	})
}

// with calls use with the file, open.
func (x *externalFile) with(use func(*os.File) error) (err error) {
	if x.folder == "" {
		return fmt.Errorf("external data in %s, but the model's folder is not known", quote(x.name))
	}
	root, err := os.OpenRoot(x.folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	info, err := root.Stat(x.name)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() { // opening a pipe could block
		return fmt.Errorf("external data in %s, which is no regular file: %w", quote(x.name), ErrInvalid)
	}
	f, err := root.Open(x.name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return use(f)
}

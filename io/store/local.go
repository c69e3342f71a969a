package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// local keeps each object in a file below root.
type local struct {
	root string // absolute and clean
}

// Local returns the store of the files below the folder root, which it makes
// if it is missing. In the store of "/" a name may start with a slash, and what List
// and Glob answer to such a name starts with one too. Symbolic links are followed.
func Local(root string) (Store, error) {
	if root == "" {
		return nil, fmt.Errorf("store.Local: empty root folder")
	}
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("store.Local: %w", err)
	}
	if err := makeFolders(abs); err != nil {
		return nil, err
	}
	return &local{root: abs}, nil
}

// At opens the store that uri names: file:///absolute/folder.
func At(uri string) (Store, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return nil, fmt.Errorf("store.At: %w", err)
	}
	switch {
	case u.Scheme != "file":
		return nil, fmt.Errorf("store.At: %q: scheme %q, want file:///absolute/folder", uri, u.Scheme)
	case u.Host != "" || !path.IsAbs(u.Path) || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("store.At: %q: want file:///absolute/folder", uri)
	}
	return Local(filepath.FromSlash(u.Path))
}

// URI implements Store.
func (l *local) URI() string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(l.root)}).String()
}

// relative takes the leading slash off a name in the store of "/", and says so.
func (l *local) relative(name string) (rel, slash string) {
	if l.root == "/" && strings.HasPrefix(name, "/") {
		return name[1:], "/"
	}
	return name, ""
}

// path is the file of an object.
func (l *local) path(name string) (string, error) {
	rel, _ := l.relative(name)
	if err := checkName(rel); err != nil {
		return "", err
	}
	return filepath.Join(l.root, filepath.FromSlash(rel)), nil
}

// Open implements Store.
func (l *local) Open(ctx context.Context, name string) (Reader, error) {
	p, err := l.path(name)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("store: open %s: %w", p, err)
	}
	f, err := os.Open(p)
	if err != nil {
		return nil, fault("open", p, err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("it is a %s, want a file", kind(info.Mode()))
	}
	if err != nil {
		f.Close()
		return nil, fault("open", p, err)
	}
	return &localReader{file: f, size: info.Size()}, nil
}

func kind(m fs.FileMode) string {
	if m.IsDir() {
		return "folder"
	}
	return "special file"
}

type localReader struct {
	file *os.File
	size int64
}

func (r *localReader) ReadAt(p []byte, off int64) (int, error) { return r.file.ReadAt(p, off) }
func (r *localReader) Close() error                            { return r.file.Close() }
func (r *localReader) Size() int64                             { return r.size }

// Move implements Store.
func (l *local) Move(ctx context.Context, from, to string) error {
	src, err := l.path(from)
	if err != nil {
		return err
	}
	dst, err := l.path(to)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("store: move %s: %w", src, err)
	}
	info, err := os.Stat(src)
	if err != nil {
		return fault("move", src, err)
	}
	if !info.Mode().IsRegular() {
		return fault("move", src, fmt.Errorf("it is a %s, want a file", kind(info.Mode())))
	}
	if err := makeFolders(filepath.Dir(dst)); err != nil {
		return err
	}
	if err := os.Rename(src, dst); err != nil {
		return fault("move to", dst, err)
	}
	return errors.Join(syncFolder(filepath.Dir(dst)), syncFolder(filepath.Dir(src)))
}

// Delete implements Store.
func (l *local) Delete(ctx context.Context, name string) error {
	p, err := l.path(name)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("store: delete %s: %w", p, err)
	}
	info, err := os.Lstat(p)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err == nil && info.IsDir():
		return fault("delete", p, fmt.Errorf("it is a folder, want a file"))
	case err == nil:
		err = os.Remove(p)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // another process was faster
	}
	return fault("delete", p, err)
}

// List implements Store.
func (l *local) List(ctx context.Context, prefix string) ([]Info, error) {
	rel, slash := l.relative(prefix)
	dir, base := path.Split(rel)
	dir = strings.TrimSuffix(dir, "/")
	if dir != "" {
		if err := checkName(dir); err != nil {
			return nil, err
		}
	}
	var found []Info
	err := l.walk(ctx, dir, func(name string, isDir bool, info func() (fs.FileInfo, error)) (bool, error) {
		below := strings.TrimPrefix(strings.TrimPrefix(name, dir), "/")
		if !strings.HasPrefix(below, base) && !(isDir && strings.HasPrefix(base, below)) {
			return false, nil
		}
		if isDir {
			return true, nil
		}
		st, err := info()
		if err == nil && st.Mode().IsRegular() {
			found = append(found, Info{Name: slash + name, Size: st.Size()})
		}
		return false, err
	})
	slices.SortFunc(found, func(a, b Info) int { return cmp.Compare(a.Name, b.Name) })
	return found, err
}

// Glob implements Store.
func (l *local) Glob(ctx context.Context, pattern string) ([]string, error) {
	rel, slash := l.relative(pattern)
	g, err := compileGlob(rel)
	if err != nil {
		return nil, err
	}
	at := map[string][]int{g.base: g.start()} // by folder
	var found []string
	err = l.walk(ctx, g.base, func(name string, isDir bool, info func() (fs.FileInfo, error)) (bool, error) {
		folder, seg := path.Split(name)
		next := g.step(at[strings.TrimSuffix(folder, "/")], seg)
		if isDir {
			at[name] = next
			return len(next) > 0, nil
		}
		if !g.done(next) {
			return false, nil
		}
		st, err := info()
		if err == nil && st.Mode().IsRegular() {
			found = append(found, slash+name)
		}
		return false, err
	})
	slices.Sort(found)
	return found, err
}

// walk calls visit for all below dir, "" being the root: a folder before what
// it holds, which is passed over if visit returns false. What vanishes meanwhile is passed
// over; a folder that may not be read is an error.
func (l *local) walk(ctx context.Context, dir string, visit func(name string, isDir bool, info func() (fs.FileInfo, error)) (bool, error)) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("store: list %s: %w", filepath.Join(l.root, dir), err)
	}
	full := filepath.Join(l.root, filepath.FromSlash(dir))
	entries, err := os.ReadDir(full)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || isFile(full) {
			return nil
		}
		return fault("list", full, err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), reserved) {
			continue
		}
		name := path.Join(dir, e.Name())
		stat := func() (fs.FileInfo, error) { return os.Stat(filepath.Join(full, e.Name())) }
		isDir := e.IsDir()
		if e.Type()&fs.ModeSymlink != 0 {
			st, err := stat()
			if err != nil || l.circular(dir, st) {
				continue // a link that dangles or leads back is no object
			}
			isDir = st.IsDir()
		}
		down, err := visit(name, isDir, stat)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fault("list", filepath.Join(full, e.Name()), err)
		}
		if down {
			if err := l.walk(ctx, name, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

// circular says that the folder target is dir or one above it in the store.
func (l *local) circular(dir string, target fs.FileInfo) bool {
	for target.IsDir() {
		st, err := os.Stat(filepath.Join(l.root, filepath.FromSlash(dir)))
		if err != nil || os.SameFile(st, target) {
			return true
		}
		if dir == "" || dir == "." {
			return false
		}
		dir = path.Dir(dir)
	}
	return false
}

func isFile(p string) bool {
	st, err := os.Stat(p)
	return err == nil && !st.IsDir()
}

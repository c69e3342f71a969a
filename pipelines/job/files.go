package job

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"github.com/millrace-go/millrace/io/formats"
	"github.com/millrace-go/millrace/io/stream"
	"github.com/millrace-go/millrace/io/table"
)

// maxFiles bounds the files of one input.
const maxFiles = 1_000_000

// SourceFile is one file of an input.
type SourceFile struct {
	// Name is the file as its glob expanded: slash-separated and, unless the glob was absolute, relative to the job's folder. Provenance and reports use it.
	Name string
	// Path is where the file is, for the operating system.
	Path string
	// Format is csv or parquet.
	Format string
}

// InputFiles resolves the globs of the input section, in name order.
func (j *Job) InputFiles() ([]SourceFile, error) { return j.resolve(&j.Input, "input") }

// ScoreFiles resolves the globs of the score section, in name order; nil without one.
func (j *Job) ScoreFiles() ([]SourceFile, error) {
	if j.Score == nil {
		return nil, nil
	}
	return j.resolve(&j.Score.Input, "score.input")
}

func (j *Job) resolve(in *Input, at string) ([]SourceFile, error) {
	byName := map[string]SourceFile{}
	for i, pattern := range in.Files {
		key := fmt.Sprintf("%s.files[%d]", at, i)
		found, err := glob(j.Dir, pattern)
		if err != nil {
			return nil, j.ErrorAt(key, "%v", err)
		}
		if len(found) == 0 {
			return nil, j.ErrorAt(key, "no file matches %q in the folder %s", pattern, j.Dir)
		}
		for _, name := range found {
			format, err := in.FormatOf(name)
			if err != nil {
				return nil, j.ErrorAt(key, "%v", err)
			}
			byName[name] = SourceFile{Name: name, Path: onDisk(j.Dir, name), Format: format}
		}
	}
	list := make([]SourceFile, 0, len(byName))
	for _, f := range byName {
		list = append(list, f)
	}
	sort.Slice(list, func(i, k int) bool { return list[i].Name < list[k].Name })
	return list, nil
}

// ErrorAt gives an *Error that points at a key of the job file, for faults
// that only show once the data is seen. path is such as "input.files[0]".
func (j *Job) ErrorAt(path, format string, args ...any) error {
	var at position
	if j.at != nil {
		at = (&problems{at: j.at}).find(path)
	}
	msg := oneLine(fmt.Sprintf(format, args...))
	return &Error{File: j.File, Problems: []Problem{{Line: at.line, Column: at.column, Path: path, Message: msg}}}
}

// FormatOf gives the format of a file, by the input's format key or else by
// the extension of name, letter case ignored. A glob whose extension is not
// written out has the format "" until it is resolved.
func (in *Input) FormatOf(name string) (string, error) {
	if in.Format != "" {
		return in.Format, nil
	}
	if format := formats.Of(name); format != "" {
		return format, nil
	}
	base := path.Base(strings.ToLower(name))
	if strings.ContainsAny(path.Ext(base), "*?[") || path.Ext(base) == "" && strings.ContainsAny(base, "*?[") {
		return "", nil
	}
	return "", fmt.Errorf("%q: the extension is none of %s; set format", name, formats.Extensions())
}

// TableOptions gives the settings to read the file called name with.
func (j *Job) TableOptions(in *Input, name string) (table.Options, error) {
	columns, err := expand(in.CSV.Names)
	if err != nil {
		return table.Options{}, err
	}
	delimiter := in.CSV.Delimiter
	if delimiter == "" {
		delimiter = ","
		if strings.HasSuffix(stream.Trim(strings.ToLower(name)), ".tsv") {
			delimiter = "\t"
		}
	}
	return table.Options{
		BatchRows:    in.BatchRows,
		SpanBytes:    in.SpanBytes,
		MaxCellBytes: j.Limits.MaxCellBytes,
		Delimiter:    delimiter,
		NoHeader:     !in.CSV.Header,
		Names:        columns,
		JSON:         in.JSON,
		TFRecord:     in.TFRecord,
		Text:         in.Text,
		LibSVM:       in.LibSVM,
		Image:        in.Image,
		IDX:          in.IDX,
	}, nil
}

// onDisk is the operating system's path of a slash-separated name.
func onDisk(dir, name string) string {
	if path.IsAbs(name) || filepath.IsAbs(name) {
		return filepath.FromSlash(name)
	}
	return filepath.Join(dir, filepath.FromSlash(name))
}

// glob lists the regular files below dir that match pattern, sorted. A *
// matches no name that starts with a dot.
func glob(dir, pattern string) ([]string, error) {
	segments := strings.Split(path.Clean(pattern), "/")
	fixed := 0
	for fixed < len(segments)-1 && !strings.ContainsAny(segments[fixed], `*?[\`) {
		fixed++
	}
	root := strings.Join(segments[:fixed], "/")
	if root == "" && fixed > 0 { // an absolute pattern
		root = "/"
	}
	var found []string
	err := walk(onDisk(dir, root), root, segments[fixed:], &found)
	sort.Strings(found)
	return found, err
}

// walk adds to found the files below the folder at that match segments; name
// is the folder as the result names it.
func walk(at, name string, segments []string, found *[]string) error {
	entries, err := os.ReadDir(at)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	first, rest := segments[0], segments[1:]
	if first == "**" && len(rest) > 0 { // ** as no folder at all
		if err := walk(at, name, rest, found); err != nil {
			return err
		}
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(first, ".") {
			continue
		}
		sub, subName := filepath.Join(at, e.Name()), path.Join(name, e.Name())
		if first == "**" && e.IsDir() { // ** as this folder and more
			if err := walk(sub, subName, segments, found); err != nil {
				return err
			}
			continue
		}
		if ok, _ := path.Match(first, e.Name()); !ok {
			continue
		}
		info, err := os.Stat(sub) // a link counts as what it leads to
		switch {
		case err != nil:
			return err
		case info.IsDir() && len(rest) > 0:
			err = walk(sub, subName, rest, found)
		case info.Mode().IsRegular() && len(rest) == 0:
			*found = append(*found, subName)
		}
		if err != nil || len(*found) > maxFiles {
			return errors.Join(err, tooMany(*found))
		}
	}
	return nil
}

func tooMany(found []string) error {
	if len(found) > maxFiles {
		return fmt.Errorf("more than %d files", maxFiles)
	}
	return nil
}

package job

import (
	"fmt"
	"sort"
	"strings"
)

// MaxErrors is the number of problems reported at once.
const MaxErrors = 10

// Problem is one fault of a job file.
type Problem struct {
	// Line and Column are 1-based; a column counts characters. They are 0 where the file could not be read at all.
	Line, Column int
	// Path is the key, such as "clean.columns[3].range.min", or "" for the whole file.
	Path string
	// Message says what is wrong, what was expected and, where there is one, the remedy.
	Message string
}

// Error holds the problems of a job file, in file order.
type Error struct {
	File     string
	Problems []Problem // at most MaxErrors
	Omitted  int       // further problems, not held
}

// Error gives one line a problem: file:line:column: key: message.
func (e *Error) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(e.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
		}
		b.WriteString(": ")
		if p.Path != "" {
			b.WriteString(p.Path + ": ")
		}
		b.WriteString(p.Message)
	}
	if e.Omitted > 0 {
		fmt.Fprintf(&b, "\n%s: and %d more", e.File, e.Omitted)
	}
	return b.String()
}

// position is a place in the file.
type position struct{ line, column int }

func (p position) before(q position) bool {
	return p.line < q.line || p.line == q.line && p.column < q.column
}

// problems collects what is wrong and knows where each key of the file is.
type problems struct {
	found []Problem
	at    map[string]position
}

func (p *problems) add(at position, path, format string, args ...any) {
	p.found = append(p.found, Problem{at.line, at.column, path, oneLine(fmt.Sprintf(format, args...))})
}

// addPath adds a problem at the key path, or at the nearest section around it that the file has.
func (p *problems) addPath(path, format string, args ...any) {
	p.add(p.find(path), path, format, args...)
}

// has says whether the file holds the key path.
func (p *problems) has(path string) bool {
	_, ok := p.at[path]
	return ok
}

// find gives the place of path, or of the nearest section around it.
func (p *problems) find(path string) position {
	for path != "" {
		if at, ok := p.at[path]; ok {
			return at
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return position{1, 1}
}

// err gives the problems as an *Error, or nil without any.
func (p *problems) err(file string) error {
	if len(p.found) == 0 {
		return nil
	}
	sort.SliceStable(p.found, func(i, k int) bool {
		a, b := p.found[i], p.found[k]
		return position{a.Line, a.Column}.before(position{b.Line, b.Column})
	})
	n := min(len(p.found), MaxErrors)
	return &Error{File: file, Problems: p.found[:n:n], Omitted: len(p.found) - n}
}

// fileError is an error about the whole file.
func fileError(file, format string, args ...any) error {
	return &Error{File: file, Problems: []Problem{{Message: oneLine(fmt.Sprintf(format, args...))}}}
}

// oneLine keeps a message on one line and of readable length.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	const most = 400
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

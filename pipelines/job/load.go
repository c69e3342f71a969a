package job

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	// maxFileBytes bounds a job file.
	maxFileBytes = 1 << 20
	// maxDepth bounds the nesting of a job file; a job needs 6.
	maxDepth = 64
)

// Load reads the job at path: a job file, or a folder that holds a job.yaml.
// A fault of the file is an *Error.
func Load(path string) (*Job, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, missing(path, err)
	}
	file := path
	if info.IsDir() {
		file = filepath.Join(path, FileName)
	}
	data, err := readFile(file)
	if err != nil {
		return nil, err
	}
	return Parse(data, file)
}

// Parse reads the text of a job file; file is its name in messages, and its
// folder is where relative globs start.
func Parse(data []byte, file string) (*Job, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if err := checkText(data, file); err != nil {
		return nil, err
	}
	body, err := parseYAML(data, file)
	if err != nil {
		return nil, err
	}
	j := Defaults()
	j.File, j.Dir = file, filepath.Dir(file)
	d := &decoder{problems: problems{at: map[string]position{}}, job: j}
	d.section(reflect.ValueOf(j).Elem(), body, "")
	j.setComputed(d.has)
	if len(d.found) == 0 { // a half-read job would fail its checks for no reason of its own
		j.check(&d.problems)
	}
	if err := d.err(file); err != nil {
		return nil, err
	}
	j.at = d.at
	return j, nil
}

func missing(path string, err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return fileError(path, "no such file or folder; give a job file or a folder that holds a %s", FileName)
	}
	return fileError(path, "cannot read the job file: %v", err)
}

// readFile reads a whole job file and refuses one that is too large.
func readFile(file string) (data []byte, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, missing(file, err)
	}
	defer f.Close() // read only: nothing to lose
	data, err = io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, missing(file, err)
	}
	if len(data) > maxFileBytes {
		return nil, fileError(file, "the job file is larger than 1 MiB; is this a job file?")
	}
	return data, nil
}

// checkText finds bytes that are not UTF-8 text, with their place.
func checkText(data []byte, file string) error {
	line, column := 1, 1
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size <= 1:
			return at(file, line, column, "invalid UTF-8 (byte 0x%02x); save the file as UTF-8", data[i])
		case r < ' ' && r != '\t' && r != '\n' && r != '\r':
			return at(file, line, column, "control character 0x%02x; is this a job file?", r)
		case r == '\n':
			line, column = line+1, 0
		}
		column++
		i += size
	}
	return nil
}

func at(file string, line, column int, format string, args ...any) error {
	return &Error{File: file, Problems: []Problem{{Line: line, Column: column, Message: oneLine(fmt.Sprintf(format, args...))}}}
}

// parseYAML gives the one document of data.
func parseYAML(data []byte, file string) (body ast.Node, err error) {
	defer func() {
		if r := recover(); r != nil { // the parser's fault, whatever the text
			body, err = nil, fileError(file, "this is no YAML that can be read: %v", r)
		}
	}()
	tokens := lexer.Tokenize(string(data))
	if t := tooDeep(tokens); t != nil {
		return nil, at(file, t.Position.Line, t.Position.Column, "nested deeper than %d levels", maxDepth)
	}
	tree, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, syntaxError(file, err)
	}
	var docs []*ast.DocumentNode
	for _, d := range tree.Docs {
		if d.Body != nil {
			docs = append(docs, d)
		}
	}
	switch len(docs) {
	case 0:
		return nil, at(file, 1, 1, "the job file is empty; it needs at least the keys %s", oneOf(required[reflect.TypeFor[Job]()]))
	case 1:
		return docs[0].Body, nil
	}
	second := place(docs[1].Body)
	return nil, at(file, second.line, second.column, "a second YAML document starts here; a job file holds one job")
}

// tooDeep returns a token that is nested deeper than maxDepth, or nil. Without
// this check a long run of brackets would overflow the parser's stack.
func tooDeep(tokens token.Tokens) *token.Token {
	flow, dashes, line := 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			line, dashes = t.Position.Line, 0
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow = max(0, flow-1)
		case token.SequenceEntryType, token.MappingKeyType, token.AnchorType, token.TagType:
			dashes++
		}
		if flow > maxDepth || dashes > maxDepth || t.Position.Column > 1<<16 {
			return t
		}
	}
	return nil
}

// syntaxError turns the parser's error into one of ours.
func syntaxError(file string, err error) error {
	var y yaml.Error
	if !errors.As(err, &y) || y.GetToken() == nil {
		return fileError(file, "%v", err)
	}
	msg, remedy := y.GetMessage(), ""
	if strings.Contains(msg, `'\t'`) || strings.Contains(msg, "'\t'") || strings.Contains(msg, "tab") {
		msg, remedy = "a tab character where YAML wants spaces", "; indent with spaces"
	}
	p := y.GetToken().Position
	return at(file, p.Line, p.Column, "%s%s", msg, remedy)
}

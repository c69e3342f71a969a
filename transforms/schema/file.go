package schema

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/millrace-go/millrace/internal/fielderr"
)

// MaxFileBytes bounds a schema file.
const MaxFileBytes = 16 << 20

// Problem is one fault of a schema file.
type Problem struct {
	Line, Column int    // 1-based
	Path         string // the key, such as "columns[3].range.min", or ""
	Message      string
}

// FileError holds the faults of a schema file, in file order.
type FileError struct {
	File     string
	Problems []Problem
}

// Error gives one line a problem: file:line:column: key: message.
func (e *FileError) Error() string {
	var lines []string
	for _, p := range e.Problems {
		at := fmt.Sprintf("%s:%d:%d: ", e.File, p.Line, p.Column)
		if p.Path != "" {
			at += p.Path + ": "
		}
		lines = append(lines, at+p.Message)
	}
	return strings.Join(lines, "\n")
}

// Parse reads the text of a schema file; file is its name in messages. Unknown
// and repeated keys, values of other types and rules that make no sense are
// errors with their line: a *FileError.
func Parse(data []byte, file string) (s *Schema, err error) {
	defer func() {
		if r := recover(); r != nil { // the parser's fault, whatever the text
			s, err = nil, oneProblem(file, 1, 1, fmt.Sprintf("this is no YAML that can be read: %v", r))
		}
	}()
	if len(data) > MaxFileBytes {
		return nil, oneProblem(file, 1, 1, "larger than 16 MiB; is this a schema file?")
	}
	tokens := lexer.Tokenize(string(data))
	if t := tooDeep(tokens); t != nil {
		return nil, oneProblem(file, t.Position.Line, t.Position.Column, "nested deeper than a schema is; is this a schema file?")
	}
	tree, err := parser.Parse(tokens, 0)
	if err != nil {
		return nil, yamlProblem(file, err)
	}
	var body ast.Node
	for _, d := range tree.Docs {
		if d.Body == nil {
			continue
		}
		if body != nil {
			line, column := place(d.Body)
			return nil, oneProblem(file, line, column, "a second YAML document starts here; a schema file holds one")
		}
		body = d.Body
	}
	if body == nil {
		return nil, oneProblem(file, 1, 1, "the schema file is empty")
	}
	if p := unsupported(body); p != nil {
		return nil, &FileError{file, []Problem{*p}}
	}
	s = &Schema{}
	d := &decoder{}
	if d.value(reflect.ValueOf(s).Elem(), body, ""); len(d.problems) > 0 {
		return nil, &FileError{file, d.problems}
	}
	if err := s.Validate(); err != nil {
		return nil, located(file, body, err)
	}
	return s, nil
}

// tooDeep returns a token that is nested deeper than any of a schema, or nil.
// Without this check a long run of brackets would overflow the parser's stack.
func tooDeep(tokens token.Tokens) *token.Token {
	const most = 16
	brackets, dashes, line := 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			line, dashes = t.Position.Line, 0
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			brackets++
		case token.SequenceEndType, token.MappingEndType:
			brackets = max(0, brackets-1)
		case token.SequenceEntryType, token.MappingKeyType, token.AnchorType, token.TagType:
			dashes++
		}
		if brackets > most || dashes > most || brackets == 0 && t.Type == token.SequenceEntryType && t.Position.Column > 1<<10 {
			return t
		}
	}
	return nil
}

func oneProblem(file string, line, column int, message string) error {
	return &FileError{file, []Problem{{Line: line, Column: column, Message: message}}}
}

// yamlProblem turns the parser's error into one of ours.
func yamlProblem(file string, err error) error {
	var y yaml.Error
	if !errors.As(err, &y) || y.GetToken() == nil || y.GetToken().Position == nil {
		return oneProblem(file, 1, 1, err.Error())
	}
	p := y.GetToken().Position
	return oneProblem(file, p.Line, p.Column, y.GetMessage())
}

// located gives the errors of Validate their places.
func located(file string, body ast.Node, err error) error {
	out := &FileError{File: file}
	for _, e := range fielderr.All(err) {
		line, column := place(find(body, e.Path))
		out.Problems = append(out.Problems, Problem{line, column, e.Path, e.Err.Error()})
	}
	slices.SortStableFunc(out.Problems, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return out
}

// find is the node at a path such as columns[3].range.min, or the nearest
// around it that is there.
func find(n ast.Node, path string) ast.Node {
	for _, key := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		next := child(n, key)
		if next == nil {
			break
		}
		n = next
	}
	return n
}

func child(n ast.Node, key string) ast.Node {
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			if v.Key.String() == key {
				return v.Value
			}
		}
	case *ast.MappingValueNode:
		if n.Key.String() == key {
			return n.Value
		}
	case *ast.SequenceNode:
		var i int
		if _, err := fmt.Sscan(key, &i); err == nil && i >= 0 && i < len(n.Values) {
			return n.Values[i]
		}
	}
	return nil
}

// place is where a node starts: a mapping at its first key.
func place(n ast.Node) (line, column int) {
	switch m := n.(type) {
	case *ast.MappingNode:
		if len(m.Values) > 0 {
			return place(m.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return place(m.Key)
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line, t.Position.Column
	}
	return 1, 1
}

// unsupported finds what makes YAML more than a tree of values.
func unsupported(body ast.Node) *Problem {
	v := &visitor{}
	ast.Walk(v, body)
	return v.found
}

type visitor struct{ found *Problem }

func (v *visitor) Visit(n ast.Node) ast.Visitor {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode, *ast.DirectiveNode, *ast.MappingKeyNode:
		if v.found == nil {
			line, column := place(n)
			v.found = &Problem{Line: line, Column: column, Message: "anchors, aliases, merge keys, tags and directives are not supported in a schema file; write the value out"}
		}
	}
	return v
}

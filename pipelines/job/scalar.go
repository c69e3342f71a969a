package job

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// scalar sets v, of a basic kind, from n; it returns what is wrong, or "".
func scalar(v reflect.Value, n ast.Node) string {
	switch v.Kind() {
	case reflect.String:
		s, ok := text(n)
		if !ok {
			return "want text, got " + describe(n)
		}
		v.SetString(s)
	case reflect.Bool:
		if b, ok := n.(*ast.BoolNode); !ok || b.Token.Value != "true" && b.Token.Value != "false" {
			return "want true or false, got " + describe(n)
		}
		v.SetBool(n.GetToken().Value == "true")
	case reflect.Int, reflect.Int64:
		return integer(v, n)
	case reflect.Uint64:
		return unsigned(v, n)
	case reflect.Float64:
		return number(v, n)
	default:
		panic(fmt.Sprintf("job: a job type has a field of type %s, which no YAML value fits", v.Type()))
	}
	return ""
}

func integer(v reflect.Value, n ast.Node) string {
	s, ok := plain(n)
	if !ok || !isDecimal(strings.TrimPrefix(s, "-")) {
		return "want an integer, got " + describe(n)
	}
	i, err := strconv.ParseInt(s, 10, v.Type().Bits())
	if err != nil {
		return fmt.Sprintf("want an integer of at most %d bits, got %s", v.Type().Bits(), short(n))
	}
	v.SetInt(i)
	return ""
}

func unsigned(v reflect.Value, n ast.Node) string {
	s, ok := plain(n)
	if !ok || !isDecimal(s) {
		return "want an integer of 0 or more, got " + describe(n)
	}
	u, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return fmt.Sprintf("want an integer below 2^64, got %s", short(n))
	}
	v.SetUint(u)
	return ""
}

func number(v reflect.Value, n ast.Node) string {
	s, ok := plain(n)
	if !ok || strings.Trim(s, "+-.0123456789eE") != "" {
		return "want a number, got " + describe(n)
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(x, 0) || math.IsNaN(x) {
		return "want a finite number, got " + describe(n)
	}
	v.SetFloat(x)
	return ""
}

// isDecimal says whether s is digits alone, without a leading zero (which some
// readers of YAML take for an octal number).
func isDecimal(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == "" && (s == "0" || s[0] != '0')
}

// plain gives the text of an unquoted scalar as it stands in the file. The
// parser takes 1e-8 for a string, so numbers are read from here.
func plain(n ast.Node) (string, bool) {
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode, *ast.BoolNode:
		return n.GetToken().Value, true
	case *ast.StringNode:
		return n.GetToken().Value, n.GetToken().Type == token.StringType
	}
	return "", false
}

// text gives a scalar as text; a number or boolean is taken as written.
func text(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	}
	return plain(n)
}

func isScalar(n ast.Node) bool {
	_, ok := text(n)
	return ok
}

// mapping gives the entries of a mapping; an empty value is an empty one.
func mapping(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	case *ast.NullNode:
		return nil, n.Token.Value != "~"
	}
	return nil, false
}

// unsupported names the YAML feature that n is, if a job file may not use it.
func unsupported(n ast.Node) string {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		return "anchors, aliases and merge keys"
	case *ast.TagNode, *ast.DirectiveNode:
		return "tags and directives"
	case *ast.MappingKeyNode:
		return "complex keys"
	}
	return ""
}

// isNull says whether n is the bare word null.
func isNull(n ast.Node) bool {
	null, ok := n.(*ast.NullNode)
	return ok && null.Token.Value == "null" && null.Token.Type == token.NullType
}

// describe says what n is, for "want …, got …".
func describe(n ast.Node) string {
	switch n := n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a section"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode, nil:
		return "nothing"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "the number " + short(n)
	case *ast.BoolNode:
		return short(n)
	}
	if what := unsupported(n); what != "" {
		return "one of " + what
	}
	return fmt.Sprintf("text %q", short(n))
}

// short is the text of n, cut for a message.
func short(n ast.Node) string {
	s, _ := text(n)
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// place is where n starts.
func place(n ast.Node) position {
	if entries, ok := mapping(n); ok && len(entries) > 0 && n.GetToken().Value == ":" {
		return place(entries[0].Key)
	}
	t := n.GetToken()
	if t == nil || t.Position == nil {
		return position{1, 1}
	}
	return position{t.Position.Line, t.Position.Column}
}

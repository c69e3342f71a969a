package schema

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/millrace-go/millrace/internal/names"
)

// decoder sets a Schema from a YAML tree and collects what is wrong. A general
// decoder takes 1e-8 for a text, and stops at the first fault.
type decoder struct{ problems []Problem }

func (d *decoder) fail(n ast.Node, path, format string, args ...any) {
	line, column := place(n)
	d.problems = append(d.problems, Problem{line, column, path, fmt.Sprintf(format, args...)})
}

func (d *decoder) value(v reflect.Value, n ast.Node, path string) {
	switch v.Kind() {
	case reflect.Pointer:
		e := reflect.New(v.Type().Elem())
		d.value(e.Elem(), n, path)
		v.Set(e)
	case reflect.Struct:
		d.section(v, n, path)
	case reflect.Slice:
		seq, ok := n.(*ast.SequenceNode)
		if !ok {
			d.fail(n, path, "want a list, got %s", describe(n))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values)))
		for i, item := range seq.Values {
			d.value(v.Index(i), item, fmt.Sprintf("%s[%d]", path, i))
		}
	default:
		if want := scalar(v, n); want != "" {
			d.fail(n, path, "want %s, got %s", want, describe(n))
		}
	}
}

func (d *decoder) section(v reflect.Value, n ast.Node, path string) {
	var entries []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		entries = m.Values
	case *ast.MappingValueNode:
		entries = []*ast.MappingValueNode{m}
	default:
		d.fail(n, path, "want keys with values, got %s", describe(n))
		return
	}
	var keys []string
	for i := range v.NumField() {
		key, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		keys = append(keys, key)
	}
	seen := map[string]bool{}
	for _, e := range entries {
		key, _ := text(e.Key)
		sub := key
		if path != "" {
			sub = path + "." + key
		}
		i := slices.Index(keys, key)
		switch {
		case i < 0:
			d.fail(e.Key, sub, "unknown key; did you mean %s?", names.Nearest(key, keys))
		case seen[key]:
			d.fail(e.Key, sub, "repeated key; keep one")
		default:
			seen[key] = true
			d.value(v.Field(i), e.Value, sub)
		}
	}
}

// scalar sets v from n, or returns what it wants.
func scalar(v reflect.Value, n ast.Node) (want string) {
	switch v.Kind() {
	case reflect.String:
		s, ok := text(n)
		if !ok {
			return "text"
		}
		v.SetString(s)
	case reflect.Bool:
		s, ok := plain(n)
		if !ok || s != "true" && s != "false" {
			return "true or false"
		}
		v.SetBool(s == "true")
	case reflect.Int, reflect.Int64:
		s, _ := plain(n)
		i, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return "a whole number"
		}
		v.SetInt(i)
	case reflect.Float64:
		s, _ := plain(n)
		x, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsInf(x, 0) || x != x || strings.Trim(s, "+-.0123456789eE") != "" {
			return "a number"
		}
		v.SetFloat(x)
	default:
		panic(fmt.Sprintf("schema: no YAML value fits a %s", v.Type()))
	}
	return ""
}

// plain is the text of an unquoted scalar as it stands in the file.
func plain(n ast.Node) (string, bool) {
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode, *ast.BoolNode:
		return n.GetToken().Value, true
	case *ast.StringNode:
		return n.GetToken().Value, n.GetToken().Type == token.StringType
	}
	return "", false
}

// text is a scalar as text; a number or boolean is taken as written.
func text(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	}
	return plain(n)
}

func describe(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys with values"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode, nil:
		return "nothing"
	}
	s, _ := text(n)
	return fmt.Sprintf("%q", shorten([]byte(s)))
}

package job

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// decoder sets a job from a YAML tree. Unlike a general decoder it keeps what
// the target held before for keys that the tree lacks, goes on after an error,
// and knows required keys and the values that each key may take.
type decoder struct {
	problems
	job *Job
}

// value decodes n into v, the key path of section; keys names its last part.
func (d *decoder) value(v reflect.Value, n ast.Node, path string, f field) {
	if what := unsupported(n); what != "" {
		d.add(place(n), path, "%s are not supported in a job file; write the value out", what)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		e := d.newElement(v.Type().Elem())
		d.value(e, n, path, f)
		v.Set(e.Addr())
	case reflect.Struct:
		d.section(v, n, path)
	case reflect.Slice:
		d.list(v, n, path, f)
	case reflect.Map:
		d.texts(v, n, path)
	default:
		if isNull(n) && slices.Contains(enums[f], "null") { // the action of that name, unquoted
			v.SetString("null")
			return
		}
		if msg := scalar(v, n); msg != "" {
			if _, empty := n.(*ast.NullNode); !empty {
				d.add(place(n), path, "%s", msg)
				return
			}
			if enums[f] != nil {
				msg = fmt.Sprintf("want %s, got nothing", oneOf(enums[f]))
			}
			d.addPath(path, "%s", msg) // at the key: nothing has no place of its own
			return
		}
		d.enum(v, n, path, f)
	}
}

// newElement is like the function, and lets score.input start from input.
func (d *decoder) newElement(t reflect.Type) reflect.Value {
	v := newElement(t)
	if s, ok := v.Addr().Interface().(*Score); ok {
		s.Input = d.job.Input
		s.Input.Files = nil
	}
	return v
}

// enum checks that a text is one of those its key may take.
func (d *decoder) enum(v reflect.Value, n ast.Node, path string, f field) {
	allowed := enums[f]
	if allowed == nil {
		return
	}
	got := v.String()
	if slices.Contains(allowed, got) {
		return
	}
	d.add(place(n), path, "want %s, got %q%s", oneOf(allowed), got, didYouMean(got, allowed))
}

// section decodes a mapping into a struct, in the order of the struct.
func (d *decoder) section(v reflect.Value, n ast.Node, path string) {
	t := v.Type()
	entries, ok := mapping(n)
	if !ok {
		d.add(place(n), path, "want a section with keys (%s), got %s", strings.Join(keysOf(t), ", "), describe(n))
		return
	}
	byKey := d.unique(entries, path, keysOf(t))
	for i := range t.NumField() {
		key := yamlKey(t.Field(i))
		e, ok := byKey[key]
		if !ok {
			continue
		}
		sub := join(path, key)
		d.at[sub] = place(e.Key)
		if isScalar(e.Value) {
			d.at[sub] = place(e.Value)
		}
		d.value(v.Field(i), e.Value, sub, field{t, key})
	}
	for _, key := range required[t] {
		if _, ok := byKey[key]; !ok {
			d.add(d.find(path), join(path, key), "missing; the key is required")
		}
	}
}

// unique indexes the entries by key and reports unknown and repeated ones;
// known nil allows any key.
func (d *decoder) unique(entries []*ast.MappingValueNode, path string, known []string) map[string]*ast.MappingValueNode {
	byKey := make(map[string]*ast.MappingValueNode, len(entries))
	for _, e := range entries {
		key, ok := text(e.Key)
		if !ok {
			d.add(place(e.Key), path, "want a plain key, got %s", describe(e.Key))
			continue
		}
		if first, dup := byKey[key]; dup {
			at := place(first.Key)
			d.add(place(e.Key), join(path, key), "repeated key, first given at %d:%d; keep one", at.line, at.column)
			continue
		}
		byKey[key] = e
		if known != nil && !slices.Contains(known, key) {
			d.add(place(e.Key), join(path, key), "unknown key%s", elsewhere(key, path, known))
		}
	}
	return byKey
}

// list decodes a sequence into a slice.
func (d *decoder) list(v reflect.Value, n ast.Node, path string, f field) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		remedy := ""
		if isScalar(n) && v.Type().Elem().Kind() != reflect.Struct {
			remedy = fmt.Sprintf("; write [%s]", short(n))
		}
		d.add(place(n), path, "want a list, got %s%s", describe(n), remedy)
		return
	}
	out := reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values))
	for i, item := range seq.Values {
		sub := fmt.Sprintf("%s[%d]", path, i)
		d.at[sub] = place(item)
		e := d.newElement(v.Type().Elem())
		d.value(e, item, sub, f)
		out.Index(i).Set(e)
	}
	v.Set(out)
}

// texts decodes a mapping into a map[string]string.
func (d *decoder) texts(v reflect.Value, n ast.Node, path string) {
	entries, ok := mapping(n)
	if !ok {
		d.add(place(n), path, "want a mapping of text to text, got %s", describe(n))
		return
	}
	out := reflect.MakeMapWithSize(v.Type(), len(entries))
	for key, e := range d.unique(entries, path, nil) {
		value, ok := text(e.Value)
		if !ok {
			d.add(place(e.Value), join(path, key), "want text, got %s", describe(e.Value))
			continue
		}
		out.SetMapIndex(reflect.ValueOf(key), reflect.ValueOf(value))
	}
	v.Set(out)
}

// yamlKey is the key of a struct field, or "" if a file cannot set it.
func yamlKey(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	if key == "-" {
		return ""
	}
	return key
}

// keysOf lists the keys of a section type, in the order of the struct.
func keysOf(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		if key := yamlKey(t.Field(i)); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// oneOf lists words as "a, b or c".
func oneOf(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

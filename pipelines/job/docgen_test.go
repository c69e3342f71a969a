package job

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template"

	yamlast "github.com/goccy/go-yaml/ast"
)

const root = "../.."

// keyDoc is a row of docs/job.md, its cells in Markdown.
type keyDoc struct{ Key, Type, Default, Doc, Example string }

// sectionDoc is a table of docs/job.md.
type sectionDoc struct {
	Title, Doc string
	Keys       []keyDoc
}

// renderDocs gives docs/job.md.
func renderDocs(t *testing.T) []byte {
	t.Helper()
	full, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	tmpl, err := template.ParseFiles("testdata/job.md.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	g := &docs{t: t, comments: map[string]string{}, parsed: map[string]bool{}, examples: map[string]string{}}
	for _, file := range []string{"testdata/full.yaml", root + "/examples/digits/job.yaml"} {
		g.addExamples(file)
	}
	g.section(reflect.ValueOf(Defaults()).Elem(), "")
	var b bytes.Buffer
	err = tmpl.Execute(&b, map[string]any{"Minimal": minimal, "MaxErrors": MaxErrors, "Full": string(full), "Sections": g.sections})
	if err != nil {
		t.Fatal(err)
	}
	return append(bytes.TrimSpace(b.Bytes()), '\n')
}

// docs collects the sections of the job type, outermost first.
type docs struct {
	t        *testing.T
	comments map[string]string // doc comments by "package.Type" and "package.Type.Field"
	parsed   map[string]bool   // packages whose comments are read
	examples map[string]string // by key path without indices
	sections []sectionDoc
}

// section documents the struct v, which holds its defaults, and those within it.
func (g *docs) section(v reflect.Value, path string) {
	t := v.Type()
	g.parse(t.PkgPath())
	s := sectionDoc{Title: "`" + path + "`", Doc: g.comment(t, "")}
	if path == "" {
		s.Title = "The top level"
	}
	at := len(g.sections)
	g.sections = append(g.sections, s)
	for i := range t.NumField() {
		key := yamlKey(t.Field(i))
		if key == "" {
			continue
		}
		sub := join(path, key)
		inner, kind := typeName(t.Field(i).Type)
		row := keyDoc{Key: "`" + key + "`", Type: kind, Doc: g.comment(t, t.Field(i).Name), Default: g.defaultOf(t, key, v.Field(i))}
		if e, ok := g.examples[sub]; ok {
			row.Example = "`" + e + "`"
		}
		if inner != nil {
			row.Default = strings.Replace(row.Default, "`0`", "–", 1)
			if sub == "score.input" {
				row.Type = "section, like [input](#input)"
			} else {
				g.section(g.valueOf(v.Field(i), inner), sub+brackets(t.Field(i).Type))
				row.Type = fmt.Sprintf("%s, [below](#%s)", kind, anchor(sub+brackets(t.Field(i).Type)))
			}
		}
		g.sections[at].Keys = append(g.sections[at].Keys, row)
	}
}

// valueOf gives the defaults of a section: those held, or those of a new one.
func (g *docs) valueOf(v reflect.Value, t reflect.Type) reflect.Value {
	if v.Kind() == reflect.Struct {
		return v
	}
	return newElement(t)
}

func brackets(t reflect.Type) string {
	if t.Kind() == reflect.Slice {
		return "[]"
	}
	return ""
}

// anchor is GitHub's anchor of a heading.
func anchor(title string) string {
	return regexp.MustCompile(`[^a-z0-9_-]`).ReplaceAllString(strings.ToLower(title), "")
}

// typeName says what a value of type t looks like; inner is the section type, if it is one.
func typeName(t reflect.Type) (inner reflect.Type, name string) {
	switch t.Kind() {
	case reflect.Pointer:
		return typeName(t.Elem())
	case reflect.Struct:
		return t, "section"
	case reflect.Slice:
		inner, name := typeName(t.Elem())
		return inner, "list of " + strings.TrimSuffix(name, "s") + plural(name)
	case reflect.Map:
		return nil, "mapping of text to text"
	case reflect.Bool:
		return nil, "true or false"
	case reflect.Float64:
		return nil, "number"
	case reflect.String:
		return nil, "text"
	}
	return nil, "integer"
}

func plural(name string) string {
	if name == "text" {
		return ""
	}
	return "s"
}

// defaultOf gives the default of a key whose section holds v in it.
func (g *docs) defaultOf(t reflect.Type, key string, v reflect.Value) string {
	switch {
	case slices.Contains(required[t], key):
		return "required"
	case v.Kind() == reflect.Struct:
		return "–"
	case v.IsZero() && v.Kind() == reflect.Bool:
		return "`false`"
	case v.IsZero() && v.Kind() == reflect.Float64 && key != "finetune_learning_rate":
		return "`0`"
	case v.IsZero():
		return "–"
	case v.Kind() == reflect.Slice:
		return fmt.Sprintf("`%q`", v.Interface())
	}
	return fmt.Sprintf("`%v`", v.Interface())
}

// parse reads the doc comments of a package of this module.
func (g *docs) parse(pkg string) {
	if g.parsed[pkg] {
		return
	}
	g.parsed[pkg] = true
	dir := filepath.Join(root, strings.TrimPrefix(pkg, "github.com/millrace-go/millrace/"))
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		g.t.Fatalf("no Go files in %s: %v", dir, err)
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			g.t.Fatal(err)
		}
		first, _, _ := strings.Cut(strings.TrimPrefix(f.Doc.Text(), "Package "), "\n\n")
		g.comments[pkg] += first
		for _, d := range f.Decls {
			if d, ok := d.(*ast.GenDecl); ok && d.Tok == token.TYPE {
				g.addTypes(pkg, d)
			}
		}
	}
}

func (g *docs) addTypes(pkg string, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		ts := spec.(*ast.TypeSpec)
		name := pkg + "." + ts.Name.Name
		g.comments[name] = d.Doc.Text() + ts.Doc.Text()
		st, ok := ts.Type.(*ast.StructType)
		if !ok {
			continue
		}
		for _, f := range st.Fields.List {
			for _, n := range f.Names {
				g.comments[name+"."+n.Name] = f.Doc.Text() + f.Comment.Text()
			}
		}
	}
}

// comment gives the doc comment of a type or of its field, with the keys for
// the names of its fields.
func (g *docs) comment(t reflect.Type, fieldName string) string {
	name := t.PkgPath() + "." + t.Name()
	if fieldName != "" {
		name += "." + fieldName
	}
	text := strings.TrimSpace(g.comments[name])
	if fieldName == "" && t.Name() == "Spec" { // the package comment says more than "Spec is the job's section"
		text = g.comments[t.PkgPath()] + strings.TrimPrefix(text, firstSentence(text))
	}
	if text == "" && fieldName != "" {
		if inner, _ := typeName(fieldType(t, fieldName)); inner != nil {
			g.parse(inner.PkgPath())
			text = firstSentence(g.comments[inner.PkgPath()+"."+inner.Name()])
			text = strings.TrimPrefix(text, inner.Name()+" ")
		}
	}
	if text == "" && fieldName != "" {
		if e := enums[field{t, yamlKey(structField(t, fieldName))}]; e != nil {
			text = oneOf(e)
		}
	}
	text = regexp.MustCompile(`\[MaxErrors\]`).ReplaceAllString(text, strconv.Itoa(MaxErrors))
	text = escape.Replace(strings.Join(strings.Fields(text), " "))
	return keyNames(text, t, fieldName)
}

// escape keeps Markdown from reading a comment's text as markup.
var escape = strings.NewReplacer("|", "\\|", "*", "\\*", "<", "&lt;", ">", "&gt;")

// keyNames puts the keys of section type t for the Go names of its fields. A
// name in capitals, such as CSV, is a word like others but at the start of its own comment.
func keyNames(text string, t reflect.Type, fieldName string) string {
	for i := range t.NumField() {
		f := t.Field(i)
		key := yamlKey(f)
		if key == "" {
			continue
		}
		name := regexp.MustCompile(`\b` + f.Name + `\b`)
		if strings.ToUpper(f.Name) == f.Name {
			name = regexp.MustCompile(`^` + f.Name + `\b`)
			if f.Name != fieldName {
				continue
			}
		}
		text = name.ReplaceAllString(text, "`"+key+"`")
	}
	return text
}

func structField(t reflect.Type, name string) reflect.StructField {
	f, _ := t.FieldByName(name)
	return f
}

func fieldType(t reflect.Type, name string) reflect.Type { return structField(t, name).Type }

func firstSentence(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if i := strings.Index(s, ". "); i >= 0 {
		return s[:i+1]
	}
	return s
}

// addExamples records the scalars and short lists of a job file by key path.
func (g *docs) addExamples(file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		g.t.Fatal(err)
	}
	body, err := parseYAML(data, file)
	if err != nil {
		g.t.Fatal(err)
	}
	g.walk(body, "")
}

func (g *docs) walk(n yamlast.Node, path string) {
	if entries, ok := mapping(n); ok && len(entries) > 0 {
		for _, e := range entries {
			key, _ := text(e.Key)
			g.example(join(path, key), e.Value)
			g.walk(e.Value, join(path, key))
		}
		return
	}
	if seq, ok := n.(*yamlast.SequenceNode); ok {
		for _, item := range seq.Values {
			g.walk(item, path+"[]")
		}
	}
}

func (g *docs) example(path string, n yamlast.Node) {
	shown := n.String()
	if _, done := g.examples[path]; done || len(shown) > 60 || strings.Contains(shown, "\n") {
		return
	}
	if _, ok := mapping(n); ok && !isNull(n) && !strings.HasSuffix(path, ".map") {
		return
	}
	if seq, ok := n.(*yamlast.SequenceNode); ok && !isScalar(seq.Values[0]) {
		return
	}
	g.examples[path] = shown
}

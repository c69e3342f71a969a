package formats

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/io/table"
)

// docs/formats.md has every format, every name that tells one, and every option.
func TestDocs(t *testing.T) {
	b, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	want := func(text string) {
		t.Helper()
		if !strings.Contains(page, "`"+text+"`") {
			t.Errorf("docs/formats.md has no `%s`", text)
		}
	}
	for _, e := range entries {
		want(e.Name())
		for _, x := range e.extensions {
			want(x)
		}
	}
	options := reflect.TypeFor[table.Options]()
	for i := range options.NumField() {
		section := options.Field(i)
		if section.Type.Kind() != reflect.Struct {
			continue
		}
		for k := range section.Type.NumField() {
			want(strings.ToLower(section.Name) + "." + section.Type.Field(k).Tag.Get("yaml"))
		}
	}
}

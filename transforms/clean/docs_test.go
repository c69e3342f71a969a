package clean

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// docs/clean.md names every key of the section.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/clean.md")
	if err != nil {
		t.Fatal(err)
	}
	for key := range keysOf(reflect.TypeFor[Spec](), map[string]bool{}) {
		if !strings.Contains(string(page), "`"+key+"`") {
			t.Errorf("docs/clean.md does not name `%s`", key)
		}
	}
}

// keysOf collects the keys of a section and of those in it.
func keysOf(t reflect.Type, keys map[string]bool) map[string]bool {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return keys
	}
	for i := range t.NumField() {
		key, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if key == "-" || key == "" {
			continue
		}
		keys[key] = true
		keysOf(t.Field(i).Type, keys)
	}
	return keys
}

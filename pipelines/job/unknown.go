package job

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/millrace-go/millrace/internal/names"
)

// elsewhere gives a remedy for an unknown key of the section at path: the
// section that it belongs to, the nearest key, or the keys there are.
func elsewhere(key, path string, known []string) string {
	if near := didYouMean(key, known); near != "" {
		return near
	}
	if homes := sectionsWith(key, reflect.TypeFor[Job](), "", nil); len(homes) == 1 {
		return fmt.Sprintf("; it belongs in %s", homes[0])
	}
	return "; the keys here are " + strings.Join(known, ", ")
}

// sectionsWith lists the sections below t, itself at path, that have a key.
func sectionsWith(key string, t reflect.Type, path string, found []string) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || path == "score" {
		return found
	}
	for i := range t.NumField() {
		switch k := yamlKey(t.Field(i)); k {
		case "":
		case key:
			if path == "" {
				found = append(found, "the top level")
			} else {
				found = append(found, path)
			}
		default:
			found = sectionsWith(key, t.Field(i).Type, join(path, k), found)
		}
	}
	return found
}

// didYouMean suggests the nearest candidate, if it is near enough to be meant.
func didYouMean(word string, candidates []string) string {
	near := names.Nearest(word, candidates)
	if near == "" || near == word || unlike(word, near) > (len(near)+1)/3 {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", near)
}

// unlike counts the letters that one word has and the other lacks, the larger
// of the two counts: at most their edit distance, letter case ignored.
func unlike(a, b string) int {
	var count [256]int
	for _, c := range []byte(strings.ToLower(a)) {
		count[c]++
	}
	for _, c := range []byte(strings.ToLower(b)) {
		count[c]--
	}
	more, fewer := 0, 0
	for _, n := range count {
		more += max(n, 0)
		fewer += max(-n, 0)
	}
	return max(more, fewer)
}

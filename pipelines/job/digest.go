package job

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Canonical gives the effective job, defaults filled in, as JSON with sorted
// keys: the same bytes for the same job, however and wherever its file is
// written. The name is left out, for it changes no result, and so are the
// statistics, which change no model.
func (j *Job) Canonical() []byte {
	tree := plainTree(reflect.ValueOf(j).Elem()).(map[string]any)
	delete(tree, "name")
	delete(tree, "stats")
	data, err := json.Marshal(tree)
	if err != nil { // a tree of text, booleans and finite numbers always encodes
		panic(fmt.Sprintf("job: %v", err))
	}
	return data
}

// Digest is the lower-case hex SHA-256 of Canonical.
func (j *Job) Digest() string {
	sum := sha256.Sum256(j.Canonical())
	return hex.EncodeToString(sum[:])
}

// plainTree turns v into maps by YAML key, lists and scalars. A nil pointer is
// left out of its section; a nil and an empty list differ, for in a job they may.
func plainTree(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		return plainTree(v.Elem())
	case reflect.Struct:
		m := map[string]any{}
		for i := range v.NumField() {
			f := v.Field(i)
			if key := yamlKey(v.Type().Field(i)); key != "" && !isNilPointer(f) && !(f.IsZero() && omitsEmpty(v.Type().Field(i))) {
				m[key] = plainTree(f)
			}
		}
		return m
	case reflect.Slice:
		if v.IsNil() {
			return nil
		}
		list := make([]any, v.Len())
		for i := range list {
			list[i] = plainTree(v.Index(i))
		}
		return list
	}
	return v.Interface()
}

// omitsEmpty tells whether a key that is not set is left out: those that came
// when jobs had digests already.
func omitsEmpty(f reflect.StructField) bool {
	return strings.HasSuffix(f.Tag.Get("yaml"), ",omitempty")
}

func isNilPointer(v reflect.Value) bool { return v.Kind() == reflect.Pointer && v.IsNil() }

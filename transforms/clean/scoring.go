package clean

import (
	"encoding/json"
	"fmt"
	"reflect"
)

// ForScoring is how rows to be scored are cleaned: no row is dropped, what
// would be goes to the dead letters, and duplicates are scored each; it takes no sample.
func (s Spec) ForScoring() Spec {
	data, err := json.Marshal(s)
	if err != nil { // a spec is texts, numbers and booleans
		panic(fmt.Sprintf("clean: %v", err))
	}
	var out Spec
	if err := json.Unmarshal(data, &out); err != nil {
		panic(fmt.Sprintf("clean: %v", err))
	}
	out.DropDuplicates, out.NearDuplicates, out.Sample = false, nil, nil
	keepRows(reflect.ValueOf(&out).Elem())
	return out
}

// keepRows puts Dead for every Drop below v.
func keepRows(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			keepRows(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			keepRows(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			keepRows(v.Index(i))
		}
	case reflect.String:
		if v.Type() == reflect.TypeFor[Action]() && v.String() == string(Drop) {
			v.SetString(string(Dead))
		}
	}
}

package schema

import (
	"bytes"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Encode is the text of a schema file. Parse reads the same schema of it.
func (s *Schema) Encode() ([]byte, error) {
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	var b bytes.Buffer
	encodeKeys(&b, reflect.ValueOf(s).Elem(), "", "")
	return b.Bytes(), nil
}

// encodeKeys writes the keys of a struct that are set; first is what stands
// before the first of them in place of indent.
func encodeKeys(b *bytes.Buffer, v reflect.Value, first, indent string) {
	for i := range v.NumField() {
		key, rest, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		f := v.Field(i)
		if rest == "omitempty" && f.IsZero() || f.Kind() == reflect.Slice && f.Len() == 0 && rest == "omitempty" {
			continue
		}
		b.WriteString(first + key + ":")
		first = indent
		if f.Kind() == reflect.Pointer {
			f = f.Elem()
		}
		switch {
		case f.Kind() == reflect.Struct && f.IsZero():
			b.WriteString(" {}\n")
		case f.Kind() == reflect.Struct:
			b.WriteByte('\n')
			encodeKeys(b, f, indent+"  ", indent+"  ")
		case f.Kind() == reflect.Slice && f.Len() == 0:
			b.WriteString(" []\n")
		case f.Kind() == reflect.Slice:
			b.WriteByte('\n')
			for k := range f.Len() {
				if e := f.Index(k); e.Kind() == reflect.Struct {
					encodeKeys(b, e, indent+"  - ", indent+"    ")
				} else {
					b.WriteString(indent + "  - " + encodeScalar(e) + "\n")
				}
			}
		default:
			b.WriteString(" " + encodeScalar(f) + "\n")
		}
	}
}

func encodeScalar(v reflect.Value) string {
	switch v.Kind() {
	case reflect.String:
		return quote(v.String())
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int64, reflect.Int:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	}
	panic(fmt.Sprintf("schema: no YAML for a %s", v.Type()))
}

// quote leaves a text as it is if nobody could take it for something else, and
// puts it in double quotes otherwise.
func quote(s string) string {
	plain := s != "" && !strings.HasSuffix(s, " ")
	for i, r := range s {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r == '_'
		plain = plain && (letter || i > 0 && ('0' <= r && r <= '9' || strings.ContainsRune(" .,()/+-", r)))
	}
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		plain = false
	}
	if plain {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

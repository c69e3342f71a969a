package jsonlio

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// reference reads JSON Lines the slow way, with the standard library: the rows as formattest writes
// them, and the numbers of those that are dead. It is false for a file that Survey refuses.
func reference(data []byte, flatten int) (kept []string, dead []int64, ok bool) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	var rows []map[string][]string // the JSON texts by column, of which the last counts; nil is dead
	var columns []string
	values := map[string][]string{}
	good := false
	for _, line := range bytes.Split(data, []byte("\n")) {
		if len(bytes.Trim(line, " \t\r")) == 0 {
			continue
		}
		if !validRow(line) {
			rows = append(rows, nil)
			continue
		}
		good = true
		row := map[string][]string{}
		leaves(line, "", 1, flatten, func(name, raw string) {
			row[name] = append(row[name], raw)
			if _, ok := values[name]; !ok {
				columns = append(columns, name)
			}
			values[name] = append(values[name], raw)
		})
		rows = append(rows, row)
	}
	if !good || len(columns) == 0 {
		return nil, nil, false
	}
	kinds, items := map[string]string{}, map[string]string{}
	for name, texts := range values {
		if kinds[name] = referenceKind(texts); kinds[name] != "list" {
			continue
		}
		var all []string
		for _, v := range texts {
			if v != "null" {
				all = append(all, elements(v)...)
			}
		}
		items[name] = referenceKind(all)
	}
	for i, row := range rows {
		text := fmt.Sprintf("row %d:", i+1)
		whole := row != nil
		for _, name := range columns {
			cell := "(null)"
			for _, raw := range row[name] {
				if cell = "(null)"; raw != "null" {
					v, fits := referenceCell(raw, kinds[name], items[name])
					whole = whole && fits
					cell = fmt.Sprintf("%q", v)
				}
			}
			text += fmt.Sprintf(" %q=%s", name, cell)
		}
		if whole {
			kept = append(kept, text)
		} else {
			dead = append(dead, int64(i+1))
		}
	}
	return kept, dead, true
}

// validRow says if line is an object in valid JSON, UTF-8, and not too deep.
func validRow(line []byte) bool {
	if !utf8.Valid(line) || !json.Valid(line) || bytes.TrimLeft(line, " \t\r")[0] != '{' {
		return false
	}
	depth, quoted := 0, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && line[i+1] == 'u':
			r, _ := strconv.ParseUint(string(line[i+2:i+6]), 16, 32)
			i += 5
			if r >= 0xd800 && r < 0xe000 {
				if r >= 0xdc00 || line[i+1] != '\\' || line[i+2] != 'u' {
					return false
				}
				if r, _ = strconv.ParseUint(string(line[i+3:i+7]), 16, 32); r < 0xdc00 || r >= 0xe000 {
					return false
				}
				i += 6
			}
		case c == '\\':
			i++
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return false
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return true
}

// leaves calls leaf for the columns of an object, level deep.
func leaves(object []byte, prefix string, level, flatten int, leaf func(name, raw string)) {
	dec := json.NewDecoder(bytes.NewReader(object))
	dec.Token()
	for dec.More() {
		key, _ := dec.Token()
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			panic(err)
		}
		name := prefix + key.(string)
		if raw[0] == '{' && level < flatten {
			leaves(raw, name+".", level+1, flatten, leaf)
		} else {
			leaf(name, string(raw))
		}
	}
}

// referenceKind is "bool", "int", "float", "text" or "list" for the JSON texts of a column.
func referenceKind(values []string) string {
	bools, ints, floats, strs, lists, all := 0, 0, 0, 0, 0, 0
	fit, exact := true, true
	var items []string
	for _, v := range values {
		switch {
		case v == "null":
			continue
		case v == "true" || v == "false":
			bools++
		case v[0] == '"':
			strs++
		case v[0] == '[':
			lists++
			items = append(items, elements(v)...)
		case v[0] == '{':
		case strings.ContainsAny(v, ".eE"):
			floats++
		default:
			ints++
			_, err := strconv.ParseInt(v, 10, 64)
			fit = fit && err == nil
			f, err := strconv.ParseFloat(v, 64)
			if err != nil {
				exact = false
				break
			}
			want, _ := new(big.Float).SetPrec(2000).SetString(v)
			exact = exact && (want.Cmp(new(big.Float).SetFloat64(f)) == 0 || strconv.FormatFloat(f, 'f', -1, 64) == v)
		}
		all++
	}
	switch {
	case all == 0 || strs == all:
	case bools == all:
		return "bool"
	case ints == all && fit:
		return "int"
	case floats > 0 && ints+floats == all && exact:
		return "float"
	case lists == all:
		plain := true // items that are strings, or none
		for _, v := range items {
			if v[0] == '[' || v[0] == '{' {
				return "text"
			}
			plain = plain && (v[0] == '"' || v == "null")
		}
		if plain || referenceKind(items) != "text" {
			return "list"
		}
	}
	return "text"
}

func elements(array string) []string {
	var raw []json.RawMessage
	if err := json.Unmarshal([]byte(array), &raw); err != nil {
		panic(err)
	}
	out := make([]string, len(raw))
	for i, r := range raw {
		out[i] = string(r)
	}
	return out
}

// referenceCell is a value as text, and false if it does not fit.
func referenceCell(raw, kind, itemKind string) (string, bool) {
	switch kind {
	case "bool":
		return raw, true
	case "int":
		v, err := strconv.ParseInt(raw, 10, 64)
		return fmt.Sprint(v), err == nil
	case "float":
		v, err := strconv.ParseFloat(raw, 64)
		return strconv.FormatFloat(v, 'g', -1, 64), err == nil
	case "list":
		items, fits := []any{}, true
		for _, item := range elements(raw) {
			var v any
			switch {
			case item == "null":
			case itemKind == "float":
				f, err := strconv.ParseFloat(item, 64)
				fits = fits && err == nil
				v = f
			case itemKind == "int":
				v, _ = strconv.ParseInt(item, 10, 64)
			default:
				json.Unmarshal([]byte(item), &v)
			}
			items = append(items, v)
		}
		if !fits {
			return "", false
		}
		text, err := json.Marshal(items)
		if err != nil {
			panic(err)
		}
		return string(text), true
	}
	if raw[0] == '"' {
		var s string
		if err := json.Unmarshal([]byte(raw), &s); err != nil {
			panic(err)
		}
		return s, true
	}
	return raw, true
}

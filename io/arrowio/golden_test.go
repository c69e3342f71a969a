package arrowio

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// The JSON form of Arrow's integration tests:
// https://arrow.apache.org/docs/format/Integration.html#json-test-data-format
type (
	goldenFile struct {
		Schema       struct{ Fields []goldenField }
		Batches      []goldenBatch
		Dictionaries []struct {
			ID   int64
			Data goldenBatch
		}
		fields map[int64]goldenField // of the dictionaries
	}
	goldenField struct {
		Name string
		Type struct {
			Name, Unit string
			BitWidth   int
			ListSize   int
		}
		Children   []goldenField
		Dictionary *struct{ ID int64 }
	}
	goldenBatch struct {
		Count   int
		Columns []goldenColumn
	}
	goldenColumn struct {
		Name     string
		Count    int
		Validity []int             `json:"VALIDITY"`
		Offset   []json.RawMessage `json:"OFFSET"`
		Size     []json.RawMessage `json:"SIZE"`
		Data     []json.RawMessage `json:"DATA"`
		Views    []struct {
			Size    int     `json:"SIZE"`
			Inlined *string `json:"INLINED"`
			Buffer  int     `json:"BUFFER_INDEX"`
			Offset  int     `json:"OFFSET"`
		} `json:"VIEWS"`
		Variadic []string `json:"VARIADIC_DATA_BUFFERS"`
		Children []goldenColumn
	}
)

// unpack returns the files of the zip.
func unpack(t testing.TB, path string) map[string][]byte {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	out := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if out[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	return out
}

func golden(t testing.TB, data []byte) *goldenFile {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	g := &goldenFile{fields: map[int64]goldenField{}}
	if err := json.NewDecoder(z).Decode(g); err != nil {
		t.Fatal(err)
	}
	g.note(g.Schema.Fields)
	return g
}

func (g *goldenFile) note(fields []goldenField) {
	for _, f := range fields {
		if f.Dictionary != nil {
			plain := f
			plain.Dictionary = nil
			g.fields[f.Dictionary.ID] = plain
		}
		g.note(f.Children)
	}
}

// column is what the JSON says that column i of all batches holds.
func (g *goldenFile) column(i int) (out []string) {
	for _, b := range g.Batches {
		out = append(out, g.values(g.Schema.Fields[i], b.Columns[i])...)
	}
	return out
}

func number(r json.RawMessage) int {
	n, err := strconv.Atoi(strings.Trim(string(r), `"`))
	if err != nil {
		panic(err)
	}
	return n
}

// values writes the values of a column.
func (g *goldenFile) values(f goldenField, c goldenColumn) []string {
	out := make([]string, c.Count)
	if f.Dictionary != nil {
		for _, d := range g.Dictionaries {
			if d.ID == f.Dictionary.ID {
				values := g.values(g.fields[d.ID], d.Data.Columns[0])
				for i := range out {
					if c.Validity[i] == 1 {
						out[i] = values[number(c.Data[i])]
					}
				}
			}
		}
	} else {
		kids := make([][]string, len(c.Children))
		for i := range kids {
			kids[i] = g.values(f.Children[i], c.Children[i])
		}
		for i := range out {
			out[i] = c.value(f, i, kids)
		}
	}
	for i := range out {
		if f.Type.Name == "null" || c.Validity != nil && c.Validity[i] == 0 {
			out[i] = "null"
		}
	}
	return out
}

func (c *goldenColumn) value(f goldenField, i int, kids [][]string) string {
	switch f.Type.Name {
	case "null":
		return "null"
	case "utf8", "largeutf8":
		var s string
		if err := json.Unmarshal(c.Data[i], &s); err != nil {
			panic(err)
		}
		return strconv.Quote(s)
	case "utf8view", "binaryview":
		v := c.Views[i]
		switch {
		case v.Inlined == nil:
			return hexOf(c.Variadic[v.Buffer][2*v.Offset:2*(v.Offset+v.Size)], f.Type.Name == "utf8view")
		case f.Type.Name == "utf8view":
			return strconv.Quote(*v.Inlined)
		}
		return *v.Inlined
	case "floatingpoint":
		x, err := strconv.ParseFloat(string(c.Data[i]), 64)
		if err != nil {
			panic(err)
		}
		return strconv.FormatFloat(x, 'g', 6, 64)
	case "list", "largelist", "map":
		return "[" + strings.Join(kids[0][number(c.Offset[i]):number(c.Offset[i+1])], " ") + "]"
	case "listview", "largelistview":
		from := number(c.Offset[i])
		return "[" + strings.Join(kids[0][from:from+number(c.Size[i])], " ") + "]"
	case "fixedsizelist":
		n := f.Type.ListSize
		return "[" + strings.Join(kids[0][i*n:(i+1)*n], " ") + "]"
	case "struct":
		return structOf(len(kids), func(k int) string { return kids[k][i] })
	case "runendencoded":
		for r, end := range kids[0] {
			if n, _ := strconv.Atoi(end); n > i {
				return kids[1][r]
			}
		}
		panic("no run")
	case "interval":
		var v struct{ Days, Milliseconds, Months, Nanoseconds json.Number }
		if f.Type.Unit != "YEAR_MONTH" {
			if err := json.Unmarshal(c.Data[i], &v); err != nil {
				panic(err)
			}
			return fmt.Sprintf("%s/%s/%s/%s", v.Months, v.Days, v.Milliseconds, v.Nanoseconds)
		}
	}
	return strings.Trim(string(c.Data[i]), `"`)
}

func hexOf(s string, quote bool) string {
	if !quote {
		return s
	}
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return strconv.Quote(string(b))
}

// structOf leaves the names of fields out: they are in the type, and C++ renames those of maps in its streams.
func structOf(n int, field func(k int) string) string {
	out := make([]string, n)
	for k := range n {
		out[k] = field(k)
	}
	return "{" + strings.Join(out, " ") + "}"
}

// valueOf writes a value of an array as value does.
func valueOf(arr arrow.Array, i int) string {
	if arr.IsNull(i) || arr.DataType().ID() == arrow.NULL {
		return "null"
	}
	switch c := arr.(type) {
	case *array.String:
		return strconv.Quote(c.Value(i))
	case *array.Binary:
		return strings.ToUpper(hex.EncodeToString(c.Value(i)))
	case *array.FixedSizeBinary:
		return strings.ToUpper(hex.EncodeToString(c.Value(i)))
	case *array.Boolean:
		return fmt.Sprint(c.Value(i))
	case *array.Float16:
		return strconv.FormatFloat(float64(c.Value(i).Float32()), 'g', 6, 64)
	case *array.Float32:
		return strconv.FormatFloat(float64(c.Value(i)), 'g', 6, 64)
	case *array.Float64:
		return strconv.FormatFloat(c.Value(i), 'g', 6, 64)
	case *array.Decimal128:
		return c.Value(i).BigInt().String()
	case *array.Decimal256:
		return c.Value(i).BigInt().String()
	case *array.Date32:
		return fmt.Sprint(int32(c.Value(i)))
	case *array.Date64:
		return fmt.Sprint(int64(c.Value(i)))
	case *array.Time32:
		return fmt.Sprint(int32(c.Value(i)))
	case *array.Time64:
		return fmt.Sprint(int64(c.Value(i)))
	case *array.Timestamp:
		return fmt.Sprint(int64(c.Value(i)))
	case *array.Duration:
		return fmt.Sprint(int64(c.Value(i)))
	case *array.MonthInterval:
		return fmt.Sprint(int32(c.Value(i)))
	case *array.DayTimeInterval:
		return fmt.Sprintf("/%d/%d/", c.Value(i).Days, c.Value(i).Milliseconds)
	case *array.MonthDayNanoInterval:
		return fmt.Sprintf("%d/%d//%d", c.Value(i).Months, c.Value(i).Days, c.Value(i).Nanoseconds)
	case array.ListLike:
		from, to := c.ValueOffsets(i)
		var items []string
		for k := from; k < to; k++ {
			items = append(items, valueOf(c.ListValues(), int(k)))
		}
		return "[" + strings.Join(items, " ") + "]"
	case *array.Struct:
		return structOf(c.NumField(), func(k int) string { return valueOf(c.Field(k), i) })
	}
	return arr.ValueStr(i)
}

// alike says that two values are the same, floating-point numbers to 5 digits: the JSON has no more.
func alike(got, want string) bool {
	if got == want {
		return true
	}
	brackets := strings.NewReplacer("[", " [ ", "]", " ] ")
	gots, wants := strings.Fields(brackets.Replace(got)), strings.Fields(brackets.Replace(want))
	if len(gots) != len(wants) {
		return false
	}
	for i := range gots {
		x, err1 := strconv.ParseFloat(gots[i], 64)
		y, err2 := strconv.ParseFloat(wants[i], 64)
		if gots[i] != wants[i] && !(err1 == nil && err2 == nil && strings.ContainsAny(wants[i], ".e") && math.Abs(x-y) <= 1e-5*math.Abs(y)) {
			return false
		}
	}
	return true
}

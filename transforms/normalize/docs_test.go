package normalize

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the table of departures in docs/normalize.md")

const departuresHead = "| case | here |\n|---|---|\n"

// TestDocs holds docs/normalize.md to the types and to the cases of
// tf.transform: every key, every word and every departure is there.
func TestDocs(t *testing.T) {
	const file = "../../docs/normalize.md"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	before, rest, ok := strings.Cut(page, departuresHead)
	if !ok {
		t.Fatalf("no table of departures in %s", file)
	}
	_, after, _ := strings.Cut(rest, "\n\n")
	if want := before + departuresHead + departures() + "\n" + after; want != page {
		if *update {
			if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		} else {
			t.Errorf("the table of departures is out of step; run go test ./transforms/normalize -run TestDocs -update")
		}
	}
	words := slices.Concat(scales, []string{
		quantileUniform, quantileNormal, powerYeoJohnson, powerBoxCox, fillConstant, fillMean, fillMedian, fillMostFrequent,
		encodeOneHot, encodeEmbedding, splitWords, splitSpaces, splitCharacters, weightCount, weightBinary, weightTF, weightTFIDF,
		sideEnd, sideStart, keepFirst, keepLast, fitStretch, fitCover, layoutCHW, layoutHWC, imageNone, imageUnit, imagePer,
	})
	for _, word := range append(words, keysOf(reflect.TypeFor[Feature]())...) {
		if !strings.Contains(page, "`"+word+"`") {
			t.Errorf("%s does not name `%s`", file, word)
		}
	}
}

// departures is the table, the cases by name; "as before" is not repeated.
func departures() string {
	var b strings.Builder
	for _, name := range sortedKeys(tftCases) {
		if why := tftCases[name]; why != "" && why != "as before" {
			fmt.Fprintf(&b, "| %s | %s |\n", name, why)
		}
	}
	return b.String()
}

// keysOf lists the keys of a section and of those within it.
func keysOf(section reflect.Type) (out []string) {
	for i := range section.NumField() {
		f := section.Field(i)
		out = append(out, f.Tag.Get("yaml"))
		if inner := f.Type; inner.Kind() == reflect.Pointer {
			out = append(out, keysOf(inner.Elem())...)
		}
	}
	return out
}

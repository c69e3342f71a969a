package normalize

import (
	"fmt"
	"strings"
)

// names says what each of the feature's numbers is.
func (f *Fitted) names() (out []string) {
	switch {
	case f.Target != nil:
		for _, class := range f.Target.Classes {
			out = append(out, fmt.Sprintf("share of %s in %s", class, f.Column))
		}
	case f.Text != nil:
		for _, term := range f.Text.Terms {
			out = append(out, fmt.Sprintf("%q in %s", term, f.Column))
		}
	case f.PCA != nil:
		for i := range f.PCA.Components {
			out = append(out, fmt.Sprintf("component %d of %s", i, f.columnList()))
		}
	case f.Image != nil:
		for i := range f.Image.numbers() {
			out = append(out, fmt.Sprintf("pixel %d of %s", i, f.Column))
		}
	case f.Encode == "" && f.Sequence == nil:
		out = append(out, f.Column)
	case f.Encode == "":
		for slot := range f.Sequence.Length {
			out = append(out, fmt.Sprintf("%s[%d]", f.Column, slot))
		}
	case f.Encode == encodeOneHot:
		out = f.oneHotNames()
	}
	if f.indicator() {
		out = append(out, f.Column+" is null")
	}
	return out
}

func (f *Fitted) oneHotNames() (out []string) {
	slots := 1
	if f.Sequence != nil {
		slots = f.Sequence.Length
	}
	for slot := range slots {
		for id := range f.ids() {
			name := f.idName(id)
			if f.Sequence != nil {
				name = fmt.Sprintf("%s at %d", name, slot)
			}
			out = append(out, name)
		}
	}
	return out
}

// columnList names the columns that the feature reads.
func (f *Fitted) columnList() string {
	var list []string
	for _, c := range f.reads() {
		list = append(list, c.name)
	}
	if n := len(list); n > 4 {
		list = append(list[:2], fmt.Sprintf("… %d columns", n))
	}
	return strings.Join(list, ", ")
}

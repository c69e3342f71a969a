package precision

import (
	"strings"
	"testing"

	"github.com/millrace-go/millrace/accel"
)

func TestParse(t *testing.T) {
	for _, name := range append(Names(), "") {
		p, err := Parse(name)
		if err != nil {
			t.Errorf("Parse(%q): %v", name, err)
		} else if name != "" && p.String() != name {
			t.Errorf("Parse(%q) prints as %q", name, p)
		}
	}
	if p, _ := Parse(""); p != (Policy{accel.Float32, accel.Float32, accel.Float32}) {
		t.Errorf("Parse(\"\") = %v, want float32 throughout", p)
	}
	if _, err := Parse("bf16"); err == nil || !strings.Contains(err.Error(), `"bf16" is not one of: fp32`) {
		t.Errorf("Parse(bf16): error %v, want one that lists fp32", err)
	}
}

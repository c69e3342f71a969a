package devices

import (
	"strings"
	"testing"
)

func TestOpen(t *testing.T) {
	for _, name := range append(Names(), "") {
		d, err := Open(name)
		if err != nil {
			t.Errorf("Open(%q): %v", name, err)
		} else if name != "" && d.Name() != name {
			t.Errorf("Open(%q).Name() = %q", name, d.Name())
		}
	}
	if _, err := Open("tpu"); err == nil || !strings.Contains(err.Error(), "cpu") {
		t.Errorf("Open(tpu): error %v, want one that lists cpu", err)
	}
}

package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestVerify(t *testing.T) {
	dir := t.TempDir()
	s, err := Local(dir)
	if err != nil {
		t.Fatal(err)
	}
	good, err := PutNamed(t.Context(), s, "good", []byte("some rows"))
	if err != nil {
		t.Fatal(err)
	}
	bad, err := PutNamed(t.Context(), s, "bad", []byte("more rows"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bad"), []byte("more rowS"), 0o666); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second answer comes from memory
		if err := Verify(t.Context(), s, good); err != nil {
			t.Errorf("a whole object: %v", err)
		}
		if err := Verify(t.Context(), s, bad); err == nil || !strings.Contains(err.Error(), "object bad") {
			t.Errorf("a changed object: got %v, want an error that names it", err)
		}
	}
	short := good
	short.Bytes--
	if err := Verify(t.Context(), s, short); err == nil {
		t.Error("another size: got no error")
	}
}

package arrowsafe

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

func panicking(p any) (err error) {
	defer Recover(&err, "decoding")
	if p != nil {
		panic(p)
	}
	return nil
}

func TestRecover(t *testing.T) {
	cause := errors.New("no such type")
	tests := []struct {
		name string
		p    any
		want string
	}{
		{"nothing", nil, ""},
		{"text", "bad length", "decoding: the bytes are damaged: bad length"},
		{"error", cause, "decoding: the bytes are damaged: no such type"},
		{"budget", overBudget{9, 1, 5}, "decoding: it asks for 9 bytes where 1 are left of a limit of 5: the bytes are damaged"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := panicking(tt.p); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	err := func() (err error) {
		defer RecoverWrite(&err, "writing")
		panic(cause)
	}()
	if !errors.Is(err, cause) || err.Error() != "writing: no such type" {
		t.Errorf("RecoverWrite: got %v, want it to wrap the cause", err)
	}
}

func TestBudget(t *testing.T) {
	b := NewBudget(100)
	p := b.Allocate(60)
	p = b.Reallocate(40, p) // 60 and 40 at once fit, just
	if b.used != 40 {
		t.Errorf("%d bytes are used, want 40", b.used)
	}
	b.Free(p)
	for _, n := range []int{101, -1} {
		err := func() (err error) {
			defer Recover(&err, "x")
			b.Allocate(n)
			return nil
		}()
		if err == nil || b.used != 0 {
			t.Errorf("Allocate(%d): error %v, %d bytes used, want an error and 0", n, err, b.used)
		}
	}
}

// stream is a schema of one column and a record of no rows.
func stream(t *testing.T, name string) []byte {
	t.Helper()
	s := arrow.NewSchema([]arrow.Field{{Name: name, Type: arrow.BinaryTypes.String}}, nil)
	var buf bytes.Buffer
	w := ipc.NewWriter(&buf, ipc.WithSchema(s))
	if err := w.Write(array.NewRecordBuilder(memory.NewGoAllocator(), s).NewRecord()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestCheckStream(t *testing.T) {
	whole := stream(t, "column")
	if err := CheckStream(whole); err != nil {
		t.Fatal(err)
	}
	for cut := range whole {
		if err := CheckStream(whole[:cut]); err == nil {
			t.Errorf("cut at byte %d of %d: no error", cut, len(whole))
		}
	}
	if err := CheckStream(append(bytes.Clone(whole), 0)); err == nil || !strings.Contains(err.Error(), "1 bytes after its end") {
		t.Errorf("a byte more: got error %v", err)
	}
	// The length of the column's name stands before it: one that is longer
	// than the buffer is found.
	at := bytes.Index(whole, []byte("column")) - 4
	whole[at+3] = 0x7f
	if err := CheckStream(whole); err == nil || !strings.Contains(err.Error(), "vector") {
		t.Errorf("a name of 2 GiB: got error %v, want one that says vector", err)
	}
}

package wire

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// counter counts the bytes read from a file.
type counter struct {
	r io.ReaderAt
	n int64
}

func (c *counter) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.r.ReadAt(p, off)
	c.n += int64(n)
	return n, err
}

// bigModel has an initializer of 1 MiB, a typed one, a small one and one in a subgraph.
func bigModel() *Model {
	big := bytes.Repeat([]byte{1, 2, 3, 4, 5, 6, 7, 8}, 1<<17)
	inner := &Graph{Name: "then", Initializers: []*Tensor{{Name: "inner", Type: Uint8, Dims: []int64{5000}, Raw: NewBlob(big[:5000])}},
		Nodes: []*Node{{OpType: "Identity", Inputs: []string{"inner"}, Outputs: []string{"o"}}}, Outputs: []*ValueInfo{{Name: "o"}}}
	typed := &Tensor{Name: "typed", Type: Double, Dims: []int64{1000}, Doubles: make([]float64, 1000)}
	for i := range typed.Doubles {
		typed.Doubles[i] = math.Sqrt(float64(i))
	}
	return &Model{IRVersion: 10, OperatorSets: []OperatorSet{{"", 21}}, Graph: &Graph{
		Name: "g",
		Nodes: []*Node{{OpType: "If", Inputs: []string{"c"}, Outputs: []string{"o"}, Attributes: []*Attribute{
			{Name: "then_branch", Type: AttributeGraph, Graph: inner}, {Name: "else_branch", Type: AttributeGraph, Graph: inner}}}},
		Initializers: []*Tensor{
			{Name: "big", Type: Int64, Dims: []int64{1 << 10, 1 << 7}, Raw: NewBlob(big)},
			typed,
			{Name: "small", Type: Float16, Dims: []int64{2}, Raw: NewBlob([]byte{1, 2, 3, 4})},
			{Name: "words", Type: String, Dims: []int64{2}, Strings: []string{"a", strings.Repeat("b", 5000)}},
		},
	}}
}

// checkSame reports where the initializers of two models differ in content.
func checkSame(t *testing.T, got, want *Model) {
	t.Helper()
	var tensors [2][]*Tensor
	for i, m := range []*Model{got, want} {
		err := eachInitializer(m.Graph, 0, func(w *Tensor) error { tensors[i] = append(tensors[i], w); return nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(tensors[0]) != len(tensors[1]) {
		t.Fatalf("%d initializers, want %d", len(tensors[0]), len(tensors[1]))
	}
	for i, w := range tensors[1] {
		g := tensors[0][i]
		if g.Name != w.Name || g.Type != w.Type || !reflect.DeepEqual(g.Dims, w.Dims) || !reflect.DeepEqual(g.Strings, w.Strings) {
			t.Errorf("initializer %d: got %s %v %v, want %s %v %v", i, g.Name, g.Type, g.Dims, w.Name, w.Type, w.Dims)
			continue
		}
		if w.Type == String {
			continue
		}
		gotData, err := g.Data()
		if err != nil {
			t.Error(err)
		}
		wantData, err := w.Data()
		if err != nil {
			t.Error(err)
		}
		if !bytes.Equal(gotData, wantData) {
			t.Errorf("initializer %s: the data differs", g.Name)
		}
	}
}

// Decoding reads no more of a file than what is around the raw data.
func TestLazy(t *testing.T) {
	want := bigModel()
	var file bytes.Buffer
	if err := Encode(&file, want); err != nil {
		t.Fatal(err)
	}
	c := &counter{r: bytes.NewReader(file.Bytes())}
	m, err := Decode[Model](c, int64(file.Len()), Options{MaxBytes: 100 << 10})
	if err != nil {
		t.Fatal(err)
	}
	if c.n > 4*windowBytes {
		t.Errorf("decoding read %d of %d bytes, want at most %d", c.n, file.Len(), 4*windowBytes)
	}
	big := m.Graph.Initializers[0]
	if big.Raw.InMemory() || big.Raw.Len() != 1<<20 {
		t.Errorf("1 MiB of raw data: in memory %v, %d bytes", big.Raw.InMemory(), big.Raw.Len())
	}
	checkSame(t, m, want)
	var again bytes.Buffer
	if err := Encode(&again, m); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Bytes(), file.Bytes()) {
		t.Error("written from the file it differs from the file")
	}
}

func TestBlob(t *testing.T) {
	data := []byte("0123456789")
	for name, b := range map[string]Blob{"memory": NewBlob(data), "file": {src: bytes.NewReader([]byte("ab0123456789yz")), off: 2, n: 10}} {
		if got, err := b.Bytes(); err != nil || string(got) != string(data) {
			t.Errorf("%s: Bytes: got %q, %v", name, got, err)
		}
		for _, c := range []struct {
			off  int64
			n    int
			want string
			err  error
		}{{0, 10, "0123456789", nil}, {3, 2, "34", nil}, {8, 4, "89", io.EOF}, {10, 1, "", io.EOF}} {
			p := make([]byte, c.n)
			n, err := b.ReadAt(p, c.off)
			if string(p[:n]) != c.want || err != c.err {
				t.Errorf("%s: ReadAt(%d, %d): got %q, %v, want %q, %v", name, c.n, c.off, p[:n], err, c.want, c.err)
			}
		}
		if _, err := b.ReadAt(make([]byte, 1), -1); err == nil {
			t.Errorf("%s: ReadAt of a negative offset: no error", name)
		}
	}
	short := Blob{src: bytes.NewReader(data), off: 5, n: 10}
	if _, err := short.Bytes(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that has shrunk: got error %v", err)
	}
}

// A model survives a file, in one or with its data beside it.
func TestSave(t *testing.T) {
	want := bigModel()
	for _, opt := range []SaveOptions{{}, {ExternalBytes: 1000}, {ExternalBytes: 1 << 30}, {ExternalBytes: 1, ExternalName: "weights.bin"}} {
		path := filepath.Join(t.TempDir(), "m.onnx")
		if err := Save(path, want, opt); err != nil {
			t.Fatal(err)
		}
		f, err := Open(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		checkSame(t, f.Model, want)
		external := 0
		for _, w := range f.Graph.Initializers {
			if w.Location == External {
				external++
				if off := w.Raw.off; off%externalAlign != 0 {
					t.Errorf("%+v: %s is at %d of the external file, want a multiple of %d", opt, w.Name, off, externalAlign)
				}
			}
		}
		if moved := map[int64]int{0: 0, 1000: 2, 1 << 30: 0, 1: 3}[opt.ExternalBytes]; external != moved {
			t.Errorf("%+v: %d external tensors, want %d", opt, external, moved)
		}
		if err := Save(path, f.Model, SaveOptions{ExternalBytes: 5000}); err != nil { // over the file that it reads from
			t.Error(err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		again, err := Open(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		checkSame(t, again.Model, want)
		again.Close()
	}
}

// A Save that fails leaves nothing behind, and an older file as it was.
func TestSaveFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.onnx")
	if err := os.WriteFile(path, []byte("older"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	bad := bigModel()
	bad.Graph.Initializers[1].Dims[0]++
	for _, c := range []struct {
		path string
		m    *Model
		opt  SaveOptions
	}{
		{path, bad, SaveOptions{}},
		{path, bad, SaveOptions{ExternalBytes: 1}},
		{path, bigModel(), SaveOptions{ExternalBytes: 1, ExternalName: "../x"}},
		{path, bigModel(), SaveOptions{ExternalBytes: 1, ExternalName: "folder"}},
		{path, bigModel(), SaveOptions{ExternalBytes: 1, ExternalName: "none/x"}},
		{filepath.Join(dir, "none", "m.onnx"), bigModel(), SaveOptions{}},
		{filepath.Join(dir, "folder"), bigModel(), SaveOptions{}},
	} {
		if err := Save(c.path, c.m, c.opt); err == nil {
			t.Errorf("Save(%s, %+v): no error", c.path, c.opt)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2 {
		t.Errorf("left behind: %v", entries)
	}
	if got := string(readFile(t, path)); got != "older" {
		t.Errorf("the older file now holds %.20q", got)
	}
}

// limited fails once n bytes are written.
type limited struct{ n int }

var errFull = errors.New("disk full")

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.n {
		return l.n, errFull
	}
	l.n -= len(p)
	return len(p), nil
}

func TestEncodeFails(t *testing.T) {
	m := bigModel()
	var all bytes.Buffer
	if err := Encode(&all, m); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, windowBytes, windowBytes + 1, 1 << 19, all.Len() - 1} {
		if err := Encode(&limited{n}, m); !errors.Is(err, errFull) {
			t.Errorf("after %d bytes: got error %v, want %q", n, err, errFull)
		}
	}
	if err := Encode(&limited{all.Len()}, m); err != nil {
		t.Error(err)
	}
	cycle := &Graph{Name: "g"}
	cycle.Nodes = []*Node{{OpType: "If", Attributes: []*Attribute{{Name: "a", Type: AttributeGraph, Graph: cycle}}}}
	for name, bad := range map[string]*Model{
		"nil node":  {Graph: &Graph{Nodes: []*Node{nil}}},
		"cycle":     {Graph: cycle},
		"attribute": {Graph: &Graph{Nodes: []*Node{{Attributes: []*Attribute{{Name: "a"}}}}}},
		"3 GiB":     {Graph: &Graph{Initializers: []*Tensor{{Type: Uint8, Dims: []int64{3 << 30}, Raw: Blob{src: memory(nil), n: 3 << 30}}}}},
	} {
		var e *Error
		if err := Encode(io.Discard, bad); !errors.As(err, &e) {
			t.Errorf("%s: got error %v, want a *Error", name, err)
		}
	}
}

// External data is found below the model's folder only.
func TestExternal(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "model")
	for _, d := range []string{dir, filepath.Join(dir, "sub")} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"secret", "model/data", "model/sub/data"} {
		if err := os.WriteFile(filepath.Join(top, name), []byte("0123456789"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"out": "../secret", "absolute": filepath.Join(top, "secret"), "in": "sub/data", "up": ".."} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	for _, c := range []struct {
		location, offset, length string
		want, err                string // content or part of the error
	}{
		{"data", "", "", "0123", ""},
		{"data", "6", "4", "6789", ""},
		{"sub/data", "1", "", "1234", ""},
		{"sub/../data", "1", "", "1234", ""},
		{"in", "2", "", "2345", ""},
		{"data", "7", "", "", "ends at byte 10, want 11"},
		{"data", "9223372036854775807", "", "", "beyond byte"},
		{"data", "-1", "", "", `offset is "-1"`},
		{"data", "x", "", "", `offset is "x"`},
		{"data", "", "5", "", "5 bytes, want 4"},
		{"none", "", "", "", "no such file"},
		{"sub", "", "", "", "no regular file"},
		{"../secret", "", "", "", "within the model's folder"},
		{"sub/../../secret", "", "", "", "within the model's folder"},
		{filepath.ToSlash(filepath.Join(top, "secret")), "", "", "", "within the model's folder"},
		{"out", "", "", "", "escapes"},
		{"absolute", "", "", "", "escapes"},
		{"up/secret", "", "", "", "escapes"},
	} {
		entries := []Entry{{"location", c.location}}
		if c.offset != "" {
			entries = append(entries, Entry{"offset", c.offset})
		}
		if c.length != "" {
			entries = append(entries, Entry{"length", c.length})
		}
		got, err := readExternal(t, dir, &Tensor{Name: "w", Type: Uint8, Dims: []int64{4}, Location: External, External: entries})
		if c.err == "" && (err != nil || string(got) != c.want) {
			t.Errorf("%s at %s: got %q, %v, want %q", c.location, c.offset, got, err, c.want)
		}
		if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), `tensor "w"`)) {
			t.Errorf("%s at %s: got %q, %v, want an error with %q that names the tensor", c.location, c.offset, got, err, c.err)
		}
	}
	w := &Tensor{Name: "w", Type: Uint8, Dims: []int64{4}, Location: External, External: []Entry{{"location", "data"}}}
	if got, err := readExternal(t, "", w); err == nil || !strings.Contains(err.Error(), "folder is not known") {
		t.Errorf("without a folder: got %q, %v", got, err)
	}
	w.Dims = []int64{1 << 40}
	if _, err := readExternal(t, dir, w); !errors.Is(err, ErrInvalid) {
		t.Errorf("a tensor of 1 TiB: got error %v", err)
	}
}

// readExternal writes a tensor, reads it as one of a model in dir, and returns its data.
func readExternal(t *testing.T, dir string, w *Tensor) ([]byte, error) {
	var b bytes.Buffer
	if err := Encode(&b, w); err != nil {
		t.Fatal(err)
	}
	got, err := Unmarshal[Tensor](b.Bytes(), Options{Folder: dir})
	if err != nil {
		return nil, err
	}
	return got.Data()
}

package onnx

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu"
	"github.com/millrace-go/millrace/internal/shareddata"
	"github.com/millrace-go/millrace/model/graph"
	"github.com/millrace-go/millrace/model/onnx/wire"
	"github.com/millrace-go/millrace/model/program"
)

var update = flag.Bool("update", false, "rewrite testdata/node_suite.txt")

// casesVariable names a zip file or a folder with other cases for TestNodeSuite.
const casesVariable = "MILLRACE_ONNX_CASES"

const suiteTable = "testdata/node_suite.txt"

// A case of ONNX's node tests has one of these outcomes.
const (
	passed  = "pass"
	refused = "refused"
	failed  = "failed" // a wrong value, a panic, an error that does not say "not supported"
)

type outcome struct{ result, reason string }

// TestNodeSuite runs ONNX's own tests of single operators. Each case passes or
// is refused for a reason, as the table in testdata says; -update rewrites
// it. With MILLRACE_ONNX_CASES it runs other cases and prints how many passed, were
// refused and failed.
func TestNodeSuite(t *testing.T) {
	source, other := os.LookupEnv(casesVariable)
	if !other {
		source = shareddata.Path(t, "conformance/onnx-node.zip")
	}
	cases, err := openCases(source)
	if err != nil {
		t.Fatal(err)
	}
	got, counts := map[string]outcome{}, map[string]int{}
	for _, dir := range cases.dirs {
		o := cases.run(dir)
		got[path.Base(dir)] = o
		counts[o.result]++
		if o.result == failed {
			t.Errorf("%s: %s", dir, o.reason)
		}
	}
	t.Logf("%d cases: %d pass, %d refused, %d failed", len(cases.dirs), counts[passed], counts[refused], counts[failed])
	switch {
	case other:
		fmt.Printf("pass %d\nrefused %d\nfailed %d\n", counts[passed], counts[refused], counts[failed])
	case *update:
		writeTable(t, got)
	default:
		compareTable(t, got)
	}
}

func writeTable(t *testing.T, got map[string]outcome) {
	var b bytes.Buffer
	for _, name := range sortedKeys(got) {
		if o := got[name]; o.result != failed {
			fmt.Fprintln(&b, strings.TrimSpace(strings.Join([]string{name, o.result, o.reason}, "\t")))
		}
	}
	if err := os.WriteFile(suiteTable, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func compareTable(t *testing.T, got map[string]outcome) {
	data, err := os.ReadFile(suiteTable)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]outcome{}
	for line := range strings.Lines(string(data)) {
		f := append(strings.Split(strings.TrimSpace(line), "\t"), "", "")
		want[f[0]] = outcome{f[1], f[2]}
	}
	for _, name := range sortedKeys(got) {
		if got[name].result != failed && got[name] != want[name] { // failures are reported already
			t.Errorf("%s: got %v, want %v as in %s", name, got[name], want[name], suiteTable)
		}
	}
	for name := range want {
		if _, ok := got[name]; !ok {
			t.Errorf("%s is in %s, but there is no such case", name, suiteTable)
		}
	}
}

// cases are folders that each have a model.onnx and test_data_set_<i> folders.
type cases struct {
	files fs.FS
	dirs  []string
}

func openCases(source string) (*cases, error) {
	info, err := os.Stat(source)
	if err != nil {
		return nil, err
	}
	c := &cases{files: os.DirFS(source)}
	if !info.IsDir() {
		data, err := os.ReadFile(source)
		if err != nil {
			return nil, err
		}
		if c.files, err = zip.NewReader(bytes.NewReader(data), int64(len(data))); err != nil {
			return nil, err
		}
	}
	err = fs.WalkDir(c.files, ".", func(name string, _ fs.DirEntry, err error) error {
		if path.Base(name) == "model.onnx" {
			c.dirs = append(c.dirs, path.Dir(name))
		}
		return err
	})
	if err == nil && len(c.dirs) == 0 {
		err = fmt.Errorf("no model.onnx in %s", source)
	}
	slices.Sort(c.dirs)
	return c, err
}

// run is the outcome of one case.
func (c *cases) run(dir string) (o outcome) {
	defer func() {
		if p := recover(); p != nil {
			o = outcome{failed, fmt.Sprintf("panic: %v", p)}
		}
	}()
	err := c.check(dir)
	switch {
	case err == nil:
		return outcome{passed, ""}
	case errors.Is(err, accel.ErrUnsupported):
		return outcome{refused, reason(err)}
	}
	return outcome{failed, err.Error()}
}

// reason is the part of an error before "not supported".
func reason(err error) string {
	parts := strings.Split(err.Error(), ": ")
	for i, p := range parts {
		if strings.HasPrefix(p, accel.ErrUnsupported.Error()) && i > 0 {
			return parts[i-1]
		}
	}
	return err.Error()
}

// errRandom refuses cases whose expected values are the random numbers of another
// program: form, type and shape are compared, and nothing else.
var errRandom = fmt.Errorf("random values: %w", accel.ErrUnsupported)

// check runs a case and returns nil if all outputs are as expected.
func (c *cases) check(dir string) error {
	data, err := fs.ReadFile(c.files, path.Join(dir, "model.onnx"))
	if err != nil {
		return err
	}
	file, err := wire.Unmarshal[wire.Model](data, wire.Options{})
	if err != nil {
		return err
	}
	m, err := Convert(file, Options{})
	if err != nil {
		return err
	}
	tol, err := c.tolerance(dir)
	if err != nil {
		return err
	}
	sets, err := fs.Glob(c.files, path.Join(dir, "test_data_set_*"))
	if err != nil || len(sets) == 0 {
		return errors.Join(err, errors.New("no test data"))
	}
	p := program.New(m.Graph, cpu.New(), program.Options{})
	for _, set := range sets {
		if err := c.checkSet(p, file, set, tol); err != nil {
			return err
		}
	}
	return nil
}

// tolerance is what ONNX's runner allows: |got-want| <= atol + rtol·|want|.
type tolerance struct{ RTol, ATol float64 }

func (c *cases) tolerance(dir string) (tolerance, error) {
	tol := tolerance{1e-3, 1e-7}
	data, err := fs.ReadFile(c.files, path.Join(dir, "data.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return tol, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &tol)
	}
	return tol, err
}

func (c *cases) checkSet(p *program.Program, file *wire.Model, set string, tol tolerance) error {
	var in []program.Datum
	for i, v := range file.Graph.Inputs {
		d, err := c.datum(path.Join(set, fmt.Sprintf("input_%d.pb", i)), v.Type)
		if err != nil {
			return err
		}
		in = append(in, d)
	}
	got, err := runProgram(p, in)
	if err != nil {
		return err
	}
	random := isRandom(file.Graph, in)
	for i, v := range file.Graph.Outputs {
		want, err := c.datum(path.Join(set, fmt.Sprintf("output_%d.pb", i)), v.Type)
		if err != nil {
			return err
		}
		same := sameDatum
		if random {
			same = sameType
		}
		if err := same(got[i], want, tol); err != nil {
			return fmt.Errorf("output %d (%s): %w", i, v.Name, err)
		}
	}
	if random {
		return errRandom
	}
	return nil
}

// isRandom says whether a graph draws random numbers, which a Dropout does if it is
// told that it is training and to drop something.
func isRandom(g *wire.Graph, in []program.Datum) bool {
	given := func(n *wire.Node, i int, absent float64) float64 {
		if len(n.Inputs) <= i || n.Inputs[i] == "" {
			return absent
		}
		at := slices.IndexFunc(g.Inputs, func(v *wire.ValueInfo) bool { return v.Name == n.Inputs[i] })
		if at < 0 || in[at].Array == nil || in[at].Array.Len() != 1 {
			return absent
		}
		return element(in[at].Array, 0)
	}
	return slices.ContainsFunc(g.Nodes, func(n *wire.Node) bool {
		return strings.HasPrefix(n.OpType, "Random") || n.OpType == "Bernoulli" || n.OpType == "Multinomial" ||
			n.OpType == "Dropout" && given(n, 2, 0) != 0 && given(n, 1, 0.5) != 0
	})
}

// runProgram runs tensors compiled, and what else there is part by part.
func runProgram(p *program.Program, in []program.Datum) ([]program.Datum, error) {
	arrays := make([]*accel.Array, len(in))
	for i, d := range in {
		if arrays[i] = d.Array; d.Form != graph.Tensor {
			return p.RunData(in...)
		}
	}
	out, err := p.Run(arrays...)
	if err != nil {
		if strings.Contains(err.Error(), "use RunData") { // an output is a sequence or an optional
			return p.RunData(in...)
		}
		return nil, err
	}
	data := make([]program.Datum, len(out))
	for i, a := range out {
		data[i] = program.Datum{Array: a}
	}
	return data, nil
}

// datum reads a value of a test.
func (c *cases) datum(name string, typ *wire.Type) (program.Datum, error) {
	data, err := fs.ReadFile(c.files, name)
	if err != nil {
		return program.Datum{}, err
	}
	return decodeDatum(data, typ)
}

func decodeDatum(data []byte, typ *wire.Type) (program.Datum, error) {
	im := &importer{left: 1 << 30, opt: Options{MaxBytes: 1 << 30}}
	switch {
	case typ == nil:
		return program.Datum{}, errors.New("a value of unknown type")
	case typ.Sequence != nil:
		s, err := wire.Unmarshal[wire.SequenceValue](data, wire.Options{})
		if err != nil {
			return program.Datum{}, err
		}
		return sequenceDatum(im, s, typ)
	case typ.Optional != nil:
		o, err := wire.Unmarshal[wire.OptionalValue](data, wire.Options{})
		if err != nil {
			return program.Datum{}, err
		}
		switch {
		case o.Tensor != nil:
			a, err := im.array(o.Tensor)
			return program.Datum{Array: a}, err
		case o.Sequence != nil:
			return sequenceDatum(im, o.Sequence, typ.Optional.Elem)
		}
		t, err := elementType(graph.Optional, typ.Optional.Elem)
		return program.Datum{Form: graph.Optional, DType: t.DType}, err
	}
	t, err := wire.Unmarshal[wire.Tensor](data, wire.Options{})
	if err != nil {
		return program.Datum{}, err
	}
	a, err := im.array(t)
	return program.Datum{Array: a}, err
}

func sequenceDatum(im *importer, s *wire.SequenceValue, typ *wire.Type) (program.Datum, error) {
	t, err := elementType(graph.Sequence, typ.Sequence.Elem)
	d := program.Datum{Form: graph.Sequence, DType: t.DType}
	for _, w := range s.Tensors {
		a, aerr := im.array(w)
		err = errors.Join(err, aerr)
		d.Seq = append(d.Seq, a)
	}
	return d, err
}

package onnx

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu"
	"github.com/millrace-go/millrace/internal/shareddata"
	"github.com/millrace-go/millrace/model/onnx/wire"
	"github.com/millrace-go/millrace/model/program"
)

// A network of the ONNX model zoo gives what was published with it.
func TestZooModel(t *testing.T) {
	dir := shareddata.Path(t, "weights/onnx_zoo_mnist")
	f, err := wire.Open(filepath.Join(dir, "opt-mnist.onnx"), wire.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := Convert(f.Model, Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := &cases{files: os.DirFS(dir)}
	p := program.New(m.Graph, cpu.New(), program.Options{})
	file := *f.Model.Graph
	file.Inputs = file.Inputs[:1] // the others are the weights
	for i := range 3 {
		// The values were computed by another program; the logits go up to 6,574.
		if err := c.checkSet(p, &wire.Model{Graph: &file}, fmt.Sprintf("test_data_set_%d", i), tolerance{1e-3, 2e-3}); err != nil {
			t.Errorf("data set %d: %v", i, err)
		}
	}
}

// peerModels names the folder that export_models.py of the peers' benchmarks has
// written: NAME.onnx, NAME.dynamic.onnx and NAME.qdq.onnx, and NAME.io.npz with
// inputs and what PyTorch and ONNX Runtime compute from them.
const peerModels = "MILLRACE_PEER_MODELS"

func TestPeerModels(t *testing.T) {
	dir := os.Getenv(peerModels)
	if dir == "" {
		t.Skipf("%s names no folder", peerModels)
	}
	oracles, err := filepath.Glob(filepath.Join(dir, "*.io.npz"))
	if err != nil || len(oracles) == 0 {
		t.Fatalf("no oracle in %s: %v", dir, err)
	}
	for _, name := range oracles {
		arrays, err := readNPZ(name)
		if err != nil {
			t.Fatal(err)
		}
		base := strings.TrimSuffix(name, ".io.npz")
		for _, c := range []struct {
			file, want string
			tol        float64 // of the greatest output
		}{
			{".onnx", "ort_f32", 1e-4},
			{".dynamic.onnx", "ort_dynamic", 0.05}, // scales come from activations: ties round either way
			// Values at the edge between two codes may be rounded either way.
			{".qdq.onnx", "ort_qdq", 0.05},
		} {
			t.Run(filepath.Base(base)+c.file, func(t *testing.T) { checkPeer(t, base+c.file, arrays, arrays[c.want], c.tol) })
		}
	}
}

func checkPeer(t *testing.T, path string, arrays map[string]*accel.Array, want *accel.Array, tol float64) {
	m, err := Import(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var in []*accel.Array
	for _, v := range m.Graph.Inputs {
		in = append(in, arrays[v.Name])
	}
	out, err := program.New(m.Graph, cpu.New(), program.Options{}).Run(in...)
	if err != nil {
		t.Fatal(err)
	}
	var most, worst float64
	for i := range want.Len() {
		most = max(most, math.Abs(element(want, i)))
		worst = max(worst, math.Abs(element(out[0], i)-element(want, i)))
	}
	t.Logf("greatest output %g, greatest difference %g", most, worst)
	if !(worst <= tol*most) {
		t.Errorf("difference %g, want at most %g", worst, tol*most)
	}
}

var npyHeader = regexp.MustCompile(`'descr': '<([fi])(\d)', 'fortran_order': False, 'shape': \(([\d, ]*)\)`)

// readNPZ reads the arrays of a NumPy archive.
func readNPZ(name string) (map[string]*accel.Array, error) {
	z, err := zip.OpenReader(name)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	out := map[string]*accel.Array{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		if out[strings.TrimSuffix(f.Name, ".npy")], err = parseNPY(data); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return out, nil
}

func parseNPY(data []byte) (*accel.Array, error) {
	if len(data) < 10 || string(data[:6]) != "\x93NUMPY" {
		return nil, fmt.Errorf("not a .npy file")
	}
	end := 10 + int(binary.LittleEndian.Uint16(data[8:]))
	m := npyHeader.FindSubmatch(data[:end])
	if m == nil {
		return nil, fmt.Errorf("header %q", data[:end])
	}
	types := map[string]accel.DType{"f4": accel.Float32, "i8": accel.Int64}
	var shape []int
	for _, d := range strings.Fields(strings.ReplaceAll(string(m[3]), ",", " ")) {
		n, err := strconv.Atoi(d)
		if err != nil {
			return nil, err
		}
		shape = append(shape, n)
	}
	a := accel.NewArray(types[string(m[1])+string(m[2])], shape...)
	copy(a.Data, data[end:])
	toHost(a.Data, a.DType.Size())
	return a, nil
}

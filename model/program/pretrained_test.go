package program_test

import (
	"compress/gzip"
	"encoding/binary"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu"
	"github.com/millrace-go/millrace/internal/shareddata"
	"github.com/millrace-go/millrace/model/graph"
	"github.com/millrace-go/millrace/model/program"
	"github.com/millrace-go/millrace/model/weights"
)

// TestPretrainedCNN runs a published network on the MNIST test images: three
// convolutions, two dense layers and two batch normalizations. It must give the ten
// thousand predictions that are known of it, 9,917 of them right.
func TestPretrainedCNN(t *testing.T) {
	raw, err := os.ReadFile(shareddata.Path(t, "weights/burn_mnist_cnn/mnist.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	p := program.New(publishedCNN(t, raw), cpu.WithThreads(2), program.Options{})
	images, labels := mnist(t)
	text, err := os.ReadFile(shareddata.Path(t, "weights/burn_mnist_cnn/expected_predictions_t10k.txt"))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Fields(string(text))
	const batch = 250
	right, nll := 0, 0.0
	for at := 0; at < len(labels); at += batch {
		x := accel.NewArray(accel.Float32, batch, 1, 28, 28)
		for i := range accel.Values[float32](x) {
			accel.Values[float32](x)[i] = (float32(images[at*784+i])/255 - 0.1307) / 0.3081
		}
		out, err := p.Run(x)
		if err != nil {
			t.Fatal(err)
		}
		logp := accel.Values[float32](out[0])
		for i := range batch {
			row := logp[i*10 : i*10+10]
			best := 0
			for c, v := range row {
				if v > row[best] {
					best = c
				}
			}
			if string(rune('0'+best)) != want[at+i] {
				t.Errorf("image %d: predicted %d, want %s", at+i, best, want[at+i])
			}
			if best == int(labels[at+i]) {
				right++
			}
			nll -= float64(row[labels[at+i]])
		}
	}
	if nll /= float64(len(labels)); right != 9917 || math.Abs(nll-0.028088) > 1e-5 {
		t.Errorf("%d right with a mean loss of %.6f, want 9917 and 0.028088", right, nll)
	}
}

// publishedCNN builds the network around its weights.
func publishedCNN(t *testing.T, raw []byte) *graph.Graph {
	t.Helper()
	header, err := weights.ReadSafetensorsHeader(raw)
	if err != nil {
		t.Fatal(err)
	}
	g := graph.New("mnist")
	b := g.Build("")
	tensor := func(name string) *graph.Value {
		for _, e := range header.Tensors {
			if e.Name == name {
				shape := make([]int, len(e.Shape))
				for i, d := range e.Shape {
					shape[i] = int(d)
				}
				a := accel.NewArray(accel.Float32, shape...)
				copy(a.Data, raw[header.DataAt+int(e.Begin):header.DataAt+int(e.End)])
				return b.Const(a)
			}
		}
		t.Fatalf("no tensor %q", name)
		return nil
	}
	norm := func(name string, x *graph.Value) *graph.Value {
		return b.Op("BatchNormalization", nil, x, tensor(name+".weight"), tensor(name+".bias"), tensor(name+".running_mean"), tensor(name+".running_var"))
	}
	dense := func(name string, x *graph.Value) *graph.Value {
		return b.Op("Gemm", accel.Attrs{accel.Int("transB", 1)}, x, tensor(name+".weight"), tensor(name+".bias"))
	}
	x, err := g.Input("x", accel.Float32, graph.N, 1, 28, 28)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"conv1", "conv2", "conv3"} {
		x = b.Op("Relu", nil, b.Op("Conv", nil, x, tensor(name+".weight"), tensor(name+".bias")))
	}
	x = b.Op("Flatten", nil, norm("norm1", x))
	x = norm("norm2", dense("fc2", b.Op("Relu", nil, dense("fc1", x))))
	x = b.Op("LogSoftmax", nil, x)
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	g.Outputs = []*graph.Value{x}
	return g
}

// mnist is the images and labels of the test set.
func mnist(t *testing.T) (images, labels []byte) {
	t.Helper()
	read := func(name string, head, n int) []byte {
		f, err := os.Open(shareddata.Path(t, "images/mnist/"+name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		if len(data) != head+n || binary.BigEndian.Uint32(data[4:]) != 10000 {
			t.Fatalf("%s: %d bytes, want %d of 10000 items", name, len(data), head+n)
		}
		return data[head:]
	}
	return read("t10k-images-idx3-ubyte.gz", 16, 10000*784), read("t10k-labels-idx1-ubyte.gz", 8, 10000)
}

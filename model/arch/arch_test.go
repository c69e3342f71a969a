package arch_test

import (
	"math"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/accel/counter"
	"github.com/millrace-go/millrace/accel/cpu"
	"github.com/millrace-go/millrace/accel/cpu/isa"
	"github.com/millrace-go/millrace/model/arch"
	"github.com/millrace-go/millrace/model/nn"
	"github.com/millrace-go/millrace/model/precision"
	"github.com/millrace-go/millrace/model/weights"
)

var features = []nn.Input{{Name: "features", DType: "float32", Shape: []int{64}}}

func TestBuild(t *testing.T) {
	for _, c := range []struct {
		config arch.Config
		want   int // scalars
	}{
		{digits, 13706},
		{arch.Config{Name: "tabular", Hidden: []int{32}}, 64*32 + 32 + 32*10 + 10},
		{arch.Config{Name: "tabular"}, 64*10 + 10}, // no hidden layer is logistic regression
	} {
		m, err := arch.Build(c.config, features, 10)
		if err != nil {
			t.Errorf("%s: %v", c.config.Name, err)
			continue
		}
		if got := m.Init(1).Len(); got != c.want {
			t.Errorf("%+v has %d scalars, want %d", c.config, got, c.want)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name    string
		config  arch.Config
		inputs  []nn.Input
		classes int
		want    string
	}{
		{"name", arch.Config{Name: "resnet"}, features, 2, `model.arch: "resnet" is not one of: convnet, tabular`},
		{"no name", arch.Config{}, features, 2, `"" is not one of`},
		{"one class", arch.Config{Name: "tabular"}, features, 1, "the label has 1 classes"},
		{"no features", arch.Config{Name: "tabular"}, nil, 2, "no features"},
		{"dropout", arch.Config{Name: "tabular", Dropout: 1}, features, 2, "model.dropout: 1, want 0 <= dropout < 1"},
		{"hidden", arch.Config{Name: "tabular", Hidden: []int{8, 0}}, features, 2, "model.hidden[1]: 0"},
		{"channels", arch.Config{Name: "convnet", Image: []int{1, 8, 8}, Channels: []int{-1}}, features, 2, "model.channels[0]: -1"},
		{"image of a table", arch.Config{Name: "tabular", Image: []int{1, 8, 8}}, features, 2, "remove them"},
		{"image", arch.Config{Name: "convnet", Image: []int{1, 8, 7}, Channels: []int{4}}, features, 2, "model.image: [1 8 7] has 56 values, the features have 64"},
	} {
		if _, err := arch.Build(c.config, c.inputs, c.classes); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

// TestBits pins the bits of one training step and one prediction of two small
// networks: another CPU, compiler or change of code that gives others breaks
// the promise that the same inputs give the same model everywhere. CPUs with
// AVX2 and those with AVX-512 give the same bits, plain Go its own.
func TestBits(t *testing.T) {
	for _, c := range []struct {
		config         arch.Config
		want, portable uint64
	}{
		{arch.Config{Name: "convnet", Image: []int{1, 8, 8}, Channels: []int{16, 32}, Hidden: []int{64}, Dropout: 0.1}, 0x28a0800816891596, 0xd311c81913b6722a},
		{arch.Config{Name: "tabular", Hidden: []int{32, 16}, Dropout: 0.1}, 0x5fd74fa1167ebf2b, 0x5ef990032c9a6fba},
	} {
		m, err := arch.Build(c.config, features, 10)
		if err != nil {
			t.Fatal(err)
		}
		tr, err := m.NewTrainer(cpu.New(), precision.FP32)
		if err != nil {
			t.Fatal(err)
		}
		params, batch := m.Init(1), digitsBatch(32)
		grads := params.Zeros()
		loss, err := tr.Gradients(params, grads, batch, nil, 2)
		if err != nil {
			t.Fatal(err)
		}
		h := counter.Mix(math.Float64bits(loss))
		for _, set := range []weights.Set{params, grads} {
			for _, p := range set {
				h = hash(h, p.Data())
			}
		}
		p, err := m.NewPredictor(cpu.New())
		if err != nil {
			t.Fatal(err)
		}
		probs := make([]float32, 32*10)
		if err := p.Predict(params, batch, probs); err != nil {
			t.Fatal(err)
		}
		want := c.want
		if isa.Best() == isa.Portable {
			want = c.portable
		}
		if h = hash(h, probs); h != want {
			t.Errorf("%s: hash %#x, want %#x", c.config.Name, h, want)
		}
	}
}

func hash(h uint64, data []float32) uint64 {
	for _, v := range data {
		h = counter.Mix(h ^ uint64(math.Float32bits(v)))
	}
	return h
}

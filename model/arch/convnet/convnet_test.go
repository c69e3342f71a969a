package convnet_test

import (
	"strings"
	"testing"

	"github.com/millrace-go/millrace/model/arch/archtest"
	"github.com/millrace-go/millrace/model/arch/convnet"
	"github.com/millrace-go/millrace/model/nn"
)

func features(width int) []nn.Input {
	return []nn.Input{{Name: "features", DType: "float32", Shape: []int{width}}}
}

// TestDigits: 8x8 is pooled to 4x4 and 2x2, so 32·2·2 = 128 values reach fc1.
func TestDigits(t *testing.T) {
	c := convnet.Config{Image: []int{1, 8, 8}, Channels: []int{16, 32}, Hidden: []int{64}}
	archtest.Run(t, archtest.Case{
		Build: func() (*nn.Model, error) { return convnet.Build(c, features(64), 10) },
		Params: []nn.Param{
			{Name: "conv1.weight", Shape: []int{16, 1, 3, 3}}, {Name: "conv1.bias", Shape: []int{16}},
			{Name: "conv2.weight", Shape: []int{32, 16, 3, 3}}, {Name: "conv2.bias", Shape: []int{32}},
			{Name: "fc1.weight", Shape: []int{64, 128}}, {Name: "fc1.bias", Shape: []int{64}},
			{Name: "logits.weight", Shape: []int{10, 64}}, {Name: "logits.bias", Shape: []int{10}},
		},
		Scalars: 16*9 + 16 + 32*16*9 + 32 + 64*128 + 64 + 10*64 + 10, // 13,706
	})
}

// TestOddImage: 3 channels of 5x7 become 2x3 after one pool and stay there, as
// two pixels are fewer than four; dropout and no pooling go through the suite.
func TestOddImage(t *testing.T) {
	c := convnet.Config{Image: []int{3, 5, 7}, Channels: []int{4, 5}, Hidden: []int{16}, Dropout: 0.1}
	archtest.Run(t, archtest.Case{
		Build: func() (*nn.Model, error) { return convnet.Build(c, features(105), 3) },
		Params: []nn.Param{
			{Name: "conv1.weight", Shape: []int{4, 3, 3, 3}}, {Name: "conv1.bias", Shape: []int{4}},
			{Name: "conv2.weight", Shape: []int{5, 4, 3, 3}}, {Name: "conv2.bias", Shape: []int{5}},
			{Name: "fc1.weight", Shape: []int{16, 30}}, {Name: "fc1.bias", Shape: []int{16}},
			{Name: "logits.weight", Shape: []int{3, 16}}, {Name: "logits.bias", Shape: []int{3}},
		},
		Scalars: 4*27 + 4 + 5*36 + 5 + 16*30 + 16 + 3*16 + 3, // 844
	})
}

func TestErrors(t *testing.T) {
	ok := convnet.Config{Image: []int{1, 8, 8}, Channels: []int{4}}
	two := append(features(64), nn.Input{Name: "colour", DType: "int32", Cardinality: 3})
	for _, c := range []struct {
		name   string
		config convnet.Config
		inputs []nn.Input
		want   string
	}{
		{"width", ok, features(63), "model.image: [1 8 8] has 64 values, the features have 63"},
		{"image", convnet.Config{Image: []int{8, 8}, Channels: []int{4}}, features(64), "want [channels, height, width]"},
		{"size", convnet.Config{Image: []int{-1, 8, -8}, Channels: []int{4}}, features(64), "at least 1"},
		{"channels", convnet.Config{Image: []int{1, 8, 8}}, features(64), "model.channels"},
		{"categories", ok, two, "one vector of float32 features, the job gives features float32[64], colour int32[]"},
	} {
		if _, err := convnet.Build(c.config, c.inputs, 10); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

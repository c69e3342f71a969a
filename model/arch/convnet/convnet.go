// Package convnet is a small convolutional network for images given as one
// vector of features:
//
//	features [N C·H·W] -> image [N C H W]
//	for each of Channels: 3x3 convolution (same padding), ReLU, and a 2x2 max
//	    pool if the image is at least 4 pixels high and wide by then
//	for each of Hidden: dense, ReLU, dropout
//	dense to the classes
package convnet

import (
	"fmt"

	"github.com/millrace-go/millrace/model/nn"
)

// Config is the shape of the network; see package arch for the job's keys.
type Config struct {
	Image    []int // channels, height, width
	Channels []int
	Hidden   []int
	Dropout  float64
}

const (
	kernel  = 3
	poolMin = 4 // an image smaller than this, either way, is not pooled
)

// Build makes the model. It needs exactly one input, float32, of one value a pixel.
func Build(c Config, inputs []nn.Input, classes int) (*nn.Model, error) {
	if err := c.check(inputs); err != nil {
		return nil, err
	}
	b := nn.NewBuilder("convnet", inputs, classes)
	x := b.Reshape("image", b.Input(inputs[0].Name), c.Image...)
	h, w := c.Image[1], c.Image[2]
	for i, ch := range c.Channels {
		x = b.Relu(fmt.Sprintf("conv%d.relu", i+1), b.Conv(fmt.Sprintf("conv%d", i+1), x, ch, kernel))
		if h >= poolMin && w >= poolMin {
			x = b.MaxPool(fmt.Sprintf("pool%d", i+1), x, 2)
			h, w = h/2, w/2
		}
	}
	x = b.Flatten("flat", x)
	for i, width := range c.Hidden {
		x = b.Hidden(fmt.Sprintf("fc%d", i+1), x, width, c.Dropout)
	}
	return b.Finish(b.Dense("logits", x, classes, nn.XavierUniform(nn.GainLinear)))
}

func (c Config) check(inputs []nn.Input) error {
	if len(c.Image) != 3 {
		return fmt.Errorf("model.image: %v, want [channels, height, width]", c.Image)
	}
	pixels := 1
	for _, d := range c.Image {
		if d < 1 || d > 1<<20 {
			return fmt.Errorf("model.image: %v, want three sizes of at least 1", c.Image)
		}
		pixels *= d
	}
	if len(c.Channels) == 0 {
		return fmt.Errorf("model.channels: a convnet needs at least one convolution, such as [16, 32]")
	}
	if len(inputs) != 1 || inputs[0].DType != "float32" || len(inputs[0].Shape) != 1 {
		return fmt.Errorf("model.arch: convnet takes one vector of float32 features, the job gives %s", describe(inputs))
	}
	if width := inputs[0].Shape[0]; width != pixels {
		return fmt.Errorf("model.image: %v has %d values, the features have %d", c.Image, pixels, width)
	}
	return nil
}

func describe(inputs []nn.Input) string {
	text := ""
	for i, in := range inputs {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s %s%v", in.Name, in.DType, in.Shape)
	}
	return text
}

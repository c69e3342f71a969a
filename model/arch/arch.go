// Package arch names the architectures a job can ask for. Each lives in a
// package of its own and builds an nn.Model from a Config and the inputs.
package arch

import (
	"fmt"
	"strings"

	"github.com/millrace-go/millrace/model/arch/convnet"
	"github.com/millrace-go/millrace/model/arch/tabular"
	"github.com/millrace-go/millrace/model/nn"
)

// Config is the job's model section; it is stored in the model file.
type Config struct {
	// Name is convnet or tabular.
	Name string `yaml:"arch" json:"arch"`
	// Image is the shape [channels, height, width] that a convnet sees the features as.
	Image []int `yaml:"image" json:"image,omitempty"`
	// Channels are the output channels of a convnet's convolutions (3x3, same padding, ReLU). Each is followed by a 2x2 max pool while the image is at least 4 pixels high and wide.
	Channels []int `yaml:"channels" json:"channels,omitempty"`
	// Hidden are the widths of the fully connected layers before the last.
	Hidden []int `yaml:"hidden" json:"hidden,omitempty"`
	// Dropout is the probability of dropping a unit of a hidden layer while training. The default is 0.
	Dropout float64 `yaml:"dropout" json:"dropout,omitempty"`
}

// architecture is one row of the table.
type architecture struct {
	name  string
	build func(c Config, inputs []nn.Input, classes int) (*nn.Model, error)
}

// architectures lists them all. To add one, write its package and name it here.
var architectures = []architecture{
	{"convnet", buildConvnet},
	{"tabular", buildTabular},
}

// Names lists the architectures, in the order of the documentation.
func Names() []string {
	out := make([]string, len(architectures))
	for i, a := range architectures {
		out[i] = a.name
	}
	return out
}

// Build makes the model of a job's model section for the given inputs and
// number of classes. Its errors name the key of the job to change.
func Build(cfg Config, inputs []nn.Input, classes int) (*nn.Model, error) {
	for _, a := range architectures {
		if a.name == cfg.Name {
			return a.checked(cfg, inputs, classes)
		}
	}
	return nil, fmt.Errorf("model.arch: %q is not one of: %s", cfg.Name, strings.Join(Names(), ", "))
}

// checked builds after the checks that all architectures share.
func (a architecture) checked(cfg Config, inputs []nn.Input, classes int) (*nn.Model, error) {
	if classes < 2 {
		return nil, fmt.Errorf("model: the label has %d classes, want at least 2", classes)
	}
	if len(inputs) == 0 {
		return nil, fmt.Errorf("model: no features; name at least one in the job's normalize section")
	}
	if !(cfg.Dropout >= 0 && cfg.Dropout < 1) {
		return nil, fmt.Errorf("model.dropout: %g, want 0 <= dropout < 1", cfg.Dropout)
	}
	for i, h := range cfg.Hidden {
		if h < 1 || h > maxWidth {
			return nil, fmt.Errorf("model.hidden[%d]: %d, want a width from 1 to %d", i, h, maxWidth)
		}
	}
	return a.build(cfg, inputs, classes)
}

// maxWidth bounds layer widths, so that a slip of the finger is an error and
// not an allocation that fails.
const maxWidth = 1 << 16

func buildConvnet(c Config, inputs []nn.Input, classes int) (*nn.Model, error) {
	for i, ch := range c.Channels {
		if ch < 1 || ch > maxWidth {
			return nil, fmt.Errorf("model.channels[%d]: %d, want a number of channels from 1 to %d", i, ch, maxWidth)
		}
	}
	return convnet.Build(convnet.Config{Image: c.Image, Channels: c.Channels, Hidden: c.Hidden, Dropout: c.Dropout}, inputs, classes)
}

func buildTabular(c Config, inputs []nn.Input, classes int) (*nn.Model, error) {
	if len(c.Image) > 0 || len(c.Channels) > 0 {
		return nil, fmt.Errorf("model: image and channels are of arch convnet, this is tabular; remove them")
	}
	return tabular.Build(tabular.Config{Hidden: c.Hidden, Dropout: c.Dropout}, inputs, classes)
}

// Package arch names the architectures a job can ask for. Each lives in a
// package of its own and builds an nn.Model from a Config and the inputs.
package arch

// Config is the job's model section; it is stored in the model file.
type Config struct {
	// Name is convnet or tabular.
	Name string `yaml:"arch" json:"arch"`
	// Image is the shape [channels, height, width] that a convnet sees the features as.
	Image []int `yaml:"image" json:"image,omitempty"`
	// Channels are the output channels of a convnet's convolutions (3x3, same padding, ReLU), each followed by a 2x2 max pool while the image is larger than 2x2... see package convnet.
	Channels []int `yaml:"channels" json:"channels,omitempty"`
	// Hidden are the widths of the fully connected layers before the last.
	Hidden []int `yaml:"hidden" json:"hidden,omitempty"`
	// Dropout is the probability of dropping a unit of a hidden layer while training. The default is 0.
	Dropout float64 `yaml:"dropout" json:"dropout,omitempty"`
}

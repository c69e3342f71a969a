package table

// Image are the settings of images.
type Image struct {
	// Width is what every image must have; one of another width is a dead letter. By default widths are free.
	Width int `yaml:"width"`
	// Height is what every image must have; one of another height is a dead letter. By default heights are free.
	Height int `yaml:"height"`
	// Channels is what pixels are converted to: 1 (grey), 3 (RGB) or 4 (RGB and alpha). By default each
	// image keeps its own. If all three are set, pixels are a fixed-size list of bytes.
	Channels int `yaml:"channels"`
	// MaxPixels bounds the width times the height of an image; a larger one is a dead letter. The default is 8,388,608.
	MaxPixels int `yaml:"max_pixels"`
}

// IDX are the settings of idx files.
type IDX struct {
	// Labels adds a column label from the file beside this one that is named after it: with "labels"
	// for "images" and "idx1" for "idx3".
	Labels bool `yaml:"labels"`
}

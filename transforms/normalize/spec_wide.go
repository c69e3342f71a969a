package normalize

// Sequence makes a fixed number of inputs of a list (a list column, or a text
// that is cut): of numbers, each taken through the numeric steps, which are
// fitted on all of them together; or of tokens, each one-hot, or its id in an
// embedding's input of that length. A null is an empty list. Values that are
// cut off are not fitted on either.
type Sequence struct {
	// Length is the number of values that a row gets, 1 to 16,384.
	Length int `yaml:"length"`
	// Separator cuts a string column into tokens. A list column needs none.
	Separator string `yaml:"separator"`
	// Pad is the number that fills a list that is too short, after all steps.
	// One-hot tokens are padded by zeros, ids by an id of their own, the last.
	Pad float64 `yaml:"pad"`
	// Side is end or start: where a short list is padded. The default is end.
	Side string `yaml:"side"`
	// Keep is first or last: which values of a long list stay. The default is first.
	Keep string `yaml:"keep"`
}

// PCA projects several numeric columns together onto their principal
// components, the eigenvectors of their covariance (of the population), by
// falling variance; in each the entry with the largest absolute value is
// positive. All columns of the feature's pattern take part. A row with a null
// is not fitted on, and is a dead letter unless there is a fill, by a constant
// (then it is fitted on) or the mean.
type PCA struct {
	// With are more columns.
	With []string `yaml:"with"`
	// Components is the number of components. The default is all.
	Components int `yaml:"components"`
	// Standardize divides each column by its deviation first.
	Standardize bool `yaml:"standardize"`
	// Whiten divides each component by its deviation; one without is 0.
	Whiten bool `yaml:"whiten"`
}

// Image decodes a column of PNG or JPEG files (binary, or a string that holds their bytes), and makes the numbers of
// a picture of one size of each. A file that is neither, or is damaged, is a
// dead letter (<column>.image). Transparency is left out of account.
type Image struct {
	// Height is in pixels.
	Height int `yaml:"height"`
	// Width is in pixels.
	Width int `yaml:"width"`
	// Channels is 3 (red, green, blue) or 1 (grey). The default is 3.
	Channels int `yaml:"channels"`
	// Fit is stretch, or cover, which keeps the aspect ratio and cuts what is too much off both sides. The default is stretch.
	Fit string `yaml:"fit"`
	// Crop is the share of height and width in the middle that is kept. The default is 1.
	Crop float64 `yaml:"crop"`
	// Layout is chw or hwc: which of channel, row and column changes last to first. The default is chw.
	Layout string `yaml:"layout"`
	// Scale is none (0 to 255), unit (0 to 1) or per_image: less the image's
	// mean, over its deviation (or over 1/sqrt(numbers), if that is larger). The
	// default is unit.
	Scale string `yaml:"scale"`
	// Mean is taken off each channel after scaling.
	Mean []float64 `yaml:"mean"`
	// Std is what each channel is divided by then.
	Std []float64 `yaml:"std"`
}

const (
	sideEnd, sideStart             = "end", "start"
	keepFirst, keepLast            = "first", "last"
	fitStretch, fitCover           = "stretch", "cover"
	layoutCHW, layoutHWC           = "chw", "hwc"
	imageNone, imageUnit, imagePer = "none", "unit", "per_image"

	// maxPCA bounds the columns of a PCA: their sums of products take 9 MiB then.
	maxPCA = 128
)

func (s Sequence) withDefaults() Sequence {
	if s.Side == "" {
		s.Side = sideEnd
	}
	if s.Keep == "" {
		s.Keep = keepFirst
	}
	return s
}

func (m Image) withDefaults() Image {
	if m.Channels == 0 {
		m.Channels = 3
	}
	if m.Fit == "" {
		m.Fit = fitStretch
	}
	if m.Crop == 0 {
		m.Crop = 1
	}
	if m.Layout == "" {
		m.Layout = layoutCHW
	}
	if m.Scale == "" {
		m.Scale = imageUnit
	}
	return m
}

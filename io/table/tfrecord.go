package table

// TFRecord are the settings of files of tf.Example and tf.SequenceExample. Types
// are inferred from the records; these settle what records alone cannot, so that
// tomorrow's file has the types of today's.
type TFRecord struct {
	// Lists names features that are lists even where no record has more than one value of them.
	Lists []string `yaml:"lists"`
	// Binary names features of bytes that are binary even where all values are valid UTF-8.
	Binary []string `yaml:"binary"`
}

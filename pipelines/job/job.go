// Package job is the YAML job file: its types, defaults and validation.
//
// A job file is read strictly. An unknown or repeated key, a value of the
// wrong type or out of range, and a column that no rule provides are errors
// that name the file, line, column and key, up to [MaxErrors] at once.
package job

import (
	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/model/arch"
	"github.com/millrace-go/millrace/transforms/clean"
	"github.com/millrace-go/millrace/transforms/compress"
	"github.com/millrace-go/millrace/transforms/normalize"
	"github.com/millrace-go/millrace/transforms/split"
	"github.com/millrace-go/millrace/transforms/train"
)

// FileName is the job file of a folder.
const FileName = "job.yaml"

// Job is one job file with its defaults filled in. A zero in it means zero:
// no part of the pipeline fills in a default again.
type Job struct {
	// Name names the job in reports and is the folder below out/. The default is the name of the job file's folder.
	Name string `yaml:"name"`
	// Seed is the one source of randomness: weights, shuffles, dropout.
	Seed uint64 `yaml:"seed"`
	// Input is where the rows come from.
	Input Input `yaml:"input"`
	// Limits bound what a job puts up with.
	Limits Limits `yaml:"limits"`
	// Clean makes typed, checked rows of raw ones.
	Clean clean.Spec `yaml:"clean"`
	// Split puts every row, for ever, in train, validation or test.
	Split split.Spec `yaml:"split"`
	// Normalize turns cleaned columns into model inputs.
	Normalize normalize.Spec `yaml:"normalize"`
	// Model is the network.
	Model arch.Config `yaml:"model"`
	// Train trains the model in rounds.
	Train train.Spec `yaml:"train"`
	// Compress makes the trained model small.
	Compress compress.Spec `yaml:"compress"`
	// Stats says what is gathered of the cleaned rows and what they are held against.
	Stats Stats `yaml:"stats"`
	// Release decides whether the model replaces the last released one.
	Release Release `yaml:"release"`
	// Score is what the released model predicts. Without it nothing is scored.
	Score *Score `yaml:"score"`

	// Dir is the folder of the job file, and File the job file itself, as they were given.
	Dir  string `yaml:"-"`
	File string `yaml:"-"`

	at map[string]position // where each key is in File
}

// Input is a set of files of one format and schema.
type Input struct {
	// Files are the files, by glob, relative to the job file's folder: * and ? stay within a folder, ** crosses folders. A file that two globs name is read once; files are read in name order.
	Files []string `yaml:"files"`
	// Format is arrow, avro, csv, idx, image, jsonl, libsvm, parquet, text or tfrecord. The default goes by the name: .arrow, .feather, .arrows, .avro, .csv, .tsv, -idx3-ubyte, .png, .jpg, .jpeg, .jsonl, .ndjson, .json, .libsvm, .svm, .svmlight, .parquet, .tfrecord, -00000-of-00002 after tfrecord; but for .parquet and images also with .gz, .zst or .bz2 behind it. Text has to be said. docs/formats.md has what each format reads.
	Format string `yaml:"format"`
	// CSV holds the settings of the CSV format.
	CSV CSV `yaml:"csv"`
	// JSON holds the settings of JSON Lines.
	JSON table.JSON `yaml:"json"`
	// TFRecord holds the settings of TFRecord files.
	TFRecord table.TFRecord `yaml:"tfrecord"`
	// Text holds the settings of lines of text.
	Text table.Text `yaml:"text"`
	// LibSVM holds the settings of libsvm files.
	LibSVM table.LibSVM `yaml:"libsvm"`
	// Image holds the settings of images.
	Image table.Image `yaml:"image"`
	// IDX holds the settings of idx files.
	IDX table.IDX `yaml:"idx"`
	// BatchRows bounds the rows held as one record batch. It does not change the result.
	BatchRows int `yaml:"batch_rows"`
	// SpanBytes is the aim for the size of the pieces that a CSV file is read in. It does not change the result.
	SpanBytes int64 `yaml:"span_bytes"`
}

// CSV holds the settings of the CSV format (RFC 4180: cells in double quotes
// may hold delimiters, line breaks and doubled quotes).
type CSV struct {
	// Delimiter is the character between cells. The default is a comma, and a tab for .tsv and .tsv.gz.
	Delimiter string `yaml:"delimiter"`
	// Header says that the first line names the columns.
	Header bool `yaml:"header"`
	// Names are the column names of files without a header, in order. "p{0..63}" means p0, p1, … p63.
	Names []string `yaml:"names"`
}

// Limits bound what a job puts up with.
type Limits struct {
	// MaxDead is the largest share of the rows read that may be dead letters; beyond it the job fails.
	MaxDead float64 `yaml:"max_dead"`
	// MaxCellBytes bounds one cell; a row with a larger one is a dead letter.
	MaxCellBytes int `yaml:"max_cell_bytes"`
}

// Release decides whether a model replaces the last released one.
type Release struct {
	// Metric is accuracy, auc (two classes only) or log_loss, on the test split.
	Metric string `yaml:"metric"`
	// Margin is how much worse than the last released model, on the same rows, a candidate may be.
	Margin float64 `yaml:"margin"`
}

// Score is what the released model predicts.
type Score struct {
	// Input is the rows to score. What it leaves out, other than files, is as in the job's input section.
	Input Input `yaml:"input"`
}

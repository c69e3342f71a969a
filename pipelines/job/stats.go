package job

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/millrace-go/millrace/transforms/schema"
	"github.com/millrace-go/millrace/transforms/stats"
)

// Stats says what is gathered of the cleaned rows and what they are held
// against. It changes no model, so it is not in the digest of a job.
type Stats struct {
	// Schema is the file, relative to the job file's folder, that says what the cleaned columns have to be like, with thresholds of drift and skew; millrace stats --write-schema makes one. With it, prepare and what follows check the rows first.
	Schema string `yaml:"schema"`
	// OnAnomaly says what anomalies of severity error do: stop the run, with exit code 3, or warn.
	OnAnomaly string `yaml:"on_anomaly"`
	// Columns are the cleaned columns to look at. The default is all.
	Columns []string `yaml:"columns"`
	// SliceBy are columns of text, integers or booleans: the rows with the same value in one of them get statistics of their own.
	SliceBy []string `yaml:"slice_by"`
	// MaxSlices bounds the slices of one column; one with more values is not sliced.
	MaxSlices int `yaml:"max_slices"`
	// Correlations asks for Pearson's coefficient of each pair of numeric columns, of which there may be 128.
	Correlations bool `yaml:"correlations"`
	// Quantiles are the quantiles of numbers, from 0 to 1.
	Quantiles []float64 `yaml:"quantiles"`
	// Buckets is the number of buckets of each histogram.
	Buckets int `yaml:"buckets"`
	// TopValues is how many of the most frequent values are listed.
	TopValues int `yaml:"top_values"`
	// MaxDistinct bounds the distinct values of a column that are counted one by one. The default goes by the number of columns; see transforms/stats.
	MaxDistinct int `yaml:"max_distinct"`
}

// What anomalies do.
const (
	OnAnomalyStop = "stop"
	OnAnomalyWarn = "warn"
)

// Options are those of the statistics.
func (s *Stats) Options() stats.Options {
	return stats.Options{
		Columns: s.Columns, SliceBy: s.SliceBy, MaxSlices: s.MaxSlices, Correlations: s.Correlations,
		Quantiles: s.Quantiles, Buckets: s.Buckets, TopValues: s.TopValues, MaxDistinct: s.MaxDistinct,
	}
}

// checkStats adds what is wrong with the lists of the stats section; its
// numbers are in checkRanges.
func (j *Job) checkStats(p *problems, columns *columnSet) {
	for _, list := range []struct {
		key   string
		names []string
	}{{"columns", j.Stats.Columns}, {"slice_by", j.Stats.SliceBy}} {
		if twice := firstRepeated(list.names); twice != "" {
			p.addPath("stats."+list.key, "the column %q is named twice", twice)
		}
		for i, c := range list.names {
			columns.missing(p, fmt.Sprintf("stats.%s[%d]", list.key, i), c, fromClean)
		}
	}
	if len(j.Stats.Quantiles) == 0 {
		p.addPath("stats.quantiles", "an empty list; leave the key out for the default")
	}
	for i, q := range j.Stats.Quantiles {
		if !(q >= 0 && q <= 1) {
			p.addPath(fmt.Sprintf("stats.quantiles[%d]", i), "want a number of at least 0 and at most 1, got %v", q)
		}
	}
}

// SchemaFile reads the schema file of the stats section, and gives its bytes
// too; nil if the job has none. A fault of the file is an *schema.FileError.
func (j *Job) SchemaFile() (*schema.Schema, []byte, error) {
	if j.Stats.Schema == "" {
		return nil, nil, nil
	}
	name := onDisk(j.Dir, j.Stats.Schema)
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, j.ErrorAt("stats.schema", "no file %s; millrace stats --write-schema %s makes one of the rows", name, name)
	}
	if err != nil {
		return nil, nil, j.ErrorAt("stats.schema", "%v", err)
	}
	defer f.Close() // read only: nothing to lose
	data, err := io.ReadAll(io.LimitReader(f, schema.MaxFileBytes+1))
	if err != nil {
		return nil, nil, j.ErrorAt("stats.schema", "%v", err)
	}
	s, err := schema.Parse(data, name)
	return s, data, err
}

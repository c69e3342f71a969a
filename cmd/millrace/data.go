package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/millrace-go/millrace/pipelines"
	"github.com/millrace-go/millrace/pipelines/job"
)

func statsCommand() *cobra.Command {
	var f flags
	var schemaFile string
	cmd := &cobra.Command{
		Use:   "stats JOB",
		Short: "Statistics of the cleaned rows: a table, statistics.json and a page with histograms",
		Long: `Reads and cleans the rows as the job says, and takes the statistics of each column: of
all rows, and of train, validation and test apart. Prints a table of all rows; leaves
stats/statistics.json, one such file for each part, and stats/stats.html below --out.`,
		Example: "  millrace stats examples/birdstrikes\n  millrace stats examples/digits --write-schema schema.yaml",
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			j, err := loadJob(cmd, args[0], &f)
			if err != nil {
				return err
			}
			if schemaFile != "" {
				return writeSchema(cmd, j, &f, schemaFile)
			}
			return showData(cmd, j, &f, (*pipelines.Run).Stats)
		},
	}
	f.register(cmd)
	cmd.Flags().StringVar(&schemaFile, "write-schema", "", "write the schema that the rows have, to be edited, to this file, which must not be there yet")
	return cmd
}

func validateDataCommand() *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "validate-data JOB",
		Short: "Hold the rows against the job's schema: anomalies, drift from the data before, skew of the score input",
		Long: `Takes the statistics of the cleaned rows and holds them against the schema file that the
job names under stats.schema. Drift is measured from the data that last passed, skew of
the score input from the train rows. Prints the anomalies; leaves stats/anomalies.json and
stats/stats.html below --out.

Exit code 3: there are anomalies of severity error, and stats.on_anomaly is stop. 0: there
are none, or only warnings, or stats.on_anomaly is warn.`,
		Example: "  millrace validate-data examples/birdstrikes",
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			j, err := loadJob(cmd, args[0], &f)
			if err != nil {
				return err
			}
			return showData(cmd, j, &f, (*pipelines.Run).ValidateData)
		},
	}
	f.register(cmd)
	return cmd
}

func showData(cmd *cobra.Command, j *job.Job, f *flags, do func(*pipelines.Run, context.Context) (*pipelines.DataReport, error)) error {
	ctx := cmd.Context()
	return withRun(ctx, cmd, j, f, func(run *pipelines.Run, show func(func(io.Writer))) error {
		report, err := do(run, ctx)
		if report != nil {
			show(func(w io.Writer) { printData(w, report, f.out) })
		}
		return err
	})
}

// writeSchema writes the inferred schema to a new file.
func writeSchema(cmd *cobra.Command, j *job.Job, f *flags, name string) error {
	if _, err := os.Lstat(name); err == nil {
		return errTaken(name) // said before the work, too
	}
	ctx := cmd.Context()
	return withRun(ctx, cmd, j, f, func(run *pipelines.Run, show func(func(io.Writer))) error {
		report, text, err := run.InferSchema(ctx)
		if err != nil {
			return err
		}
		if err := writeNew(name, text); err != nil {
			return err
		}
		show(func(w io.Writer) {
			printData(w, report, f.out)
			fmt.Fprintf(w, "schema   %s: edit it, then name it under stats.schema in %s\n", name, j.File)
		})
		return nil
	})
}

func errTaken(name string) error {
	return usageError{fmt.Errorf("--write-schema %s: the file is there already; remove it or name another", name)}
}

// writeNew writes a file that must not be there, whole or not at all.
func writeNew(name string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".schema-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := f.Chmod(0o644); err != nil {
		f.Close()
		return err
	}
	if _, err := f.Write(data); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Link(f.Name(), name); errors.Is(err, os.ErrExist) { // unlike a rename, it replaces nothing
		return errTaken(name)
	} else if err != nil {
		return err
	}
	return nil
}

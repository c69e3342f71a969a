package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/millrace-go/millrace/pipelines"
	"github.com/millrace-go/millrace/pipelines/job"
	"github.com/millrace-go/millrace/runners"
)

// flags are the common flags.
type flags struct {
	out       string
	runner    string
	workers   int
	seed      uint64
	logFormat string
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "millrace",
		Short: "Clean data, train a model of it, compress and release it, score with it",
		Long: `Millrace runs a job: one YAML file beside its data. It cleans and normalizes the
rows, trains a neural network on them in rounds, compresses it, releases it if it
is not worse than the last release, and scores with it; all as Apache Beam
pipelines over Arrow record batches. A run that was stopped goes on where it
stopped, and what has not changed is not done again.

A JOB is a job file, or a folder that holds a job.yaml; docs/job.md has every key.

Exit codes: 0 done or nothing to do, 1 failed, 2 wrong use or wrong job file,
3 the candidate was rejected by the gate, or the data has anomalies of severity
error and the job says stop.`,
		Example:       "  millrace retrain examples/digits\n  millrace inspect out/digits/plan.json",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          usage(cobra.NoArgs),
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
	})
	root.AddCommand(
		jobCommand("prepare", "Clean, split and normalize the rows: the Plan and the training pieces", (*pipelines.Run).Prepare),
		jobCommand("train", "Prepare, then train the model in rounds", (*pipelines.Run).Train),
		jobCommand("compress", "Train, then prune and compress the model, and evaluate it; release nothing", (*pipelines.Run).Compress),
		jobCommand("score", "Score the job's score input with the released model", (*pipelines.Run).Score),
		jobCommand("retrain", "Do all of it: prepare, train, compress, evaluate, release, score", (*pipelines.Run).Retrain),
		statsCommand(), validateDataCommand(), validateCommand(), inspectCommand(), versionCommand(),
	)
	return root
}

// usage turns complaints about arguments into usage errors.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
		}
		return nil
	}
}

// jobCommand is a command that runs steps of a job.
func jobCommand(name, short string, do func(*pipelines.Run, context.Context) (*pipelines.Report, error)) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:     name + " JOB",
		Short:   short,
		Example: fmt.Sprintf("  millrace %s examples/digits", name),
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			j, err := loadJob(cmd, args[0], &f)
			if err != nil {
				return err
			}
			return execute(cmd.Context(), cmd, j, &f, do)
		},
	}
	f.register(cmd)
	return cmd
}

func (f *flags) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.out, "out", "", "folder of all that the run leaves (default out/<job> in the current folder)")
	fs.StringVar(&f.runner, "runner", "direct", "engine that runs the pipelines: "+strings.Join(runners.Names(), ", "))
	fs.IntVar(&f.workers, "workers", runtime.GOMAXPROCS(0), "parts that work is dealt to; does not change any result")
	fs.Uint64Var(&f.seed, "seed", 0, "replaces the job's seed")
	fs.StringVar(&f.logFormat, "log-format", "auto", "how progress is told on standard error: auto (live on a terminal, else plain), plain, json")
}

// loadJob checks the flags and reads the job.
func loadJob(cmd *cobra.Command, path string, f *flags) (*job.Job, error) {
	if f.workers < 1 || f.workers > 1024 {
		return nil, usageError{fmt.Errorf("--workers %d: want 1 to 1024", f.workers)}
	}
	if _, err := runners.Lookup(f.runner); err != nil {
		return nil, usageError{fmt.Errorf("--runner: %w", err)}
	}
	if _, err := newDisplay(cmd.ErrOrStderr(), f.logFormat); err != nil {
		return nil, usageError{err}
	}
	j, err := job.Load(path)
	if err != nil {
		return nil, err
	}
	if cmd.Flags().Changed("seed") {
		j.Seed = f.seed
	}
	if f.out == "" {
		f.out = filepath.Join("out", j.Name)
	}
	return j, nil
}

// execute does steps of a job and prints what they did.
func execute(ctx context.Context, cmd *cobra.Command, j *job.Job, f *flags, do func(*pipelines.Run, context.Context) (*pipelines.Report, error)) error {
	return withRun(ctx, cmd, j, f, func(run *pipelines.Run, show func(func(io.Writer))) error {
		report, err := do(run, ctx)
		if report != nil {
			show(func(w io.Writer) { printSummary(w, report, f.out) })
		}
		return err
	})
}

// withRun opens a run of a job for do, which shows its result once the
// progress is told to its end.
func withRun(ctx context.Context, cmd *cobra.Command, j *job.Job, f *flags, do func(run *pipelines.Run, show func(func(io.Writer))) error) (err error) {
	code, err := codeDigest()
	if err != nil {
		return err
	}
	d, err := newDisplay(cmd.ErrOrStderr(), f.logFormat)
	if err != nil {
		return err
	}
	defer d.Close()
	run, err := pipelines.Open(ctx, j, pipelines.Options{Out: f.out, Runner: f.runner, Workers: f.workers, Code: code, Observe: d.Observe})
	if err != nil {
		return err
	}
	defer func() {
		if cerr := run.Close(); err == nil {
			err = cerr
		}
	}()
	return do(run, func(print func(io.Writer)) {
		d.Close()
		print(cmd.OutOrStdout())
	})
}

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/millrace-go/millrace/model/modelfile"
	"github.com/millrace-go/millrace/pipelines"
	"github.com/millrace-go/millrace/pipelines/job"
	"github.com/millrace-go/millrace/transforms/normalize"
)

func validateCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "validate JOB",
		Short:   "Check a job and its data's schema, and run nothing",
		Example: "  millrace validate examples/birdstrikes",
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			j, err := job.Load(args[0])
			if err != nil {
				return err
			}
			said, err := pipelines.Validate(cmd.Context(), j, runtime.GOMAXPROCS(0))
			if err != nil {
				return err
			}
			for _, line := range said {
				fmt.Fprintln(cmd.OutOrStdout(), line)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is valid\n", j.File)
			return nil
		},
	}
}

func inspectCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "inspect FILE",
		Short:   "Show what is in a model file or a Plan: tensors, shapes, bits, ratio; features, statistics",
		Example: "  millrace inspect out/digits/plan.json\n  millrace inspect out/digits/models/*.millrace",
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := inspect(cmd.OutOrStdout(), args[0]); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			return nil
		},
	}
}

// inspect tells a Plan by its first byte: it is JSON.
func inspect(w io.Writer, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	first := make([]byte, 1)
	if _, err := f.ReadAt(first, 0); err == io.EOF {
		return fmt.Errorf("the file is empty; want a model file or a Plan")
	} else if err != nil {
		return err
	}
	if first[0] != '{' {
		file, err := modelfile.Decode(f, info.Size())
		if err != nil {
			return err
		}
		return showModel(w, file)
	}
	if info.Size() > normalize.MaxPlanBytes {
		return fmt.Errorf("has %d bytes, a Plan at most %d", info.Size(), normalize.MaxPlanBytes)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	plan, err := normalize.DecodePlan(data)
	if err != nil {
		return err
	}
	return showPlan(w, plan)
}

func showModel(out io.Writer, f *modelfile.File) error {
	fmt.Fprintf(out, "model %s\narchitecture %s, predicts %q of %q\nplan %s\n\n", f.Digest, f.Arch.Name, f.Classes, f.Label, f.PlanDigest)
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "tensor\tshape\telements\tnon-zero\tcodebook\tbits\tbits/weight\tencoding")
	for _, t := range f.Report.Tensors {
		fmt.Fprintf(w, "%s\t%v\t%d\t%d\t%d\t%d\t%.2f\t%s\n", t.Name, t.Shape, t.Elements, t.NonZeros, t.Codebook, t.Bits, t.BitsPerWeight, t.Encoding)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	r := f.Report
	_, err := fmt.Fprintf(out, "\n%d parameters, sparsity %.4f; %d bytes, %d of them header; dense fp32 %d bytes; ratio %.2f\n",
		r.Parameters, r.Sparsity, r.FileBytes, r.HeaderBytes, r.DenseBytes, r.Ratio)
	return err
}

func showPlan(out io.Writer, p *normalize.Plan) error {
	fmt.Fprintf(out, "plan %s\nfitted on %d rows; label %q\n\n", p.Digest(), p.Rows, p.Label.Column)
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "class\trows")
	for i, c := range p.Classes() {
		fmt.Fprintf(w, "%s\t%d\n", c, p.ClassCounts()[i])
	}
	fmt.Fprintln(w, "\nfeature\tvalues\tnulls\tmean\tstd\tmin\tmax\ttokens")
	for _, f := range p.Features {
		fmt.Fprintf(w, "%s\t%d\t%d\t", f.Column, f.Stats.Count, f.Stats.Nulls)
		if n := f.Stats.Numbers; n != nil {
			fmt.Fprintf(w, "%.6g\t%.6g\t%.6g\t%.6g\t", n.Mean, n.Std, n.Min, n.Max)
		} else {
			fmt.Fprint(w, "\t\t\t\t")
		}
		if v := f.Vocabulary; v != nil {
			fmt.Fprintf(w, "%d of %d", len(v.Tokens), v.Distinct)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, "\ninput\ttype\tshape\tids")
	for _, in := range p.Inputs() {
		fmt.Fprintf(w, "%s\t%s\t%v\t%d\n", in.Name, in.DType, in.Shape, in.Cardinality)
	}
	return w.Flush()
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			version := "unknown"
			if info, ok := debug.ReadBuildInfo(); ok {
				version = info.Main.Version
			}
			code, err := codeDigest()
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "millrace %s %s %s/%s\ncode %s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH, code)
			return nil
		},
	}
}

// codeDigest identifies this program by its own bytes: a build of the same
// source by the same toolchain has the same.
func codeDigest() (string, error) {
	name, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

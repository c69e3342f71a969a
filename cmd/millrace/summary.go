package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/millrace-go/millrace/model/metrics"
	"github.com/millrace-go/millrace/pipelines"
)

// printSummary prints what a run did, for people.
func printSummary(w io.Writer, r *pipelines.Report, out string) {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	defer t.Flush()
	for _, m := range []struct {
		name string
		of   *metrics.Metrics
	}{
		{"dense", r.Metrics.Dense}, {"pruned", r.Metrics.Pruned}, {"compressed", r.Metrics.Compressed},
		{"last release", r.Metrics.Champion}, {"majority class", r.Metrics.Baseline},
	} {
		if m.of == nil {
			continue
		}
		fmt.Fprintf(t, "%s\taccuracy %.4f\tlog-loss %.4f", m.name, m.of.Accuracy, m.of.LogLoss)
		if m.of.AUC != nil {
			fmt.Fprintf(t, "\tauc %.4f", *m.of.AUC)
		}
		fmt.Fprintln(t)
	}
	if r.Model.Digest != "" {
		fmt.Fprintf(t, "model\t%d bytes for %d parameters\tratio %.1f\t%s\n", r.Model.Bytes, r.Model.Parameters, r.Model.Ratio, r.Model.Digest)
	}
	if r.Release.Decision != "" {
		fmt.Fprintf(t, "release %d\t%s\t%s\n", r.Release.ID, r.Release.Decision, r.Release.Reason)
	}
	fmt.Fprintf(t, "results\t%s\n", out)
}

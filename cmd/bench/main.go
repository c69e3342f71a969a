// Command bench times the engine on the workloads of the published peers: matrix
// products, element-wise kernels, training steps and scoring. Each result is one
// line of JSON with the fields that the peers' scripts print, so that both can be run
// in turns and compared; docs/benchmarks.md tells how.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/millrace-go/millrace/accel/cpu/isa"
)

// bench is what all workloads share.
type bench struct {
	workload string
	out      io.Writer
	reps     int
	threads  []int
	only     []string
}

func main() {
	b := &bench{out: os.Stdout}
	root := &cobra.Command{
		Use:           "bench",
		Short:         "Time the engine, one line of JSON a result",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().IntVar(&b.reps, "reps", 15, "repeats; the median is reported")
	root.PersistentFlags().IntSliceVar(&b.threads, "threads", []int{1, 2}, "numbers of threads")
	root.PersistentFlags().StringSliceVar(&b.only, "only", nil, "run only results whose 'peer shape dtype' contains one of these")
	root.AddCommand(gemmCommand(b), elementwiseCommand(b), trainCommand(b), scoreCommand(b), firstCommand(b))
	debug.SetGCPercent(400)
	if err := root.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// peer is the name under which the engine's lines appear.
const peer = "millrace"

// line is one result.
type line struct {
	Workload string  `json:"workload"`
	Peer     string  `json:"peer"`
	Version  string  `json:"version"`
	Threads  int     `json:"threads"`
	Shape    string  `json:"shape"`
	DType    string  `json:"dtype"`
	MedianMS float64 `json:"median_ms"`
	MinMS    float64 `json:"min_ms"`
	MaxMS    float64 `json:"max_ms"`
	Reps     int     `json:"reps"`
	Rate     float64 `json:"unit_rate"`
	Unit     string  `json:"unit"`
	PeakMiB  float64 `json:"peak_rss_mib,omitempty"`
	FirstS   float64 `json:"first_step_s,omitempty"`
	GFLOPS   float64 `json:"gflops,omitempty"`
}

// wanted reports whether --only asks for a result.
func (b *bench) wanted(shape, dtype string) bool {
	key := peer + " " + shape + " " + dtype
	return len(b.only) == 0 || slices.ContainsFunc(b.only, func(s string) bool { return strings.Contains(key, s) })
}

// run times f, which does so many units of work, and prints the line.
func (b *bench) run(threads int, shape, dtype string, work float64, unit string, f func() error, more func(*line, float64)) error {
	if !b.wanted(shape, dtype) {
		return nil
	}
	times, err := timed(f, b.reps)
	if err != nil {
		return fmt.Errorf("%s %s: %w", shape, dtype, err)
	}
	slices.Sort(times)
	median := times[len(times)/2]
	if len(times)%2 == 0 {
		median = (times[len(times)/2-1] + median) / 2
	}
	l := line{
		Workload: b.workload, Peer: peer, Version: isa.Best().String(), Threads: threads, Shape: shape, DType: dtype,
		MedianMS: median * 1e3, MinMS: times[0] * 1e3, MaxMS: times[len(times)-1] * 1e3, Reps: len(times), Rate: work / median, Unit: unit,
	}
	if more != nil {
		more(&l, median)
	}
	return json.NewEncoder(b.out).Encode(l)
}

// timed gives the seconds of one call, a figure a repeat. Short calls are looped
// inside a repeat; slow ones are repeated less, but three times.
func timed(f func() error, reps int) ([]float64, error) {
	const budget = 20.0
	var first float64
	for range 2 {
		start := time.Now()
		if err := f(); err != nil {
			return nil, err
		}
		if first = time.Since(start).Seconds(); first > budget/10 {
			break
		}
	}
	inner := 1
	if first < 0.002 {
		inner = max(1, int(0.005/max(first, 1e-7)))
	}
	reps = max(3, min(reps, int(budget/max(first*float64(inner), 1e-9))))
	out := make([]float64, reps)
	for i := range out {
		start := time.Now()
		for range inner {
			if err := f(); err != nil {
				return nil, err
			}
		}
		out[i] = time.Since(start).Seconds() / float64(inner)
	}
	return out, nil
}

// peakMiB is the most memory that the process has had.
func peakMiB() float64 {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return float64(r.Maxrss) / 1024
}

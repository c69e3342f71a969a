package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/millrace-go/millrace/internal/progress"
	"github.com/millrace-go/millrace/pipelines"
)

// display tells a user how a run goes.
type display interface {
	Observe(pipelines.Event)
	Close() error
}

func newDisplay(w io.Writer, format string) (display, error) {
	switch format {
	case "auto":
		if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			return &live{w: w}, nil
		}
		return &plain{w: w}, nil
	case "plain":
		return &plain{w: w}, nil
	case "json":
		return &jsonLines{e: json.NewEncoder(w)}, nil
	}
	return nil, fmt.Errorf("--log-format %q: want auto, plain or json", format)
}

// plain writes one line for each step that ended.
type plain struct{ w io.Writer }

func (d *plain) Observe(e pipelines.Event) {
	switch e.Kind {
	case pipelines.Started:
	case pipelines.Message:
		fmt.Fprintf(d.w, "%-9s %s\n", e.Step, e.Detail)
	default:
		fmt.Fprintf(d.w, "%-9s %s (%s, %.1f s)\n", e.Step, e.Detail, e.Kind, e.Time.Seconds())
	}
}

func (d *plain) Close() error { return nil }

// jsonLines writes each event as a line of JSON.
type jsonLines struct{ e *json.Encoder }

func (d *jsonLines) Observe(e pipelines.Event) {
	d.e.Encode(struct {
		Step    string  `json:"step"`
		Event   string  `json:"event"`
		Detail  string  `json:"detail,omitempty"`
		Seconds float64 `json:"seconds,omitempty"`
	}{e.Step, string(e.Kind), e.Detail, e.Time.Seconds()})
}

func (d *jsonLines) Close() error { return nil }

// live keeps one line up to date while a step runs: rows, rows a second, and
// where the step is.
type live struct {
	w    io.Writer
	stop func()
}

func (d *live) Observe(e pipelines.Event) {
	switch e.Kind {
	case pipelines.Started:
		d.halt()
		d.stop = follow(d.w, e.Step)
	case pipelines.Message:
		// the line shows the rounds already
	default:
		d.halt()
		(&plain{d.w}).Observe(e)
	}
}

func (d *live) Close() error {
	d.halt()
	return nil
}

func (d *live) halt() {
	if d.stop != nil {
		d.stop()
		d.stop = nil
	}
}

// refresh is the time between two looks at the progress of a step.
const refresh = 200 * time.Millisecond

// follow shows the progress of a step until stop is called.
func follow(w io.Writer, step string) (stop func()) {
	bar := progressbar.NewOptions64(-1,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(step),
		progressbar.OptionSpinnerType(14),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("rows"),
		progressbar.OptionShowCount(),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(refresh/2),
	)
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(refresh)
		defer tick.Stop()
		for {
			select {
			case <-done:
				bar.Finish()
				return
			case <-tick.C:
				rows, note := progress.Current()
				if note != "" {
					note = ": " + note
				}
				bar.Describe(step + note)
				bar.Set64(rows)
			}
		}
	})
	var once sync.Once
	return func() {
		once.Do(func() { close(done) })
		wg.Wait()
	}
}

package main

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

var (
	kills    = flag.Int("kills", 3, "how often TestKill kills a run")
	killSeed = flag.Uint64("kill-seed", uint64(time.Now().UnixNano()), "when TestKill kills")
)

// A run that is killed at any moment and started again ends as if it had not
// been. With -kills 20 it takes a minute.
func TestKill(t *testing.T) {
	t.Parallel()
	t.Logf("kills are drawn from -kill-seed %d", *killSeed)
	rng := rand.New(rand.NewPCG(*killSeed, 0))
	edits := append([]string{"rounds: 2,", "rounds: 4,"}, cutSmall...)
	calm := fresh(t, smallRows(300), edits...)
	began := time.Now()
	must(t, 0, calm, "retrain", "job", "--out", "out")
	took := time.Since(began)
	want := outcome(t, filepath.Join(calm, "out"))

	dir := fresh(t, smallRows(300), edits...)
	out := filepath.Join(dir, "out")
	for done := 0; done < *kills; {
		after := time.Duration(rng.Int64N(int64(took)))
		if killAfter(t, dir, after) {
			done++
			t.Logf("kill %d came after %v, at %s", done, after.Round(time.Millisecond), progressOf(t, out))
			continue
		}
		wantSame(t, outcome(t, out), want) // it was done before the kill
		if err := os.RemoveAll(out); err != nil {
			t.Fatal(err)
		}
	}
	must(t, 0, dir, "retrain", "job", "--out", "out")
	wantSame(t, outcome(t, out), want)
	wantEveryRowOnce(t, predictions(t, out), 300)
	for name := range files(t, out) {
		if strings.Contains(name, ".millrace-tmp-") {
			t.Errorf("got %s left behind by a killed run", name)
		}
	}
}

// killAfter starts a retrain and kills it; it says whether it was still running.
func killAfter(t *testing.T, dir string, after time.Duration) bool {
	t.Helper()
	cmd := command(t, dir, "retrain", "job", "--out", "out")
	slots <- struct{}{}
	defer func() { <-slots }()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { cmd.Process.Kill() })
	defer timer.Stop()
	err := cmd.Wait()
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
		return true
	}
	if err != nil {
		t.Fatalf("the run that was to be killed after %v: %v", after, err)
	}
	return false
}

// progressOf is the last thing a killed run did.
func progressOf(t *testing.T, out string) string {
	last, at := "its start", time.Time{}
	for name := range files(t, out) {
		info, err := os.Stat(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.ModTime().After(at) {
			last, at = name, info.ModTime()
		}
	}
	return last
}

// A kill at each late moment, where a release is recorded or rows are published.
func TestKillLate(t *testing.T) {
	want := outcome(t, filepath.Join(released(t), "out"))
	for _, at := range []string{"registry/00000001.json", "predictions/*", "work/score-*/predictions", "work/compress-*/result", "work/evaluate-*"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			dir := fresh(t, smallRows(300))
			out := filepath.Join(dir, "out")
			if killed := killAt(t, dir, filepath.Join(out, filepath.FromSlash(at))); !killed {
				t.Logf("the run ended before the kill")
			}
			must(t, 0, dir, "retrain", "job", "--out", "out")
			wantSame(t, outcome(t, out), want)
			wantEveryRowOnce(t, predictions(t, out), 300)
		})
	}
}

// killAt kills a retrain as soon as a file exists.
func killAt(t *testing.T, dir, pattern string) bool {
	t.Helper()
	cmd := command(t, dir, "retrain", "job", "--out", "out")
	slots <- struct{}{}
	defer func() { <-slots }()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for {
		select {
		case err := <-done:
			return err != nil
		case <-time.After(time.Millisecond):
			if names, _ := filepath.Glob(pattern); len(names) > 0 {
				cmd.Process.Kill()
			}
		}
	}
}

// Ctrl-C stops a run with a message, and the next one goes on where it was.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	dir := fresh(t, smallRows(300), "rounds: 2,", "rounds: 6, patience: 6,", "margin: 0.9", "margin: 0.8")
	out := filepath.Join(dir, "out")
	cmd := command(t, dir, "retrain", "job", "--out", "out")
	go func() {
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if names, _ := filepath.Glob(filepath.Join(out, "work", "train-*", "rounds", "00000003.json")); len(names) > 0 {
				cmd.Process.Signal(os.Interrupt)
				return
			}
		}
	}()
	res := finish(t, cmd)
	if res.code != 1 {
		t.Fatalf("got exit code %d, want 1: %s", res.code, res.stderr)
	}
	if message := res.message(t); !strings.Contains(message, "interrupted; run the same command again") {
		t.Errorf("got message %q, want what to do", message)
	}
	wantClean(t, dir)
	before := files(t, out)
	must(t, 0, dir, "retrain", "job", "--out", "out")
	r := reportOf(t, out)
	if got := statuses(r); !strings.HasPrefix(got, "read ran, prepare reused, train ran") {
		t.Errorf("got steps %s, want prepare reused", got)
	}
	kept := 0
	for name, sum := range files(t, out) {
		if strings.Contains(name, "/rounds/") && before[name] != "" {
			kept++
			if before[name] != sum {
				t.Errorf("%s was made again", name)
			}
		}
	}
	if kept < 3 {
		t.Errorf("got %d rounds kept, want round 0 and at least two more", kept)
	}
}

package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/pipelines/job"
)

func readmeText(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The README names every command, and no other.
func TestReadmeListsTheCommands(t *testing.T) {
	var got []string
	for _, line := range strings.Split(readmeText(t), "\n") {
		if rest, ok := strings.CutPrefix(line, "| `millrace "); ok {
			name, _, _ := strings.Cut(rest, "`")
			got = append(got, name)
		}
	}
	var want []string
	for _, c := range rootCommand().Commands() {
		if c.Name() != "help" && c.Name() != "completion" {
			want = append(want, c.Use)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the README lists the commands %q, there are %q", got, want)
	}
}

func TestReadmeNamesTheFlags(t *testing.T) {
	text := readmeText(t)
	retrain, _, err := rootCommand().Find([]string{"retrain"})
	if err != nil {
		t.Fatal(err)
	}
	flags := regexp.MustCompile(`(?m)^ +(?:-\w, )?(--[a-z-]+)`).FindAllStringSubmatch(retrain.Flags().FlagUsages(), -1)
	for _, f := range flags {
		if f[1] != "--help" && !strings.Contains(text, "`"+f[1]) {
			t.Errorf("the README does not name %s", f[1])
		}
	}
	if len(flags) < 5 { // out, runner, workers, seed, log-format
		t.Errorf("retrain has %d flags, want at least 5", len(flags))
	}
}

// The README and the help text give the exit codes of this program.
func TestReadmeListsTheExitCodes(t *testing.T) {
	text := readmeText(t)
	help := rootCommand().Long
	for _, c := range []struct {
		code int
		word string // in the row of the code
	}{
		{exitDone, "nothing to do"}, {exitFailed, "failed"}, {exitUsage, "wrong use"}, {exitRejected, "rejected"},
	} {
		_, row, ok := strings.Cut(text, fmt.Sprintf("\n| %d | ", c.code))
		row, _, _ = strings.Cut(row, "\n")
		if !ok || !strings.Contains(row, c.word) {
			t.Errorf("the README's row of exit code %d is %q, want one that says %q", c.code, row, c.word)
		}
		if !strings.Contains(help, fmt.Sprintf("%d ", c.code)) {
			t.Errorf("the help text does not give exit code %d", c.code)
		}
	}
}

// The job in the README is a valid one.
func TestReadmeJobLoads(t *testing.T) {
	_, rest, ok := strings.Cut(readmeText(t), "```yaml\n")
	text, _, ok2 := strings.Cut(rest, "```")
	if !ok || !ok2 {
		t.Fatal("the README has no job")
	}
	j, err := job.Parse([]byte(text), "job.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if j.Score == nil || len(j.Normalize.Features) != 2 {
		t.Errorf("the README's job has %d features and score section %v, want 2 and one", len(j.Normalize.Features), j.Score)
	}
}

// Every command explains itself, and those with an argument show one.
func TestCommandsHaveHelp(t *testing.T) {
	for _, c := range rootCommand().Commands() {
		if c.Name() == "help" || c.Name() == "completion" {
			continue
		}
		if c.Short == "" || (c.Example == "" && c.Name() != "version") {
			t.Errorf("%s has short help %q and example %q, want both", c.Name(), c.Short, c.Example)
		}
	}
}

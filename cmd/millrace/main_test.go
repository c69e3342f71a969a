package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// These tests run the command as its users do: in a process of its own, which
// is this test binary again. So exit codes, both outputs, signals and kill -9
// are the real ones.
const (
	asCommand = "MILLRACE_TEST_AS_COMMAND" // the process is the command
	fileLimit = "MILLRACE_TEST_FILE_LIMIT" // and no file of it may be larger, in bytes
)

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		if err := limitFiles(os.Getenv(fileLimit)); err != nil {
			panic(err)
		}
		os.Exit(run(os.Args[1:]))
	}
	code := m.Run()
	if shared.dir != "" {
		os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}

// limitFiles makes writes beyond so many bytes of a file fail, as on a full disk.
func limitFiles(bytes string) error {
	if bytes == "" {
		return nil
	}
	n, err := strconv.ParseUint(bytes, 10, 64)
	if err != nil {
		return err
	}
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: n})
}

// result is what a finished command left.
type result struct {
	code           int
	stdout, stderr string
}

// command prepares the command with args, to be run in dir. Its temporary
// files go to dir/tmp.
func command(t testing.TB, dir string, args ...string) *exec.Cmd {
	t.Helper()
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tmp := filepath.Join(dir, "tmp")
	if err := os.MkdirAll(tmp, 0o777); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asCommand+"=1", "TMPDIR="+tmp)
	return cmd
}

// slots bounds the commands that run at once: each uses more than one core at times.
var slots = make(chan struct{}, 2)

// finish runs a command to its end.
func finish(t testing.TB, cmd *exec.Cmd) result {
	t.Helper()
	slots <- struct{}{}
	defer func() { <-slots }()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(10*time.Minute, func() { cmd.Process.Kill() })
	defer timer.Stop()
	err := cmd.Wait()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// millrace runs the command in dir.
func millrace(t testing.TB, dir string, args ...string) result {
	t.Helper()
	return finish(t, command(t, dir, args...))
}

// must runs the command in dir and wants an exit code.
func must(t testing.TB, want int, dir string, args ...string) result {
	t.Helper()
	res := millrace(t, dir, args...)
	if res.code != want {
		t.Fatalf("millrace %s: got exit code %d, want %d\n%s%s", strings.Join(args, " "), res.code, want, res.stdout, res.stderr)
	}
	return res
}

// message returns the one message of a failed command, and complains of
// anything a user should not see.
func (r result) message(t testing.TB) string {
	t.Helper()
	_, message, ok := strings.Cut("\n"+r.stderr, "\nmillrace: ")
	if !ok {
		t.Errorf("got no message on standard error, want one: %q", r.stderr)
	}
	if strings.Contains(message, "\nmillrace: ") {
		t.Errorf("got more than one message, want one: %q", r.stderr)
	}
	for _, foreign := range []string{"panic", "goroutine ", "runtime error", "fault<<", "level=", "beam/"} {
		if strings.Contains(r.stderr, foreign) {
			t.Errorf("got %q on standard error, which is not for users: %s", foreign, r.stderr)
		}
	}
	return strings.TrimSpace(message)
}

// files returns the digest of each file below dir, by its name relative to it.
// The lock, which outlives runs, is not among them.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	sums := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == ".millrace-lock" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		sum := sha256.Sum256(data)
		sums[filepath.ToSlash(name)] = hex.EncodeToString(sum[:])
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return sums
}

// wantClean checks that a command left no temporary file below dir.
func wantClean(t testing.TB, dir string) {
	t.Helper()
	for name := range files(t, dir) {
		if strings.HasPrefix(name, "tmp/") || strings.Contains(name, ".millrace-tmp-") {
			t.Errorf("got %s left behind, want no temporary file", name)
		}
	}
}

// wantReleaseUntouched checks that a failed command changed nothing of the
// release of before: its records and predictions are the same, its models are there.
func wantReleaseUntouched(t testing.TB, out string, before map[string]string) {
	t.Helper()
	after := files(t, out)
	for name, sum := range before {
		folder, _, _ := strings.Cut(name, "/")
		if (folder == "registry" || folder == "predictions" || folder == "models") && after[name] != sum {
			t.Errorf("%s of the last release changed (digest %q, want %q)", name, after[name], sum)
		}
	}
	for name := range after {
		folder, _, _ := strings.Cut(name, "/")
		if (folder == "registry" || folder == "predictions") && before[name] == "" {
			t.Errorf("the failed run left %s", name)
		}
	}
}

// shared is a small job that ran once: tests start from copies of it.
var shared struct {
	once sync.Once
	dir  string
	res  result
}

// released returns a folder of the test's own with the small job in job/,
// and in out/ what a retrain of it left.
func released(t testing.TB) string {
	t.Helper()
	shared.once.Do(func() {
		dir, err := os.MkdirTemp("", "millrace-test-")
		if err != nil {
			t.Fatal(err)
		}
		shared.dir = dir
		writeJob(t, dir, smallRows(300))
		shared.res = millrace(t, dir, "retrain", "job", "--out", "out")
	})
	if shared.res.code != 0 {
		t.Fatalf("the small job failed with exit code %d: %s", shared.res.code, shared.res.stderr)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(shared.dir)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// fresh returns a folder with a small job in job/ that has not run.
func fresh(t testing.TB, rows string, edits ...string) string {
	t.Helper()
	dir := t.TempDir()
	writeJob(t, dir, rows, edits...)
	return dir
}

// writeJob writes job/job.yaml, with pairs of text replaced, and job/rows.csv.
func writeJob(t testing.TB, dir, rows string, edits ...string) {
	t.Helper()
	write(t, filepath.Join(dir, "job", "rows.csv"), rows)
	write(t, filepath.Join(dir, "job", "job.yaml"), edited(t, smallJob, edits...))
}

func edited(t testing.TB, text string, edits ...string) string {
	t.Helper()
	for i := 0; i < len(edits); i += 2 {
		if !strings.Contains(text, edits[i]) {
			t.Fatalf("the text to edit has no %q:\n%s", edits[i], text)
		}
		text = strings.Replace(text, edits[i], edits[i+1], 1)
	}
	return text
}

// edit replaces pairs of text in a file.
func edit(t testing.TB, name string, edits ...string) {
	t.Helper()
	write(t, name, edited(t, read(t, name), edits...))
}

func write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// one returns the one file that matches a pattern.
func one(t testing.TB, pattern string) string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		t.Fatalf("no file %s", pattern)
	}
	return names[0]
}

const smallJob = `name: small
input: {files: [rows.csv]}
clean:
  columns:
    - {name: id, type: int64, required: {}}
    - {name: x, type: float64, required: {}, range: {min: -50, max: 50}}
    - {name: colour, type: string}
    - {name: weight, type: float64}
    - {name: kind, type: string, required: {}}
normalize:
  features:
    - {column: x, scale: z_score}
    - {column: colour, vocabulary: {}}
    - {column: weight, fill: {with: mean, indicator: true}, scale: min_max}
  label: {column: kind}
model: {arch: tabular, hidden: [8]}
train: {rounds: 2, inner_steps: 20, batch_size: 16, rounds_per_pipeline: 1, inner: {learning_rate: 0.05, warmup_steps: 2}}
compress: {sparsity: 0.5, prune_steps: 1, finetune_rounds: 1, clusters: 8, cluster_min_size: 8}
release: {margin: 0.9}
score: {input: {files: [rows.csv]}}
`

// smallRow is row i of smallRows: kind is a, b, c in turn, x lies around 4
// times the kind's number, every 11th weight is missing.
func smallRow(i int) string {
	noise := func(salt int) float64 { // in [-1, 1), the same everywhere
		h := uint32(i*2654435761+salt) * 2246822519
		h ^= h >> 15
		h *= 3266489917
		return float64(h>>8)/(1<<23) - 1
	}
	kind := i % 3
	weight := fmt.Sprintf("%.2f", float64(kind)+noise(1))
	if i%11 == 0 {
		weight = ""
	}
	colour := []string{"red", "green", "blue"}[(i/3+kind)%3]
	return fmt.Sprintf("%d,%.3f,%s,%s,%c", i, 4*float64(kind)+noise(2), colour, weight, 'a'+kind)
}

const smallHeader = "id,x,colour,weight,kind\n"

func smallRows(n int) string {
	var b strings.Builder
	b.WriteString(smallHeader)
	for i := range n {
		b.WriteString(smallRow(i) + "\n")
	}
	return b.String()
}

// withRow is smallRows(300) with data row i, counted from 1, replaced.
func withRow(i int, row string) string {
	lines := strings.Split(smallRows(300), "\n")
	lines[i] = row
	return strings.Join(lines, "\n")
}

package nets

import (
	"crypto/sha256"
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu"
	"github.com/millrace-go/millrace/accel/cpu/isa"
	"github.com/millrace-go/millrace/model/program"
)

// rows are batches small enough for a test: the tiles still have remainders.
var rows = map[string]int{"mlp": 50, "lenet5": 9, "resnet20": 3, "minilm": 2, "mlp/bf16": 512}

// digest trains a network, "name" or "name/bf16" for products in bfloat16, and
// hashes the forward result and the gradients of the first step and what twenty
// steps make of the parameters.
func digest(name string, threads int) (string, error) {
	n, opts := rows[name], program.Options{}
	name, half := strings.CutSuffix(name, "/bf16")
	if half {
		opts.Precision = accel.BFloat16
	}
	net, err := Build(name, true)
	if err != nil {
		return "", err
	}
	s, err := NewStepper(net, n, cpu.WithThreads(threads), opts)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for step := range 20 {
		if err := s.Step(); err != nil {
			return "", err
		}
		if step > 0 {
			continue
		}
		for _, a := range s.Outputs() {
			h.Write(a.Data)
		}
	}
	for _, a := range s.Params() {
		h.Write(a.Data)
	}
	loss := accel.Values[float32](s.Outputs()[0])[0]
	if loss-loss != 0 {
		return "", fmt.Errorf("loss %g after 20 steps", loss)
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

// childVar makes this test binary print a digest and exit, for the levels of
// instructions that a process chooses when it starts.
const childVar = "MILLRACE_NETS_DIGEST"

func TestMain(m *testing.M) {
	if want := os.Getenv(childVar); want != "" {
		name, threads, _ := strings.Cut(want, ",")
		n, err := strconv.Atoi(threads)
		if err != nil {
			panic(err)
		}
		d, err := digest(name, n)
		if err != nil {
			panic(err)
		}
		fmt.Println(d)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func childDigest(t *testing.T, name string, threads int, level isa.Level) string {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childVar+"="+name+","+strconv.Itoa(threads), isa.EnvVar+"="+level.String())
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s with %d threads at %s: %v", name, threads, level, err)
	}
	return strings.TrimSpace(string(out))
}

// TestSameBits trains the four networks for twenty steps: the losses' and
// gradients' and parameters' bytes are the same for any number of threads, and
// for AVX2 and AVX-512.
func TestSameBits(t *testing.T) {
	for _, name := range append(Names(), "mlp/bf16") {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name == "minilm" {
				t.Skip("takes ten seconds")
			}
			want, err := digest(name, 1)
			if err != nil {
				t.Fatal(err)
			}
			for _, threads := range []int{2, 3, 8} {
				got, err := digest(name, threads)
				if err != nil {
					t.Fatal(err)
				}
				if got != want {
					t.Errorf("%d threads: digest %.12s, want %.12s of one", threads, got, want)
				}
			}
			if isa.Best() != isa.AVX512 {
				t.Skipf("this process is at level %s: no second one with the same bits to compare with", isa.Best())
			}
			if got := childDigest(t, name, 2, isa.AVX2); got != want {
				t.Errorf("AVX2: digest %.12s, want %.12s of AVX-512", got, want)
			}
		})
	}
}

func TestLossFalls(t *testing.T) {
	for _, name := range []string{"mlp", "lenet5"} {
		net, err := Build(name, true)
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewStepper(net, rows[name], cpu.New(), program.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var first, last float32
		for step := range 60 {
			if err := s.Step(); err != nil {
				t.Fatal(err)
			}
			last = accel.Values[float32](s.Outputs()[0])[0]
			if step == 0 {
				first = last
			}
		}
		if !(last < first/2) {
			t.Errorf("%s: loss %g after 60 steps on one batch, %g at first; want less than half", name, last, first)
		}
	}
}

// TestBFloat16 trains with products of bfloat16: near the float32 run, with the
// same bits for any number of threads.
func TestBFloat16(t *testing.T) {
	run := func(threads int, opts program.Options) []float32 {
		net, err := Build("mlp", true)
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewStepper(net, 512, cpu.WithThreads(threads), opts)
		if err != nil {
			t.Fatal(err)
		}
		var losses []float32
		for range 20 {
			if err := s.Step(); err != nil {
				t.Fatal(err)
			}
			losses = append(losses, accel.Values[float32](s.Outputs()[0])[0])
		}
		return losses
	}
	full, half := run(1, program.Options{}), run(1, program.Options{Precision: accel.BFloat16})
	if again := run(3, program.Options{Precision: accel.BFloat16}); !slices.Equal(again, half) {
		t.Errorf("three threads: losses %v, one: %v", again, half)
	}
	if slices.Equal(full, half) {
		t.Error("bfloat16 changes nothing")
	}
	for i := range full {
		if !(math.Abs(float64(half[i]-full[i])) <= 0.01*float64(full[i])) {
			t.Errorf("step %d: loss %g in bfloat16, %g in float32; want within 1 %%", i, half[i], full[i])
		}
	}
}

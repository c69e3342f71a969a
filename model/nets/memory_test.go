package nets

import (
	"testing"

	"github.com/millrace-go/millrace/accel/cpu"
	"github.com/millrace-go/millrace/model/program"
)

// TestMemoryPlan: what a step works in is at most a tenth more than the tensors
// that live at the same time.
func TestMemoryPlan(t *testing.T) {
	for _, name := range Names() {
		for _, training := range []bool{true, false} {
			net, err := Build(name, training)
			if err != nil {
				t.Fatal(err)
			}
			g, _, err := net.Bind(net.Batch)
			if training {
				g, err = net.Training(net.Batch)
			}
			if err != nil {
				t.Fatal(err)
			}
			exec, err := program.Compile(cpu.New(), g, program.Options{})
			if err != nil {
				t.Fatal(err)
			}
			code := exec.Code()
			t.Logf("%s, training %v: %d instructions, arena %.1f MiB, live %.1f MiB", name, training, len(code.Instrs), float64(code.ArenaBytes)/(1<<20), float64(code.LiveBytes)/(1<<20))
			if float64(code.ArenaBytes) > 1.1*float64(code.LiveBytes) {
				t.Errorf("%s, training %v: arena of %d bytes, %.3f times the %d that live at once; want at most 1.1", name, training, code.ArenaBytes, float64(code.ArenaBytes)/float64(code.LiveBytes), code.LiveBytes)
			}
		}
	}
}

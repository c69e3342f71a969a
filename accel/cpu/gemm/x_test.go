package gemm

import ("syscall";"unsafe";
	"fmt"
	"github.com/millrace-go/millrace/accel/cpu/isa"
	"github.com/millrace-go/millrace/accel/cpu/par"
	"math/rand/v2"
	"os"
	"sort"
	"strings"
	"testing"
	"time"
)

func cpu() float64 { var ts syscall.Timespec; syscall.Syscall(syscall.SYS_CLOCK_GETTIME, 2, uintptr(unsafe.Pointer(&ts)), 0); return float64(ts.Nano()) }
var _ = time.Now
func TestXJSON(t *testing.T) {
	th := 1
	fmt.Sscan(os.Getenv("TH"), &th)
	pool := par.New(th)
	for _, x := range benchShapes {
		if o := os.Getenv("ONLY"); o != "" && !strings.Contains(fmt.Sprintf(",%dx%dx%d,", x[0], x[1], x[2]), o) {
			continue
		}
		for _, how := range []string{"packed", "rows", "columns"} {
			s := Spec{M: x[0], K: x[1], N: x[2], TransB: how == "columns"}
			plan, _ := newPlan(s, isa.Best())
			p := newProblem(t, rand.New(rand.NewPCG(1, 1)), s)
			p.op.Scratch = make([]float32, plan.ScratchLen(th))
			if how == "packed" {
				p.op.Packed = make([]float32, plan.PackedLen())
				plan.PackB(p.op.Packed, p.op.B)
			}
			fl := 2 * float64(s.M*s.N*s.K)
			inner := max(1, int(5e8/fl))
			var ts []float64
			for i := range 17 {
				st := cpu()
				for range inner {
					plan.Run(pool, p.op)
				}
				if i > 1 {
					ts = append(ts, (cpu()-st)/1e6/float64(inner))
				}
			}
			sort.Float64s(ts)
			fmt.Printf("%-16s %-10s best %.1f q1 %.1f med %.1f\n", fmt.Sprintf("%dx%dx%d", x[0],x[1],x[2]), "mr-"+how, fl/ts[0]/1e6, fl/ts[3]/1e6, fl/ts[7]/1e6)
		}
	}
}

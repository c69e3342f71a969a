package gemm

import (
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
				st := time.Now()
				for range inner {
					plan.Run(pool, p.op)
				}
				if i > 1 {
					ts = append(ts, time.Since(st).Seconds()*1e3/float64(inner))
				}
			}
			sort.Float64s(ts)
			fmt.Printf("{\"workload\":\"gemm\",\"peer\":\"millrace-%s\",\"threads\":%d,\"shape\":\"%dx%dx%d\",\"dtype\":\"f32\",\"median_ms\":%.5f,\"min_ms\":%.5f,\"rate\":%.1f,\"best\":%.1f}\n", how, th, x[0], x[1], x[2], ts[len(ts)/2], ts[0], fl/ts[len(ts)/2]/1e6, fl/ts[0]/1e6)
		}
	}
}

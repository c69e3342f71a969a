package cpu

import (
	"fmt"
	"sort"
	"testing"
	"time"

	"github.com/millrace-go/millrace/accel"
)

func TestScratchPays(t *testing.T) {
	for _, s := range [][3]int{{1, 384, 384}, {1, 1536, 384}, {2, 384, 384}, {4, 384, 384}, {8, 384, 384}, {16, 384, 384}, {32, 384, 384}, {1024, 384, 384}, {1024, 384, 1536}, {1024, 1536, 384}, {384, 1024, 1536},
		{256, 32, 64}, {256, 64, 10}, {1024, 128, 64}, {64, 8, 8}, {64, 16, 16}, {8, 384, 2}, {64, 400, 120}, {64, 120, 84}, {64, 84, 10}, {120, 64, 400}} {
		for _, known := range []bool{true, false} {
			for _, tt := range []string{"", "transB", "transA"} {
				if tt == "transA" && known {
					continue
				}
				m, k, n := s[0], s[1], s[2]
				sa, sb := []int{m, k}, []int{k, n}
				var at accel.Attrs
				if tt == "transB" {
					sb = []int{n, k}
				} else if tt == "transA" {
					sa = []int{k, m}
				}
				if tt != "" {
					at = accel.Attrs{accel.Int(tt, 1)}
				}
				mk := func(c string) func() {
					a := at
					if c != "" {
						a = a.With(accel.String("compute", c))
					}
					tr := trial{op: "FusedMatMul", attrs: a, in: []*accel.Array{floats32(1, -1, 1, sa...), floats32(2, -1, 1, sb...)}, out: []accel.Tensor{typed(accel.Float32, m, n)}}
					if known {
						tr.known = []int{1}
					}
					return tr.ready(t)
				}
				f, g := mk(""), mk("bfloat16")
				inner := max(1, 2000000/(m*k*n+2000))
				var r, tf []float64
				for i := 0; i < 11; i++ {
					t0 := time.Now()
					for range inner {
						f()
					}
					t1 := time.Now()
					for range inner {
						g()
					}
					t2 := time.Now()
					r = append(r, float64(t2.Sub(t1))/float64(t1.Sub(t0)))
					tf = append(tf, float64(t1.Sub(t0))/float64(inner)/1e3)
				}
				sort.Float64s(r)
				sort.Float64s(tf)
				fmt.Printf("%v const=%v %s: bf16/f32 time %.2f (f32 %.1f us)\n", s, known, tt, r[5], tf[5])
			}
		}
	}
}

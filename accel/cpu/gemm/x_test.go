package gemm
import ("testing";"fmt";"time";"sort";"math/rand/v2";"github.com/millrace-go/millrace/accel/cpu/isa")
func TestXLay(t *testing.T) {
	type v struct{ name string; f func(); fl float64; ts []float64 }
	var vs []*v
	r := rand.New(rand.NewPCG(1, 1))
	for _,l := range []isa.Level{isa.AVX2,isa.AVX512} {
		for _, m := range []int{6, 12, 13, 14} {
			for _, lay := range [][2]int{{384,1},{768,1},{1024,1},{400,1},{1,16}} {
			for _, n := range []int{32,384} {
					k := KC
					blk := &Block{A: normals(r, 16*1100), B: normals(r, k*n), C: make([]float32, m*n), RowA: lay[0], StepA: lay[1], StepB: NR, PanelB: k * NR, LDC: n, M: m, N: n, K: k, Alpha: 1}
					vs=append(vs,&v{fmt.Sprintf("%v m=%d/lay=%v/n=%d", l,m,lay, n), func(){blk.run(l)}, 2*float64(m*n*k),nil})
			}
			}
	}
	}
	for range 60 { for _,x:=range vs { x.f(); s:=time.Now(); for range 4 {x.f()}; x.ts=append(x.ts, float64(time.Since(s).Nanoseconds())/4) } }
	for _,x:=range vs { sort.Float64s(x.ts); fmt.Printf("%-36s min %.1f  q1 %.1f med %.1f\n", x.name, x.fl/x.ts[0], x.fl/x.ts[15], x.fl/x.ts[30]) }
}

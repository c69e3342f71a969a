package gemm
import ("testing";"fmt";"time";"runtime";"math/rand/v2";"github.com/millrace-go/millrace/accel/cpu/par")
type spin struct{ cnt [8]int }
func (s *spin) Do(i, w int) { s.cnt[w]++; t := time.Now(); for time.Since(t) < 300*time.Microsecond {} }
func TestXZ(t *testing.T) {
	fmt.Println(runtime.GOMAXPROCS(0))
	pool := par.New(2)
	s := &spin{}
	st := time.Now()
	for range 20 { pool.For(10, s) }
	fmt.Println(time.Since(st), s.cnt)
	plan, _ := New(Spec{M:512,N:512,K:512})
	fmt.Println(plan.core.grid(1, 2, false))
	p := newProblem(t, rand.New(rand.NewPCG(1, 1)), plan.spec)
	p.op.Scratch = make([]float32, plan.ScratchLen(2))
	for _, th := range []int{1,2} {
		pool := par.New(th)
		best := time.Hour
		for range 400 { st := time.Now(); plan.Run(pool, p.op); best = min(best, time.Since(st)) }
		fmt.Println(th, best)
	}
}

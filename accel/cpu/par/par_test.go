package par

import (
	"sync"
	"sync/atomic"
	"testing"
)

// counts notes how often each tile was done, and whether a worker was in two at once.
type counts struct {
	tiles  []atomic.Int32
	inside []atomic.Int32
	bad    atomic.Bool
}

func (c *counts) Do(tile, worker int) {
	if c.inside[worker].Add(1) != 1 {
		c.bad.Store(true)
	}
	c.tiles[tile].Add(1)
	c.inside[worker].Add(-1)
}

func TestEveryTileOnce(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 8} {
		p := New(threads)
		for _, n := range []int{0, 1, 2, 7, 1000} {
			c := &counts{tiles: make([]atomic.Int32, n), inside: make([]atomic.Int32, threads)}
			p.For(n, c)
			for i := range c.tiles {
				if got := c.tiles[i].Load(); got != 1 {
					t.Fatalf("%d threads, tile %d of %d: done %d times, want once", threads, i, n, got)
				}
			}
			if c.bad.Load() {
				t.Errorf("%d threads: a worker did two tiles at once", threads)
			}
		}
		p.Close()
	}
}

func TestNilPoolIsOneThread(t *testing.T) {
	var p *Pool
	c := &counts{tiles: make([]atomic.Int32, 3), inside: make([]atomic.Int32, 1)}
	p.For(3, c)
	if p.Threads() != 1 || c.tiles[2].Load() != 1 {
		t.Errorf("threads %d, last tile done %d times; want 1 and 1", p.Threads(), c.tiles[2].Load())
	}
}

func TestConcurrentCallers(t *testing.T) {
	p := New(3)
	defer p.Close()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				c := &adder{}
				p.For(50, c)
				if got := c.sum.Load(); got != 50*49/2 {
					t.Errorf("sum of the tiles %d, want %d", got, 50*49/2)
				}
			}
		})
	}
	wg.Wait()
}

// TestNobodyWaitsForALateWorker has a worker that does not run, as on a busy
// machine: the caller does its tiles. Once it runs, it helps.
func TestNobodyWaitsForALateWorker(t *testing.T) {
	w := &worker{wake: make(chan struct{}, 1)}
	w.state.Store(asleep)
	p := &Pool{threads: 2, workers: []*worker{w}, done: make(chan struct{}, 1)}
	for range 3 {
		c := &adder{}
		p.For(50, c)
		if got := c.sum.Load(); got != 50*49/2 {
			t.Fatalf("sum of the tiles %d, want %d", got, 50*49/2)
		}
	}
	go p.work(w, 1)
	defer p.Close()
	both := meeting{make(chan struct{})}
	p.For(2, both) // hangs unless there are two
}

// meeting is two tiles that wait for each other.
type meeting struct{ met chan struct{} }

func (m meeting) Do(tile, _ int) {
	if tile == 0 {
		m.met <- struct{}{}
	} else {
		<-m.met
	}
}

type adder struct{ sum atomic.Int64 }

func (a *adder) Do(tile, _ int) { a.sum.Add(int64(tile)) }

type faulty struct{}

func (faulty) Do(tile, _ int) {
	if tile == 5 {
		panic("tile 5")
	}
}

func TestPanicComesOut(t *testing.T) {
	p := New(2)
	defer p.Close()
	func() {
		defer func() {
			if r := recover(); r != "tile 5" {
				t.Errorf("recovered %v, want the panic of tile 5", r)
			}
		}()
		p.For(100, faulty{})
	}()
	c := &adder{}
	p.For(10, c) // and the pool still works
	if got := c.sum.Load(); got != 45 {
		t.Errorf("after a panic: sum %d, want 45", got)
	}
}

func TestForAllocatesNothing(t *testing.T) {
	p := New(2)
	defer p.Close()
	c := &adder{}
	if n := testing.AllocsPerRun(100, func() { p.For(8, c) }); n != 0 {
		t.Errorf("%g allocations a call, want 0", n)
	}
}

// BenchmarkFor is what it costs to share out tiles that do nothing.
func BenchmarkFor(b *testing.B) {
	p := New(2)
	defer p.Close()
	c := &adder{}
	for b.Loop() {
		p.For(2, c)
	}
}

func TestIdle(t *testing.T) {
	var idle Idle[int]
	a, b := idle.Take(), idle.Take()
	if a == b {
		t.Fatal("taken twice")
	}
	idle.Give(a)
	if idle.Take() != a || idle.Take() == a {
		t.Error("what was given is not taken once")
	}
}

// Package par spreads the tiles of a kernel over threads.
//
// Goroutines outlive the call, and a call allocates nothing. Which worker does
// which tile is left to chance, so a tile's result must not depend on it: every
// tile writes memory of its own, and sums over tiles are made afterwards in the
// order of the tiles.
package par

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Body is the work of a kernel, cut in tiles. Do is called once for each tile,
// by several goroutines at once; worker, 0 ≤ worker < Threads, is unique among
// the calls that run at the same time, so it may choose scratch memory.
type Body interface {
	Do(tile, worker int)
}

// Pool is a number of workers, of which the caller of For is the first. The nil
// Pool has one. It may be used by several goroutines at once: one gets the
// workers, and the others work alone meanwhile.
type Pool struct {
	threads int
	busy    sync.Mutex // held while the workers are at work
	body    Body
	tiles   int64
	next    atomic.Int64
	start   []chan struct{}
	done    sync.WaitGroup
	failed  any // what a Do panicked with
	fail    sync.Once
}

// New returns a pool of n threads, n ≥ 1; 0 means one for each CPU that the
// process may use.
func New(n int) *Pool {
	if n < 1 {
		n = runtime.GOMAXPROCS(0)
	}
	p := &Pool{threads: n}
	for i := 1; i < n; i++ {
		c := make(chan struct{}, 1)
		p.start = append(p.start, c)
		go p.work(c, i)
	}
	return p
}

// Threads is the number of workers.
func (p *Pool) Threads() int {
	if p == nil {
		return 1
	}
	return p.threads
}

// Close ends the workers. For must not be called afterwards.
func (p *Pool) Close() {
	for _, c := range p.start {
		close(c)
	}
}

// For calls b.Do(i, worker) for 0 ≤ i < tiles and returns when all are done. A
// panic of Do comes out of For.
func (p *Pool) For(tiles int, b Body) {
	if p == nil || p.threads == 1 || tiles < 2 || !p.busy.TryLock() {
		for i := range tiles {
			b.Do(i, 0)
		}
		return
	}
	p.share(tiles, b)
}

func (p *Pool) share(tiles int, b Body) {
	defer p.busy.Unlock()
	p.body, p.tiles, p.failed, p.fail = b, int64(tiles), nil, sync.Once{}
	p.next.Store(0)
	helpers := min(p.threads, tiles) - 1
	p.done.Add(helpers)
	for _, c := range p.start[:helpers] {
		c <- struct{}{}
	}
	p.drain(0)
	p.done.Wait()
	p.body = nil
	if p.failed != nil {
		panic(p.failed)
	}
}

func (p *Pool) work(start chan struct{}, worker int) {
	for range start {
		p.drain(worker)
		p.done.Done()
	}
}

// drain does tiles until none is left.
func (p *Pool) drain(worker int) {
	defer func() {
		if r := recover(); r != nil {
			p.fail.Do(func() { p.failed = r })
			p.next.Store(p.tiles)
		}
	}()
	for {
		i := p.next.Add(1) - 1
		if i >= p.tiles {
			return
		}
		p.body.Do(int(i), worker)
	}
}

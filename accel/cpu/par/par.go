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
//
// A worker that has nothing to do looks for work for a while before it sleeps,
// as does a caller whose workers are not done: to wake a sleeper takes tens of
// microseconds, longer than many a kernel.
type Pool struct {
	threads int
	spin    int        // how often to look before sleeping
	busy    sync.Mutex // held while the workers are at work
	body    Body
	tiles   int64
	next    atomic.Int64
	workers []*worker
	pending atomic.Int32 // workers that are not done
	waiting atomic.Bool  // the caller sleeps until they are
	done    chan struct{}
	failed  any // what a Do panicked with
	fail    sync.Once
}

// worker is a goroutine that helps.
type worker struct {
	calls  atomic.Uint32 // how often it was called
	asleep atomic.Bool
	wake   chan struct{}
}

// spins is how often an idle worker looks for work: for some hundreds of
// microseconds, longer than what lies between two kernels of a program.
const spins = 1 << 19

// New returns a pool of n threads, n ≥ 1; 0 means one for each CPU that the
// process may use.
func New(n int) *Pool {
	if n < 1 {
		n = runtime.GOMAXPROCS(0)
	}
	p := &Pool{threads: n, done: make(chan struct{}, 1)}
	if n <= runtime.GOMAXPROCS(0) {
		p.spin = spins // else somebody else could use the CPU
	}
	for i := 1; i < n; i++ {
		w := &worker{wake: make(chan struct{}, 1)}
		p.workers = append(p.workers, w)
		go p.work(w, i)
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
	for _, w := range p.workers {
		close(w.wake)
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
	helpers := p.workers[:min(p.threads, tiles)-1]
	p.pending.Store(int32(len(helpers)))
	for _, w := range helpers {
		w.calls.Add(1)
		if w.asleep.CompareAndSwap(true, false) {
			w.wake <- struct{}{}
		}
	}
	p.drain(0)
	p.wait()
	p.body = nil
	if p.failed != nil {
		panic(p.failed)
	}
}

// wait returns when no worker is at work.
func (p *Pool) wait() {
	for range p.spin {
		if p.pending.Load() == 0 {
			return
		}
	}
	p.waiting.Store(true)
	if p.pending.Load() == 0 && p.waiting.CompareAndSwap(true, false) {
		return
	}
	<-p.done
}

// finished is the last thing that a worker does for a call.
func (p *Pool) finished() {
	if p.pending.Add(-1) == 0 && p.waiting.CompareAndSwap(true, false) {
		p.done <- struct{}{}
	}
}

func (p *Pool) work(w *worker, index int) {
	for seen := uint32(0); p.called(w, seen); seen++ {
		p.drain(index)
		p.finished()
	}
}

// called returns true when the worker has been called more than seen times, and
// false when the pool is closed.
func (p *Pool) called(w *worker, seen uint32) bool {
	for {
		for range p.spin + 1 {
			if w.calls.Load() != seen {
				return true
			}
		}
		w.asleep.Store(true)
		if w.calls.Load() != seen && w.asleep.CompareAndSwap(true, false) {
			return true
		}
		if _, open := <-w.wake; !open {
			return false
		}
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

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
// microseconds, longer than many a kernel. But nobody waits for a worker that has
// not begun when no tile is left: on a machine that has other things to do it
// may not run for milliseconds.
type Pool struct {
	threads int
	spin    patience   // of the caller
	busy    sync.Mutex // held while the workers are at work
	body    Body
	tiles   int64
	next    atomic.Int64
	workers []*worker
	pending atomic.Int32 // workers that are called and not done
	waiting atomic.Bool  // the caller sleeps until they are
	done    chan struct{}
	failed  any // what a Do panicked with
	fail    sync.Once
}

// worker is a goroutine that helps.
type worker struct {
	state atomic.Uint32
	spin  patience
	wake  chan struct{}
}

// The states of a worker. The caller of For turns awake and asleep into called,
// and called back into awake if the tiles are gone; the rest is the worker's.
const (
	awake   uint32 = iota // looks for work
	asleep                // receives from wake, or is about to
	called                // is to do tiles
	working               // does
)

// patience is how often a thread looks for something before it sleeps. It
// shrinks when it was in vain and grows back when not: where others have the CPU
// that would bring it about, looking takes time from them.
type patience struct{ now, most, least int }

// The greatest patience lasts some hundreds of microseconds, longer than what lies
// between two kernels of a program; the least, about as long as waking a sleeper.
const (
	mostSpins  = 1 << 19
	leastSpins = 1 << 15
)

func (s *patience) found() { s.now = min(s.now+s.now/8, s.most) }

func (s *patience) inVain() { s.now = max(s.now/4, s.least) }

// New returns a pool of n threads, n ≥ 1; 0 means one for each CPU that the
// process may use.
func New(n int) *Pool {
	if n < 1 {
		n = runtime.GOMAXPROCS(0)
	}
	p := &Pool{threads: n, done: make(chan struct{}, 1)}
	if n <= runtime.GOMAXPROCS(0) { // else another worker could use the CPU
		p.spin = patience{mostSpins, mostSpins, leastSpins}
	}
	for i := 1; i < n; i++ {
		w := &worker{spin: p.spin, wake: make(chan struct{}, 1)}
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
		if w.state.Swap(called) == asleep {
			w.wake <- struct{}{}
		}
	}
	p.drain(0)
	for _, w := range helpers {
		if w.state.CompareAndSwap(called, awake) {
			p.pending.Add(-1)
		}
	}
	p.wait()
	p.body = nil
	if p.failed != nil {
		panic(p.failed)
	}
}

// wait returns when no worker is at work.
func (p *Pool) wait() {
	for range p.spin.now {
		if p.pending.Load() == 0 {
			p.spin.found()
			return
		}
	}
	p.spin.inVain()
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
	for w.called() {
		p.drain(index)
		w.state.Store(awake)
		p.finished()
	}
}

// called returns true when the worker has been called, and false when the pool
// is closed.
func (w *worker) called() bool {
	for {
		for range w.spin.now + 1 {
			if w.state.Load() == called && w.state.CompareAndSwap(called, working) {
				w.spin.found()
				return true
			}
		}
		w.spin.inVain()
		if w.state.CompareAndSwap(awake, asleep) {
			if _, open := <-w.wake; !open {
				return false
			}
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

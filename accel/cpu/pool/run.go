package pool

import (
	"fmt"

	"github.com/millrace-go/millrace/accel/cpu/par"
)

// run is one call: a par.Body whose tiles are some planes.
type run struct {
	*Plan
	y, x     []float32 // or their gradients
	dy, dx   []float32
	idx      []int32
	plane    func(r *run, i, worker int)
	planes   func(r *run, i, end, worker int) // the same for several, if not nil
	group    int                              // planes of a tile
	lineArgs []lineArgs                       // as args
	args     []pairArgs                       // of each worker: kernels are called through variables, so not on the stack
}

// Do does the planes of a tile.
func (r *run) Do(tile, worker int) {
	i, end := tile*r.group, min(r.Plan.planes, (tile+1)*r.group)
	if r.planes != nil {
		r.planes(r, i, end, worker)
		return
	}
	for ; i < end; i++ {
		r.plane(r, i, worker)
	}
}

// tileLen is about how many elements a tile has.
const tileLen = 1 << 14

// each does the planes of r, which is reset but for plane.
func (p *Plan) each(pool *par.Pool, set run) {
	r := p.runs.Take()
	defer p.runs.Give(r)
	set.args, set.lineArgs = r.args, r.lineArgs
	*r = set
	if n := pool.Threads(); len(r.args) < n {
		r.args, r.lineArgs = make([]pairArgs, n), make([]lineArgs, n)
	}
	r.Plan, r.group = p, max(1, tileLen/max(p.inLen, p.outLen))
	pool.For((p.planes+r.group-1)/r.group, r)
	clear(r.args) // they point to the caller's memory
	clear(r.lineArgs)
	*r = run{args: r.args, lineArgs: r.lineArgs}
}

// planeIn and planeOut are plane i of a tensor like x or y.
func (r *run) planeIn(v []float32, i int) []float32  { return v[i*r.inLen:][:r.inLen] }
func (r *run) planeOut(v []float32, i int) []float32 { return v[i*r.outLen:][:r.outLen] }

// Max computes the greatest element of each window, and if idx is not nil where
// in its plane it is: the first of equal ones, and -1 for a window that is all
// padding, whose maximum is -Inf. NaN is greater than all numbers, and the last
// NaN counts.
func (p *Plan) Max(pool *par.Pool, y []float32, idx []int32, x []float32) {
	need("Max: y", len(y), p.YLen())
	need("Max: x", len(x), p.XLen())
	if idx != nil {
		need("Max: idx", len(idx), p.YLen())
	}
	r := run{y: y, x: x, idx: idx, plane: (*run).maxPlane}
	if p.pairs && p.kernels.maxPairs != nil {
		r.planes = (*run).maxPairs
	}
	p.each(pool, r)
}

// MaxGrad computes the gradient dx of x from that of y and Max's idx.
func (p *Plan) MaxGrad(pool *par.Pool, dx, dy []float32, idx []int32) {
	need("MaxGrad: dx", len(dx), p.XLen())
	need("MaxGrad: dy", len(dy), p.YLen())
	need("MaxGrad: idx", len(idx), p.YLen())
	r := run{dy: dy, dx: dx, idx: idx, plane: (*run).maxGradPlane}
	if p.pairs && p.kernels.maxPairsGrad != nil {
		r.planes = (*run).maxPairsGrad
	}
	p.each(pool, r)
}

// Average computes the mean of each window; that of no elements is 0.
func (p *Plan) Average(pool *par.Pool, y, x []float32) {
	need("Average: y", len(y), p.YLen())
	need("Average: x", len(x), p.XLen())
	plane := (*run).averagePlane
	if p.whole {
		plane = (*run).averageWhole
	}
	p.each(pool, run{y: y, x: x, plane: plane})
}

// AverageGrad computes the gradient dx of x from that of y.
func (p *Plan) AverageGrad(pool *par.Pool, dx, dy []float32) {
	need("AverageGrad: dx", len(dx), p.XLen())
	need("AverageGrad: dy", len(dy), p.YLen())
	plane := (*run).averageGradPlane
	if p.whole {
		plane = (*run).averageGradWhole
	}
	p.each(pool, run{dy: dy, dx: dx, plane: plane})
}

// Lp computes the P-norm of each window.
func (p *Plan) Lp(pool *par.Pool, y, x []float32) {
	need("Lp: y", len(y), p.YLen())
	need("Lp: x", len(x), p.XLen())
	p.each(pool, run{y: y, x: x, plane: (*run).lpPlane})
}

// LpGrad computes the gradient dx of x from that of y, from x and y. It is 0
// where the norm is.
func (p *Plan) LpGrad(pool *par.Pool, dx, dy, x, y []float32) {
	need("LpGrad: dx", len(dx), p.XLen())
	need("LpGrad: dy", len(dy), p.YLen())
	need("LpGrad: x", len(x), p.XLen())
	need("LpGrad: y", len(y), p.YLen())
	p.each(pool, run{dy: dy, dx: dx, x: x, y: y, plane: (*run).lpGradPlane})
}

// TensorIndices turns Max's idx into places in the whole of x, as ONNX MaxPool
// gives them; columnMajor counts in a plane from its first dimension
// (storage_order 1). -1 stays.
func (p *Plan) TensorIndices(dst []int64, idx []int32, columnMajor bool) {
	need("TensorIndices: dst", len(dst), p.YLen())
	need("TensorIndices: idx", len(idx), p.YLen())
	for i, at := range idx {
		v := int(at)
		if v < 0 {
			dst[i] = -1
			continue
		}
		if columnMajor {
			w, h, d := v%p.in[2], v/p.in[2]%p.in[1], v/p.in[2]/p.in[1]
			v = (w*p.in[1]+h)*p.in[0] + d
		}
		dst[i] = int64(i/p.outLen*p.inLen + v)
	}
}

func need(what string, got, want int) {
	if got != want {
		panic(fmt.Sprintf("pool: %s has %d elements, want %d", what, got, want))
	}
}

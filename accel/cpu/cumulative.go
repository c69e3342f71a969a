package cpu

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// Running sums and products along an axis, with the attributes exclusive and
// reverse. Float32 is kept in float64 on the way, and each result rounded once.
var cumulativeKernels = map[string]builder{
	"CumSum":      {in: 2, out: 1, make: cumulative},
	"CumProd":     {in: 2, out: 1, make: cumulative},
	"CumProdGrad": {in: 3, out: 1, make: cumProdGrad},
}

// lanes is a tensor seen as (outer, n, inner), and the direction along n.
type lanes struct {
	outer, n, inner int
	exclusive       bool
	reverse         bool
}

// newLanes reads the axis, which is input i.
func newLanes(c *call, i int) (lanes, error) {
	x := c.in[0]
	list, err := c.ints(i)
	if err != nil {
		return lanes{}, err
	}
	if len(list) != 1 {
		return lanes{}, fmt.Errorf("%d axes, want one", len(list))
	}
	ax, err := axis(list[0], len(x.Shape))
	if err != nil {
		return lanes{}, err
	}
	l := lanes{exclusive: c.Bool("exclusive", false), reverse: c.Bool("reverse", false)}
	l.outer, l.n, l.inner = around(x.Shape, ax)
	return l, nil
}

// lane is the offset of the first element of lane i and the step to the next.
func (l lanes) lane(i int) (at, step int) {
	at, step = i/l.inner*l.n*l.inner+i%l.inner, l.inner
	if l.reverse {
		return at + (l.n-1)*step, -step
	}
	return at, step
}

// perTile is the number of lanes in a tile.
func (l lanes) perTile() int { return max(1, grainSlow/max(1, l.n)) }

func (l lanes) tiles() int {
	if l.n == 0 {
		return 0
	}
	return (l.outer*l.inner + l.perTile() - 1) / l.perTile()
}

func cumulative(c *call) (kernel, error) {
	return byType(c, c.in[0], map[accel.DType]func(*call) (kernel, error){
		accel.Float32: cumulativeOf[float32, float64], accel.Float64: cumulativeOf[float64, float64],
		accel.Int32: cumulativeOf[int32, int32], accel.Int64: cumulativeOf[int64, int64],
		accel.Uint32: cumulativeOf[uint32, uint32], accel.Uint64: cumulativeOf[uint64, uint64],
	})
}

func cumulativeOf[T, A accel.Number](c *call) (kernel, error) {
	x, y := c.in[0], c.out[0]
	l, err := newLanes(c, 1)
	if err != nil {
		return nil, err
	}
	if err := sameLen(x, y); err != nil {
		return nil, err
	}
	product := c.Op == "CumProd"
	newJob := addJob[cumulativeJob[T, A]](c)
	return func(f *frame) error {
		j := newJob(f)
		j.lanes, j.product = l, product
		j.x, j.y = data[T](f, x), data[T](f, y)
		f.pool.For(l.tiles(), j)
		return nil
	}, nil
}

type cumulativeJob[T, A accel.Number] struct {
	lanes
	product bool
	x, y    []T
}

// Do does some lanes.
func (j *cumulativeJob[T, A]) Do(tile, _ int) {
	per := j.perTile()
	for i := tile * per; i < min((tile+1)*per, j.outer*j.inner); i++ {
		at, step := j.lane(i)
		var acc A
		if j.product {
			acc = 1
		}
		for range j.n {
			before := acc
			if j.product {
				acc *= A(j.x[at])
			} else {
				acc += A(j.x[at])
			}
			if j.exclusive {
				j.y[at] = T(before)
			} else {
				j.y[at] = T(acc)
			}
			at += step
		}
	}
}

func cumProdGrad(c *call) (kernel, error) {
	return byType(c, c.in[0], map[accel.DType]func(*call) (kernel, error){
		accel.Float32: cumProdGradOf[float32], accel.Float64: cumProdGradOf[float64],
	})
}

// cumProdGradOf takes dy, x and the axis. With P the product of the elements
// before i, dx = P·S, where S is the sum of dy over i and all behind it, each
// times the elements between: S = dy + x'·S', the dash meaning the next
// element. If the products are exclusive, dy is taken one further on. Nothing
// is divided, so zeros do no harm.
func cumProdGradOf[T float32 | float64](c *call) (kernel, error) {
	dy, x, dx := c.in[0], c.in[1], c.out[0]
	if err := sameLen(dy, x, dx); err != nil {
		return nil, err
	}
	l, err := newLanes(c, 2)
	if err != nil {
		return nil, err
	}
	newJob := addJob[cumProdGradJob[T]](c)
	return func(f *frame) error {
		j := newJob(f)
		j.lanes = l
		j.dy, j.x, j.dx = data[T](f, dy), data[T](f, x), data[T](f, dx)
		f.pool.For(l.tiles(), j)
		return nil
	}, nil
}

type cumProdGradJob[T float32 | float64] struct {
	lanes
	dy, x, dx []T
}

// Do does some lanes.
func (j *cumProdGradJob[T]) Do(tile, _ int) {
	per := j.perTile()
	for i := tile * per; i < min((tile+1)*per, j.outer*j.inner); i++ {
		at, step := j.lane(i)
		p := 1.0
		for range j.n {
			j.dx[at] = T(p)
			p *= float64(j.x[at])
			at += step
		}
		s, next := 0.0, 0.0 // S and x of the element behind
		for k := range j.n {
			at -= step
			d := float64(j.dy[at])
			if j.exclusive {
				d = 0
				if k > 0 {
					d = float64(j.dy[at+step])
				}
			}
			s = d + float64(next*s)
			next = float64(j.x[at])
			j.dx[at] = T(float64(j.dx[at]) * s)
		}
	}
}

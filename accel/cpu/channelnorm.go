package cpu

import (
	"fmt"
	"math"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/vec"
)

var channelNormKernels = map[string]builder{
	"BatchNormalization": {in: 5, out: 1, make: channelNorm},
	"GroupNormalization": {in: 3, out: 1, make: channelNorm},
	"BatchNormGrad":      {in: 5, out: 3, make: channelNorm},
	"GroupNormGrad":      {in: 5, out: 3, make: channelNorm},
}

// channelSets is how a tensor (N, C, inner) falls into sets that are normalised
// together: the images of a channel, or the channels of a group of an image.
// A set is made of runs of inner elements.
type channelSets struct {
	images, channels, inner int
	sets, runs              int // sets, and runs in each
	batch                   bool
}

func setsOf(c *call, x *tensor) (channelSets, error) {
	if len(x.Shape) < 2 || x.n == 0 {
		return channelSets{}, fmt.Errorf("normalisation of %v: %w", x.Shape, accel.ErrUnsupported)
	}
	s := channelSets{images: x.Shape[0], channels: x.Shape[1], inner: accel.Size(x.Shape[2:])}
	if c.Op == "BatchNormalization" || c.Op == "BatchNormGrad" {
		s.batch, s.sets, s.runs = true, s.channels, s.images
		return s, nil
	}
	groups := c.Int("num_groups", 0)
	if groups < 1 || s.channels%groups != 0 {
		return s, fmt.Errorf("%d channels in %d groups", s.channels, groups)
	}
	s.sets, s.runs = s.images*groups, s.channels/groups
	return s, nil
}

// run is where run i of a set begins in (N, C), and its channel.
func (s *channelSets) run(set, i int) (at, channel int) {
	if s.batch {
		return i*s.channels + set, set
	}
	at = set*s.runs + i
	return at, at % s.channels
}

// matrix reports whether the runs are single elements, (N, C).
func (s *channelSets) matrix() bool { return s.batch && s.inner == 1 }

// columnTiles is the number of tiles of a matrix.
func (s *channelSets) columnTiles() int { return (s.channels + normColumns - 1) / normColumns }

// count is the number of elements of a set.
func (s *channelSets) count() float64 { return float64(s.runs * s.inner) }

// runMath is arithmetic on runs. Sums are of float64.
type runMath[T float32 | float64] struct {
	sum, dot func(x, y []T) float64            // Σx; Σxy
	spread   func(x []T, mean float64) float64 // Σ(x-mean)²
	line     func(y, x []T, a, b T)            // y = ax + b
	plane    func(z, y, x []T, a, b, c T)      // z = ay + bx + c
}

var runMath32 = runMath[float32]{
	sum: func(x, _ []float32) float64 { return vec.Sum(x) }, dot: vec.Dot, spread: vec.SumDiffSquares,
	line: func(y, x []float32, a, b float32) {
		vec.MulScalar(y, x, a)
		vec.AddScalar(y, y, b)
	},
	plane: func(z, y, x []float32, a, b, c float32) {
		vec.MulScalar(z, y, a)
		vec.Axpy(z, b, x)
		vec.AddScalar(z, z, c)
	},
}

var runMath64 = runMath[float64]{
	sum: func(x, _ []float64) float64 {
		s := 0.0
		for _, v := range x {
			s += v
		}
		return s
	},
	dot: func(x, y []float64) float64 {
		s := 0.0
		for i, v := range x {
			s += v * y[i]
		}
		return s
	},
	spread: func(x []float64, mean float64) float64 {
		s := 0.0
		for _, v := range x {
			s += (v - mean) * (v - mean)
		}
		return s
	},
	line: func(y, x []float64, a, b float64) {
		for i, v := range x {
			y[i] = a*v + b
		}
	},
	plane: func(z, y, x []float64, a, b, c float64) {
		for i, v := range x {
			z[i] = a*y[i] + b*v + c
		}
	},
}

func channelNorm(c *call) (kernel, error) {
	if err := want(c.Op, append(slices.Clone(c.in), c.out...), c.in[0].DType); err != nil {
		return nil, err
	}
	s, err := setsOf(c, c.in[0])
	if err != nil {
		return nil, err
	}
	grad := c.Op == "BatchNormGrad" || c.Op == "GroupNormGrad"
	switch t := c.in[0].DType; {
	case t == accel.Float32 && grad:
		return channelGradOf(c, s, &runMath32)
	case t == accel.Float32:
		return channelNormOf(c, s, &runMath32)
	case t == accel.Float64 && grad:
		return channelGradOf(c, s, &runMath64)
	case t == accel.Float64:
		return channelNormOf(c, s, &runMath64)
	}
	return nil, unsupported(c.Op, c.in[0])
}

// checkChannels reports tensors that are not one element a channel, or a set.
func (s *channelSets) check(perChannel, perSet []*tensor) error {
	for _, t := range perChannel {
		if t != nil && t.n != s.channels {
			return shapeErr(t)
		}
	}
	for _, t := range perSet {
		if t != nil && t.n != s.sets {
			return shapeErr(t)
		}
	}
	return nil
}

func channelNormOf[T float32 | float64](c *call, s channelSets, m *runMath[T]) (kernel, error) {
	x, y := c.in[0], c.out[0]
	job, columns := addJob[channelJob[T]](c), addJob[matrixNormJob[T]](c)
	given, saved, momentum := []*tensor{nil, nil}, []*tensor{c.output(1), c.output(2)}, 0.0
	var running []*tensor
	if s.batch {
		given, saved = c.in[3:5], nil
		if c.Int("training_mode", 0) != 0 {
			saved, momentum = []*tensor{c.output(3), c.output(4)}, c.Float("momentum", 0.9)
			running = []*tensor{c.output(1), c.output(2)}
		}
	}
	if err := s.check(append(slices.Concat(c.in[1:3], running), given...), saved); err != nil {
		return nil, err
	}
	if err := sameLen(x, y); err != nil {
		return nil, err
	}
	training := !s.batch || running != nil
	eps := c.Float("epsilon", 1e-5)
	return func(f *frame) error {
		j, asMatrix := job(f), columns(f)
		*j = channelJob[T]{channelSets: s, runMath: m, eps: eps, momentum: momentum, training: training,
			y: data[T](f, y), x: data[T](f, x), scale: data[T](f, c.in[1]), bias: data[T](f, c.in[2])}
		for i := range 2 {
			if given[i] != nil {
				j.given[i] = data[T](f, given[i])
			}
			if saved != nil && saved[i] != nil {
				j.saved[i] = data[T](f, saved[i])
			}
			if running != nil && running[i] != nil {
				j.running[i] = data[T](f, running[i])
			}
		}
		if s.matrix() {
			asMatrix.channelJob = *j
			f.pool.For(s.columnTiles(), asMatrix)
			return nil
		}
		f.pool.For(s.sets, j)
		return nil
	}, nil
}

// channelJob normalises one set a tile.
type channelJob[T float32 | float64] struct {
	channelSets
	*runMath[T]
	eps, momentum         float64
	training              bool // the statistics are those of the set
	y, x, scale, bias     []T
	given, saved, running [2][]T // mean and variance, mean and 1/√(variance+eps), as given
}

func (j *channelJob[T]) Do(set, _ int) {
	var mean, variance float64
	if j.training {
		mean, variance = j.statistics(set)
	} else {
		mean, variance = float64(j.given[0][set]), float64(j.given[1][set])
	}
	inv := 1 / math.Sqrt(variance+j.eps)
	j.keep(set, mean, variance, inv)
	for i := range j.runs {
		at, channel := j.run(set, i)
		a := inv * float64(j.scale[channel])
		b := float64(j.bias[channel]) - mean*a
		lo, hi := at*j.inner, (at+1)*j.inner
		j.line(j.y[lo:hi], j.x[lo:hi], T(a), T(b))
	}
}

// keep writes the statistics of a set where they are wanted.
func (j *channelJob[T]) keep(set int, mean, variance, inv float64) {
	for i, v := range [2]float64{mean, inv} {
		if j.saved[i] != nil {
			j.saved[i][set] = T(v)
		}
	}
	for i, v := range [2]float64{mean, variance} {
		if j.running[i] != nil {
			j.running[i][set] = T(j.momentum*float64(j.given[i][set]) + (1-j.momentum)*v)
		}
	}
}

// statistics adds the sums of the runs in their order.
func (j *channelJob[T]) statistics(set int) (mean, variance float64) {
	for i := range j.runs {
		at, _ := j.run(set, i)
		mean += j.sum(j.x[at*j.inner:(at+1)*j.inner], nil)
	}
	mean /= j.count()
	for i := range j.runs {
		at, _ := j.run(set, i)
		variance += j.spread(j.x[at*j.inner:(at+1)*j.inner], mean)
	}
	return mean, variance / j.count()
}

// channelGradOf computes, for each set, with h = (x-mean)·inv,
//
//	dx = inv·(dy·scale - (Σ dy·scale + h·Σ dy·scale·h)/count)
//
// and from sums of the runs that it leaves in scratch memory, dscale = Σ dy·h
// and dbias = Σ dy.
func channelGradOf[T float32 | float64](c *call, s channelSets, m *runMath[T]) (kernel, error) {
	job, columns := addJob[channelGradJob[T]](c), addJob[matrixGradJob[T]](c)
	room := 2 * s.images * s.channels
	if s.matrix() {
		room = 0
	}
	sums := c.scratch(8 * room)
	if err := s.check([]*tensor{c.in[2], c.out[1], c.out[2]}, c.in[3:5]); err != nil {
		return nil, err
	}
	if err := sameLen(c.in[0], c.in[1], c.out[0]); err != nil {
		return nil, err
	}
	return func(f *frame) error {
		j := job(f)
		parts := accel.View[float64](sums.raw(f))
		half := room / 2
		*j = channelGradJob[T]{channelSets: s, runMath: m, dx: data[T](f, c.out[0]), dy: data[T](f, c.in[0]), x: data[T](f, c.in[1]),
			scale: data[T](f, c.in[2]), mean: data[T](f, c.in[3]), inv: data[T](f, c.in[4]), parts: [2][]float64{parts[:half], parts[half:]}}
		if s.matrix() {
			m := columns(f)
			*m = matrixGradJob[T]{channelGradJob: *j, dscale: data[T](f, c.out[1]), dbias: data[T](f, c.out[2])}
			f.pool.For(s.columnTiles(), m)
			return nil
		}
		f.pool.For(s.sets, j)
		for i, p := range j.parts {
			out := data[T](f, c.out[1+i])
			for channel := range out {
				total := 0.0
				for n := range s.images {
					total += p[n*s.channels+channel]
				}
				out[channel] = T(total)
			}
		}
		return nil
	}, nil
}

type channelGradJob[T float32 | float64] struct {
	channelSets
	*runMath[T]
	dx, dy, x, scale, mean, inv []T
	parts                       [2][]float64 // (N, C): Σ dy·h and Σ dy of each run
}

func (j *channelGradJob[T]) Do(set, _ int) {
	mean, inv := float64(j.mean[set]), float64(j.inv[set])
	var sum, dot float64
	for i := range j.runs {
		at, channel := j.run(set, i)
		lo, hi := at*j.inner, (at+1)*j.inner
		d := j.sum(j.dy[lo:hi], nil)
		h := inv * (j.dot(j.dy[lo:hi], j.x[lo:hi]) - mean*d)
		j.parts[0][at], j.parts[1][at] = h, d
		scale := float64(j.scale[channel])
		sum, dot = sum+scale*d, dot+scale*h
	}
	b := -inv * inv * dot / j.count()
	c := -inv*sum/j.count() - b*mean
	for i := range j.runs {
		at, channel := j.run(set, i)
		lo, hi := at*j.inner, (at+1)*j.inner
		j.plane(j.dx[lo:hi], j.dy[lo:hi], j.x[lo:hi], T(inv*float64(j.scale[channel])), T(b), T(c))
	}
}

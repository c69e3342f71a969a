package cpu

import (
	"math"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/extent"
)

var sampleKernels = map[string]builder{
	"GridSample":      {in: 2, out: 1, make: gridSample},
	"RoiAlign":        {in: 3, out: 1, make: roiAlign},
	"RoiAlignGrad":    {in: 4, out: 1, make: roiAlignGrad},
	"RoiAlignPeaks":   {in: 3, out: 2, make: roiAlignPeaks},
	"MaxRoiPool":      {in: 2, out: 1, make: roiPool},
	"MaxRoiPoolPeaks": {in: 2, out: 2, make: roiPool},
}

func gridSample(c *call) (kernel, error) {
	switch c.in[0].DType {
	case accel.Float32:
		return gridSampleOf[float32](c)
	case accel.Float64:
		return gridSampleOf[float64](c)
	}
	return nil, unsupported(c.Op, c.in[0])
}

// gridPlan is how GridSample finds the elements around a place.
type gridPlan struct {
	size             []int // of the image, by dimension
	strides          []int
	taps             int // a dimension: 1, 2 or 4
	corners          bool
	padding          string
	channels, points int
	image            int // elements of one channel
}

// maxSampleRank is the most dimensions of an image.
const maxSampleRank = 3

// gridBlock is the points of a tile: enough to read the taps' tables often.
const gridBlock = 32

func gridSampleOf[T float32 | float64](c *call) (kernel, error) {
	x, grid, y := c.in[0], c.in[1], c.out[0]
	if err := want(c.Op, []*tensor{grid, y}, x.DType); err != nil {
		return nil, err
	}
	rank := len(x.Shape) - 2
	p := &gridPlan{corners: c.Bool("align_corners", false), padding: c.Str("padding_mode", "zeros")}
	p.taps = map[string]int{"nearest": 1, "linear": 2, "cubic": 4}[c.Str("mode", "linear")]
	if p.taps == 0 || rank < 1 || rank > maxSampleRank {
		return nil, unsupported(c.Op+" in mode "+c.Str("mode", "linear"), x)
	}
	p.size, p.strides = x.Shape[2:], contiguous(x.Shape[2:])
	p.channels, p.image = x.Shape[1], accel.Size(p.size)
	if p.channels > 0 && x.Shape[0] > 0 {
		p.points = y.n / (x.Shape[0] * p.channels)
	}
	if y.n > 0 && p.image == 0 || x.Shape[0]*p.channels*p.points != y.n || x.Shape[0]*p.points*rank != grid.n && y.n > 0 {
		return nil, shapeErr(x, grid, y)
	}
	all := 1
	for range rank {
		all *= p.taps
	}
	blocks := (p.points + gridBlock - 1) / gridBlock
	mem := c.scratch(16 * gridBlock * all * c.threads)
	job := addJob[gridJob[T]](c)
	return func(f *frame) error {
		if y.n == 0 {
			return nil
		}
		j := job(f)
		*j = gridJob[T]{p: p, x: data[T](f, x), grid: data[T](f, grid), y: data[T](f, y), mem: mem.raw(f), all: all, blocks: blocks}
		f.pool.For(x.Shape[0]*blocks, j)
		*j = gridJob[T]{}
		return nil
	}, nil
}

// gridJob samples some points of one image in all its channels.
type gridJob[T float32 | float64] struct {
	p           *gridPlan
	x, grid, y  []T
	mem         []byte
	all, blocks int
}

// Do finds the taps of the tile's points, and then applies them.
func (j *gridJob[T]) Do(tile, worker int) {
	p, n := j.p, tile/j.blocks
	first := tile % j.blocks * gridBlock
	count := min(gridBlock, p.points-first)
	mem := j.mem[16*gridBlock*j.all*worker:][:16*gridBlock*j.all]
	places, weights := as[int64](mem[:len(mem)/2]), as[float64](mem[len(mem)/2:])
	rank := len(p.size)
	for i := range count {
		at := (n*p.points + first + i) * rank
		p.find(places[i*j.all:(i+1)*j.all], weights[i*j.all:(i+1)*j.all], func(d int) float64 {
			return float64(j.grid[at+rank-1-d]) // a grid counts dimensions from the last
		})
	}
	for c := range p.channels {
		x := j.x[(n*p.channels+c)*p.image:][:p.image]
		y := j.y[(n*p.channels+c)*p.points+first:][:count]
		for i := range y {
			sum := 0.0
			for k, at := range places[i*j.all : (i+1)*j.all] {
				if at >= 0 {
					sum += weights[i*j.all+k] * float64(x[at])
				}
			}
			y[i] = T(sum)
		}
	}
}

// find gives the places in an image and the weights of what is around a point.
// A place outside, in mode zeros, is -1.
func (p *gridPlan) find(places []int64, weights []float64, at func(d int) float64) {
	var index [maxSampleRank][4]int
	var weight [maxSampleRank][4]float64
	for d, n := range p.size {
		p.along(index[d][:p.taps], weight[d][:p.taps], at(d), n)
	}
	for k := range places {
		place, w, rest, outside := 0, 1.0, k, false
		for d := len(p.size) - 1; d >= 0; d-- {
			t := rest % p.taps
			rest /= p.taps
			outside = outside || index[d][t] < 0
			place += index[d][t] * p.strides[d]
			w *= weight[d][t]
		}
		if outside {
			place = -1
		}
		places[k], weights[k] = int64(place), w
	}
}

// along does the same in one dimension of n elements; v is from -1 to 1.
func (p *gridPlan) along(index []int, weight []float64, v float64, n int) {
	low, high := -0.5, float64(n)-0.5
	x := ((v+1)*float64(n) - 1) / 2
	if p.corners {
		low, high = 0, float64(n-1)
		x = (v + 1) / 2 * float64(n-1)
	}
	if p.taps == 1 {
		x = math.RoundToEven(x)
	}
	if !(math.Abs(x) < 1<<30) { // NaN too: nothing is there
		x = -1 << 30
	}
	if x < low || x > high {
		switch p.padding {
		case "border":
			x = max(0, min(x, float64(n-1)))
		case "reflection":
			x = reflect(x, low, high)
		}
	}
	base := math.Floor(x)
	switch r := x - base; p.taps {
	case 1:
		weight[0] = 1
	case 2:
		weight[0], weight[1] = 1-r, r
	default:
		for k := range weight {
			weight[k] = extent.Cubic(math.Abs(float64(k-1)-r), -0.75)
		}
		base--
	}
	for k := range index {
		i := int(base) + k
		switch {
		case i >= 0 && i < n:
		case p.padding == "border":
			i = max(0, min(i, n-1))
		case p.padding == "reflection":
			i = max(0, min(int(reflect(float64(i), low, high)), n-1))
		default:
			i = -1
		}
		index[k] = i
	}
}

// reflect mirrors x at low and high, as often as it takes.
func reflect(x, low, high float64) float64 {
	if high <= low {
		return low
	}
	length := high - low
	d := math.Mod(math.Abs(x-low), 2*length)
	return low + min(d, 2*length-d)
}

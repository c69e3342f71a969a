package cpu

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/philox"
)

var dropoutKernels = map[string]builder{
	"MaskedDropout": {in: 2, out: 1, make: maskedDropout},
}

// maskedDropout keeps an element with probability 1-ratio and divides it by
// that, else gives 0. Which are kept is a function of the seed, the attribute
// salt and the element's index alone, so the gradient is the same function of dy.
// Srivastava et al., JMLR 15, 2014; scaled while training ("inverted").
func maskedDropout(c *call) (kernel, error) {
	x, seed, y := c.in[0], c.in[1], c.out[0]
	if err := sameLen(x, y); err != nil {
		return nil, err
	}
	if seed.DType != accel.Uint64 || seed.n != 1 {
		return nil, fmt.Errorf("seed is %s %v, want one uint64", seed.DType, seed.Shape)
	}
	ratio, salt := c.Float("ratio", 0.5), uint64(c.Int("salt", 0))
	scale := 1 / (1 - ratio)
	switch x.DType {
	case accel.Float32:
		job := addJob[dropoutJob](c)
		return func(f *frame) error {
			j := job(f)
			*j = dropoutJob{
				y: data[float32](f, y), x: data[float32](f, x), ratio: ratio, scale: float32(scale),
				stream: philox.Stream{Key: data[uint64](f, seed)[0], ID: salt},
			}
			f.pool.For((x.n+rowTile-1)/rowTile, j)
			return nil
		}, nil
	case accel.Float64:
		mask := c.scratch(x.n)
		return func(f *frame) error {
			keep := mask.raw(f)
			philox.Stream{Key: data[uint64](f, seed)[0], ID: salt}.KeepMask(keep, ratio, 0)
			ya := data[float64](f, y)
			for i, v := range data[float64](f, x) {
				ya[i] = v * scale * float64(keep[i])
			}
			return nil
		}, nil
	}
	return nil, unsupported(c.Op, x)
}

// dropoutJob drops a part of the elements; a part's words begin at its offset.
type dropoutJob struct {
	y, x   []float32
	ratio  float64
	scale  float32
	stream philox.Stream
}

func (j *dropoutJob) Do(tile, _ int) {
	from := tile * rowTile
	to := min(from+rowTile, len(j.x))
	j.stream.Dropout(j.y[from:to], j.x[from:to], j.ratio, j.scale, uint64(from))
}

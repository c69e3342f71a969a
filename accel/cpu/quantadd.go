package cpu

import (
	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/cast"
	"github.com/millrace-go/millrace/accel/cpu/vec"
)

// quantAdd adds blocks that stay in the first-level cache: both are dequantized,
// added and quantized again, by the kernels of those operators, so the codes are
// those that they would give.
func quantAdd(c *call) (kernel, error) {
	a, b, y := c.in[0], c.in[3], c.out[0]
	if err := want(c.Op, []*tensor{a, b, y, c.in[2], c.in[5], c.in[7]}, accel.Uint8, accel.Int8); err != nil {
		return nil, err
	}
	scales := []*tensor{c.in[1], c.in[4], c.in[6]}
	if err := want(c.Op, scales, accel.Float32); err != nil {
		return nil, err
	}
	if err := sameLen(a, b, y); err != nil {
		return nil, err
	}
	room := c.floats(2 * blockLen * c.threads)
	newJob := addJob[quantAddJob](c)
	codes := [3]quantCodes{{a, c.in[1], c.in[2]}, {b, c.in[4], c.in[5]}, {y, c.in[6], c.in[7]}}
	return func(f *frame) error {
		j := newJob(f)
		for i, q := range codes {
			j.codes[i] = codesJob{raw(f, q.codes), data[float32](f, q.scale)[0], code(q.zero.DType, raw(f, q.zero)[0]), q.codes.DType}
		}
		j.room = room.f32(f)
		f.pool.For((y.n+grainSlow-1)/grainSlow, j)
		return nil
	}, nil
}

// quantCodes is a quantized tensor with one scale and zero point.
type quantCodes struct{ codes, scale, zero *tensor }

// codesJob is quantCodes in one run.
type codesJob struct {
	codes []uint8
	scale float32
	zero  int32
	t     accel.DType
}

func (q *codesJob) load(dst []float32, from int) {
	if src := q.codes[from:][:len(dst)]; q.t == accel.Int8 {
		cast.DequantizeS8(dst, src, q.scale, q.zero)
	} else {
		cast.DequantizeU8(dst, src, q.scale, q.zero)
	}
}

func (q *codesJob) store(src []float32, from int) {
	cast.Quantize8(q.codes[from:][:len(src)], src, q.scale, q.zero, ranges[q.t])
}

type quantAddJob struct {
	codes [3]codesJob
	room  []float32
}

// Do does one tile.
func (j *quantAddJob) Do(tile, worker int) {
	work := j.room[2*blockLen*worker:][:2*blockLen]
	end := min((tile+1)*grainSlow, len(j.codes[2].codes))
	for from := tile * grainSlow; from < end; from += blockLen {
		n := min(blockLen, end-from)
		a, b := work[:n], work[blockLen:][:n]
		j.codes[0].load(a, from)
		j.codes[1].load(b, from)
		vec.Add(a, a, b)
		j.codes[2].store(a, from)
	}
}

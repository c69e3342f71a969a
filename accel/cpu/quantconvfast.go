package cpu

import (
	"math"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/conv"
	"github.com/millrace-go/millrace/accel/cpu/qconv"
	"github.com/millrace-go/millrace/accel/cpu/qgemm"
)

// lineBytes is about how much of x one tile of package qconv reads: a part of the
// first-level cache.
const lineBytes = 16 << 10

// inPlace makes the kernel of package qconv, or nil where that has none for the call:
// for two dimensions, one group, uint8 images and int8 filters without zero points.
func (q *quantImages) inPlace(c *call, s conv.Spec) (kernel, error) {
	if q.in[0] != 1 || q.kernel[0] != 1 || q.out[0] != 1 || q.groups != 1 || q.dilations[2] != 1 || q.x.DType != accel.Uint8 || q.w.DType != accel.Int8 ||
		q.wz != nil && slices.ContainsFunc(q.wz.Data, func(z byte) bool { return z != 0 }) {
		return nil, nil
	}
	spec := qconv.Spec{
		Height: q.size[1], Width: q.size[2], Channels: q.channels, OutHeight: q.out[1], OutWidth: q.out[2], Filters: q.n,
		Kernel: [2]int(q.kernel[1:]), Strides: [2]int(q.strides[1:]), Dilation: q.dilations[1], Float: q.ys == nil,
	}
	spec.Lo, spec.Hi = float32(math.Inf(-1)), float32(math.Inf(1))
	if q.relu && spec.Float {
		spec.Lo = 0
	}
	if !spec.Float {
		limits, zero := ranges[q.y.DType], int32(0)
		if q.yz != nil {
			if !q.yz.Const() {
				return nil, nil
			}
			zero = code(q.yz.DType, q.yz.Data[0])
		}
		spec.Lo, spec.Hi = float32(limits.Lo-zero), float32(limits.Hi-zero)
	}
	plan, err := qconv.New(spec)
	if plan == nil || err != nil {
		return nil, err
	}
	packed, sums := make([]int8, plan.PackedLen()), make([]int32, plan.Columns())
	plan.Pack(packed, sums, accel.View[int8](q.w.Data))
	if plan.Slack() > 0 {
		q.padded = true
		q.copied = align(q.images*accel.Size(q.size[:])*s.C + plan.Slack())
	}
	return q.inPlaceKernel(c, plan, packed, sums), nil
}

func (q *quantImages) inPlaceKernel(c *call, plan *qconv.Plan, packed []int8, sums []int32) kernel {
	q.rows = max(lineBytes/(q.size[2]*q.channels*q.strides[1]), 1)
	q.rows = max(min(q.rows, q.count/(2*c.threads)), 1)
	columns, n := align(4*q.words()), plan.Columns()
	params := align(4 * n)
	room := c.scratch(columns + 3*params + q.copied)
	fill, newJob := q.filler(c, columns+3*params), addJob[quantInPlaceJob](c)
	return func(f *frame) error {
		mem := room.raw(f)
		j := newJob(f)
		q.operands(f, &j.of, accel.View[float32](mem[:columns]))
		o, at := &j.o, mem[columns:]
		o.Init, o.Scale, o.Offset = accel.View[int32](at[:4*n]), accel.View[float32](at[params:][:4*n]), accel.View[float32](at[2*params:][:4*n])
		zero := int32(first(j.of.AZero))
		for m := range o.Init {
			o.Init[m] = -zero * sums[m]
		}
		spreadColumns(o.Scale, j.of.Scale)
		spreadColumns(o.Offset, j.of.Offset)
		q.result(f, &j.of, 0)
		o.Packed, o.Codes, o.Floats, o.Zero = packed, j.of.CQ, j.of.CF, j.of.Zero
		o.X = fill(f, mem, j.of.AZero)
		if j.q, j.plan = q, plan; len(j.tiles) < f.pool.Threads() {
			j.tiles = make([]qconv.Tile, f.pool.Threads())
		}
		f.pool.For((q.count+q.rows-1)/q.rows, j)
		return nil
	}
}

// spreadColumns copies parameters of columns, one for all or one for each; zeros beyond.
func spreadColumns(dst, src []float32) {
	if len(src) == 1 {
		for i := range dst {
			dst[i] = src[0]
		}
		return
	}
	clear(dst[copy(dst, src):])
}

// quantInPlaceJob computes some rows of pixels a tile.
type quantInPlaceJob struct {
	q     *quantImages
	plan  *qconv.Plan
	of    qgemm.Operands
	o     qconv.Operands
	tiles []qconv.Tile
}

// Do does one tile.
func (j *quantInPlaceJob) Do(tile, worker int) {
	first := tile * j.q.rows
	j.plan.Rows(&j.tiles[worker], &j.o, first, min(j.q.rows, j.q.count-first))
}

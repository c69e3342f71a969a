package cpu

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/extent"
)

// Kernels that move elements to places that further inputs tell.
var sequenceKernels = map[string]builder{
	"OneHot":          {in: 3, out: 1, make: oneHot, half: true},
	"Trilu":           {in: 1, out: 1, make: trilu, half: true},
	"ReverseSequence": {in: 2, out: 1, make: reverseSequence, half: true},
	"TensorScatter":   {in: 2, out: 1, make: tensorScatter, half: true},
}

// oneHot sees y as (outer, depth, inner) and the indices as (outer, inner).
func oneHot(c *call) (kernel, error) {
	ids, values, y := c.in[0], c.in[2], c.out[0]
	if err := want(c.Op, []*tensor{y}, values.DType); err != nil {
		return nil, err
	}
	a, err := axis(c.Int("axis", -1), len(y.Shape))
	if err != nil {
		return nil, err
	}
	outer, depth, inner := around(y.Shape, a)
	if values.n != 2 || outer*inner != ids.n {
		return nil, shapeErr(ids, values, y)
	}
	if !ids.DType.IsNumeric() {
		return nil, unsupported(c.Op, ids)
	}
	set := bySize(y.DType.Size(), oneHotOf[uint8], oneHotOf[uint16], oneHotOf[uint32], oneHotOf[uint64])
	return func(f *frame) error {
		set(raw(f, y), raw(f, values), &accel.Array{DType: ids.DType, Shape: ids.Shape, Data: raw(f, ids)}, depth, inner)
		return nil
	}, nil
}

func oneHotOf[T accel.Number](y, values []byte, ids *accel.Array, depth, inner int) {
	out, v := as[T](y), as[T](values)
	fill(out, v[0])
	for i := range ids.Len() {
		id := extent.Int(ids, i)
		if ids.DType.IsFloat() {
			id = truncate64(extent.Float(ids, i))
		}
		if id < 0 {
			id += int64(depth)
		}
		if id >= 0 && id < int64(depth) {
			out[(i/inner*depth+int(id))*inner+i%inner] = v[1]
		}
	}
}

// trilu keeps a triangle of each matrix.
func trilu(c *call) (kernel, error) {
	x, k, y := c.in[0], c.input(1), c.out[0]
	if err := want(c.Op, []*tensor{y}, x.DType); err != nil {
		return nil, err
	}
	if err := want(c.Op, []*tensor{k}, accel.Int64); err != nil {
		return nil, err
	}
	if len(x.Shape) < 2 || x.n != y.n || k != nil && k.n != 1 {
		return nil, shapeErr(x, k, y)
	}
	upper, size := c.Bool("upper", true), x.DType.Size()
	rows, cols := x.Shape[len(x.Shape)-2], x.Shape[len(x.Shape)-1]
	return func(f *frame) error {
		shift := 0
		if k != nil {
			shift = int(max(min(data[int64](f, k)[0], int64(cols)), -int64(rows)))
		}
		from, to := raw(f, x), raw(f, y)
		for i := 0; len(to) > 0; i++ {
			first, last := 0, cols // the columns that are kept
			if diagonal := i%rows + shift; upper {
				first = max(0, min(diagonal, cols))
			} else {
				last = max(0, min(diagonal+1, cols))
			}
			clear(to[:first*size])
			copyUnlessSame(to[first*size:last*size], from[first*size:last*size])
			clear(to[last*size : cols*size])
			from, to = from[cols*size:], to[cols*size:]
		}
		return nil
	}, nil
}

// reverseSequence sees x as (A, B, inner), of which one of A and B is time.
func reverseSequence(c *call) (kernel, error) {
	x, lens, y := c.in[0], c.in[1], c.out[0]
	if err := want(c.Op, []*tensor{y}, x.DType); err != nil {
		return nil, err
	}
	if err := want(c.Op, []*tensor{lens}, accel.Int64); err != nil {
		return nil, err
	}
	batch, time := c.Int("batch_axis", 1), c.Int("time_axis", 0)
	if len(x.Shape) < 2 || batch+time != 1 || batch*time != 0 || x.n != y.n || lens.n != x.Shape[batch] {
		return nil, shapeErr(x, lens, y)
	}
	run := accel.Size(x.Shape[2:]) * x.DType.Size()
	strides := [2]int{x.Shape[1] * run, run}
	return func(f *frame) error {
		from, to := raw(f, x), raw(f, y)
		for b, n := range data[int64](f, lens) {
			if n < 0 || n > int64(x.Shape[time]) {
				return fmt.Errorf("length %d of sequence %d, want 0 to %d", n, b, x.Shape[time])
			}
			for t := range x.Shape[time] {
				source := t
				if t < int(n) {
					source = int(n) - 1 - t
				}
				d, s := b*strides[batch]+t*strides[time], b*strides[batch]+source*strides[time]
				copy(to[d:d+run], from[s:s+run])
			}
		}
		return nil
	}, nil
}

// tensorScatter sees the cache as (batch, outer, places, inner).
func tensorScatter(c *call) (kernel, error) {
	past, update, at, y := c.in[0], c.in[1], c.input(2), c.out[0]
	if err := want(c.Op, []*tensor{past, update}, y.DType); err != nil {
		return nil, err
	}
	if err := want(c.Op, []*tensor{at}, accel.Int64); err != nil {
		return nil, err
	}
	a, err := axis(c.Int("axis", -2), len(past.Shape))
	if err != nil {
		return nil, err
	}
	if a == 0 || len(update.Shape) != len(past.Shape) || past.n != y.n || at != nil && at.n != past.Shape[0] {
		return nil, shapeErr(past, update, at, y)
	}
	outer, places, inner := around(past.Shape, a)
	count, run := update.Shape[a], inner*y.DType.Size()
	if outer*count*inner != update.n || count > places {
		return nil, shapeErr(past, update, y)
	}
	circular, each := c.Str("mode", "linear") == "circular", accel.Size(past.Shape[1:a])
	return func(f *frame) error {
		to, from := raw(f, y), raw(f, update)
		copyUnlessSame(to, raw(f, past))
		for o := range outer {
			first := 0
			if at != nil {
				first = int(data[int64](f, at)[o/each])
			}
			if circular && first >= places { // before anything is added to it
				first %= max(places, 1)
			}
			if first < 0 || !circular && first > places-count {
				return fmt.Errorf("%d elements at place %d of %d, for batch %d", count, first, places, o/each)
			}
			for i := range count {
				d := (o*places + (first+i)%places) * run
				copy(to[d:d+run], from[(o*count+i)*run:])
			}
		}
		return nil
	}, nil
}

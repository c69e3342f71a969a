package cpu

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/conv"
	"github.com/millrace-go/millrace/accel/cpu/qgemm"
)

// patchBytes is about how large the matrix of patches of one tile is: a part of the
// first-level cache.
const patchBytes = 24 << 10

// quantImages is a convolution of bytes, channels last, as products: the patches of
// some rows of output pixels, by the filters of a group. Shapes have three spatial
// dimensions, the first of which may be 1.
type quantImages struct {
	*quantResult
	x, w                                       *tensor
	images, channels, groups                   int // channels of x in a group
	in, out, kernel, strides, dilations, begin [3]int
	size                                       [3]int // of an image with its padding
	padded                                     bool   // x is copied with its padding
	run                                        int    // bytes of a patch that lie together in x
	row                                        int    // bytes of a patch, a multiple of 4
	rows, count                                int    // rows of output pixels: of a tile, and all
	whole, last                                *qgemm.Plan
	packed                                     [][]int32 // filters, by group
	copied, work                               int       // bytes of the padded x, of one worker
}

// quantConv convolves with constant filters.
func quantConv(c *call) (kernel, error) {
	x, w, y := c.in[0], c.in[3], c.out[0]
	if y.n == 0 {
		return nothing, nil
	}
	if !w.Const() || c.input(5) != nil && !c.in[5].Const() {
		return nil, fmt.Errorf("filters that are not constant: %w", accel.ErrUnsupported)
	}
	images := slices.Concat(x.Shape[:1], x.Shape[len(x.Shape)-1:], x.Shape[1:len(x.Shape)-1])
	s, err := convSpec(c, images, w.Shape, false)
	if err != nil {
		return nil, err
	}
	q := &quantImages{x: x, w: w}
	if q.quantResult, err = newQuantResult(c, s.M); err != nil {
		return nil, err
	}
	if err := q.geometry(s, y); err != nil {
		return nil, err
	}
	if err := q.plans(s); err != nil {
		return nil, err
	}
	q.prepare()
	if fast, err := q.inPlace(c, s); fast != nil || err != nil {
		return fast, err
	}
	q.pack(s)
	columns := align(4 * q.words())
	room := c.scratch(columns + q.copied + c.threads*q.work)
	fill, multiply := q.filler(c, columns), addJob[quantConvJob](c)
	return func(f *frame) error {
		mem := room.raw(f)
		j := multiply(f)
		j.q, j.work, j.f = q, mem[columns+q.copied:], f
		q.operands(f, &j.o, accel.View[float32](mem[:columns]))
		j.x = fill(f, mem, j.o.AZero)
		f.pool.For((q.count+q.rows-1)/q.rows, j)
		return nil
	}, nil
}

// align rounds bytes up, so that what follows begins at a cache line.
func align(n int) int { return (n + accel.Align - 1) &^ (accel.Align - 1) }

// geometry finds sizes and tiles.
func (q *quantImages) geometry(s conv.Spec, y *tensor) error {
	rank := len(s.In)
	q.images, q.groups, q.channels = s.N, s.Groups, s.C/s.Groups
	one := [3]int{1, 1, 1}
	q.in, q.out, q.kernel, q.strides, q.dilations = one, one, one, one, one
	at := 3 - rank
	copy(q.in[at:], s.In)
	copy(q.out[at:], y.Shape[1:1+rank])
	copy(q.kernel[at:], s.Kernel)
	copy(q.strides[at:], s.Strides)
	copy(q.dilations[at:], s.Dilations)
	copy(q.begin[at:], s.PadsBegin)
	if y.n != s.N*s.M*accel.Size(q.out[:]) {
		return shapeErr(q.x, q.w, y)
	}
	q.size = q.in
	for d := range 3 {
		q.padded = q.padded || q.begin[d] > 0 || q.reach(d) > q.in[d]
	}
	if q.padded {
		for d := range 3 {
			q.size[d] = q.reach(d)
		}
		q.copied = align(q.images * accel.Size(q.size[:]) * s.C)
	}
	q.run = q.channels
	if q.dilations[2] == 1 && q.groups == 1 {
		q.run *= q.kernel[2]
	}
	q.row = (accel.Size(q.kernel[:])*q.channels + 3) &^ 3
	q.count = q.images * q.out[0] * q.out[1]
	q.rows = min(max(patchBytes/(q.row*q.out[2]), 1), q.count)
	return nil
}

// reach is how far the windows reach in a dimension.
func (q *quantImages) reach(d int) int {
	return (q.out[d]-1)*q.strides[d] + (q.kernel[d]-1)*q.dilations[d] + 1
}

// plans makes the products of a tile, and of the last one.
func (q *quantImages) plans(s conv.Spec) error {
	spec := qgemm.Spec{N: s.M / s.Groups, K: q.row, LDC: s.M, ASigned: q.x.DType == accel.Int8, BSigned: q.w.DType == accel.Int8}
	if err := q.spec(&spec); err != nil {
		return err
	}
	var err error
	spec.M = q.rows * q.out[2]
	if q.whole, err = qgemm.New(spec); err != nil {
		return err
	}
	q.last = q.whole
	if rest := q.count % q.rows; rest > 0 {
		spec.M = rest * q.out[2]
		if q.last, err = qgemm.New(spec); err != nil {
			return err
		}
	}
	q.work = align(q.rows*q.out[2]*q.row) + align(4*q.whole.ScratchLen())
	return nil
}

// pack lays out the filters of each group: (tap, channel) by filter. What fills a
// patch up to a multiple of 4 meets filters of the zero point, which count nothing.
func (q *quantImages) pack(s conv.Spec) {
	filters, taps := s.M/s.Groups, accel.Size(s.Kernel)
	b := make([]uint8, q.row*filters)
	for g := range s.Groups {
		for m := range filters {
			var zero uint8
			if q.wz != nil {
				zero = q.wz.Data[min(g*filters+m, q.wz.n-1)]
			}
			for k := taps * q.channels; k < q.row; k++ {
				b[k*filters+m] = zero
			}
			w := q.w.Data[(g*filters+m)*q.channels*taps:]
			for i := range q.channels * taps {
				b[(i%taps*q.channels+i/taps)*filters+m] = w[i]
			}
		}
		packed := make([]int32, q.whole.PackedLen())
		q.whole.PackB(packed, b)
		q.packed = append(q.packed, packed)
	}
}

// filler gives x with its padding: a copy, that much behind the start of the
// scratch memory; or x itself, if it needs none.
func (q *quantImages) filler(c *call, at int) func(f *frame, mem []byte, zero []uint8) []uint8 {
	job := addJob[quantFillJob](c)
	return func(f *frame, mem []byte, zero []uint8) []uint8 {
		if !q.padded {
			return raw(f, q.x)
		}
		p := job(f)
		p.q, p.x, p.to, p.zero = q, raw(f, q.x), mem[at:][:q.copied], first(zero)
		f.pool.For(q.images*q.size[0]*q.size[1], p)
		return p.to
	}
}

// first is the only zero point of a list, or 0.
func first(zero []uint8) uint8 {
	if len(zero) == 0 {
		return 0
	}
	return zero[0]
}

// quantFillJob copies x with its padding, one row of pixels a tile.
type quantFillJob struct {
	q     *quantImages
	x, to []uint8
	zero  uint8
}

// Do copies one row.
func (j *quantFillJob) Do(tile, _ int) {
	q := j.q
	ch := q.channels * q.groups
	dst := j.to[tile*q.size[2]*ch:][:q.size[2]*ch]
	image, r0, r1 := tile/(q.size[0]*q.size[1]), tile/q.size[1]%q.size[0]-q.begin[0], tile%q.size[1]-q.begin[1]
	left, n := 0, 0
	if r0 >= 0 && r0 < q.in[0] && r1 >= 0 && r1 < q.in[1] {
		left = min(q.begin[2]*ch, len(dst))
		n = min(q.in[2]*ch, len(dst)-left)
		copy(dst[left:], j.x[((image*q.in[0]+r0)*q.in[1]+r1)*q.in[2]*ch:][:n])
	}
	fillBytes(dst[:left], j.zero)
	fillBytes(dst[left+n:], j.zero)
}

func fillBytes(dst []uint8, v uint8) {
	for i := range min(len(dst), 16) {
		dst[i] = v
	}
	for n := 16; n < len(dst); n *= 2 {
		copy(dst[n:], dst[:n])
	}
}

// quantConvJob multiplies the patches of one tile.
type quantConvJob struct {
	q       *quantImages
	f       *frame
	o       qgemm.Operands
	x, work []uint8
}

// Do does one tile, group by group.
func (j *quantConvJob) Do(tile, worker int) {
	q, o := j.q, j.o
	from, rows, plan := tile*q.rows, q.rows, q.whole
	if from+rows > q.count {
		rows, plan = q.count-from, q.last
	}
	work := j.work[worker*q.work:][:q.work]
	patches := align(q.rows * q.out[2] * q.row)
	o.A, o.Scratch = work[:patches], accel.View[int32](work[patches:])
	filters := q.n / q.groups
	for g := range q.groups {
		for r := range rows {
			j.patches(o.A[r*q.out[2]*q.row:], from+r, g*q.channels)
		}
		o.Packed = q.packed[g]
		q.result(j.f, &o, from*q.out[2]*q.n+g*filters)
		o.Bias, o.Scale, o.Offset, o.BZero = nil, groupOf(j.o.Scale, g, filters), groupOf(j.o.Offset, g, filters), groupOf(j.o.BZero, g, filters)
		plan.Run(nil, o)
	}
}

// groupOf is the part of a list for one group, where it is not one value for all.
func groupOf[T any](list []T, g, n int) []T {
	if len(list) <= 1 {
		return list
	}
	return list[g*n:][:n]
}

// patches copies the patches of one row of output pixels, from a channel on.
func (j *quantConvJob) patches(dst []uint8, row, channel int) {
	q := j.q
	ch := q.channels * q.groups
	image, r0, r1 := row/(q.out[0]*q.out[1]), row/q.out[1]%q.out[0]*q.strides[0], row%q.out[1]*q.strides[1]
	at, last, step := 0, q.kernel[2], q.strides[2]*ch
	if q.run > q.channels {
		last = 1
	}
	for k := range q.kernel[0] * q.kernel[1] {
		p0, p1 := r0+k/q.kernel[1]*q.dilations[0], r1+k%q.kernel[1]*q.dilations[1]
		line := j.x[((image*q.size[0]+p0)*q.size[1]+p1)*q.size[2]*ch:]
		for k2 := range last {
			copyRuns(dst[at:], line[k2*q.dilations[2]*ch+channel:], q.out[2], q.run, q.row, step)
			at += q.run
		}
	}
}

// copyRuns copies n runs of a number of bytes, which lie toStep and fromStep apart. Runs
// are short: words that overlap at the end cost less than a call of copy.
func copyRuns(dst, src []uint8, n, run, toStep, fromStep int) {
	switch {
	case run > 96 || run < 4:
		for i := range n {
			copy(dst[i*toStep:][:run], src[i*fromStep:])
		}
	case run < 8:
		for i := range n {
			d, s := dst[i*toStep:][:run], src[i*fromStep:][:run]
			binary.NativeEndian.PutUint32(d, binary.NativeEndian.Uint32(s))
			binary.NativeEndian.PutUint32(d[run-4:], binary.NativeEndian.Uint32(s[run-4:]))
		}
	default:
		for i := range n {
			d, s := dst[i*toStep:][:run], src[i*fromStep:][:run]
			for len(s) > 8 {
				binary.NativeEndian.PutUint64(d, binary.NativeEndian.Uint64(s))
				d, s = d[8:], s[8:]
			}
			e, t := dst[i*toStep+run-8:][:8], src[i*fromStep+run-8:][:8]
			binary.NativeEndian.PutUint64(e, binary.NativeEndian.Uint64(t))
		}
	}
}

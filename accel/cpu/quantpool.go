package cpu

import (
	"encoding/binary"
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// quantMaxPool takes the maxima of bytes, channels last, eight in a word: first down
// the rows of a window, for whole rows of x at once, then along them.
func quantMaxPool(c *call) (kernel, error) {
	x, y := c.in[0], c.out[0]
	k, s, d, pads := c.Ints("kernel_shape"), c.Ints("strides"), c.Ints("dilations"), c.Ints("pads")
	if len(x.Shape) != 4 || len(y.Shape) != 4 || len(k) != 2 || len(s) != 2 || len(d) != 2 || len(pads) != 4 || x.Shape[3] != y.Shape[3] {
		return nil, shapeErr(x, y)
	}
	if err := want(c.Op, []*tensor{x, y}, accel.Uint8, accel.Int8); err != nil {
		return nil, err
	}
	for i := range 2 {
		last := (y.Shape[1+i]-1)*s[i] - pads[i]
		if pads[i] > (k[i]-1)*d[i] || last >= x.Shape[1+i] {
			return nil, fmt.Errorf("a window in the padding: %w", accel.ErrUnsupported)
		}
	}
	line := x.Shape[2] * x.Shape[3]
	room := c.scratch(line * c.threads)
	newJob := addJob[quantMaxPoolJob](c)
	return func(f *frame) error {
		j := newJob(f)
		j.x, j.y, j.in, j.out = raw(f, x), raw(f, y), [4]int(x.Shape), [4]int(y.Shape)
		j.kernel, j.strides, j.dilations, j.pads = [2]int(k), [2]int(s), [2]int(d), [2]int(pads[:2])
		j.lines = room.raw(f)
		if j.flip = 0; x.DType == accel.Int8 {
			j.flip = highBits
		}
		f.pool.For(y.Shape[0]*y.Shape[1], j)
		return nil
	}, nil
}

type quantMaxPoolJob struct {
	x, y                             []uint8
	lines                            []uint8 // one row of x for each worker
	in, out                          [4]int
	kernel, strides, dilations, pads [2]int
	flip                             uint64 // makes signed bytes unsigned ones of the same order
}

// Do does one row of pixels.
func (j *quantMaxPoolJob) Do(tile, worker int) {
	ch := j.out[3]
	line := j.down(tile/j.out[1], tile%j.out[1]*j.strides[0]-j.pads[0], worker)
	for col := range j.out[2] {
		dst := j.y[(tile*j.out[2]+col)*ch:][:ch]
		var best []uint8
		for k := range j.kernel[1] {
			q := col*j.strides[1] - j.pads[1] + k*j.dilations[1]
			if q >= 0 && q < j.in[2] {
				best = j.greater(dst, best, line[q*ch:][:ch])
			}
		}
		if &best[0] != &dst[0] {
			copy(dst, best)
		}
	}
}

// down is the maxima down the rows of the windows whose first row is top.
func (j *quantMaxPoolJob) down(image, top, worker int) []uint8 {
	n := j.in[2] * j.in[3]
	var best []uint8
	for k := range j.kernel[0] {
		if r := top + k*j.dilations[0]; r >= 0 && r < j.in[1] {
			best = j.greater(j.lines[worker*n:][:n], best, j.x[(image*j.in[1]+r)*n:][:n])
		}
	}
	return best
}

// greater is the maxima of a and b, in dst; or b, if there is no a.
func (j *quantMaxPoolJob) greater(dst, a, b []uint8) []uint8 {
	if a == nil {
		return b
	}
	maxBytes(dst, a, b, j.flip)
	return dst
}

// highBits is the highest bit of each byte of a word.
const highBits = 0x8080808080808080

// maxBytes writes the greater of each two bytes; flip is highBits if they are signed.
// dst may be a or b. The last word may overlap the one before, which changes nothing.
func maxBytes(dst, a, b []uint8, flip uint64) {
	if len(dst) < 8 {
		for i, v := range a {
			if f := uint8(flip); b[i]^f > v^f {
				v = b[i]
			}
			dst[i] = v
		}
		return
	}
	for {
		x, y := binary.NativeEndian.Uint64(a), binary.NativeEndian.Uint64(b)
		binary.NativeEndian.PutUint64(dst, maxWord(x^flip, y^flip)^flip)
		n := min(8, len(dst)-8)
		if n == 0 {
			return
		}
		dst, a, b = dst[n:], a[n:], b[n:]
	}
}

// maxWord is the maxima of eight unsigned bytes. A byte of a is the greater or
// equal if its high bit is set and b's is not; or if they agree and the low seven
// bits of a, less those of b, do not borrow.
func maxWord(a, b uint64) uint64 {
	low := (a | highBits) - (b &^ highBits)
	greater := (a&^b | ^(a^b)&low) & highBits
	mask := greater >> 7 * 0xff
	return a&mask | b&^mask
}

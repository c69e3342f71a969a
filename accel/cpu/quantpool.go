package cpu

import (
	"encoding/binary"
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// quantMaxPool takes the maxima of bytes, channels last: all channels of a pixel
// at once, eight in a word.
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
	newJob := addJob[quantMaxPoolJob](c)
	return func(f *frame) error {
		j := newJob(f)
		j.x, j.y, j.in, j.out = raw(f, x), raw(f, y), [4]int(x.Shape), [4]int(y.Shape)
		j.kernel, j.strides, j.dilations, j.pads = [2]int(k), [2]int(s), [2]int(d), [2]int(pads[:2])
		if j.flip = 0; x.DType == accel.Int8 {
			j.flip = highBits
		}
		f.pool.For(y.Shape[0]*y.Shape[1], j)
		return nil
	}, nil
}

type quantMaxPoolJob struct {
	x, y                             []uint8
	in, out                          [4]int
	kernel, strides, dilations, pads [2]int
	flip                             uint64 // makes signed bytes unsigned ones of the same order
}

// Do does one row of pixels.
func (j *quantMaxPoolJob) Do(tile, _ int) {
	image, row, ch := tile/j.out[1], tile%j.out[1], j.out[3]
	for col := range j.out[2] {
		dst, fresh := j.y[(tile*j.out[2]+col)*ch:][:ch], true
		for k := range j.kernel[0] * j.kernel[1] {
			r := row*j.strides[0] - j.pads[0] + k/j.kernel[1]*j.dilations[0]
			q := col*j.strides[1] - j.pads[1] + k%j.kernel[1]*j.dilations[1]
			if r < 0 || r >= j.in[1] || q < 0 || q >= j.in[2] {
				continue
			}
			src := j.x[((image*j.in[1]+r)*j.in[2]+q)*ch:][:ch]
			if fresh {
				copy(dst, src)
				fresh = false
				continue
			}
			maxBytes(dst, src, j.flip)
		}
	}
}

// highBits is the highest bit of each byte of a word.
const highBits = 0x8080808080808080

// maxBytes keeps the greater of each two bytes in dst; flip is highBits if they are signed.
func maxBytes(dst, src []uint8, flip uint64) {
	n := len(dst) &^ 7
	for i := 0; i < n; i += 8 {
		d := binary.NativeEndian.Uint64(dst[i:])
		binary.NativeEndian.PutUint64(dst[i:], maxWord(d^flip, binary.NativeEndian.Uint64(src[i:])^flip)^flip)
	}
	for i := n; i < len(dst); i++ {
		if f := uint8(flip); src[i]^f > dst[i]^f {
			dst[i] = src[i]
		}
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

package cpu

import (
	"math"
	"testing"

	"github.com/millrace-go/millrace/accel"
)

// TestDeformImageGrad: adding columns up is the transpose of sampling them, for more
// channels than one tile takes: Σ columns(x)·d = Σ x·grad(d).
func TestDeformImageGrad(t *testing.T) {
	attrs := accel.Attrs{accel.Ints("kernel_shape", 3, 2), accel.Ints("strides", 1, 2), accel.Ints("pads", 1, 1, 1, 0), accel.Int("offset_group", 2)}
	image, columns := []int{2, 38, 5, 7}, []int{2, 38 * 6, 5 * 4}
	x, d := floats32(1, -1, 1, image...), floats32(2, -1, 1, columns...)
	offset, mask := floats32(3, -2, 2, 2, 24, 5, 4), floats32(4, 0, 1, 2, 12, 5, 4)
	y := trial{op: "DeformColumns", attrs: attrs, in: []*accel.Array{x, offset, mask}, out: []accel.Tensor{typed(accel.Float32, columns...)}}.runAll(t)[0]
	dx := trial{
		op: "DeformImageGrad", attrs: attrs, in: []*accel.Array{d, accel.Ints64(image...), offset, mask}, known: []int{1},
		out: []accel.Tensor{typed(accel.Float32, image...)},
	}.runAll(t)[0]
	dot := func(a, b *accel.Array) (sum, size float64) {
		for i, v := range accel.Values[float32](a) {
			term := float64(v) * float64(accel.Values[float32](b)[i])
			sum, size = sum+term, size+math.Abs(term)
		}
		return sum, size
	}
	left, size := dot(y, d)
	right, _ := dot(x, dx)
	if diff := math.Abs(left - right); !(diff <= 64*0x1p-24*size) { // an element of dx is a sum of some dozen terms
		t.Errorf("%g and %g differ by %g", left, right, diff)
	}
}

// TestDeformOutside: what is read outside of the image is 0, whatever the image holds.
func TestDeformOutside(t *testing.T) {
	x := accel.ArrayOf(accel.Float32, []int{1, 1, 1, 2}, []float32{float32(math.Inf(1)), 3})
	offset := accel.ArrayOf(accel.Float32, []int{1, 2, 1, 2}, []float32{0, -1.5, 1.5, 0}) // y, y, x, x
	attrs := accel.Attrs{accel.Ints("kernel_shape", 1, 1)}
	y := trial{op: "DeformColumns", attrs: attrs, in: []*accel.Array{x, offset}, out: []accel.Tensor{typed(accel.Float32, 1, 1, 2)}}.runAll(t)[0]
	if got := accel.Values[float32](y); got[0] != 1.5 || got[1] != 0 {
		t.Errorf("got %g, want half of 3 and 0", got)
	}
}

package cpu

import (
	"math"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/cast"
)

// TestHalfSoftmaxRoundsOnce: an operator in half precision is computed wider and
// its result rounded once. Rounding each of its steps instead, as numpy does, is off
// by more than half a unit in a tenth of the elements of such rows.
func TestHalfSoftmaxRoundsOnce(t *testing.T) {
	const rows, cols = 24, 6
	wide := floats32(3, 0, 2, rows, cols)
	x := accel.NewArray(accel.Float16, rows, cols)
	cast.F32ToF16(accel.Values[uint16](x), accel.Values[float32](wide))
	cast.F16ToF32(accel.Values[float32](wide), accel.Values[uint16](x)) // what x holds
	out := trial{op: "Softmax", in: []*accel.Array{x}, out: []accel.Tensor{typed(accel.Float16, rows, cols)}}.runAll(t)
	got := make([]float32, rows*cols)
	cast.F16ToF32(got, accel.Values[uint16](out[0]))
	for r := range rows {
		row, sum := accel.Values[float32](wide)[r*cols:][:cols], 0.0
		for _, v := range row {
			sum += math.Exp(float64(v))
		}
		for i, v := range row {
			want := math.Exp(float64(v)) / sum
			unit := math.Ldexp(1, math.Ilogb(want)-10)
			tol := unit/2 + 16*0x1p-24*want // half a unit, and some roundings of float32
			if diff := math.Abs(float64(got[r*cols+i]) - want); !(diff <= tol) {
				t.Errorf("row %d, element %d: got %g, want %g, off by %.3f units", r, i, got[r*cols+i], want, diff/unit)
			}
		}
	}
}

package cpu

import (
	"fmt"
	"math"
	"testing"

	"github.com/millrace-go/millrace/accel"
)

// scaleAt is where the scale of element i is, by the definition.
func scaleAt(i int, shape, scales []int, axis, block int) int {
	if accel.Size(scales) == 1 {
		return 0
	}
	index, rest := make([]int, len(shape)), i
	for d := len(shape) - 1; d >= 0; d-- {
		index[d], rest = rest%shape[d], rest/shape[d]
	}
	if block == 0 {
		return index[axis]
	}
	index[axis] /= block
	at := 0
	for d, n := range scales {
		at = at*n + index[d]
	}
	return at
}

var quantizeCases = []struct {
	shape, scales []int
	axis, block   int
}{
	{[]int{7}, []int{}, 0, 0}, {[]int{3, 40000}, []int{1}, 1, 0}, {[]int{3, 5, 4}, []int{5}, 1, 0}, {[]int{3, 5, 40}, []int{40}, 2, 0},
	{[]int{6, 5}, []int{6}, 0, 0}, {[]int{3, 70, 33}, []int{3, 5, 33}, 1, 16}, {[]int{4, 64}, []int{4, 4}, 1, 16}, {[]int{4, 60}, []int{4, 4}, 1, 16},
}

// TestQuantizeGranularity compares QuantizeLinear and DequantizeLinear with their
// formulas, element by element; the numbers are such that both are exact but for
// one rounding.
func TestQuantizeGranularity(t *testing.T) {
	for _, q := range quantizeCases {
		for _, codes := range []accel.DType{accel.Uint8, accel.Int8, accel.Uint16, accel.Int16, accel.Uint4, accel.Int2} {
			t.Run(fmt.Sprintf("%s%v by %v on %d/%d", codes, q.shape, q.scales, q.axis, q.block), func(t *testing.T) {
				x, scale := floats32(1, -3, 3, q.shape...), floats32(2, 0.01, 0.03, q.scales...)
				if r := ranges[codes]; r.Hi < 16 {
					scale = floats32(2, 0.5, 1, q.scales...)
				}
				zero := accel.NewArray(codes, q.scales...)
				for i := range zero.Len() {
					zero.Data[i*codes.Size()] = byte(i % 2)
				}
				at := accel.Attrs{accel.Int("axis", q.axis), accel.Int("block_size", q.block)}
				y := trial{op: "QuantizeLinear", attrs: at, in: []*accel.Array{x, scale, zero}, out: []accel.Tensor{typed(codes, q.shape...)}}.runAll(t)[0]
				back := trial{op: "DequantizeLinear", attrs: at, in: []*accel.Array{y, scale, zero}, out: []accel.Tensor{typed(accel.Float32, q.shape...)}}.runAll(t)[0]
				got := codesOf(y)
				for i, v := range accel.Values[float32](x) {
					p := scaleAt(i, q.shape, q.scales, q.axis, q.block)
					s, z, r := accel.Values[float32](scale)[p], int32(p%2), ranges[codes]
					want := min(max(int32(math.RoundToEven(float64(v/s)))+z, r.Lo), r.Hi)
					if got[i] != want {
						t.Fatalf("element %d: %g / %g + %d: got %d, want %d", i, v, s, z, got[i], want)
					}
					if b := accel.Values[float32](back)[i]; b != float32(want-z)*s {
						t.Fatalf("element %d: (%d - %d) · %g: got %g, want %g", i, want, z, s, b, float32(want-z)*s)
					}
				}
			})
		}
	}
}

// codesOf are the elements of an array of integers.
func codesOf(a *accel.Array) []int32 {
	out := make([]int32, a.Len())
	for i := range out {
		switch held(a.DType) {
		case accel.Uint8:
			out[i] = int32(a.Data[i])
		case accel.Int8:
			out[i] = int32(int8(a.Data[i]))
		case accel.Uint16:
			out[i] = int32(accel.Values[uint16](a)[i])
		default:
			out[i] = int32(accel.Values[int16](a)[i])
		}
	}
	return out
}

// TestConvInteger compares with the sums written out: groups, padding by x's zero
// point, strides, dilations, a zero point for each filter.
func TestConvInteger(t *testing.T) {
	x, w := noise(accel.Uint8, 2, 4, 7, 6), noise(accel.Int8, 6, 2, 3, 2)
	xz, wz := accel.ArrayOf(accel.Uint8, []int{}, []uint8{101}), accel.ArrayOf(accel.Int8, []int{6}, []int8{-3, 0, 7, 100, -128, 1})
	at := accel.Attrs{accel.Int("group", 2), accel.Ints("kernel_shape", 3, 2), accel.Ints("strides", 2, 1), accel.Ints("dilations", 1, 2), accel.Ints("pads", 1, 1, 0, 2)}
	got := accel.Values[int32](trial{op: "ConvInteger", attrs: at, in: []*accel.Array{x, w, xz, wz}, out: []accel.Tensor{typed(accel.Int32, 2, 6, 3, 7)}}.runAll(t)[0])
	for i, v := range got {
		n, m, r, c := i/126, i/21%6, i/7%3, i%7
		want := int32(0)
		for k := range 12 {
			channel, row, col := m/3*2+k/6, r*2+k/2%3-1, c+k%2*2-1
			if row < 0 || row >= 7 || col < 0 || col >= 6 {
				continue
			}
			want += (int32(x.Data[(n*4+channel)*42+row*6+col]) - 101) * (int32(int8(w.Data[m*12+k])) - int32(accel.Values[int8](wz)[m]))
		}
		if v != want {
			t.Fatalf("element %d: got %d, want %d", i, v, want)
		}
	}
}

// TestMatMulInteger: a batch of left operands with zero points of their rows, and
// one right operand with those of its columns, as a constant and not.
func TestMatMulInteger(t *testing.T) {
	a, b := noise(accel.Int8, 3, 5, 70), noise(accel.Uint8, 70, 9)
	az, bz := noise(accel.Int8, 5), noise(accel.Uint8, 9)
	for _, known := range [][]int{nil, {1}} {
		got := accel.Values[int32](trial{op: "MatMulInteger", known: known, in: []*accel.Array{a, b, az, bz}, out: []accel.Tensor{typed(accel.Int32, 3, 5, 9)}}.runAll(t)[0])
		for i, v := range got {
			row, col, want := i/9, i%9, int32(0)
			for k := range 70 {
				want += (int32(int8(a.Data[row*70+k])) - int32(int8(az.Data[row%5]))) * (int32(b.Data[k*9+col]) - int32(bz.Data[col]))
			}
			if v != want {
				t.Fatalf("element %d: got %d, want %d", i, v, want)
			}
		}
	}
}

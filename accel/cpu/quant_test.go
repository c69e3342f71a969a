package cpu

import (
	"fmt"
	"math"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/counter"
)

// codes8 is an array of 8-bit codes, fixed by the key.
func codes8(t accel.DType, key uint64, shape ...int) *accel.Array {
	a := accel.NewArray(t, shape...)
	for i := range a.Data {
		a.Data[i] = byte(counter.Float64(key, uint64(i)) * 256)
	}
	return a
}

func scalar8(t accel.DType, v uint8) *accel.Array {
	a := accel.NewArray(t)
	a.Data[0] = v
	return a
}

// quantCase is a convolution, or a product as one of 1 x 1, channels last: x is
// (n, h, w, groups·c), filters (m, c, kernel…).
type quantCase struct {
	x, out, kernel        []int
	c, m, groups          int
	strides, dils, pads   []int
	xType, wType, yType   accel.DType
	perFilter, bias, relu bool
	wZero                 bool
}

func (q quantCase) attrs() accel.Attrs {
	a := accel.Attrs{
		accel.Ints("kernel_shape", q.kernel...), accel.Ints("strides", q.strides...), accel.Ints("dilations", q.dils...),
		accel.Ints("pads", q.pads...), accel.Int("group", q.groups),
	}
	if q.relu {
		a = append(a, accel.String("activation", "Relu"))
	}
	return a
}

// trial makes the inputs; those of the filters are constants.
func (q quantCase) trial() trial {
	f32 := func(v ...float32) *accel.Array { return accel.ArrayOf(accel.Float32, []int{len(v)}, v) }
	in := make([]*accel.Array, 9)
	in[0], in[1], in[2] = codes8(q.xType, 1, q.x...), f32(0.03), scalar8(q.xType, 100)
	in[3], in[4] = codes8(q.wType, 2, append([]int{q.m, q.c}, q.kernel...)...), f32(0.02)
	if q.perFilter {
		in[4] = floats32(3, 0.01, 0.03, q.m)
	}
	if q.wZero {
		in[5] = codes8(q.wType, 4, q.m)
	}
	if q.bias {
		in[6] = floats32(5, -20, 20, q.m)
	}
	if q.yType != accel.Float32 {
		in[7], in[8] = f32(0.9), scalar8(q.yType, 0)
		if q.yType == accel.Int8 {
			in[8].Data[0] = 0x80
		}
	}
	out := append(append([]int{q.x[0]}, q.out...), q.m)
	return trial{op: "QuantConv", attrs: q.attrs(), in: in, known: []int{3, 4, 5, 6, 7, 8}, out: []accel.Tensor{typed(q.yType, out...)}}
}

// sum is the exact sum of output o, pixel by pixel, of filter m.
func (q quantCase) sum(in []*accel.Array, image int, pixel []int, m int) int32 {
	var sum int32
	wz := int32(0)
	if in[5] != nil {
		wz = code(q.wType, in[5].Data[m])
	}
	taps := accel.Size(q.kernel)
	for k := range taps {
		at, inside, kk := 0, true, k
		place := make([]int, len(q.kernel))
		for d := len(q.kernel) - 1; d >= 0; d-- {
			place[d] = pixel[d]*q.strides[d] + kk%q.kernel[d]*q.dils[d] - q.pads[d]
			kk /= q.kernel[d]
			inside = inside && place[d] >= 0 && place[d] < q.x[1+d]
		}
		for d, p := range place {
			at = at*q.x[1+d] + p
		}
		for c := range q.c {
			if !inside {
				continue // the padding is the zero point
			}
			x := code(q.xType, in[0].Data[(image*accel.Size(q.x[1:1+len(place)])+at)*q.c*q.groups+m/(q.m/q.groups)*q.c+c])
			sum += (x - code(q.xType, in[2].Data[0])) * (code(q.wType, in[3].Data[(m*q.c+c)*taps+k]) - wz)
		}
	}
	return sum
}

func TestQuantConv(t *testing.T) {
	u8, i8, f32 := accel.Uint8, accel.Int8, accel.Float32
	one, two := []int{1, 1}, []int{2, 2}
	for i, q := range []quantCase{
		{x: []int{2, 7, 19, 8}, out: []int{7, 19}, kernel: []int{3, 3}, c: 8, m: 17, groups: 1, strides: one, dils: one, pads: []int{1, 1, 1, 1}, xType: u8, wType: i8, yType: u8, perFilter: true, bias: true, relu: true},
		{x: []int{3, 9, 9, 3}, out: []int{4, 4}, kernel: []int{3, 3}, c: 3, m: 40, groups: 1, strides: two, dils: one, pads: []int{0, 0, 0, 0}, xType: u8, wType: i8, yType: f32, bias: true, relu: true},
		{x: []int{2, 9, 9, 3}, out: []int{9, 5}, kernel: []int{3, 3}, c: 3, m: 5, groups: 1, strides: []int{1, 2}, dils: two, pads: []int{2, 2, 2, 2}, xType: u8, wType: i8, yType: i8, perFilter: true},
		{x: []int{2, 9, 9, 6}, out: []int{9, 9}, kernel: []int{3, 3}, c: 2, m: 9, groups: 3, strides: one, dils: one, pads: []int{1, 1, 1, 1}, xType: i8, wType: i8, yType: u8, perFilter: true, bias: true},
		{x: []int{2, 9, 9, 5}, out: []int{8, 8}, kernel: []int{2, 2}, c: 5, m: 9, groups: 1, strides: one, dils: one, pads: []int{0, 0, 0, 0}, xType: u8, wType: u8, yType: f32, perFilter: true, bias: true, wZero: true},
		{x: []int{2, 30, 4}, out: []int{30}, kernel: []int{5}, c: 4, m: 3, groups: 1, strides: []int{1}, dils: []int{1}, pads: []int{2, 2}, xType: u8, wType: i8, yType: u8},
		{x: []int{1, 3, 4, 5, 2}, out: []int{3, 4, 5}, kernel: []int{3, 1, 3}, c: 2, m: 3, groups: 1, strides: []int{1, 1, 1}, dils: []int{1, 1, 1}, pads: []int{1, 0, 1, 1, 0, 1}, xType: i8, wType: i8, yType: i8, bias: true},
		{x: []int{1, 20, 20, 1}, out: []int{16, 16}, kernel: []int{5, 5}, c: 1, m: 20, groups: 1, strides: one, dils: one, pads: []int{0, 0, 0, 0}, xType: u8, wType: i8, yType: u8, bias: true},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			tr := q.trial()
			checkQuantConv(t, q, tr.in, tr.runAll(t)[0])
		})
	}
}

// checkQuantConv compares with exact sums. A scale rounds thrice at most before
// a code is rounded, so a code may be the neighbour only where the value lies next to
// the middle of two.
func checkQuantConv(t *testing.T, q quantCase, in []*accel.Array, got *accel.Array) {
	t.Helper()
	for i := range got.Len() {
		m, rest := i%q.m, i/q.m
		pixel := make([]int, len(q.out))
		for d := len(q.out) - 1; d >= 0; d-- {
			pixel[d], rest = rest%q.out[d], rest/q.out[d]
		}
		ws := accel.Values[float32](in[4])
		want := float64(q.sum(in, rest, pixel, m)) * float64(accel.Values[float32](in[1])[0]) * float64(ws[m%len(ws)])
		size := math.Abs(want)
		if q.bias {
			b := float64(accel.Values[float32](in[6])[m])
			want, size = want+b, size+math.Abs(b)
		}
		if q.relu {
			want = max(want, 0)
		}
		if q.yType == accel.Float32 {
			if diff := math.Abs(float64(accel.Values[float32](got)[i]) - want); !(diff <= size*0x1p-22) {
				t.Fatalf("element %d: %v, want %v", i, accel.Values[float32](got)[i], want)
			}
			continue
		}
		zero, ys := float64(code(q.yType, in[8].Data[0])), float64(accel.Values[float32](in[7])[0])
		limits := ranges[q.yType]
		v := min(max(want/ys+zero, float64(limits.Lo)), float64(limits.Hi))
		if diff := math.Abs(float64(code(q.yType, got.Data[i])) - v); !(diff <= 0.5+size/ys*0x1p-22) {
			t.Fatalf("element %d: code %d, want %v", i, code(q.yType, got.Data[i]), v)
		}
	}
}

// TestQuantMatMul multiplies batches by matrices that are known only in the run, and
// one matrix by a constant, stored transposed.
func TestQuantMatMul(t *testing.T) {
	scale := func(v float32) *accel.Array { return accel.ArrayOf(accel.Float32, []int{}, []float32{v}) }
	for _, known := range [][]int{nil, {3}} {
		for _, batch := range []int{1, 3} {
			const m, n, k = 5, 37, 13
			x, w := codes8(accel.Uint8, 1, batch, m, k), codes8(accel.Int8, 2, batch, n, k)
			tr := trial{op: "QuantMatMul", attrs: accel.Attrs{accel.Int("transB", 1)}, known: known,
				in:  []*accel.Array{x, scale(0.5), scalar8(accel.Uint8, 9), w, scale(0.25), scalar8(accel.Int8, 3)},
				out: []accel.Tensor{typed(accel.Float32, batch, m, n)}}
			for i, got := range accel.Values[float32](tr.runAll(t)[0]) {
				row, col, b := i/n, i%n, i/(m*n)
				var sum int32
				for j := range k {
					sum += (int32(x.Data[row*k+j]) - 9) * (int32(int8(w.Data[(b*n+col)*k+j])) - 3)
				}
				if want := float32(sum) / 8; got != want {
					t.Fatalf("constants %v, batch %d, element %d: %v, want %v", known, batch, i, got, want)
				}
			}
		}
	}
}

// TestQuantAdd compares with the operators that it stands for, bit by bit.
func TestQuantAdd(t *testing.T) {
	f32 := func(v float32) *accel.Array { return accel.ArrayOf(accel.Float32, []int{}, []float32{v}) }
	const n = 3*blockLen + 5
	a, b := codes8(accel.Uint8, 1, n), codes8(accel.Int8, 2, n)
	tr := trial{op: "QuantAdd", in: []*accel.Array{a, f32(0.013), scalar8(accel.Uint8, 120), b, f32(0.021), scalar8(accel.Int8, 5), f32(0.017), scalar8(accel.Uint8, 77)},
		out: []accel.Tensor{typed(accel.Uint8, n)}}
	for i, got := range tr.runAll(t)[0].Data {
		sum := float32(int32(a.Data[i])-120)*float32(0.013) + float32(float32(int32(int8(b.Data[i]))-5)*float32(0.021))
		v := math.RoundToEven(float64(sum/float32(0.017))) + 77
		if want := uint8(min(max(v, 0), 255)); got != want {
			t.Fatalf("element %d: %d, want %d", i, got, want)
		}
	}
}

// TestQuantMaxPool has channels around a word of eight bytes.
func TestQuantMaxPool(t *testing.T) {
	for _, typ := range []accel.DType{accel.Uint8, accel.Int8} {
		for _, ch := range []int{1, 3, 7, 8, 9, 16, 20} {
			x := codes8(typ, uint64(ch), 2, 6, 7, ch)
			tr := trial{op: "QuantMaxPool", in: []*accel.Array{x}, out: []accel.Tensor{typed(typ, 2, 3, 5, ch)}, attrs: accel.Attrs{
				accel.Ints("kernel_shape", 3, 3), accel.Ints("strides", 2, 1), accel.Ints("dilations", 1, 2), accel.Ints("pads", 1, 1, 0, 1)}}
			for i, got := range tr.runAll(t)[0].Data {
				c, col, row, image := i%ch, i/ch%5, i/ch/5%3, i/ch/15
				want := int32(math.MinInt32)
				for k := range 9 {
					r, q := 2*row-1+k/3, col-1+k%3*2
					if r >= 0 && r < 6 && q >= 0 && q < 7 {
						want = max(want, code(typ, x.Data[((image*6+r)*7+q)*ch+c]))
					}
				}
				if code(typ, got) != want {
					t.Fatalf("%s, %d channels, element %d: %d, want %d", typ, ch, i, code(typ, got), want)
				}
			}
		}
	}
}

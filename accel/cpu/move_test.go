package cpu

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/counter"
)

// noise is an array of random bytes.
func noise(t accel.DType, shape ...int) *accel.Array {
	a := accel.NewArray(t, shape...)
	for i := range a.Data {
		a.Data[i] = byte(counter.Uint64(1, uint64(i)))
	}
	return a
}

// strides of a shape, row-major.
func stridesOf(shape []int) []int {
	s := make([]int, len(shape))
	for d := range s {
		s[d] = accel.Size(shape[d+1:])
	}
	return s
}

// checkLarge compares an operator that moves elements with its definition, on
// one thread and on three: element i of the output is element from(i) of x.
func checkLarge(t *testing.T, tr trial, from func(i []int) int) {
	t.Helper()
	got := tr.runAll(t)[0]
	x, size := tr.in[0], got.DType.Size()
	strides := stridesOf(got.Shape)
	i := make([]int, len(got.Shape))
	for at := range got.Len() {
		for d, s := range strides {
			i[d] = at / s % got.Shape[d]
		}
		f := from(i)
		want := make([]byte, size)
		if f >= 0 {
			want = x.Data[f*size : (f+1)*size]
		}
		if !bytes.Equal(got.Data[at*size:(at+1)*size], want) {
			t.Errorf("%s%v of %v: element %v is %x, want %x", tr.op, tr.attrs, x, i, got.Data[at*size:(at+1)*size], want)
			return
		}
	}
}

// TestLargeMoves has tensors of several tiles, so that threads share them at
// places in the middle of rows and blocks.
func TestLargeMoves(t *testing.T) {
	for _, d := range []accel.DType{accel.Uint8, accel.BFloat16, accel.Float32, accel.Float64} {
		for _, c := range []struct{ shape, perm []int }{
			{[]int{701, 503}, []int{1, 0}}, {[]int{3, 401, 295}, []int{0, 2, 1}}, {[]int{7, 33, 12, 67}, []int{0, 2, 1, 3}},
			{[]int{5, 3, 301, 97}, []int{0, 2, 3, 1}}, {[]int{5, 301, 97, 3}, []int{0, 3, 1, 2}}, {[]int{61, 67, 71}, []int{2, 1, 0}},
			{[]int{16, 4096}, []int{1, 0}}, {[]int{4096, 16}, []int{1, 0}}, {[]int{90001, 3}, []int{1, 0}},
		} {
			want, from := make([]int, len(c.perm)), make([]int, len(c.perm))
			for k, p := range c.perm {
				want[k], from[k] = c.shape[p], stridesOf(c.shape)[p]
			}
			tr := trial{op: "Transpose", attrs: accel.Attrs{accel.Ints("perm", c.perm...)}, in: []*accel.Array{noise(d, c.shape...)}, out: []accel.Tensor{typed(d, want...)}}
			checkLarge(t, tr, func(i []int) int {
				at := 0
				for k, v := range i {
					at += v * from[k]
				}
				return at
			})
		}
	}
	x, row, column := noise(accel.Float32, 301, 1003), noise(accel.Float32, 1003), noise(accel.Float32, 301, 1)
	one := func(op string, x *accel.Array, attrs accel.Attrs, y []int, more ...*accel.Array) trial {
		tr := trial{op: op, attrs: attrs, in: append([]*accel.Array{x}, more...), out: []accel.Tensor{typed(x.DType, y...)}}
		for i := range more {
			tr.known = append(tr.known, i+1)
		}
		return tr
	}
	n := func(v ...int) *accel.Array { return accel.Ints64(v...) }
	checkLarge(t, one("Identity", x, nil, x.Shape), func(i []int) int { return i[0]*1003 + i[1] })
	checkLarge(t, one("Expand", row, nil, x.Shape, n(301, 1)), func(i []int) int { return i[1] })
	checkLarge(t, one("Expand", column, nil, x.Shape, n(1003)), func(i []int) int { return i[0] })
	checkLarge(t, one("Tile", row, nil, []int{301 * 1003}, n(301)), func(i []int) int { return i[0] % 1003 })
	checkLarge(t, one("Slice", x, nil, []int{300, 1001}, n(301, 2), n(0, 2000), n(0, 1), n(-1, 1)), func(i []int) int { return (300-i[0])*1003 + i[1] + 2 })
	checkLarge(t, one("Slice", x, nil, []int{301, 334}, n(1), n(1003), n(1), n(3)), func(i []int) int { return i[0]*1003 + 1 + 3*i[1] })
	checkLarge(t, one("SliceGrad", x, nil, []int{301, 2006}, n(301, 2006), n(1), n(2006), n(1), n(2)), func(i []int) int {
		if i[1]%2 == 0 {
			return -1
		}
		return i[0]*1003 + i[1]/2
	})
	checkLarge(t, one("Pad", x, nil, []int{302, 1010}, n(1, 3, 0, 4)), func(i []int) int {
		if i[0] < 1 || i[1] < 3 || i[1] >= 1006 {
			return -1
		}
		return (i[0]-1)*1003 + i[1] - 3
	})
	ids := accel.NewArray(accel.Int64, 777)
	for k := range accel.Values[int64](ids) {
		accel.Values[int64](ids)[k] = int64(counter.Uint64(2, uint64(k))%602) - 301
	}
	id := func(k int) int { return (int(accel.Values[int64](ids)[k]) + 301) % 301 }
	checkLarge(t, one("Gather", x, nil, []int{777, 1003}, ids), func(i []int) int { return id(i[0])*1003 + i[1] })
	checkLarge(t, one("Gather", x, accel.Attrs{accel.Int("axis", 1)}, []int{301, 777}, ids), func(i []int) int { return i[0]*1003 + (int(accel.Values[int64](ids)[i[1]])+1003)%1003 })
	scales := accel.ArrayOf(accel.Float32, []int{2}, []float32{2, 3})
	floor := accel.Attrs{accel.String("nearest_mode", "floor"), accel.String("coordinate_transformation_mode", "asymmetric")}
	checkLarge(t, trial{op: "Resize", attrs: floor, in: []*accel.Array{x, nil, scales}, known: []int{2}, out: []accel.Tensor{typed(accel.Float32, 602, 3009)}}, func(i []int) int { return i[0]/2*1003 + i[1]/3 })
}

// TestLargeConcatAndSplit cuts a tensor into parts and joins them again.
func TestLargeConcatAndSplit(t *testing.T) {
	for a := range 3 {
		axis, x := accel.Attrs{accel.Int("axis", a)}, noise(accel.Int16, 61, 103, 59)
		first, second := []int{61, 103, 59}, []int{61, 103, 59}
		first[a], second[a] = 17, x.Shape[a]-17
		parts := trial{op: "Split", attrs: axis, in: []*accel.Array{x, accel.Ints64(17, x.Shape[a]-17)}, known: []int{1}, out: []accel.Tensor{typed(accel.Int16, first...), typed(accel.Int16, second...)}}.runAll(t)
		for i, p := range parts {
			cut := trial{op: "Slice", in: []*accel.Array{x, accel.Ints64(17 * i), accel.Ints64(17 + i*1000), accel.Ints64(a)}, known: []int{1, 2, 3}, out: []accel.Tensor{typed(accel.Int16, p.Shape...)}}.runAll(t)[0]
			if !bytes.Equal(p.Data, cut.Data) {
				t.Errorf("axis %d: part %d is not that of Slice", a, i)
			}
		}
		if y := (trial{op: "Concat", attrs: axis, in: parts, out: []accel.Tensor{typed(accel.Int16, x.Shape...)}}).runAll(t)[0]; !bytes.Equal(x.Data, y.Data) {
			t.Errorf("axis %d: the parts joined are not the whole", a)
		}
	}
}

// TestLargeSums has kernels that add up what threads share by columns or blocks.
func TestLargeSums(t *testing.T) {
	const rows, cols, count = 300, 700, 2000
	dy := floats32(3, -1, 1, count, cols)
	ids := accel.NewArray(accel.Int32, count)
	want := make([]float64, rows*cols)
	for k := range count {
		r := int(counter.Uint64(4, uint64(k)) % rows)
		accel.Values[int32](ids)[k] = int32(r)
		for c := range cols {
			want[r*cols+c] += float64(accel.Values[float32](dy)[k*cols+c])
		}
	}
	got := trial{op: "GatherGrad", in: []*accel.Array{dy, ids, accel.Ints64(rows, cols)}, known: []int{2}, out: []accel.Tensor{typed(accel.Float32, rows, cols)}}.runAll(t)[0]
	for i, v := range accel.Values[float32](got) {
		// A sum of about 7 numbers, never more than 30, of up to 1.
		if diff := math.Abs(float64(v) - want[i]); !(diff <= 30*30*0x1p-24) {
			t.Fatalf("element %d is %g, want %g", i, v, want[i])
		}
	}
	// Linear interpolation keeps constants, and its gradient keeps sums: of 8 · 8
	// images of 20 by 30 pixels, each as heavy as it was.
	size, attrs := accel.Ints64(8, 8, 33, 41), accel.Attrs{accel.String("mode", "linear")}
	ones := floats32(5, 1, 1, 8, 8, 20, 30)
	y := trial{op: "Resize", attrs: attrs, in: []*accel.Array{ones, nil, nil, size}, known: []int{3}, out: []accel.Tensor{typed(accel.Float32, 8, 8, 33, 41)}}.runAll(t)[0]
	for i, v := range accel.Values[float32](y) {
		if !(math.Abs(float64(v)-1) <= 8*0x1p-24) {
			t.Fatalf("element %d of a constant, resized, is %g", i, v)
		}
	}
	dx := trial{op: "ResizeGrad", attrs: attrs, in: []*accel.Array{y, accel.Ints64(ones.Shape...), nil, nil, size}, known: []int{1, 4}, out: []accel.Tensor{typed(accel.Float32, ones.Shape...)}}.runAll(t)[0]
	for image := range 64 {
		sum := 0.0
		for _, v := range accel.Values[float32](dx)[image*600 : (image+1)*600] {
			sum += float64(v)
		}
		if !(math.Abs(sum-33*41) <= 33*41*16*0x1p-24) {
			t.Errorf("image %d of the gradient has the sum %g, want %d", image, sum, 33*41)
		}
	}
}

func TestFourier(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 5, 7, 8, 12, 16, 17, 30, 64, 97, 100} {
		x := floats32(uint64(n), -1, 1, 2, n, 2)
		y := trial{op: "DFT", in: []*accel.Array{x}, out: []accel.Tensor{typed(accel.Float32, 2, n, 2)}}.runAll(t)[0]
		v := accel.Values[float32](x)
		for at := range 2 * n {
			var want complex128
			for k := range n {
				s, c := math.Sincos(-2 * math.Pi * float64(at%n*k%n) / float64(n))
				p := at/n*n + k
				want += complex(float64(v[2*p]), float64(v[2*p+1])) * complex(c, s)
			}
			got := accel.Values[float32](y)[2*at : 2*at+2]
			// The rounding to float32 of a sum of at most n·√2.
			if !(math.Abs(float64(got[0])-real(want)) <= 2*float64(n)*0x1p-24) || !(math.Abs(float64(got[1])-imag(want)) <= 2*float64(n)*0x1p-24) {
				t.Fatalf("length %d: element %d is %g, want %g", n, at, got, want)
			}
		}
		inverse := accel.Attrs{accel.Int("inverse", 1)}
		back := trial{op: "DFT", attrs: inverse, in: []*accel.Array{y}, out: []accel.Tensor{typed(accel.Float32, 2, n, 2)}}.runAll(t)[0]
		for i, w := range accel.Values[float32](back) {
			if !(math.Abs(float64(w-v[i])) <= 16*0x1p-24) {
				t.Fatalf("length %d, there and back: element %d is %g, want %g", n, i, w, v[i])
			}
		}
	}
}

func TestMovesAllocateNothing(t *testing.T) {
	x, ids := noise(accel.Float32, 200, 600), accel.NewArray(accel.Int64, 400)
	n := func(v ...int) *accel.Array { return accel.Ints64(v...) }
	out := func(shape ...int) []accel.Tensor { return []accel.Tensor{typed(accel.Float32, shape...)} }
	reflect := accel.Attrs{accel.String("mode", "reflect")}
	linear := accel.Attrs{accel.String("mode", "linear")}
	axis := accel.Attrs{accel.Int("axis", 1)}
	rows := accel.NewArray(accel.Int64, 400, 1)
	image, grid := floats32(1, -1, 1, 2, 8, 30, 40), floats32(2, -1, 1, 2, 20, 20, 2)
	for _, tr := range []trial{
		{op: "Transpose", in: []*accel.Array{x}, out: out(600, 200)}, {op: "Identity", in: []*accel.Array{x}, out: out(200, 600)},
		{op: "Concat", attrs: axis, in: []*accel.Array{x, x}, out: out(200, 1200)},
		{op: "Split", attrs: axis, in: []*accel.Array{x, n(200, 400)}, known: []int{1}, out: []accel.Tensor{typed(accel.Float32, 200, 200), typed(accel.Float32, 200, 400)}},
		{op: "Slice", in: []*accel.Array{x, n(1), n(600), n(1), n(2)}, known: []int{1, 2, 3, 4}, out: out(200, 300)},
		{op: "Pad", attrs: reflect, in: []*accel.Array{x, n(1, 1, 1, 1)}, known: []int{1}, out: out(202, 602)},
		{op: "PadGrad", attrs: reflect, in: []*accel.Array{x, n(198, 598), n(1, 1, 1, 1)}, known: []int{1, 2}, out: out(198, 598)},
		{op: "Gather", in: []*accel.Array{x, ids}, out: out(400, 600)},
		{op: "GatherGrad", in: []*accel.Array{noise(accel.Float32, 400, 600), ids, n(200, 600)}, known: []int{2}, out: out(200, 600)},
		{op: "GatherElements", attrs: axis, in: []*accel.Array{x, accel.NewArray(accel.Int64, 200, 600)}, out: out(200, 600)},
		{op: "GatherND", in: []*accel.Array{x, rows}, out: out(400, 600)},
		{op: "ScatterND", in: []*accel.Array{x, rows, noise(accel.Float32, 400, 600)}, out: out(200, 600)},
		{op: "Resize", attrs: linear, in: []*accel.Array{image, nil, nil, n(2, 8, 60, 80)}, known: []int{3}, out: out(2, 8, 60, 80)},
		{op: "GridSample", in: []*accel.Array{image, grid}, out: out(2, 8, 20, 20)},
		{op: "DFT", in: []*accel.Array{noise(accel.Float32, 200, 300, 2)}, out: out(200, 300, 2)},
		{op: "Trilu", in: []*accel.Array{x}, out: out(200, 600)},
	} {
		if n := testing.AllocsPerRun(50, tr.ready(t)); n != 0 {
			t.Errorf("%s allocates %g times a run", tr.op, n)
		}
	}
}

func BenchmarkMove(b *testing.B) {
	n := func(v ...int) *accel.Array { return accel.Ints64(v...) }
	perm := func(p ...int) accel.Attrs { return accel.Attrs{accel.Ints("perm", p...)} }
	out := func(shape ...int) []accel.Tensor { return []accel.Tensor{typed(accel.Float32, shape...)} }
	table, heads, matrix, image := noise(accel.Float32, 30522, 768), noise(accel.Float32, 8, 128, 12, 64), noise(accel.Float32, 1024, 1024), noise(accel.Float32, 8, 64, 56, 56)
	ids := accel.NewArray(accel.Int64, 1024)
	for i := range accel.Values[int64](ids) {
		accel.Values[int64](ids)[i] = int64(counter.Uint64(1, uint64(i)) % 30522)
	}
	for _, c := range []struct {
		name string
		tr   trial
	}{
		{"transpose/1024x1024", trial{op: "Transpose", in: []*accel.Array{matrix}, out: out(1024, 1024)}},
		{"transpose/heads", trial{op: "Transpose", attrs: perm(0, 2, 1, 3), in: []*accel.Array{heads}, out: out(8, 12, 128, 64)}},
		{"transpose/keys", trial{op: "Transpose", attrs: perm(0, 2, 3, 1), in: []*accel.Array{heads}, out: out(8, 12, 64, 128)}},
		{"transpose/nhwc", trial{op: "Transpose", attrs: perm(0, 2, 3, 1), in: []*accel.Array{image}, out: out(8, 56, 56, 64)}},
		{"gather/rows", trial{op: "Gather", in: []*accel.Array{table, ids}, out: out(1024, 768)}},
		{"gathergrad/rows", trial{op: "GatherGrad", in: []*accel.Array{noise(accel.Float32, 1024, 768), ids, n(30522, 768)}, known: []int{2}, out: out(30522, 768)}},
		{"concat/columns", trial{op: "Concat", attrs: accel.Attrs{accel.Int("axis", 1)}, in: []*accel.Array{image, image}, out: out(8, 128, 56, 56)}},
		{"pad/images", trial{op: "Pad", in: []*accel.Array{image, n(0, 0, 1, 1, 0, 0, 1, 1)}, known: []int{1}, out: out(8, 64, 58, 58)}},
		{"resize/nearest", trial{op: "Resize", in: []*accel.Array{image, nil, nil, n(8, 64, 112, 112)}, known: []int{3}, out: out(8, 64, 112, 112)}},
		{"resize/linear", trial{op: "Resize", attrs: accel.Attrs{accel.String("mode", "linear")}, in: []*accel.Array{image, nil, nil, n(8, 64, 112, 112)}, known: []int{3}, out: out(8, 64, 112, 112)}},
	} {
		b.Run(fmt.Sprintf("op=%s", c.name), func(b *testing.B) {
			run := c.tr.ready(b)
			b.SetBytes(int64(c.tr.out[0].Bytes()) * 2)
			for b.Loop() {
				run()
			}
		})
	}
}

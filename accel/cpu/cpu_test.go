package cpu

import (
	"math"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/counter"
	"github.com/millrace-go/millrace/accel/fmath"
)

// instr is one instruction with its data, a slice of float32, int32 or uint64 an
// operand, absent where there is none.
type instr struct {
	op     string
	attrs  accel.Attrs
	in     []operand
	shapes [][]int       // of the outputs; nil where absent
	types  []accel.DType // of the outputs; float32 if left out
}

type operand struct {
	shape []int
	host  accel.Host
}

func floats(v []float32, shape ...int) operand { return operand{shape, accel.HostF32(v)} }
func ids(v []int32, shape ...int) operand      { return operand{shape, accel.HostI32(v)} }

var absent = operand{}

func (o operand) dtype() accel.DType {
	switch {
	case o.host.I32 != nil:
		return accel.Int32
	case o.host.U64 != nil:
		return accel.Uint64
	}
	return accel.Float32
}

// exec compiles and runs one instruction. Outputs begin as NaN, so an element
// that is not written shows.
func exec(t *testing.T, i instr) []accel.Host {
	t.Helper()
	out, err := tryExec(i)
	if err != nil {
		t.Fatalf("%s: %v", i.op, err)
	}
	return out
}

func tryExec(i instr) ([]accel.Host, error) {
	dev, code := New(), &accel.Code{}
	var args []accel.Buffer
	var outs []accel.Host
	add := func(o operand, name string) (int, error) {
		if o.host.F32 == nil && o.host.I32 == nil && o.host.U64 == nil {
			return -1, nil
		}
		n := len(o.host.F32) + len(o.host.I32) + len(o.host.U64)
		b, err := dev.Alloc(o.dtype(), n)
		if err != nil {
			return 0, err
		}
		code.Tensors = append(code.Tensors, accel.Tensor{Name: name, DType: o.dtype(), Shape: o.shape, Arg: len(args)})
		args = append(args, b)
		return len(args) - 1, b.Write(o.host)
	}
	ins := accel.Instr{Op: i.op, Name: "test", Attrs: i.attrs}
	for _, o := range i.in {
		id, err := add(o, "in")
		if err != nil {
			return nil, err
		}
		ins.In = append(ins.In, id)
	}
	for k, s := range i.shapes {
		o := absent
		if s != nil {
			o = operand{s, accel.HostF32(nans(product(s)))}
			if i.types != nil && i.types[k] == accel.Int32 {
				o.host = accel.HostI32(make([]int32, product(s)))
			}
		}
		id, err := add(o, "out")
		if err != nil {
			return nil, err
		}
		ins.Out, outs = append(ins.Out, id), append(outs, o.host)
	}
	code.Args, code.Instrs = len(args), []accel.Instr{ins}
	p, err := dev.Compile(code)
	if err != nil {
		return nil, err
	}
	if err := p.Run(args); err != nil {
		return nil, err
	}
	for k, id := range ins.Out {
		if id >= 0 {
			if err := args[id].Read(outs[k]); err != nil {
				return nil, err
			}
		}
	}
	return outs, nil
}

// near reports elements that differ by more than tol, relative to 1+|want|.
func near(t *testing.T, got []float32, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d elements, want %d", len(got), len(want))
	}
	for i, w := range want {
		if d := math.Abs(float64(got[i]) - w); !(d <= tol*(1+math.Abs(w))) {
			t.Errorf("element %d: got %g, want %g", i, got[i], w)
		}
	}
}

// TestConv holds Conv and its gradients to the direct sums, over strides, pads
// and sizes that leave rests.
func TestConv(t *testing.T) {
	for _, c := range []struct {
		name                   string
		batch, in, h, w, m     int
		kh, kw, sh, sw         int
		top, left, bottom, rig int
	}{
		{"same 3x3", 2, 3, 5, 6, 4, 3, 3, 1, 1, 1, 1, 1, 1},
		{"valid 1x1", 1, 2, 3, 3, 5, 1, 1, 1, 1, 0, 0, 0, 0},
		{"stride 2", 2, 1, 7, 8, 3, 3, 2, 2, 2, 1, 0, 0, 1},
		{"pads beyond the image", 1, 1, 2, 1, 1, 5, 3, 1, 1, 3, 2, 3, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			oh, ow := (c.h+c.top+c.bottom-c.kh)/c.sh+1, (c.w+c.left+c.rig-c.kw)/c.sw+1
			xs, ws, ys := []int{c.batch, c.in, c.h, c.w}, []int{c.m, c.in, c.kh, c.kw}, []int{c.batch, c.m, oh, ow}
			x, w, bias, dy := randoms(product(xs), 1), randoms(product(ws), 2), randoms(c.m, 3), randoms(product(ys), 4)
			y, dx, dw, db := make([]float64, len(dy)), make([]float64, len(x)), make([]float64, len(w)), make([]float64, c.m)
			for o := range y { // every output, every tap: y += x·w, and both derivatives of it
				m, oy, ox, n := o/(oh*ow)%c.m, o/ow%oh, o%ow, o/(oh*ow*c.m)
				y[o] += float64(bias[m])
				db[m] += float64(dy[o])
				for k := range c.in * c.kh * c.kw {
					ch, iy, ix := k/(c.kh*c.kw), oy*c.sh+k/c.kw%c.kh-c.top, ox*c.sw+k%c.kw-c.left
					if iy < 0 || iy >= c.h || ix < 0 || ix >= c.w {
						continue
					}
					xi, wi := ((n*c.in+ch)*c.h+iy)*c.w+ix, m*c.in*c.kh*c.kw+k
					y[o] += float64(x[xi]) * float64(w[wi])
					dx[xi] += float64(dy[o]) * float64(w[wi])
					dw[wi] += float64(dy[o]) * float64(x[xi])
				}
			}
			attrs := accel.Attrs{accel.Ints("strides", c.sh, c.sw), accel.Ints("pads", c.top, c.left, c.bottom, c.rig)}
			got := exec(t, instr{op: "Conv", attrs: attrs, in: []operand{floats(x, xs...), floats(w, ws...), floats(bias, c.m)}, shapes: [][]int{ys}})
			// Sums of at most 100 float32 products below 1: 100 roundings of 2⁻²⁴ of at most 100.
			const tol = 1e-5
			near(t, got[0].F32, y, tol)
			grad := instr{op: "ConvGrad", attrs: attrs, in: []operand{floats(dy, ys...), floats(x, xs...), floats(w, ws...)}, shapes: [][]int{xs, ws, {c.m}}}
			got = exec(t, grad)
			near(t, got[0].F32, dx, tol)
			near(t, got[1].F32, dw, tol)
			near(t, got[2].F32, db, tol)
			grad.shapes = [][]int{nil, ws, nil} // what is not asked for is left out, the rest the same
			sameBits(t, exec(t, grad)[1].F32, got[1].F32)
		})
	}
}

func TestMaxPool(t *testing.T) {
	nan := float32(math.NaN())
	x := []float32{1, 5, 5, 2, 4, 5, 0, -3, nan, 7, 1, 1, 9, 8, 1, 1} // 4x4
	attrs := accel.Attrs{accel.Ints("kernel_shape", 2, 2), accel.Ints("strides", 2, 2)}
	out := exec(t, instr{op: "MaxPool", attrs: attrs, in: []operand{floats(x, 1, 1, 4, 4)}, shapes: [][]int{{1, 1, 2, 2}, {1, 1, 2, 2}}, types: []accel.DType{accel.Float32, accel.Int32}})
	sameBits(t, out[0].F32, []float32{5, 5, nan, 1})
	for i, want := range []int32{1, 2, 8, 10} { // the first of equals; NaN over 9
		if got := out[1].I32[i]; got != want {
			t.Errorf("index %d: got %d, want %d", i, got, want)
		}
	}
	back := exec(t, instr{op: "MaxPoolGrad", in: []operand{floats([]float32{1, 2, 3, 4}, 1, 1, 2, 2), ids([]int32{1, 2, 8, 2}, 1, 1, 2, 2)}, shapes: [][]int{{1, 1, 4, 4}}})
	want := make([]float32, 16)
	want[1], want[2], want[8] = 1, 6, 3
	sameBits(t, back[0].F32, want)
}

// TestCrossEntropy computes loss and gradient from the formula in float64.
func TestCrossEntropy(t *testing.T) {
	const n, classes = 5, 4
	x, labels, weights := randoms(n*classes, 1), []int32{3, 0, 2, 3, 3}, []float32{0.5, 9, 0, 2}
	loss, total := 0.0, 0.0
	logp, dx := make([]float64, n*classes), make([]float64, n*classes)
	for i, l := range labels {
		sum := 0.0
		for _, v := range x[i*classes : (i+1)*classes] {
			sum += math.Exp(float64(v))
		}
		for j := range classes {
			logp[i*classes+j] = float64(x[i*classes+j]) - math.Log(sum)
		}
		loss -= float64(weights[l]) * logp[i*classes+int(l)]
		total += float64(weights[l])
	}
	for i, l := range labels {
		for j := range classes {
			d := math.Exp(logp[i*classes+j])
			if j == int(l) {
				d--
			}
			dx[i*classes+j] = 3 * d * float64(weights[l]) / total
		}
	}
	in := []operand{floats(x, n, classes), ids(labels, n), floats(weights, classes)}
	out := exec(t, instr{op: "SoftmaxCrossEntropyLoss", in: in, shapes: [][]int{{}, {n, classes}}})
	near(t, out[0].F32, []float64{loss / total}, 1e-6)
	near(t, out[1].F32, logp, 1e-6)
	g := exec(t, instr{op: "SoftmaxCrossEntropyLossGrad", in: []operand{floats([]float32{3}), floats(out[1].F32, n, classes), in[1], in[2]}, shapes: [][]int{{n, classes}}})
	near(t, g[0].F32, dx, 1e-6)

	in[2] = floats(make([]float32, classes), classes)
	if out := exec(t, instr{op: "SoftmaxCrossEntropyLoss", in: in, shapes: [][]int{{}}}); out[0].F32[0] != 0 {
		t.Errorf("loss of rows without weight is %g, want 0", out[0].F32[0])
	}
}

// TestLossExtremes: large scores neither overflow nor lose the answer, and NaN comes through.
func TestLossExtremes(t *testing.T) {
	for _, c := range []struct {
		name   string
		scores []float32
		want   float64
	}{
		{"1000 against 0", []float32{1000, 0}, 0},
		{"-1000 against 0", []float32{-1000, 0}, 1000},
		{"largest float32", []float32{math.MaxFloat32, math.MaxFloat32}, 0}, // ln 2 is lost beside 3.4e38
		{"NaN", []float32{float32(math.NaN()), 0}, math.NaN()},
		{"+Inf", []float32{float32(math.Inf(1)), 0}, math.NaN()},
	} {
		out := exec(t, instr{op: "SoftmaxCrossEntropyLoss", in: []operand{floats(c.scores, 1, 2), ids([]int32{0}, 1)}, shapes: [][]int{{}}})
		got := float64(out[0].F32[0])
		if math.IsNaN(c.want) != math.IsNaN(got) || math.Abs(got-c.want) > 1e-6*(1+c.want) {
			t.Errorf("%s: loss %g, want %g", c.name, got, c.want)
		}
	}
}

func TestSoftmaxRowsAlone(t *testing.T) {
	x := randoms(64*10, 5)
	all := exec(t, instr{op: "Softmax", in: []operand{floats(x, 64, 10)}, shapes: [][]int{{64, 10}}})[0].F32
	for i := range 64 {
		one := exec(t, instr{op: "Softmax", in: []operand{floats(x[i*10:i*10+10], 1, 10)}, shapes: [][]int{{1, 10}}})[0].F32
		sameBits(t, one, all[i*10:i*10+10])
		sum, want := 0.0, make([]float64, 10)
		for j, v := range x[i*10 : i*10+10] {
			want[j] = fmath.Exp(float64(v))
			sum += want[j]
		}
		for j := range want {
			want[j] /= sum
		}
		near(t, one, want, 1e-7)
	}
}

func TestDropout(t *testing.T) {
	const n, ratio = 20000, 0.3
	ones := make([]float32, n)
	for i := range ones {
		ones[i] = 1
	}
	drop := func(seed uint64, salt int) []float32 {
		in := []operand{floats(ones, n), {nil, accel.HostU64([]uint64{seed})}}
		return exec(t, instr{op: "Dropout", attrs: accel.Attrs{accel.Float("ratio", ratio), accel.Int("salt", salt)}, in: in, shapes: [][]int{{n}}})[0].F32
	}
	base := drop(1, 1)
	zeros := 0
	for i, v := range base {
		switch v {
		case 0:
			zeros++
		case float32(1 / (1 - ratio)):
		default:
			t.Fatalf("element %d is %g, want 0 or %g", i, v, 1/(1-ratio))
		}
	}
	// A binomial of n = 20000, p = 0.3 has deviation √(n·p·(1-p)) = 65; 5 of them.
	if math.Abs(float64(zeros)-ratio*n) > 325 {
		t.Errorf("%d elements dropped, want about %g", zeros, ratio*n)
	}
	sameBits(t, drop(1, 1), base)
	for _, other := range [][]float32{drop(2, 1), drop(1, 2)} {
		same := 0
		for i := range other {
			if (other[i] == 0) == (base[i] == 0) {
				same++
			}
		}
		// Independent masks agree with probability p² + (1-p)² = 0.58.
		if f := float64(same) / n; math.Abs(f-0.58) > 0.03 {
			t.Errorf("masks of other seed or salt agree in %.3f, want 0.58", f)
		}
	}
}

func TestReduceAndBroadcast(t *testing.T) {
	x := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12} // 2x3x2
	for _, c := range []struct {
		op    string
		axes  []int
		shape []int
		want  []float32
	}{
		{"ReduceSum", nil, []int{}, []float32{78}},
		{"ReduceSum", []int{1}, []int{2, 2}, []float32{9, 12, 27, 30}},
		{"ReduceSum", []int{0, 2}, []int{3}, []float32{18, 26, 34}},
		{"ReduceMean", []int{-1}, []int{2, 3}, []float32{1.5, 3.5, 5.5, 7.5, 9.5, 11.5}},
	} {
		var attrs accel.Attrs
		if c.axes != nil {
			attrs = accel.Attrs{accel.Ints("axes", c.axes...)}
		}
		out := exec(t, instr{op: c.op, attrs: attrs, in: []operand{floats(x, 2, 3, 2)}, shapes: [][]int{c.shape}})
		sameBits(t, out[0].F32, c.want)
	}
	out := exec(t, instr{op: "Sub", in: []operand{floats([]float32{10, 20, 30}, 3, 1), floats([]float32{1, 2}, 2)}, shapes: [][]int{{3, 2}}})
	sameBits(t, out[0].F32, []float32{9, 8, 19, 18, 29, 28})
	out = exec(t, instr{op: "Transpose", in: []operand{floats(x, 2, 3, 2)}, attrs: accel.Attrs{accel.Ints("perm", 2, 0, 1)}, shapes: [][]int{{2, 2, 3}}})
	sameBits(t, out[0].F32, []float32{1, 3, 5, 7, 9, 11, 2, 4, 6, 8, 10, 12})
}

// TestErrors: code that does not fit together is refused when compiled, data
// out of range when run; neither panics.
func TestErrors(t *testing.T) {
	f := func(shape ...int) operand { return floats(randoms(product(shape), 1), shape...) }
	for _, c := range []struct {
		name string
		i    instr
		want string
	}{
		{"unknown operator", instr{op: "Magic"}, "no such kernel"},
		{"input missing", instr{op: "Relu", shapes: [][]int{{2}}}, "0 inputs"},
		{"input absent", instr{op: "Add", in: []operand{absent, f(2)}, shapes: [][]int{{2}}}, "input 0 is absent"},
		{"lengths", instr{op: "Relu", in: []operand{f(3)}, shapes: [][]int{{2}}}, "[2]"},
		{"type", instr{op: "Relu", in: []operand{ids([]int32{1, 2}, 2)}, shapes: [][]int{{2}}}, "want float32"},
		{"gemm", instr{op: "Gemm", in: []operand{f(2, 3), f(4, 5)}, shapes: [][]int{{2, 5}}}, "do not fit"},
		{"matmul rank", instr{op: "MatMul", in: []operand{f(2), f(2, 3)}, shapes: [][]int{{3}}}, "do not fit"},
		{"conv channels", instr{op: "Conv", in: []operand{f(1, 2, 3, 3), f(1, 1, 3, 3)}, shapes: [][]int{{1, 1, 1, 1}}}, "do not fit"},
		{"conv size", instr{op: "Conv", in: []operand{f(1, 1, 3, 3), f(1, 1, 3, 3)}, shapes: [][]int{{1, 1, 2, 2}}}, "do not take"},
		{"pool of padding", instr{op: "MaxPool", attrs: accel.Attrs{accel.Ints("kernel_shape", 1, 1), accel.Ints("pads", 1, 1, 1, 1)}, in: []operand{f(1, 1, 1, 1)}, shapes: [][]int{{1, 1, 3, 3}}}, "without an element"},
		{"concat", instr{op: "Concat", attrs: accel.Attrs{accel.Int("axis", 1)}, in: []operand{f(2, 2), f(2, 3)}, shapes: [][]int{{2, 4}}}, "do not fit"},
		{"transpose", instr{op: "Transpose", in: []operand{f(2, 3)}, shapes: [][]int{{2, 3}}}, "do not fit"},
		{"gather id", instr{op: "Gather", in: []operand{f(3, 2), ids([]int32{0, 3}, 2)}, shapes: [][]int{{2, 2}}}, "id 3 at position 1, want 0 <= id < 3"},
		{"gather grad id", instr{op: "GatherGrad", in: []operand{f(2, 2), ids([]int32{0, -1}, 2)}, shapes: [][]int{{3, 2}}}, "id -1 at position 1"},
		{"label", instr{op: "SoftmaxCrossEntropyLoss", in: []operand{f(2, 3), ids([]int32{0, 3}, 2)}, shapes: [][]int{{}}}, "label 3 of row 1"},
		{"pool index", instr{op: "MaxPoolGrad", in: []operand{f(1, 1, 1, 1), ids([]int32{4}, 1, 1, 1, 1)}, shapes: [][]int{{1, 1, 2, 2}}}, "index 4 of 4"},
		{"softmax axis", instr{op: "Softmax", attrs: accel.Attrs{accel.Int("axis", 0)}, in: []operand{f(2, 3)}, shapes: [][]int{{2, 3}}}, "axis 0"},
		{"dropout ratio", instr{op: "Dropout", attrs: accel.Attrs{accel.Float("ratio", 1)}, in: []operand{f(2), {nil, accel.HostU64([]uint64{1})}}, shapes: [][]int{{2}}}, "ratio 1"},
	} {
		if _, err := tryExec(c.i); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

func TestBuffers(t *testing.T) {
	dev := New()
	b, err := dev.Alloc(accel.Int32, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Write(accel.HostI32([]int32{1, 2})); err == nil {
		t.Error("writing 2 elements to a buffer of 3: no error")
	}
	if err := b.Write(accel.HostF32([]float32{1, 2, 3})); err == nil {
		t.Error("writing float32 to an int32 buffer: no error")
	}
	if err := b.Write(accel.HostI32([]int32{4, 5, 6})); err != nil {
		t.Fatal(err)
	}
	got := make([]int32, 3)
	if err := b.Read(accel.HostI32(got)); err != nil || got[0] != 4 || got[2] != 6 {
		t.Errorf("read %v, error %v; want [4 5 6]", got, err)
	}
	if _, err := dev.Alloc(accel.DType(99), 1); err == nil {
		t.Error("buffer of an unknown type: no error")
	}
	p, err := dev.Compile(&accel.Code{Args: 1, Tensors: []accel.Tensor{{DType: accel.Float32, Shape: []int{3}}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run([]accel.Buffer{b}); err == nil || !strings.Contains(err.Error(), "want 3 of float32") {
		t.Errorf("int32 buffer for a float32 argument: error %v", err)
	}
	if err := p.Run(nil); err == nil {
		t.Error("run without its argument: no error")
	}
}

// TestActivations compares with package math, which is exact enough here.
func TestActivations(t *testing.T) {
	x := make([]float32, 1000)
	for i := range x {
		x[i] = float32(12*counter.Float64(8, uint64(i)) - 6)
	}
	for _, c := range []struct {
		op string
		f  func(float64) float64
	}{
		{"Relu", func(v float64) float64 { return math.Max(v, 0) }},
		{"Tanh", math.Tanh},
		{"Sigmoid", func(v float64) float64 { return 1 / (1 + math.Exp(-v)) }},
		{"Gelu", func(v float64) float64 {
			return 0.5 * v * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(v+0.044715*v*v*v)))
		}},
	} {
		out := exec(t, instr{op: c.op, in: []operand{floats(x, len(x))}, shapes: [][]int{{len(x)}}})
		want := make([]float64, len(x))
		for i, v := range x {
			want[i] = c.f(float64(v))
		}
		near(t, out[0].F32, want, 0x1p-23) // one rounding to float32
	}
}

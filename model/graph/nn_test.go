package graph

import (
	"math"
	"slices"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu"
)

func classesOf(shape []int, v ...int64) *accel.Array { return accel.ArrayOf(accel.Int64, shape, v) }

// maskOf is a mask in which some keys are hidden, and one query sees none.
func maskOf(key uint64, shape ...int) *accel.Array {
	m := uniform(key, -1, 1, shape...)
	keys := shape[len(shape)-1]
	for i := range accel.Values[float64](m) {
		if i%4 == 2 || i/keys == 1 {
			accel.Values[float64](m)[i] = math.Inf(-1)
		}
	}
	return m
}

// nnCases are calls of the operators of networks. Their inputs are such that no
// maximum changes within the steps of differences.
func nnCases() []gradCase {
	images, volume := uniform(1, -1, 1, 2, 4, 5, 6), uniform(2, -1, 1, 1, 2, 4, 3, 4)
	window := accel.Attrs{accel.Ints("kernel_shape", 3, 2), accel.Ints("strides", 2, 1), accel.Ints("pads", 1, 0, 1, 1)}
	list := func(x ...*accel.Array) []*accel.Array { return x }
	rows, gain, bias := uniform(3, -1, 1, 2, 3, 20), uniform(4, 0.5, 1.5, 20), uniform(5, -1, 1, 20)
	scale, shift, mean, variance := uniform(6, 0.5, 1.5, 4), uniform(7, -1, 1, 4), uniform(8, -1, 1, 4), uniform(9, 0.5, 1.5, 4)
	scores := uniform(10, -2, 2, 3, 4, 2)
	truth := classesOf([]int{3, 2}, 0, 3, 1, 1, 2, 0)
	q, k, v := uniform(12, -1, 1, 2, 4, 5, 3), uniform(13, -1, 1, 2, 2, 7, 3), uniform(14, -1, 1, 2, 2, 7, 5)
	flatQ, flatK, flatV := uniform(15, -1, 1, 2, 5, 12), uniform(16, -1, 1, 2, 7, 12), uniform(17, -1, 1, 2, 7, 8)
	heads := accel.Attrs{accel.Int("q_num_heads", 4), accel.Int("kv_num_heads", 4)}
	return []gradCase{
		{"plain", "Conv", nil, list(images, uniform(20, -1, 1, 3, 4, 3, 2), uniform(21, -1, 1, 3)), 0},
		{"groups", "Conv", append(accel.Attrs{accel.Int("group", 2)}, window...), list(images, uniform(22, -1, 1, 6, 2, 3, 2)), 0},
		{"dilated", "Conv", accel.Attrs{accel.Ints("dilations", 2, 1), accel.String("auto_pad", "SAME_UPPER")}, list(images, uniform(23, -1, 1, 2, 4, 2, 3)), 0},
		{"3d", "Conv", accel.Attrs{accel.Ints("pads", 1, 1, 1, 1, 1, 1)}, list(volume, uniform(24, -1, 1, 2, 2, 3, 3, 3)), 0},
		{"plain", "ConvTranspose", nil, list(images, uniform(25, -1, 1, 4, 3, 2, 3), uniform(26, -1, 1, 3)), 0},
		{"strided", "ConvTranspose", accel.Attrs{accel.Ints("strides", 2, 2), accel.Ints("output_padding", 1, 0), accel.Int("group", 2)}, list(images, uniform(27, -1, 1, 4, 2, 3, 3)), 0},
		{"", "MaxPool", window, list(distinct(28, 1, 2, 5, 6)), 0},
		{"", "AveragePool", window, list(images), 0},
		{"pads counted", "AveragePool", append(accel.Attrs{accel.Int("count_include_pad", 1)}, window...), list(images), 0},
		{"", "LpPool", window, list(images), 0},
		{"", "GlobalMaxPool", nil, list(distinct(29, 1, 2, 3, 4)), 0}, {"", "GlobalAveragePool", nil, list(volume), 0},
		{"", "GlobalLpPool", accel.Attrs{accel.Int("p", 3)}, list(images), 0},

		{"", "Softmax", nil, list(scores), 0}, {"axis", "Softmax", accel.Attrs{accel.Int("axis", 1)}, list(scores), 0},
		{"", "LogSoftmax", nil, list(scores), 0}, {"axis", "LogSoftmax", accel.Attrs{accel.Int("axis", 0)}, list(scores), 0},
		{"mean", "NegativeLogLikelihoodLoss", nil, list(scores, truth, nil), 0},
		{"none", "NegativeLogLikelihoodLoss", accel.Attrs{accel.String("reduction", "none")}, list(scores, truth), 0},
		{"sum", "SoftmaxCrossEntropyLoss", accel.Attrs{accel.String("reduction", "sum")}, list(scores, truth), 2},
		{"mean", "SoftmaxCrossEntropyLoss", accel.Attrs{accel.Int("ignore_index", 3)}, list(scores, truth), 0},
		{"", "MaskedDropout", accel.Attrs{accel.Float("ratio", 0.3), accel.Int("salt", 5)}, list(rows, accel.ArrayOf(accel.Uint64, []int{}, []uint64{7})), 0},

		{"", "LayerNormalization", nil, list(rows, gain, bias), 0},
		{"statistics", "LayerNormalization", nil, list(rows, gain, bias), 3},
		{"two axes", "LayerNormalization", accel.Attrs{accel.Int("axis", 1), accel.Float("epsilon", 0.01)}, list(rows, gain), 0},
		{"", "RMSNormalization", nil, list(rows, gain), 0},
		{"two axes", "RMSNormalization", accel.Attrs{accel.Int("axis", -2)}, list(rows, uniform(30, 0.5, 1.5, 3, 1)), 0},
		{"", "SkipLayerNormalization", nil, list(rows, uniform(31, -1, 1, 2, 3, 20), gain, bias, uniform(32, -1, 1, 20)), 0},
		{"frozen", "BatchNormalization", nil, list(images, scale, shift, mean, variance), 0},
		{"training", "BatchNormalization", accel.Attrs{accel.Int("training_mode", 1)}, list(images, scale, shift, mean, variance), 0},
		{"rows", "BatchNormalization", accel.Attrs{accel.Int("training_mode", 1)}, list(uniform(33, -1, 1, 7, 4), scale, shift, mean, variance), 0},
		{"", "GroupNormalization", accel.Attrs{accel.Int("num_groups", 2)}, list(images, scale, shift), 0},
		{"", "InstanceNormalization", nil, list(images, scale, shift), 0},

		{"shared heads", "FusedAttention", nil, list(q, k, v), 0},
		{"causal", "FusedAttention", accel.Attrs{accel.Int("is_causal", 1), accel.Int("causal_offset", -1)}, list(q, k, v), 0},
		{"flat", "FusedAttention", append(accel.Attrs{accel.Float("scale", 0.7)}, heads...), list(flatQ, flatK, flatV), 0},
		{"mask's gradient", "FusedAttention", accel.Attrs{accel.Int("is_causal", 1), accel.Int("causal_offset", 2)}, list(q, k, v, uniform(35, -1, 1, 4, 1, 7)), 0},
	}
}

func TestNetworkGradients(t *testing.T) { checkGradCases(t, nil, nnCases()) }

// TestGradientsBesideConstants has float64 inputs without a gradient.
func TestGradientsBesideConstants(t *testing.T) {
	in := []*accel.Array{uniform(1, -2, 2, 3, 4, 2), classesOf([]int{3, 2}, 0, 3, 1, 1, 2, 0)}
	weights, at := uniform(2, 0.5, 1.5, 4), accel.Attrs{accel.Int("ignore_index", 1)}
	checkGradients(t, in, func(b *B, x []*Value) []*Value {
		return []*Value{b.Op("NegativeLogLikelihoodLoss", at, x[0], x[1], b.Const(weights))}
	})
	mask := maskOf(3, 2, 1, 5, 7)
	heads := accel.Attrs{accel.Int("q_num_heads", 4), accel.Int("kv_num_heads", 2)}
	in = []*accel.Array{uniform(4, -1, 1, 2, 5, 12), uniform(5, -1, 1, 2, 7, 6), uniform(6, -1, 1, 2, 7, 8)}
	checkGradients(t, in, func(b *B, x []*Value) []*Value {
		return []*Value{b.Op("FusedAttention", heads, x[0], x[1], x[2], b.Const(mask))}
	})
}

// TestFloat32Kernels holds the float32 kernels, which are the fast ones, to the
// float64 ones, which are definitions: results and gradients.
func TestFloat32Kernels(t *testing.T) {
	for _, c := range nnCases() {
		t.Run(c.op+"/"+c.name, func(t *testing.T) { compareWithFloat64(t, c) })
	}
}

func compareWithFloat64(t *testing.T, c gradCase) {
	t.Helper()
	want := resultsAndGradients(t, c, accel.Float64)
	got := resultsAndGradients(t, c, accel.Float32)
	for i := range want {
		compareFloat32(t, i, accel.Values[float32](got[i]), accel.Values[float64](want[i]))
	}
}

// compareFloat32 allows for sums of some hundred terms of the size of the result.
func compareFloat32(t *testing.T, i int, got []float32, want []float64) {
	t.Helper()
	most := 1.0
	for _, v := range want {
		most = max(most, math.Abs(v))
	}
	for j, v := range want {
		if diff := math.Abs(float64(got[j]) - v); !(diff <= 0x1p-15*most) {
			t.Fatalf("result %d, element %d: got %g, want %g", i, j, got[j], v)
		}
	}
}

// resultsAndGradients computes the float outputs of a case, and the gradients of
// their weighted sum, with the case's floats as elements of type typ.
func resultsAndGradients(t *testing.T, c gradCase, typ accel.DType) []*accel.Array {
	t.Helper()
	return resultsOn(t, cpu.WithThreads(3), c, typ)
}

func resultsOn(t *testing.T, dev accel.Device, c gradCase, typ accel.DType) []*accel.Array {
	t.Helper()
	bound, wrt, args := boundCase(t, c, typ)
	grads, err := Gradients(bound, bound.Outputs[0], wrt)
	if err != nil {
		t.Fatal(err)
	}
	return runOn(t, dev, bound, append(slices.Clone(bound.Outputs[1:]), grads...), args)
}

// valuesOn computes the outputs of a case, without gradients: by the operator's
// kernel, where Gradients would take its definition.
func valuesOn(t *testing.T, dev accel.Device, c gradCase, typ accel.DType) []*accel.Array {
	t.Helper()
	bound, _, args := boundCase(t, c, typ)
	return runOn(t, dev, bound, bound.Outputs[1:], args)
}

// boundCase is a concrete graph of a case, whose outputs are the weighted sum of
// the case's results and these; its float inputs, and their values.
func boundCase(t *testing.T, c gradCase, typ accel.DType) (bound *Graph, wrt []*Value, args []*accel.Array) {
	t.Helper()
	g := New("case")
	var x []*Value
	for _, a := range c.in {
		switch {
		case a == nil:
			x = append(x, nil)
		case a.DType != accel.Float64:
			x = append(x, g.Const("", a))
		default:
			v, err := g.Input(g.free("x"), typ, a.Shape...)
			if err != nil {
				t.Fatal(err)
			}
			x, wrt, args = append(x, v), append(wrt, v), append(args, convertFloats(a, typ))
		}
	}
	b := g.Build("")
	outs := b.Ops(c.op, max(1, c.outs), c.attrs, x...)
	loss := b.Scalar(typ, 0)
	for i, y := range outs {
		if b.Err() != nil {
			t.Fatal(b.Err())
		}
		w := b.Const(convertFloats(uniform(uint64(1000+i), 0.5, 1.5, y.Type.Shape...), typ))
		loss = b.Add(loss, b.Op("ReduceSum", accel.Attrs{accel.Int("keepdims", 0)}, b.Mul(y, w)))
	}
	g.Outputs = append([]*Value{loss}, outs...)
	bound, to, err := g.Bind(Binding{})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range wrt {
		wrt[i] = to[v]
	}
	return bound, wrt, args
}

// runOn runs a concrete graph once.
func runOn(t *testing.T, dev accel.Device, g *Graph, outputs []*Value, in []*accel.Array) []*accel.Array {
	t.Helper()
	full, to := g.Clone()
	full.Outputs = nil
	for _, v := range outputs {
		full.Outputs = append(full.Outputs, to[v])
	}
	full, err := full.Expanded()
	if err != nil {
		t.Fatal(err)
	}
	code, err := Compile(full, nil)
	if err != nil {
		t.Fatal(err)
	}
	program, err := dev.Compile(code)
	if err != nil {
		t.Fatalf("%v\n%s", err, full)
	}
	var out []*accel.Array
	var args []accel.Buffer
	for _, a := range in {
		args = append(args, hostBuffer(t, dev, a))
	}
	for _, v := range full.Outputs {
		a := accel.NewArray(v.Type.DType, v.Type.Shape...)
		if a.DType == accel.Float32 { // what is not written stays NaN
			for i := range accel.Values[float32](a) {
				accel.Values[float32](a)[i] = float32(math.NaN())
			}
		}
		out, args = append(out, a), append(args, hostBuffer(t, dev, a))
	}
	q := dev.NewQueue()
	if err := q.Run(program, args); err != nil {
		t.Fatal(err)
	}
	if err := q.Wait(); err != nil {
		t.Fatal(err)
	}
	return out
}

// convertFloats rounds a float64 array to float32, if that is asked for.
func convertFloats(a *accel.Array, typ accel.DType) *accel.Array {
	if typ == accel.Float64 {
		return a
	}
	out := accel.NewArray(typ, a.Shape...)
	for i, v := range accel.Values[float64](a) {
		accel.Values[float32](out)[i] = float32(v)
	}
	return out
}

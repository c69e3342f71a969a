package graph

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu"
)

// noGradient lists the operators that gradients do not flow through and that are
// not flat, with the reason.
var noGradient = map[string]string{
	"Unique":           "which elements are equal changes by jumps",
	"DeformPlacesGrad": "a gradient; no second order",
}

// differentiable says that Gradients can go through an operator.
func differentiable(o operator) bool {
	return !o.flat && noGradient[o.name] == "" && (o.grad != nil || o.expand != nil || o.definition != nil)
}

// TestEveryOperatorHasItsGradient: a newcomer has a gradient or a definition, is
// flat, or is in the list.
func TestEveryOperatorHasItsGradient(t *testing.T) {
	for _, name := range Ops() {
		o := table[name]
		if o.shapes == nil {
			continue // control flow and sequences: Bind writes them out, or a host runs them
		}
		kinds := 0
		for _, is := range []bool{o.flat, o.grad != nil && !o.flat, noGradient[name] != ""} {
			if is {
				kinds++
			}
		}
		switch {
		case kinds > 1:
			t.Errorf("operator %s: flat %t, gradient %t, in the list %t: want one of them", name, o.flat, o.grad != nil, noGradient[name] != "")
		case kinds == 0 && !differentiable(o):
			t.Errorf("operator %s has no gradient, is not flat and not in the list", name)
		}
	}
	for name := range noGradient {
		if _, ok := table[name]; !ok {
			t.Errorf("no operator %s", name)
		}
	}
}

// definitionCases are calls of operators that are differentiated by their
// definitions, and of gradients.
func definitionCases() []gradCase {
	x, y := distinct(1, 2, 3, 4), uniform(2, 0.5, 1.5, 4)
	images, filters, bias := uniform(3, -1, 1, 2, 4, 5, 6), uniform(4, -1, 1, 6, 2, 3, 2), uniform(5, -1, 1, 6)
	window := accel.Attrs{accel.Ints("kernel_shape", 3, 2), accel.Ints("strides", 2, 1), accel.Ints("pads", 1, 0, 1, 1), accel.Ints("dilations", 1, 1), accel.Int("group", 2)}
	pool := accel.Attrs{accel.Ints("kernel_shape", 3, 2), accel.Ints("strides", 2, 1), accel.Ints("pads", 1, 0, 1, 1), accel.Ints("dilations", 1, 1)}
	dy := uniform(6, -1, 1, 2, 6, 3, 6)
	across := accel.Attrs{accel.Ints("kernel_shape", 3, 3), accel.Ints("strides", 2, 2), accel.Ints("pads", 0, 1, 1, 0), accel.Ints("dilations", 1, 1), accel.Int("group", 2), accel.Ints("output_padding", 1, 0), accel.Int("transposed", 1)}
	relu := append(accel.Attrs{accel.String("activation", "Relu")}, window...)
	logp, labels := uniform(7, -3, -0.5, 3, 4, 2), classesOf([]int{3, 2}, 0, 3, 1, 1, 2, 0)
	cases := []gradCase{
		{"three", "Sum", nil, ins(x, y, uniform(8, -1, 1, 3, 1)), 0}, {"three", "Mean", nil, ins(x, y, uniform(8, -1, 1, 3, 1)), 0},
		{"", "CastLike", nil, ins(x, y), 0}, {"", "Dropout", nil, ins(x), 0},
		{"training", "Dropout", nil, ins(x, arr[float32](accel.Float32, 0.4), arr(accel.Bool, true)), 0},
		{"", "SwiGLU", nil, ins(x, distinct(9, 2, 3, 4)), 0},
		{"", "LRN", accel.Attrs{accel.Int("size", 3), accel.Float("alpha", 0.7)}, ins(images), 0},
		{"", "LpNormalization", nil, ins(x), 0}, {"1", "LpNormalization", accel.Attrs{accel.Int("p", 1), accel.Int("axis", 1)}, ins(x), 0},
		{"", "MeanVarianceNormalization", nil, ins(images), 0}, {"rows", "MeanVarianceNormalization", accel.Attrs{accel.Ints("axes", -1)}, ins(x), 0},
		{"", "InstanceNormalization", nil, ins(images, uniform(10, 0.5, 1.5, 4), uniform(11, -1, 1, 4)), 0},
		{"", "CausalConvWithState", accel.Attrs{accel.String("activation", "silu")}, ins(x, uniform(12, -1, 1, 3, 1, 3), uniform(13, -1, 1, 3), uniform(14, -1, 1, 2, 3, 2)), 2},
		{"table", "RotaryEmbedding", nil, ins(uniform(15, -1, 1, 2, 2, 3, 4), uniform(16, -1, 1, 5, 2), uniform(17, -1, 1, 5, 2), ints64([]int{2, 3}, 0, 4, 2, 1, 1, 3)), 0},
		{"part", "RotaryEmbedding", accel.Attrs{accel.Int("num_heads", 2), accel.Int("interleaved", 1), accel.Int("rotary_embedding_dim", 4)},
			ins(uniform(18, -1, 1, 2, 3, 12), uniform(16, -1, 1, 2, 3, 2), uniform(17, -1, 1, 2, 3, 2)), 0},
		// Gradients.
		{"", "SoftmaxGrad", nil, ins(x, uniform(19, 0.1, 0.9, 2, 3, 4)), 0}, {"scalar", "SoftmaxGrad", nil, ins(uniform(20, 1, 2), uniform(21, 0, 1)), 0},
		{"", "LogSoftmaxGrad", nil, ins(x, uniform(22, -2, -0.2, 2, 3, 4)), 0}, {"", "MishGrad", nil, ins(x, distinct(23, 2, 3, 4)), 0},
		{"", "ConvDataGrad", window, ins(dy, filters, accel.Ints64(2, 4, 5, 6)), 0}, {"", "ConvWeightsGrad", window, ins(dy, images, accel.Ints64(6, 2, 3, 2)), 0},
		{"transposed", "ConvDataGrad", across, ins(uniform(24, -1, 1, 1, 6, 9, 6), uniform(25, -1, 1, 4, 3, 3, 3), accel.Ints64(1, 4, 4, 3)), 0},
		{"transposed", "ConvWeightsGrad", across, ins(uniform(24, -1, 1, 1, 6, 9, 6), uniform(25, -1, 1, 1, 4, 4, 3), accel.Ints64(4, 3, 3, 3)), 0},
		{"", "ConvBiasGrad", nil, ins(dy), 0},
		{"", "FusedConv", relu, ins(images, filters, bias, dy), 0}, {"plain", "FusedConv", window, ins(images, filters), 0},
		{"", "LpPoolGrad", pool, ins(uniform(26, -1, 1, 2, 4, 3, 6), images), 0},
		{"1", "LpPoolGrad", pool.With(accel.Int("p", 1)), ins(uniform(26, -1, 1, 2, 4, 3, 6), distinct(27, 2, 4, 5, 6)), 0},
		{"3", "LpPoolGrad", pool.With(accel.Int("p", 3)), ins(uniform(26, -1, 1, 2, 4, 3, 6), images), 0},
		{"", "CumProdGrad", nil, ins(x, distinct(29, 2, 3, 4), accel.Ints64(1)), 0},
		{"all", "CumProdGrad", accel.Attrs{accel.Int("exclusive", 1), accel.Int("reverse", 1)}, ins(x, distinct(29, 2, 3, 4), accel.Ints64(-1)), 0},
		{"", "DetGrad", nil, ins(uniform(30, -1, 1, 2), distinct(31, 2, 3, 3)), 0}, {"1", "DetGrad", nil, ins(uniform(30, -1, 1, 2), distinct(31, 2, 1, 1)), 0},
		{"singular", "DetGrad", nil, ins(uniform(30, -1, 1), float64s([]int{2, 2}, 1, 2, 2, 4)), 0},
		{"", "AveragePoolGrad", pool, ins(uniform(26, -1, 1, 2, 4, 3, 6), images), 0}, {"", "MaxPoolGrad", pool, ins(uniform(26, -1, 1, 1, 2, 3, 6), distinct(27, 1, 2, 5, 6)), 0},
		{"mean", "NegativeLogLikelihoodLossGrad", nil, ins(float64s([]int{}, 1.5), logp, labels), 0},
		{"none", "NegativeLogLikelihoodLossGrad", accel.Attrs{accel.String("reduction", "none")}, ins(uniform(28, -1, 1, 3, 2), logp, labels), 0},
	}
	return append(cases, attentionCases()...)
}

// attentionCases are calls of the kinds of attention that have no kernel.
func attentionCases() []gradCase {
	q, k, v := uniform(12, -1, 1, 2, 4, 3, 3), uniform(13, -1, 1, 2, 2, 5, 3), uniform(14, -1, 1, 2, 2, 5, 2)
	flat := accel.Attrs{accel.Int("q_num_heads", 2), accel.Int("kv_num_heads", 1)}
	rule := func(name string) accel.Attrs { return append(accel.Attrs{accel.String("update_rule", name)}, flat...) }
	query, key, value := uniform(15, -1, 1, 2, 3, 4), uniform(16, -1, 1, 2, 3, 2), uniform(17, -1, 1, 2, 3, 3)
	past, decay, beta := uniform(18, -1, 1, 2, 1, 2, 3), uniform(19, -1, -0.1, 2, 3, 1), uniform(20, 0.2, 0.9, 2, 3, 1)
	hidden := accel.ArrayOf(accel.Bool, []int{3, 5}, []bool{true, true, false, true, true, true, false, true, true, false, false, true, true, true, true})
	return []gradCase{
		{"shared heads", "Attention", nil, ins(q, k, v), 0},
		{"causal", "Attention", accel.Attrs{accel.Int("is_causal", 1)}, ins(q, uniform(21, -1, 1, 2, 2, 3, 3), uniform(22, -1, 1, 2, 2, 3, 2)), 0},
		{"mask", "Attention", nil, ins(q, k, v, uniform(23, -1, 1, 3, 5)), 0}, {"hidden", "Attention", nil, ins(q, k, v, hidden), 0},
		{"bounded", "Attention", accel.Attrs{accel.Float("softcap", 1.5), accel.Float("scale", 0.8)}, ins(q, k, v), 0},
		{"scores", "Attention", accel.Attrs{accel.Int("qk_matmul_output_mode", 2)}, ins(q, k, v, uniform(23, -1, 1, 3, 5)), 4},
		{"past", "Attention", accel.Attrs{accel.Int("is_causal", 1)}, ins(q, k, v, nil, uniform(24, -1, 1, 2, 2, 2, 3), uniform(25, -1, 1, 2, 2, 2, 2)), 3},
		{"lengths", "Attention", nil, ins(q, k, v, nil, nil, nil, ints64([]int{2}, 4, 2)), 0},
		{"flat", "Attention", accel.Attrs{accel.Int("q_num_heads", 2), accel.Int("kv_num_heads", 2)}, ins(query, uniform(26, -1, 1, 2, 5, 4), uniform(27, -1, 1, 2, 5, 6)), 0},
		{"", "FusedAttentionGrad", nil, ins(uniform(28, -1, 1, 2, 4, 3, 2), q, k, v), 3},
		{"mask", "FusedAttentionGrad", accel.Attrs{accel.Int("is_causal", 1), accel.Int("causal_offset", 1), accel.Float("scale", 0.8)},
			ins(uniform(28, -1, 1, 2, 4, 3, 2), q, k, v, uniform(23, -1, 1, 3, 5)), 3},
		{"flat", "FusedAttentionGrad", flat, ins(uniform(28, -1, 1, 2, 3, 6), query, key, value), 3},
		{"", "ai.onnx.preview.FlexAttention", nil, ins(q, k, v), 0},
		{"linear", "LinearAttention", rule("linear"), ins(query, key, value), 2},
		{"gated", "LinearAttention", rule("gated"), ins(query, key, value, past, decay), 2},
		{"delta", "LinearAttention", rule("delta"), ins(query, key, value, nil, nil, beta), 2},
		{"both", "LinearAttention", rule("gated_delta"), ins(query, key, value, past, decay, beta), 2},
	}
}

// inDefinitionCases reports whether definitionCases, or a test of its own here,
// has a case of op.
func inDefinitionCases(op string) bool {
	if slices.Contains([]string{"LayerNormGrad", "RMSNormGrad", "BatchNormGrad", "GroupNormGrad", "DequantizeLinear"}, op) {
		return true
	}
	return slices.ContainsFunc(definitionCases(), func(c gradCase) bool { return c.op == op })
}

func TestDefinitionGradients(t *testing.T) { checkGradCases(t, nil, definitionCases()) }

// TestProductGradients has the shapes that matrix products take.
func TestProductGradients(t *testing.T) {
	m := func(shape ...int) *accel.Array { return uniform(uint64(len(shape)), -1, 1, shape...) }
	both := accel.Attrs{accel.Int("transA", 1), accel.Int("transB", 1), accel.Float("alpha", 0.7), accel.Float("beta", 1.3)}
	cases := []gradCase{
		{"matrices", "MatMul", nil, ins(m(3, 4), m(4, 2)), 0}, {"vectors", "MatMul", nil, ins(m(4), m(4)), 0},
		{"vector left", "MatMul", nil, ins(m(4), m(2, 4, 3)), 0}, {"vector right", "MatMul", nil, ins(m(2, 3, 4), m(4)), 0},
		{"shared right", "MatMul", nil, ins(m(2, 3, 4), m(4, 2)), 0}, {"broadcast", "MatMul", nil, ins(m(2, 1, 3, 4), m(3, 4, 2)), 0},
		{"", "Gemm", nil, ins(m(3, 4), m(4, 2)), 0}, {"both turned", "Gemm", both, ins(m(4, 3), m(2, 4), m(2)), 0},
		{"column", "Gemm", both[1:], ins(m(3, 4), m(2, 4), m(3, 1)), 0}, {"scalar", "Gemm", both[:1], ins(m(4, 3), m(4, 2), m()), 0},
		{"", "FusedMatMul", both[:3], ins(m(2, 4, 3), m(2, 2, 4)), 0},
	}
	checkGradCases(t, productOps(), cases)
}

// TestDefinitionsInPlace: Gradients differentiates a function in a graph that
// has not been bound as it does what Bind writes for it.
func TestDefinitionsInPlace(t *testing.T) {
	x, gain := distinct(1, 2, 3, 4), uniform(2, 0.5, 1.5, 1)
	for _, c := range append(definitionCases(),
		gradCase{"one scale", "LayerNormalization", nil, ins(x, gain), 0}, gradCase{"one scale", "RMSNormalization", nil, ins(x, gain), 0},
		gradCase{"", "MaxPool", accel.Attrs{accel.Ints("kernel_shape", 2), accel.String("auto_pad", "SAME_UPPER")}, ins(x), 0},
	) {
		if o := table[c.op]; o.grad != nil && o.when == nil {
			continue
		}
		t.Run(c.op+"/"+c.name, func(t *testing.T) {
			want, got := caseGradients(t, c, true), caseGradients(t, c, false)
			for i := range want {
				if !bytes.Equal(got[i].Data, want[i].Data) {
					t.Errorf("result %d differs from that of the bound graph", i)
				}
			}
		})
	}
}

// caseGradients computes the loss of a case and its gradients, of the bound or of
// the given graph.
func caseGradients(t *testing.T, c gradCase, bind bool) []*accel.Array {
	t.Helper()
	g := New("case")
	var x, wrt []*Value
	var args []*accel.Array
	for _, a := range c.in {
		switch {
		case a == nil:
			x = append(x, nil)
		case a.DType != accel.Float64:
			x = append(x, g.Const("", a))
		default:
			v, err := g.Input(g.free("x"), a.DType, a.Shape...)
			if err != nil {
				t.Fatal(err)
			}
			x, wrt, args = append(x, v), append(wrt, v), append(args, a)
		}
	}
	b := g.Build("")
	loss := weightedSum(b, b.Ops(c.op, max(1, c.outs), c.attrs, x...))
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	g.Outputs = []*Value{loss}
	if bind {
		bound, to, err := g.Bind(Binding{})
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range wrt {
			wrt[i] = to[v]
		}
		g, loss = bound, bound.Outputs[0]
	}
	grads, err := Gradients(g, loss, wrt)
	if err != nil {
		t.Fatal(err)
	}
	return runOn(t, cpu.New(), g, append([]*Value{loss}, grads...), args)
}

// TestNoGradientIsAnError names node and operator.
func TestNoGradientIsAnError(t *testing.T) {
	g := New("places")
	x, _ := g.Input("x", accel.Float64, 1, 1, 2, 2)
	b := g.Build("")
	at := accel.Attrs{accel.Ints("kernel_shape", 2, 2)}
	d := b.Op("DeformPlacesGrad", at, b.Zeros(accel.Float64, 1, 4, 1), x, b.Zeros(accel.Float64, 1, 8, 1, 1))
	y := b.ReduceSum(d, false, 0, 1, 2, 3)
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	if _, err := Gradients(g, y, []*Value{x}); err == nil || !strings.Contains(err.Error(), "DeformPlacesGrad has no gradient") {
		t.Errorf("got error %v", err)
	}
}

// TestSecondOrder differentiates gradients again: of chains of element-wise
// operators, products, normalisations and softmax, and a penalty on a gradient.
func TestSecondOrder(t *testing.T) {
	x, w := uniform(1, -1, 1, 3, 4), uniform(2, -1, 1, 4, 4)
	gain, bias := uniform(3, 0.5, 1.5, 4), uniform(4, -1, 1, 4)
	for name, f := range map[string]func(b *B, x []*Value) *Value{
		"mlp": func(b *B, x []*Value) *Value {
			return b.MatMul(b.Op("Tanh", nil, b.Op("Gemm", accel.Attrs{accel.Int("transB", 1)}, x[0], x[1], x[2])), x[1])
		},
		"softmax":     func(b *B, x []*Value) *Value { return b.MatMul(b.Op("Softmax", nil, b.MatMul(x[0], x[1])), x[1]) },
		"log softmax": func(b *B, x []*Value) *Value { return b.Op("LogSoftmax", nil, b.Mul(b.MatMul(x[0], x[1]), x[2])) },
		"layer norm": func(b *B, x []*Value) *Value {
			return b.Op("LayerNormalization", nil, b.MatMul(x[0], x[1]), x[2], x[3])
		},
		"rms norm": func(b *B, x []*Value) *Value { return b.Op("RMSNormalization", nil, b.MatMul(x[0], x[1]), x[2]) },
		"gelu":     func(b *B, x []*Value) *Value { return b.Op("Gelu", nil, b.Add(b.MatMul(x[0], x[1]), x[3])) },
		"mish":     func(b *B, x []*Value) *Value { return b.Op("Mish", nil, b.Mul(b.MatMul(x[0], x[1]), x[2])) },
		"exp log": func(b *B, x []*Value) *Value {
			return b.Op("Log", nil, b.Add(b.Op("Exp", nil, x[0]), b.Mul(x[3], x[3])))
		},
	} {
		t.Run(name, func(t *testing.T) {
			checkGradients(t, []*accel.Array{x, w, gain, bias}, func(b *B, x []*Value) []*Value {
				y := f(b, x)
				loss := weightedSum(b, []*Value{b.Mul(y, y)})
				if b.Err() != nil {
					return nil
				}
				grads, err := Gradients(b.G, loss, x)
				b.Fail(err)
				return grads
			})
		})
	}
}

// TestDequantizeGradient sums dy·(x-zero), dy = 1, over what shares a scale.
func TestDequantizeGradient(t *testing.T) {
	codes := arr[int8](accel.Int8, 1, 2, 3, 4, 5, 6, -7, 8, 9, 10)
	x := &accel.Array{DType: accel.Int8, Shape: []int{2, 5}, Data: codes.Data}
	for name, c := range map[string]struct {
		attrs accel.Attrs
		shape []int
		zero  []int8
		want  []float32
	}{
		"tensor": {nil, []int{}, []int8{1}, []float32{31}},
		"axis":   {accel.Attrs{accel.Int("axis", 0)}, []int{2}, []int8{0, 2}, []float32{15, 16}},
		"blocks": {accel.Attrs{accel.Int("block_size", 2)}, []int{2, 3}, []int8{0, 0, 1, 0, 0, 0}, []float32{3, 7, 4, -1, 17, 10}},
	} {
		g := New("dequantize")
		scale, _ := g.Input("scale", accel.Float32, c.shape...)
		b := g.Build("")
		y := b.Op("DequantizeLinear", c.attrs, b.Const(x), scale, b.Const(accel.ArrayOf(accel.Int8, c.shape, c.zero)))
		loss := b.ReduceSum(y, false, 0, 1)
		if b.Err() != nil {
			t.Fatal(b.Err())
		}
		grads, err := Gradients(g, loss, []*Value{scale})
		if err != nil {
			t.Fatal(err)
		}
		one := accel.NewArray(accel.Float32, c.shape...)
		got := runOn(t, cpu.New(), g, grads, []*accel.Array{one})[0]
		if !slices.Equal(accel.Values[float32](got), c.want) || !slices.Equal(got.Shape, c.shape) {
			t.Errorf("%s: got %v of shape %v, want %v", name, accel.Values[float32](got), got.Shape, c.want)
		}
	}
}

package graph

import (
	"math"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu"
)

// definedCases are calls of operators that are written as others.
func definedCases() []gradCase {
	list := func(x ...*accel.Array) []*accel.Array { return x }
	q, k, v := uniform(1, -1, 1, 2, 4, 3, 4), uniform(2, -1, 1, 2, 2, 5, 4), uniform(3, -1, 1, 2, 2, 5, 3)
	past := list(nil, uniform(4, -1, 1, 2, 2, 2, 4), uniform(5, -1, 1, 2, 2, 2, 3))
	seq := uniform(6, -1, 1, 4, 2, 3)
	lengths := accel.ArrayOf(accel.Int32, []int{2}, []int32{4, 2})
	both := accel.Attrs{accel.String("direction", "bidirectional"), accel.Float("clip", 1.5)}
	reverse := accel.Attrs{accel.String("direction", "reverse"), accel.Int("layout", 1)}
	weights := func(key uint64, directions, gates int) (w, r, b *accel.Array) {
		return uniform(key, -1, 1, directions, gates*2, 3), uniform(key+1, -1, 1, directions, gates*2, 2), uniform(key+2, -1, 1, directions, 2*gates*2)
	}
	w1, r1, b1 := weights(10, 2, 1)
	w3, r3, b3 := weights(20, 1, 3)
	w4, r4, b4 := weights(30, 2, 4)
	equation := func(s string) accel.Attrs { return accel.Attrs{accel.String("equation", s)} }
	rows, cube := uniform(40, -1, 1, 3, 4), uniform(41, -1, 1, 2, 3, 4)
	linear := accel.Attrs{accel.Int("q_num_heads", 2), accel.Int("kv_num_heads", 1)}
	cos, sin := uniform(50, -1, 1, 7, 2), uniform(51, -1, 1, 7, 2)
	images := uniform(52, 0.2, 1, 2, 5, 2, 3)
	return []gradCase{
		{"masked", "Attention", nil, list(q, k, v, uniform(42, -1, 1, 3, 5)), 3},
		{"past", "Attention", accel.Attrs{accel.Int("is_causal", 1), accel.Int("left_window_size", 3)}, append(list(q, k, v), past...), 0},
		{"softcap", "Attention", accel.Attrs{accel.Float("softcap", 0.8), accel.Int("qk_matmul_output_mode", 1)}, list(q, k, v), 4},
		{"bool mask", "Attention", nil, list(q, k, v, accel.ArrayOf(accel.Bool, []int{1, 5}, []bool{true, false, true, true, false})), 0},
		{"lengths", "Attention", accel.Attrs{accel.Int("is_causal", 1)}, list(q, k, v, nil, nil, nil, accel.Ints64(4, 2)), 0},
		{"", "ai.onnx.preview.FlexAttention", nil, list(q, k, v), 0},
		{"half of the width", "RotaryEmbedding", accel.Attrs{accel.Int("rotary_embedding_dim", 4)},
			list(uniform(53, -1, 1, 2, 2, 3, 6), cos, sin, accel.ArrayOf(accel.Int64, []int{2, 3}, []int64{0, 1, 2, 6, 5, 3})), 0},
		{"interleaved", "RotaryEmbedding", accel.Attrs{accel.Int("num_heads", 2), accel.Int("interleaved", 1)},
			list(uniform(54, -1, 1, 1, 7, 8), uniform(55, -1, 1, 1, 7, 2), uniform(56, -1, 1, 1, 7, 2)), 0},
		{"gated delta", "LinearAttention", linear, list(uniform(57, -1, 1, 1, 3, 4), uniform(58, -1, 1, 1, 3, 2), uniform(59, -1, 1, 1, 3, 3),
			uniform(60, -1, 1, 1, 1, 2, 3), uniform(61, -1, 0, 1, 3, 1), uniform(62, 0, 1, 1, 3, 1)), 2},
		{"state", "CausalConvWithState", accel.Attrs{accel.String("activation", "silu")},
			list(uniform(63, -1, 1, 2, 3, 5), uniform(64, -1, 1, 3, 1, 3), uniform(65, -1, 1, 3), uniform(66, -1, 1, 2, 3, 2)), 2},
		{"", "SwiGLU", accel.Attrs{accel.Float("alpha", 1.3)}, list(rows, uniform(67, -1, 1, 3, 4)), 0},
		{"", "LRN", accel.Attrs{accel.Int("size", 3), accel.Float("alpha", 0.3)}, list(images), 0},
		{"", "LpNormalization", accel.Attrs{accel.Int("axis", 1)}, list(images), 0},
		{"", "MeanVarianceNormalization", nil, list(images), 0},
		{"lengths", "RNN", both, list(seq, w1, r1, b1, lengths, uniform(43, -1, 1, 2, 2, 2)), 2},
		{"", "GRU", nil, list(seq, w3, r3, b3), 2},
		{"reverse", "GRU", append(accel.Attrs{accel.Int("linear_before_reset", 1)}, reverse...), list(seq, w3, r3, b3, accel.ArrayOf(accel.Int32, []int{4}, []int32{2, 1, 2, 2}), uniform(44, -1, 1, 4, 1, 2)), 2},
		{"peepholes", "LSTM", accel.Attrs{accel.String("direction", "bidirectional")},
			list(seq, w4, r4, b4, lengths, uniform(45, -1, 1, 2, 2, 2), uniform(46, -1, 1, 2, 2, 2), uniform(47, -1, 1, 2, 6)), 3},
		{"coupled", "LSTM", append(accel.Attrs{accel.Int("input_forget", 1)}, both...), list(seq, w4, r4), 3},
		{"product", "Einsum", equation("bij,jk->bik"), list(cube, uniform(48, -1, 1, 4, 2)), 0},
		{"outer", "Einsum", equation("i,j->ij"), list(uniform(49, -1, 1, 3), uniform(70, -1, 1, 2)), 0},
		{"diagonal", "Einsum", equation("...ii->...i"), list(uniform(71, -1, 1, 2, 3, 3)), 0},
		{"trace", "Einsum", equation("iij"), list(uniform(72, -1, 1, 3, 3, 2)), 0},
		{"three", "Einsum", equation("ab,bc,cd->da"), list(rows, uniform(73, -1, 1, 4, 2), uniform(74, -1, 1, 2, 5)), 0},
		{"broadcast", "Einsum", equation("...ij,...jk->...ik"), list(uniform(75, -1, 1, 2, 1, 3, 4), uniform(76, -1, 1, 5, 4, 2)), 0},
		{"mean weights", "Einsum", equation("bij,bj->bi"), list(cube, uniform(77, -1, 1, 2, 4)), 0},
	}
}

func TestDefinedGradients(t *testing.T) { checkGradCases(t, nil, definedCases()) }

func TestDefinedFloat32(t *testing.T) {
	for _, c := range definedCases() {
		t.Run(c.op+"/"+c.name, func(t *testing.T) { compareWithFloat64(t, c) })
	}
}

// TestDefinedKernels compares the kernels of operators that have definitions too
// with these, which are what float64 takes, on one thread and three.
func TestDefinedKernels(t *testing.T) {
	cases := definedCases()
	for _, act := range []string{"Relu", "Tanh", "Sigmoid", "Affine", "LeakyRelu", "ThresholdedRelu", "ScaledTanh", "HardSigmoid", "Elu", "Softsign", "Softplus"} {
		at := accel.Attrs{accel.Strings("activations", act), accel.Floats("activation_alpha", 0.3), accel.Floats("activation_beta", 0.6)}
		cases = append(cases, gradCase{act, "RNN", at, []*accel.Array{uniform(1, -1, 1, 3, 40, 9), uniform(2, -1, 1, 1, 37, 9), uniform(3, -0.2, 0.2, 1, 37, 37)}, 2})
	}
	for _, c := range cases {
		t.Run(c.op+"/"+c.name, func(t *testing.T) {
			want := valuesOn(t, cpu.New(), c, accel.Float64)
			got, again := valuesOn(t, cpu.New(), c, accel.Float32), valuesOn(t, cpu.WithThreads(3), c, accel.Float32)
			for i := range want {
				if string(got[i].Data) != string(again[i].Data) {
					t.Errorf("result %d differs between one thread and three", i)
				}
				compareFloat32(t, i, accel.Values[float32](got[i]), accel.Values[float64](want[i]))
			}
		})
	}
}

// TestEinsumValues compares with sums written out.
func TestEinsumValues(t *testing.T) {
	x, y := uniform(1, -1, 1, 2, 3, 4), uniform(2, -1, 1, 4, 3)
	a, b := accel.Values[float64](x), accel.Values[float64](y)
	for _, c := range []struct {
		equation string
		shape    []int
		at       func(i, j int) float64
	}{
		{"bij,ji->b", []int{2}, func(i, _ int) (s float64) {
			for k := range 12 {
				s += a[i*12+k] * b[k%4*3+k/4]
			}
			return s
		}},
		{"bij,jk", []int{2, 9}, func(i, j int) (s float64) { // the result is (b, i, k), seen as (b, i·k)
			for k := range 4 {
				s += a[i*12+j/3*4+k] * b[k*3+j%3]
			}
			return s
		}},
		{"bij,ji->jb", []int{4, 2}, func(i, j int) (s float64) {
			for k := range 3 {
				s += a[j*12+k*4+i] * b[i*3+k]
			}
			return s
		}},
	} {
		got := resultsAndGradients(t, gradCase{"", "Einsum", accel.Attrs{accel.String("equation", c.equation)}, []*accel.Array{x, y}, 0}, accel.Float64)[0]
		cols := accel.Size(c.shape[1:])
		for i, v := range accel.Values[float64](got) {
			if want := c.at(i/cols, i%cols); !(math.Abs(v-want) <= 1e-14) { // twelve terms below 1
				t.Errorf("%s: element %d: got %g, want %g", c.equation, i, v, want)
			}
		}
	}
}

// TestAttentionBlocks has more keys than a product sums in one chain, several
// blocks of queries, and sizes that are no multiple of a vector: of each float32
// result and gradient. Threads do not change a bit.
func TestAttentionBlocks(t *testing.T) {
	for _, causal := range []int{0, 1} {
		c := gradCase{op: "FusedAttention", attrs: accel.Attrs{accel.Int("is_causal", causal), accel.Int("causal_offset", 700), accel.Int("q_num_heads", 2), accel.Int("kv_num_heads", 1)},
			in: []*accel.Array{uniform(1, -1, 1, 1, 45, 2*33), uniform(2, -1, 1, 1, 1024, 33), uniform(3, -1, 1, 1, 1024, 17), uniform(4, -1, 1, 1, 2, 1, 1024)}}
		compareWithFloat64(t, c)
		one := resultsOn(t, cpu.New(), c, accel.Float32)
		many := resultsOn(t, cpu.WithThreads(3), c, accel.Float32)
		for i := range one {
			if string(one[i].Data) != string(many[i].Data) {
				t.Errorf("causal %d: result %d differs between 1 and 3 threads", causal, i)
			}
		}
	}
}

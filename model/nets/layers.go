package nets

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
)

// mlp is 64 → 256 → 128 → 10 with ReLU.
func (b *builder) mlp() {
	x := b.input("x", accel.Float32, graph.N, 64)
	x = b.relu(b.linear("0", x, 64, 256))
	x = b.relu(b.linear("2", x, 256, 128))
	b.finish(10, 512, b.linear("4", x, 128, 10))
}

// lenet5 is the Caffe LeNet-5 of Deep Compression: two convolutions of 5 x 5
// with max pooling, two dense layers.
func (b *builder) lenet5() {
	x := b.input("x", accel.Float32, graph.N, 1, 28, 28)
	x = b.maxPool(b.conv("c1", x, 1, 20, 5, 1, 0, true))
	x = b.maxPool(b.conv("c2", x, 20, 50, 5, 1, 0, true))
	x = b.Op("Flatten", nil, x)
	x = b.relu(b.linear("f1", x, 800, 500))
	b.finish(10, 128, b.linear("f2", x, 500, 10))
}

// resnet20 is He et al.'s network for 32 x 32 images with option A shortcuts: a
// shortcut that changes size takes every second pixel and pads channels with zeros.
func (b *builder) resnet20() {
	x := b.input("x", accel.Float32, graph.N, 3, 32, 32)
	var state []*graph.Value
	norm := func(name string, x *graph.Value, c int) *graph.Value {
		y, s := b.batchNorm(name, x, c)
		state = append(state, s...)
		return y
	}
	x = b.relu(norm("b0", b.conv("c0", x, 3, 16, 3, 1, 1, false), 16))
	in := 16
	for i, out := range []int{16, 16, 16, 32, 32, 32, 64, 64, 64} {
		name, stride := fmt.Sprintf("blocks.%d.", i), out/in
		y := b.relu(norm(name+"b1", b.conv(name+"c1", x, in, out, 3, stride, 1, false), out))
		y = norm(name+"b2", b.conv(name+"c2", y, out, out, 3, 1, 1, false), out)
		if stride > 1 {
			x = b.Op("Slice", nil, x, b.Ints(0, 0), b.Ints(1<<30, 1<<30), b.Ints(2, 3), b.Ints(2, 2))
			p := (out - in) / 2
			x = b.Op("Pad", nil, x, b.Ints(0, p, 0, 0, 0, p, 0, 0))
		}
		x, in = b.relu(b.Add(y, x)), out
	}
	x = b.ReduceMean(x, false, 2, 3)
	b.finish(10, 64, b.linear("fc", x, 64, 10), state...)
}

// batchNorm normalizes channels; while training it also gives the new running
// mean and variance, by PyTorch's momentum of 0.1.
func (b *builder) batchNorm(name string, x *graph.Value, c int) (y *graph.Value, state []*graph.Value) {
	gain, bias := b.param(name+".weight", 0.5, 1, c), b.param(name+".bias", 0.2, 0, c)
	mean, variance := b.param(name+".running_mean", 0.2, 0, c), b.param(name+".running_var", 0.5, 1, c)
	b.net.State = append(b.net.State, mean, variance)
	attrs := accel.Attrs{accel.Float("epsilon", 1e-5)}
	if !b.training {
		return b.Op("BatchNormalization", attrs, x, gain, bias, mean, variance), nil
	}
	attrs = append(attrs, accel.Int("training_mode", 1), accel.Float("momentum", 0.9))
	out := b.Ops("BatchNormalization", 3, attrs, x, gain, bias, mean, variance)
	return out[0], out[1:]
}

// The sizes of MiniLM-L6.
const (
	width, heads, layers, hidden = 384, 12, 6, 1536
	vocabulary, positions        = 30522, 512
)

// minilm is a BERT encoder with mean pooling and two classes.
func (b *builder) minilm() {
	g := b.net.Graph
	seq := g.Symbol("seq")
	b.net.bound = map[string]int{"seq": 128}
	ids, mask := b.input("input_ids", accel.Int64, graph.N, seq), b.input("attention_mask", accel.Int64, graph.N, seq)
	embedding := 0.02 * math.Sqrt(3) // uniform with the standard deviation 0.02
	word := b.param("word.weight", embedding, 0, vocabulary, width)
	pos := b.param("pos.weight", embedding, 0, positions, width)
	typ := b.param("typ.weight", embedding, 0, 2, width)
	here := b.Op("Slice", nil, pos, b.Ints(0), b.Op("Shape", accel.Attrs{accel.Int("start", 1)}, ids), b.Ints(0))
	x := b.Add(b.Add(b.Op("Gather", nil, word, ids), here), b.Op("Gather", nil, typ, b.Const(accel.ArrayOf(accel.Int64, []int{}, []int64{0}))))
	x = b.layerNorm("norm", x)
	keep := b.Op("Cast", accel.Attrs{accel.String("to", "float32")}, mask)
	bias := b.Op("Unsqueeze", nil, b.Mul(b.Sub(b.Scalar(accel.Float32, 1), keep), b.Scalar(accel.Float32, -10000)), b.Ints(1, 2))
	for i := range layers {
		x = b.layer(fmt.Sprintf("layers.%d.", i), x, bias)
	}
	weight := b.Op("Unsqueeze", nil, keep, b.Ints(2))
	sum := b.ReduceSum(b.Mul(x, weight), false, 1)
	b.finish(2, 8, b.linear("head", b.Div(sum, b.ReduceSum(weight, false, 1)), width, 2))
}

func (b *builder) layerNorm(name string, x *graph.Value) *graph.Value {
	gain, bias := b.param(name+".weight", 0, 1, width), b.param(name+".bias", 0, 0, width)
	return b.Op("LayerNormalization", accel.Attrs{accel.Int("axis", -1), accel.Float("epsilon", 1e-12)}, x, gain, bias)
}

// layer is one encoder layer, with the normalization after each half.
func (b *builder) layer(name string, x, bias *graph.Value) *graph.Value {
	split := b.Ints(0, 0, heads, width/heads)
	head := func(part string) *graph.Value {
		return b.Transpose(b.Op("Reshape", nil, b.linear(name+part, x, width, width), split), 0, 2, 1, 3)
	}
	q, k, v := head("q"), head("k"), head("v")
	scores := b.Div(b.MatMul(q, b.Transpose(k, 0, 1, 3, 2)), b.Scalar(accel.Float32, math.Sqrt(width/heads)))
	a := b.MatMul(b.Op("Softmax", nil, b.Add(scores, bias)), v)
	a = b.Op("Reshape", nil, b.Transpose(a, 0, 2, 1, 3), b.Ints(0, 0, width))
	x = b.layerNorm(name+"n1", b.Add(x, b.linear(name+"o", a, width, width)))
	up := b.Op("Gelu", nil, b.linear(name+"up", x, width, hidden))
	return b.layerNorm(name+"n2", b.Add(x, b.linear(name+"down", up, hidden, width)))
}

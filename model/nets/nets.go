// Package nets holds the four networks that the engine is measured and tested
// with: a tabular MLP, LeNet-5, ResNet-20 and an encoder of MiniLM-L6's shape.
// They are written out operator by operator, with weights from a seed.
package nets

import (
	"fmt"
	"math"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/philox"
	"github.com/millrace-go/millrace/model/graph"
)

// Net is a network with its loss still to come.
type Net struct {
	Name    string
	Classes int
	// Batch is the usual number of rows of a training step.
	Batch int
	Graph *graph.Graph // its outputs are the logits, then what State is to become
	// State are parameters that are not trained but replaced by outputs of the
	// step: running means and variances.
	State []*graph.Value
	inits []initial
	bound map[string]int // symbols other than N
}

// initial says how a parameter begins.
type initial struct {
	v             *graph.Value
	scale, offset float64 // uniform in offset ± scale
}

// Names lists the networks.
func Names() []string { return []string{"mlp", "lenet5", "resnet20", "minilm"} }

// Build returns a network of a name. training chooses batch statistics for
// BatchNormalization.
func Build(name string, training bool) (*Net, error) {
	b := &builder{net: &Net{Name: name, Graph: graph.New(name)}, training: training}
	b.B = b.net.Graph.Build("")
	switch name {
	case "mlp":
		b.mlp()
	case "lenet5":
		b.lenet5()
	case "resnet20":
		b.resnet20()
	case "minilm":
		b.minilm()
	default:
		return nil, fmt.Errorf("nets.Build: no network %q", name)
	}
	if b.Err() != nil {
		return nil, fmt.Errorf("nets.Build %s: %w", name, b.Err())
	}
	return b.net, nil
}

// Bind makes the graph concrete for a batch.
func (n *Net) Bind(rows int) (*graph.Graph, map[*graph.Value]*graph.Value, error) {
	symbols := map[string]int{"N": rows}
	for name, d := range n.bound {
		symbols[name] = d
	}
	return n.Graph.Bind(graph.Binding{Symbols: symbols})
}

// Training is the concrete graph of a step: its inputs are those of the network
// and the labels, its outputs the loss, the gradients of the trained parameters,
// and the new state.
func (n *Net) Training(rows int) (*graph.Graph, error) {
	g, to, err := n.Bind(rows)
	if err != nil {
		return nil, err
	}
	labels, err := g.Input("labels", accel.Int32, rows)
	if err != nil {
		return nil, err
	}
	loss, err := g.Apply("SoftmaxCrossEntropyLoss", "loss", nil, g.Outputs[0], labels)
	if err != nil {
		return nil, err
	}
	g.Outputs[0] = loss
	if err := g.Prepare(); err != nil {
		return nil, err
	}
	var wrt []*graph.Value
	for _, v := range n.Trained() {
		wrt = append(wrt, to[v])
	}
	grads, err := graph.Gradients(g, g.Outputs[0], wrt)
	if err != nil {
		return nil, err
	}
	g.Outputs = slices.Concat(g.Outputs[:1], grads, g.Outputs[1:])
	return g, nil
}

// Trained lists the parameters that gradients are taken of.
func (n *Net) Trained() []*graph.Value {
	state := map[*graph.Value]bool{}
	for _, v := range n.State {
		state[v] = true
	}
	var out []*graph.Value
	for _, v := range n.Graph.Params {
		if !state[v] {
			out = append(out, v)
		}
	}
	return out
}

// Init returns the parameters of a seed, in the order of Graph.Params.
func (n *Net) Init(seed uint64) []*accel.Array {
	out := make([]*accel.Array, len(n.Graph.Params))
	for i, p := range n.inits {
		a := accel.NewArray(accel.Float32, p.v.Type.Shape...)
		x := accel.Values[float32](a)
		philox.Stream{Key: seed, ID: uint64(i)}.Uniform(x, 0)
		for j := range x {
			x[j] = float32(p.offset + p.scale*(2*float64(x[j])-1))
		}
		out[i] = a
	}
	return out
}

// Inputs returns a batch drawn from a seed: the network's inputs, and labels.
func (n *Net) Inputs(rows int, seed uint64) (inputs []*accel.Array, labels *accel.Array) {
	for i, v := range n.Graph.Inputs {
		shape := v.Type.Shape.At(rows)
		for d := range shape {
			if shape[d] < 0 {
				shape[d] = n.bound["seq"]
			}
		}
		a := accel.NewArray(v.Type.DType, shape...)
		stream := philox.Stream{Key: seed, ID: uint64(i)}
		switch {
		case v.Type.DType == accel.Float32:
			stream.Normal(accel.Values[float32](a), 0)
		case v.Name == "attention_mask":
			fillMask(accel.Values[int64](a), shape[1], stream)
		default:
			ids := accel.Values[int64](a)
			for j := range ids {
				ids[j] = 1000 + int64(stream.Uint32(uint64(j))%29522)
			}
		}
		inputs = append(inputs, a)
	}
	labels = accel.NewArray(accel.Int32, rows)
	for j := range accel.Values[int32](labels) {
		accel.Values[int32](labels)[j] = int32(philox.Stream{Key: seed, ID: 99}.Uint32(uint64(j)) % uint32(n.Classes))
	}
	return inputs, labels
}

// fillMask gives each row a length from half of seq to seq.
func fillMask(mask []int64, seq int, s philox.Stream) {
	for i := range mask {
		length := seq/2 + int(s.Uint32(uint64(i/seq))%uint32(seq-seq/2+1))
		if i%seq < length {
			mask[i] = 1
		}
	}
}

// builder adds layers.
type builder struct {
	*graph.B
	net      *Net
	training bool
}

func (b *builder) input(name string, t accel.DType, shape ...int) *graph.Value {
	v, err := b.net.Graph.Input(name, t, shape...)
	if err != nil {
		b.Fail(err)
	}
	return v
}

func (b *builder) param(name string, scale, offset float64, shape ...int) *graph.Value {
	v, err := b.net.Graph.Param(name, accel.Float32, shape...)
	if err != nil {
		b.Fail(err)
	}
	b.net.inits = append(b.net.inits, initial{v, scale, offset})
	return v
}

// linear is x·Wᵀ + b with the bounds of PyTorch's initialisation.
func (b *builder) linear(name string, x *graph.Value, in, out int) *graph.Value {
	bound := 1 / math.Sqrt(float64(in))
	w := b.param(name+".weight", bound, 0, out, in)
	bias := b.param(name+".bias", bound, 0, out)
	if b.Err() != nil {
		return nil
	}
	if len(x.Type.Shape) == 2 {
		return b.Op("Gemm", accel.Attrs{accel.Int("transB", 1)}, x, w, bias)
	}
	return b.Add(b.MatMul(x, b.Transpose(w, 1, 0)), bias)
}

func (b *builder) conv(name string, x *graph.Value, in, out, k, stride, pad int, bias bool) *graph.Value {
	bound := 1 / math.Sqrt(float64(in*k*k))
	args := []*graph.Value{x, b.param(name+".weight", bound, 0, out, in, k, k)}
	if bias {
		args = append(args, b.param(name+".bias", bound, 0, out))
	}
	return b.Op("Conv", accel.Attrs{
		accel.Ints("kernel_shape", k, k), accel.Ints("strides", stride, stride), accel.Ints("pads", pad, pad, pad, pad),
	}, args...)
}

func (b *builder) maxPool(x *graph.Value) *graph.Value {
	return b.Op("MaxPool", accel.Attrs{accel.Ints("kernel_shape", 2, 2), accel.Ints("strides", 2, 2)}, x)
}

func (b *builder) relu(x *graph.Value) *graph.Value { return b.Op("Relu", nil, x) }

func (b *builder) finish(classes, batch int, logits *graph.Value, state ...*graph.Value) {
	b.net.Classes, b.net.Batch = classes, batch
	b.net.Graph.Outputs = append([]*graph.Value{logits}, state...)
}

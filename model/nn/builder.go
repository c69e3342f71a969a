package nn

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
	"github.com/millrace-go/millrace/model/weights"
)

// Builder puts a model together layer by layer. Its methods do nothing after
// the first error, which Finish returns; values are nil then.
type Builder struct {
	m     *Model
	in    map[string]*graph.Value
	seed  *graph.Value // of the dropouts; nil until there is one
	salts int
	err   error
}

// seedName is the graph input that dropout reads. Inputs of the model are
// called "input <name>", so no column can take it.
const seedName = "seed"

// NewBuilder declares the inputs.
func NewBuilder(name string, inputs []Input, classes int) *Builder {
	b := &Builder{m: &Model{Graph: graph.New(name), Inputs: inputs, Classes: classes}, in: map[string]*graph.Value{}}
	if classes < 2 {
		b.err = fmt.Errorf("nn: %d classes, want at least 2", classes)
	}
	for _, in := range inputs {
		if b.err == nil {
			b.err = b.declare(in)
		}
	}
	return b
}

func (b *Builder) declare(in Input) error {
	t, err := accel.ParseDType(in.DType)
	if err != nil || (t != accel.Float32 && t != accel.Int32) {
		return fmt.Errorf("nn: input %q: type %q, want float32 or int32", in.Name, in.DType)
	}
	if t == accel.Int32 && in.Cardinality < 1 {
		return fmt.Errorf("nn: input %q: cardinality %d, want at least 1", in.Name, in.Cardinality)
	}
	for _, d := range in.Shape {
		if d < 1 || d > maxScalars {
			return fmt.Errorf("nn: input %q: shape %v, want dimensions from 1 to %d", in.Name, in.Shape, maxScalars)
		}
	}
	if b.in[in.Name] != nil {
		return fmt.Errorf("nn: two inputs are called %q", in.Name)
	}
	v, err := b.m.Graph.Input(inputName(in.Name), t, append([]int{graph.N}, in.Shape...)...)
	b.in[in.Name] = v
	return err
}

// inputName is what an input is called in the graph.
func inputName(name string) string { return "input " + name }

// Input is the value of a declared input.
func (b *Builder) Input(name string) *graph.Value {
	v := b.in[name]
	if v == nil && b.err == nil {
		b.err = fmt.Errorf("nn: no input %q", name)
	}
	return v
}

// Param declares a parameter. It is an error if init does not fit its rank.
func (b *Builder) Param(name string, init Initializer, shape ...int) *graph.Value {
	if b.err == nil {
		b.err = checkParam(name, init, shape)
	}
	if b.err != nil {
		return nil
	}
	v, err := b.m.Graph.Param(name, accel.Float32, shape...)
	b.err = err
	b.m.Params = append(b.m.Params, Param{Name: name, Shape: shape, Prunable: len(shape) >= 2, Init: init})
	return v
}

// checkParam tries the initializer on one element: what it rejects, bounds or a rank,
// it rejects there.
func checkParam(name string, init Initializer, shape []int) error {
	for _, d := range shape {
		if d < 1 {
			return fmt.Errorf("nn: parameter %q: shape %v, want dimensions of at least 1", name, shape)
		}
	}
	if init == nil {
		return fmt.Errorf("nn: parameter %q has no initializer", name)
	}
	return init.Fill(weights.New(name, slices.Repeat([]int{1}, len(shape))...), 0)
}

// Op applies any operator.
func (b *Builder) Op(op, name string, attrs accel.Attrs, in ...*graph.Value) *graph.Value {
	if b.err != nil {
		return nil
	}
	v, err := b.m.Graph.Apply(op, name, attrs, in...)
	b.err = err
	return v
}

// Dense is x·Wᵀ + b on x [N in], with parameters <name>.weight [out in] and
// <name>.bias [out], which begins with zeros.
func (b *Builder) Dense(name string, x *graph.Value, out int, init Initializer) *graph.Value {
	if b.err == nil && (len(x.Type.Shape) != 2 || out < 1) {
		b.err = fmt.Errorf("nn: dense layer %q of width %d on %s, want [N width]", name, out, x)
	}
	if b.err != nil {
		return nil
	}
	in := x.Type.Shape[1]
	w := b.Param(name+".weight", init, out, in)
	bias := b.Param(name+".bias", Zeros(), out)
	return b.Op("Gemm", name, accel.Attrs{accel.Int("transB", 1)}, x, w, bias)
}

// forRelu is for the weights of layers with ReLU behind.
var forRelu = KaimingUniform(FanIn, GainRelu)

// Conv is a k x k convolution of images x [N C H W] that keeps their size (odd
// k, stride 1, zero padding), with parameters <name>.weight [out C k k] and
// <name>.bias [out], initialised for ReLU.
func (b *Builder) Conv(name string, x *graph.Value, out, k int) *graph.Value {
	if b.err == nil && (len(x.Type.Shape) != 4 || out < 1 || k < 1 || k%2 == 0) {
		b.err = fmt.Errorf("nn: convolution %q, %dx%d to %d channels, on %s: want odd sizes and [N C H W]", name, k, k, out, x)
	}
	if b.err != nil {
		return nil
	}
	in, p := x.Type.Shape[1], k/2
	w := b.Param(name+".weight", forRelu, out, in, k, k)
	bias := b.Param(name+".bias", Zeros(), out)
	attrs := accel.Attrs{accel.Ints("kernel_shape", k, k), accel.Ints("pads", p, p, p, p), accel.Ints("strides", 1, 1)}
	return b.Op("Conv", name, attrs, x, w, bias)
}

// MaxPool takes the maximum of k x k windows, k apart; what is left at the
// right and bottom is dropped.
func (b *Builder) MaxPool(name string, x *graph.Value, k int) *graph.Value {
	return b.Op("MaxPool", name, accel.Attrs{accel.Ints("kernel_shape", k, k), accel.Ints("strides", k, k)}, x)
}

// Relu is max(x, 0).
func (b *Builder) Relu(name string, x *graph.Value) *graph.Value { return b.Op("Relu", name, nil, x) }

// Dropout drops elements of x with probability ratio while training; 0 is no layer.
func (b *Builder) Dropout(name string, x *graph.Value, ratio float64) *graph.Value {
	if ratio == 0 || b.err != nil {
		return x
	}
	if b.seed == nil {
		b.seed, b.err = b.m.Graph.Input(seedName, accel.Uint64)
	}
	b.salts++
	return b.Op("MaskedDropout", name, accel.Attrs{accel.Float("ratio", ratio), accel.Int("salt", b.salts)}, x, b.seed)
}

// embeddingBound keeps new embeddings small beside standardised features, so
// that rare ids begin near "nothing known"; it is Keras's default.
const embeddingBound = 0.05

// Embedding looks up the ids of an int32 input [N] in a parameter <name>.weight
// [cardinality dim].
func (b *Builder) Embedding(name string, ids *graph.Value, cardinality, dim int) *graph.Value {
	w := b.Param(name+".weight", Uniform(-embeddingBound, embeddingBound), cardinality, dim)
	return b.Op("Gather", "lookup "+name, nil, w, ids)
}

// Concat joins matrices side by side; one alone stays as it is.
func (b *Builder) Concat(name string, parts ...*graph.Value) *graph.Value {
	if len(parts) == 1 {
		return parts[0]
	}
	return b.Op("Concat", name, accel.Attrs{accel.Int("axis", 1)}, parts...)
}

// Reshape gives each row of x the shape row.
func (b *Builder) Reshape(name string, x *graph.Value, row ...int) *graph.Value {
	if b.err != nil {
		return nil
	}
	shape := b.m.Graph.Const(name+".shape", accel.Ints64(append([]int{0}, row...)...))
	return b.Op("Reshape", name, nil, x, shape)
}

// Flatten makes one row of numbers of each row of x.
func (b *Builder) Flatten(name string, x *graph.Value) *graph.Value {
	return b.Op("Flatten", name, nil, x)
}

// maxScalars bounds a model's parameters (2³¹ of float32 are 8 GiB), so that a
// configuration from outside is an error and not an allocation that fails.
const maxScalars = 1<<31 - 1

// Finish returns the model whose logits are given, or the first error.
func (b *Builder) Finish(logits *graph.Value) (*Model, error) {
	if b.err != nil {
		return nil, b.err
	}
	room := maxScalars
	for _, p := range b.m.Params {
		n := room
		for _, d := range p.Shape {
			n /= d
		}
		if n == 0 {
			return nil, fmt.Errorf("nn: more than %d parameters: %q has shape %v", maxScalars, p.Name, p.Shape)
		}
		room -= graph.Shape(p.Shape).Len(1)
	}
	if want := (graph.Shape{graph.N, b.m.Classes}); logits.Type.DType != accel.Float32 || !logits.Type.Shape.Equal(want) {
		return nil, fmt.Errorf("nn: logits are %s, want float32%s", logits, want)
	}
	b.m.Graph.Outputs = []*graph.Value{logits}
	return b.m, nil
}

// Hidden is a dense layer with ReLU and dropout.
func (b *Builder) Hidden(name string, x *graph.Value, width int, dropout float64) *graph.Value {
	x = b.Relu(name+".relu", b.Dense(name, x, width, forRelu))
	return b.Dropout(name+".dropout", x, dropout)
}

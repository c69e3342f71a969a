package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// operator is one row of the operator table. Types are checked by in; rules may
// rely on the number of inputs and on their element types.
type operator struct {
	name string
	// in are the element types of the inputs, the required ones first.
	in       []accel.DType
	required int
	// rest, if set, is the type of any number of further inputs.
	rest accel.DType
	// outs is the number of outputs that are always made; the others are made
	// when asked for. It is 1 if left out, variadic for all that shapes gives,
	// asked for none.
	outs int
	// shapes gives the types of all outputs, optional ones included.
	shapes func(n *Node) ([]Type, error)
	// grad gives the gradient of the loss with respect to each input, nil for
	// none, from those with respect to the outputs, nil for zero. An operator
	// without it cannot be differentiated.
	grad func(b *backward, n *Node, dy []*Value) []*Value
	// flops counts a batch of rows; nil is one operation an element of the
	// first output, see elementwise.
	flops func(n *Node, batch int) Cost
	// view says that the output is the first input's bytes with another shape.
	view bool
}

const (
	variadic = -1 // as many outputs as the attributes say
	asked    = -2 // every output is optional
)

// operators lists every operator. To add one, write op_<name>.go and name it here.
func operators() []operator {
	return []operator{
		opAdd, opConcat, opConstant, opConv, opConvGrad, opDiv, opDropout, opDropoutGrad, opExpand, opFlatten,
		opGather, opGatherGrad, opGelu, opGeluGrad, opGemm, opIdentity, opMatMul, opMaxPool, opMaxPoolGrad,
		opMul, opNeg, opReduceMean, opReduceSum, opRelu, opReluGrad, opReshape, opSigmoid, opSigmoidGrad,
		opSoftmax, opSoftmaxGrad, opSoftmaxCrossEntropyLoss, opSoftmaxCrossEntropyLossGrad, opSplit, opSub,
		opTanh, opTanhGrad, opTranspose,
	}
}

// table indexes operators by name. It is filled by init, because the gradient
// rules call Apply, which reads it.
var table map[string]operator

func init() {
	table = map[string]operator{}
	for _, o := range operators() {
		table[o.name] = o
	}
}

// infer checks the inputs' number and types and applies the shape rule.
func (o operator) infer(n *Node) ([]Type, error) {
	most := len(o.in)
	if len(n.Inputs) < o.required || (len(n.Inputs) > most && !o.rest.Valid()) {
		return nil, fmt.Errorf("%d inputs, want %d to %d", len(n.Inputs), o.required, most)
	}
	for i, v := range n.Inputs {
		want := o.rest
		if i < most {
			want = o.in[i]
		}
		switch {
		case v == nil && i < o.required:
			return nil, fmt.Errorf("input %d is absent", i)
		case v != nil && want.Valid() && v.Type.DType != want:
			return nil, fmt.Errorf("input %d: %s is %s, want %s", i, v.Name, v.Type.DType, want)
		}
	}
	return o.shapes(n)
}

// shape is the shape of input i.
func (n *Node) shape(i int) Shape { return n.Inputs[i].Type.Shape }

// input is input i, or nil if it is absent.
func (n *Node) input(i int) *Value {
	if i < len(n.Inputs) {
		return n.Inputs[i]
	}
	return nil
}

// floats is a list of n float32 inputs.
func floats(n int) []accel.DType {
	out := make([]accel.DType, n)
	for i := range out {
		out[i] = accel.Float32
	}
	return out
}

// f32 is the result of a shape rule with one float32 output.
func f32(s Shape) []Type { return []Type{{accel.Float32, s}} }

// like is the shape rule of operators whose output has the type of input i.
func like(i int) func(n *Node) ([]Type, error) {
	return func(n *Node) ([]Type, error) { return []Type{n.Inputs[i].Type}, nil }
}

// alike is the shape rule of operators whose inputs and output are all of one shape.
func alike(n *Node) ([]Type, error) {
	for _, v := range n.Inputs[1:] {
		if !v.Type.Shape.Equal(n.shape(0)) {
			return nil, fmt.Errorf("shapes %s and %s differ", n.shape(0), v.Type.Shape)
		}
	}
	return []Type{n.Inputs[0].Type}, nil
}

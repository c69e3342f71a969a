package cpu

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// call is one instruction with its tensors, as a kernel's builder sees it.
type call struct {
	accel.Attrs
	in, out []*tensor // nil where an optional one is absent
	program *program
}

// builder makes the kernels of one operator.
type builder struct {
	in, out int // how many inputs and outputs must be there, from the first on
	make    func(c *call) (kernel, error)
}

// kernels is the table of operators. An operator's inputs, outputs and
// attributes are documented where its shape rule is, in model/graph.
var kernels = map[string]builder{
	"Add":                         {2, 1, binary(add)},
	"Concat":                      {1, 1, concat},
	"Constant":                    {0, 1, constant},
	"Conv":                        {2, 1, conv},
	"ConvGrad":                    {3, 0, convGrad},
	"Div":                         {2, 1, binary(div)},
	"Dropout":                     {2, 1, dropout},
	"DropoutGrad":                 {2, 1, dropout},
	"Expand":                      {1, 1, expand},
	"Gather":                      {2, 1, gather},
	"GatherGrad":                  {2, 1, gatherGrad},
	"Gelu":                        {1, 1, unary(geluOf)},
	"GeluGrad":                    {2, 1, unaryGrad(geluGradOf)},
	"Gemm":                        {2, 1, gemmOp},
	"Identity":                    {1, 1, copyOp},
	"Flatten":                     {1, 1, copyOp},
	"MatMul":                      {2, 1, matmul},
	"MaxPool":                     {1, 1, maxPool},
	"MaxPoolGrad":                 {2, 1, maxPoolGrad},
	"Mul":                         {2, 1, binary(mul)},
	"Neg":                         {1, 1, unary(negOf)},
	"ReduceMean":                  {1, 1, reduceMean},
	"ReduceSum":                   {1, 1, reduceSum},
	"Relu":                        {1, 1, unary(reluOf)},
	"ReluGrad":                    {2, 1, unaryGrad(reluGradOf)},
	"Reshape":                     {1, 1, copyOp},
	"Sigmoid":                     {1, 1, unary(sigmoidOf)},
	"SigmoidGrad":                 {2, 1, unaryGrad(sigmoidGradOf)},
	"Softmax":                     {1, 1, softmax},
	"SoftmaxCrossEntropyLoss":     {2, 1, crossEntropy},
	"SoftmaxCrossEntropyLossGrad": {3, 1, crossEntropyGrad},
	"SoftmaxGrad":                 {2, 1, softmaxGrad},
	"Split":                       {1, 1, split},
	"Sub":                         {2, 1, binary(sub)},
	"Tanh":                        {1, 1, unary(tanhOf)},
	"TanhGrad":                    {2, 1, unaryGrad(tanhGradOf)},
	"Transpose":                   {1, 1, transpose},
}

// check reports whether the required inputs and outputs are there.
func (b builder) check(c *call) error {
	if len(c.in) < b.in || len(c.out) < b.out {
		return fmt.Errorf("%d inputs and %d outputs, want at least %d and %d", len(c.in), len(c.out), b.in, b.out)
	}
	for i := range b.in {
		if c.in[i] == nil {
			return fmt.Errorf("input %d is absent", i)
		}
	}
	for i := range b.out {
		if c.out[i] == nil {
			return fmt.Errorf("output %d is absent", i)
		}
	}
	return nil
}

// input returns an optional input, nil if it is absent.
func (c *call) input(i int) *tensor {
	if i < len(c.in) {
		return c.in[i]
	}
	return nil
}

// output returns an optional output, nil if it is absent.
func (c *call) output(i int) *tensor {
	if i < len(c.out) {
		return c.out[i]
	}
	return nil
}

// scratch reserves n floats for the kernel and returns a function giving them
// once the program is compiled. All kernels share the memory.
func (c *call) scratch(n int) func() []float32 {
	p := c.program
	if n > len(p.scratch) {
		p.scratch = make([]float32, n)
	}
	return func() []float32 { return p.scratch[:n] }
}

// want reports the first tensor that is there but not of type t.
func want(t accel.DType, list ...*tensor) error {
	for _, x := range list {
		if x != nil && x.DType != t {
			return fmt.Errorf("tensor %s is %s, want %s", x.Name, x.DType, t)
		}
	}
	return nil
}

// sameLen reports the first tensor that has another number of elements than the first.
func sameLen(list ...*tensor) error {
	for _, x := range list[1:] {
		if x.n != list[0].n {
			return fmt.Errorf("tensor %s has shape %v, %s has %v", x.Name, x.Shape, list[0].Name, list[0].Shape)
		}
	}
	return nil
}

// shapeErr says that the tensors' shapes do not fit together.
func shapeErr(list ...*tensor) error {
	text := "shapes do not fit:"
	for _, x := range list {
		if x != nil {
			text += fmt.Sprintf(" %s %v", x.Name, x.Shape)
		}
	}
	return fmt.Errorf("%s", text)
}

// product multiplies dimensions.
func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// Package loss writes training objectives as nodes of a concrete graph, with the
// formulas, defaults and edge cases of PyTorch's functions of the same names.
//
// Every function takes a graph.B, whose first error ends the work, and floats of
// one element type. What is minimised is a scalar: reduce with Mean or Sum.
package loss

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
)

// Reduction says what becomes of the losses of the elements.
type Reduction uint8

// The reductions.
const (
	Mean      Reduction = iota // their mean, weighted where a loss has class weights
	Sum                        // their sum
	None                       // nothing: the result is a tensor
	BatchMean                  // their sum, divided by the first dimension; for KLDiv
)

// String is the name that ONNX and PyTorch give the reduction.
func (r Reduction) String() string {
	if int(r) < len(reductionNames) {
		return reductionNames[r]
	}
	return fmt.Sprintf("Reduction(%d)", uint8(r))
}

var reductionNames = [...]string{"mean", "sum", "none", "batchmean"}

// reduce applies a reduction to the losses l.
func reduce(b *graph.B, l *graph.Value, r Reduction) *graph.Value {
	if b.Err() != nil || r == None {
		return l
	}
	rank := len(l.Type.Shape)
	axes := make([]int, rank)
	for i := range axes {
		axes[i] = i
	}
	switch {
	case r == Mean:
		return b.ReduceMean(l, false, axes...)
	case r == Sum:
		return b.ReduceSum(l, false, axes...)
	case r == BatchMean && rank > 0:
		return b.Div(b.ReduceSum(l, false, axes...), b.Like(l, float64(l.Type.Shape[0])))
	}
	b.Fail(fmt.Errorf("loss: reduction %s of losses of shape %v", r, l.Type.Shape))
	return nil
}

// same reports whether both values are floats of one type and shape; if not, the
// builder has failed.
func same(b *graph.B, name string, x, y *graph.Value) bool {
	if b.Err() != nil {
		return false
	}
	if !x.Type.DType.IsFloat() || x.Type.DType != y.Type.DType || !x.Type.Shape.Equal(y.Type.Shape) {
		b.Fail(fmt.Errorf("loss.%s: %s and %s, want floats of one type and shape", name, x, y))
		return false
	}
	return true
}

func neg(b *graph.B, x *graph.Value) *graph.Value { return b.Op("Neg", nil, x) }

// scaled is x · v.
func scaled(b *graph.B, x *graph.Value, v float64) *graph.Value {
	if b.Err() != nil {
		return nil
	}
	return b.Mul(x, b.Like(x, v))
}

// atLeast0 is max(x, 0).
func atLeast0(b *graph.B, x *graph.Value) *graph.Value { return b.Op("Relu", nil, x) }

// where picks x where the condition holds, and y elsewhere.
func where(b *graph.B, cond, x, y *graph.Value) *graph.Value {
	return b.Op("Where", nil, cond, x, y)
}

// equals compares x, floats or integers, with a number.
func equals(b *graph.B, x *graph.Value, v float64) *graph.Value {
	if b.Err() != nil {
		return nil
	}
	return b.Op("Equal", nil, x, b.Scalar(x.Type.DType, v))
}

func axisAttr(axis int) accel.Attrs { return accel.Attrs{accel.Int("axis", axis)} }

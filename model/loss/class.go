package loss

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
)

// Classes are the options of losses over classes. The zero value is the mean over
// all elements.
type Classes struct {
	// Weights (C) multiply the losses of elements of each class; nil is 1. A mean
	// is then divided by the sum of the elements' weights.
	Weights *graph.Value
	// Ignore is a label whose elements do not count; nil is none.
	Ignore *int
	// Smoothing mixes the target with the uniform distribution,
	// (1-Smoothing)·target + Smoothing/C, 0 ≤ Smoothing ≤ 1 (Szegedy et al.,
	// https://arxiv.org/abs/1512.00567).
	Smoothing float64
	Reduction Reduction
}

// CrossEntropy is -log softmax(scores)[label] of scores (N, C, d1, …), over C.
// target holds labels (N, d1, …) of int32 or int64, or probabilities of the shape
// of scores; the mean over probabilities is divided by the number of elements.
func CrossEntropy(b *graph.B, scores, target *graph.Value, o Classes) *graph.Value {
	if !o.check(b, "CrossEntropy", scores) {
		return nil
	}
	if target.Type.DType.IsFloat() {
		return o.soft(b, scores, target)
	}
	if o.Smoothing == 0 {
		return b.Op("SoftmaxCrossEntropyLoss", o.attrs(o.Reduction), o.inputs(scores, target)...)
	}
	logp := b.Op("LogSoftmax", axisAttr(1), scores)
	hard := b.Op("NegativeLogLikelihoodLoss", o.attrs(o.Reduction), o.inputs(logp, target)...)
	smooth := o.uniform(b, logp, target)
	classes := float64(scores.Type.Shape[1])
	return b.Add(scaled(b, hard, 1-o.Smoothing), scaled(b, smooth, o.Smoothing/classes))
}

// NLL is -logp[label] of log-probabilities (N, C, d1, …) and labels (N, d1, …).
// There is no smoothing.
func NLL(b *graph.B, logp, labels *graph.Value, o Classes) *graph.Value {
	if !o.check(b, "NLL", logp) {
		return nil
	}
	if o.Smoothing != 0 {
		b.Fail(fmt.Errorf("loss.NLL: smoothing %g; it belongs to CrossEntropy", o.Smoothing))
	}
	return b.Op("NegativeLogLikelihoodLoss", o.attrs(o.Reduction), o.inputs(logp, labels)...)
}

func (o Classes) check(b *graph.B, name string, scores *graph.Value) bool {
	switch {
	case b.Err() != nil:
	case len(scores.Type.Shape) < 2:
		b.Fail(fmt.Errorf("loss.%s: %s, want (N, C, d1, …)", name, scores))
	case !(o.Smoothing >= 0 && o.Smoothing <= 1):
		b.Fail(fmt.Errorf("loss.%s: smoothing %g, want 0 to 1", name, o.Smoothing))
	case o.Reduction > None:
		b.Fail(fmt.Errorf("loss.%s: reduction %s, want mean, sum or none", name, o.Reduction))
	}
	return b.Err() == nil
}

func (o Classes) attrs(r Reduction) accel.Attrs {
	at := accel.Attrs{accel.String("reduction", r.String())}
	if o.Ignore != nil {
		at = append(at, accel.Int("ignore_index", *o.Ignore))
	}
	return at
}

func (o Classes) inputs(x, labels *graph.Value) []*graph.Value {
	if o.Weights == nil {
		return []*graph.Value{x, labels}
	}
	return []*graph.Value{x, labels, o.Weights}
}

// uniform is the loss against the uniform distribution times C: Σ weight·-logp
// over the classes, of the elements that count.
func (o Classes) uniform(b *graph.B, logp, labels *graph.Value) *graph.Value {
	each := neg(b, b.ReduceSum(o.weighted(b, logp), false, 1))
	if o.Ignore != nil && b.Err() == nil {
		each = where(b, equals(b, labels, float64(*o.Ignore)), b.Like(each, 0), each)
	}
	if o.Reduction != Mean {
		return reduce(b, each, o.Reduction)
	}
	if b.Err() != nil {
		return nil
	}
	// The sum of the weights is the loss of log-probabilities of -1.
	ones := b.Expand(b.Like(logp, -1), logp.Type.Shape...)
	total := b.Op("NegativeLogLikelihoodLoss", o.attrs(Sum), o.inputs(ones, labels)...)
	return b.Div(reduce(b, each, Sum), total)
}

// weighted is x (N, C, d1, …) times the weights of the classes.
func (o Classes) weighted(b *graph.B, x *graph.Value) *graph.Value {
	if o.Weights == nil || b.Err() != nil {
		return x
	}
	shape := make([]int, len(x.Type.Shape)-1)
	for i := range shape {
		shape[i] = 1
	}
	shape[0] = x.Type.Shape[1]
	return b.Mul(x, b.Reshape(o.Weights, shape...))
}

// soft is the cross-entropy of probabilities.
func (o Classes) soft(b *graph.B, scores, target *graph.Value) *graph.Value {
	if !same(b, "CrossEntropy", scores, target) {
		return nil
	}
	if o.Ignore != nil {
		b.Fail(fmt.Errorf("loss.CrossEntropy: label %d is to be ignored, but the target holds probabilities", *o.Ignore))
		return nil
	}
	if o.Smoothing > 0 {
		share := o.Smoothing / float64(scores.Type.Shape[1])
		target = b.Add(scaled(b, target, 1-o.Smoothing), b.Like(target, share))
	}
	logp := b.Op("LogSoftmax", axisAttr(1), scores)
	each := neg(b, b.ReduceSum(b.Mul(o.weighted(b, logp), target), false, 1))
	return reduce(b, each, o.Reduction)
}

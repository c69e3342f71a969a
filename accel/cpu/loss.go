package cpu

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/fmath"
)

// entropy is what the loss and its gradient share: labels (rows) within
// 0..classes, and weights (classes) or nil.
type entropy struct {
	rows, classes int
	labels        *tensor
	weights       *tensor
}

func newEntropy(scores, labels, weights *tensor) (*entropy, error) {
	if err := want(accel.Float32, scores, weights); err != nil {
		return nil, err
	}
	if err := want(accel.Int32, labels); err != nil {
		return nil, err
	}
	if len(scores.Shape) != 2 || labels.n != scores.Shape[0] || (weights != nil && weights.n != scores.Shape[1]) {
		return nil, shapeErr(scores, labels, weights)
	}
	return &entropy{scores.Shape[0], scores.Shape[1], labels, weights}, nil
}

// weight is the weight of a row; a label out of range is an error.
func (e *entropy) weight(row int) (float64, error) {
	l := e.labels.i[row]
	if l < 0 || int(l) >= e.classes {
		return 0, fmt.Errorf("label %d of row %d, want 0 <= label < %d", l, row, e.classes)
	}
	if e.weights == nil {
		return 1, nil
	}
	return float64(e.weights.f[l]), nil
}

// crossEntropy is ONNX's SoftmaxCrossEntropyLoss with reduction mean:
//
//	loss = Σ weight[label]·-logp[label] / Σ weight[label]
//
// summed over the rows in order, in float64. Unlike ONNX, rows whose weights
// sum to 0 have loss 0, not NaN: they say nothing. The second output is logp.
func crossEntropy(c *call) (kernel, error) {
	x, loss, logp := c.in[0], c.out[0], c.output(1)
	e, err := newEntropy(x, c.in[1], c.input(2))
	if err != nil {
		return nil, err
	}
	if err := want(accel.Float32, loss, logp); err != nil {
		return nil, err
	}
	if loss.n != 1 || (logp != nil && logp.n != x.n) {
		return nil, shapeErr(x, loss, logp)
	}
	return func() error {
		sum, total := 0.0, 0.0
		for i := range e.rows {
			w, err := e.weight(i)
			if err != nil {
				return err
			}
			row := x.f[i*e.classes : (i+1)*e.classes]
			lse := logSumExp(row)
			if logp != nil {
				for j, v := range row {
					logp.f[i*e.classes+j] = float32(float64(v) - lse)
				}
			}
			sum += float64(w * (lse - float64(row[e.labels.i[i]])))
			total += w
		}
		loss.f[0] = float32(mean(sum, total))
		return nil
	}, nil
}

// mean is sum/total, 0 for a total of 0; a sum that is not finite stays so.
func mean(sum, total float64) float64 {
	if total == 0 {
		return sum
	}
	return sum / total
}

// logSumExp is log Σ exp(x), shifted by the largest x.
func logSumExp(x []float32) float64 {
	top, sum := float64(maxOf(x)), 0.0
	for _, v := range x {
		sum += fmath.Exp(float64(v) - top)
	}
	return top + fmath.Log(sum)
}

// crossEntropyGrad takes dloss, logp, labels and weights:
//
//	dx[i,j] = dloss·weight[label i]/Σ weight · (exp(logp[i,j]) - [j = label i])
func crossEntropyGrad(c *call) (kernel, error) {
	dloss, logp, dx := c.in[0], c.in[1], c.out[0]
	e, err := newEntropy(logp, c.in[2], c.input(3))
	if err != nil {
		return nil, err
	}
	if err := want(accel.Float32, dloss, dx); err != nil {
		return nil, err
	}
	if dloss.n != 1 || dx.n != logp.n {
		return nil, shapeErr(dloss, logp, dx)
	}
	return func() error {
		total := 0.0
		for i := range e.rows {
			w, err := e.weight(i)
			if err != nil {
				return err
			}
			total += w
		}
		for i := range e.rows {
			w, _ := e.weight(i) // checked above
			at := i * e.classes
			e.gradRow(dx.f[at:at+e.classes], logp.f[at:at+e.classes], i, mean(float64(dloss.f[0])*w, total))
		}
		return nil
	}, nil
}

func (e *entropy) gradRow(dx, logp []float32, row int, scale float64) {
	for j, v := range logp {
		p := fmath.Exp(float64(v))
		if j == int(e.labels.i[row]) {
			p--
		}
		dx[j] = float32(scale * p)
	}
}

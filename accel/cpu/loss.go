package cpu

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

var lossKernels = map[string]builder{
	"NegativeLogLikelihoodLoss":     {in: 2, out: 1, make: nllLoss},
	"NegativeLogLikelihoodLossGrad": {in: 3, out: 1, make: nllLossGrad},
}

// nll is what the loss and its gradient share. An element p of the labels is at
// (p / inner, p mod inner), and its class c at (p/inner·classes + c)·inner + p mod inner.
type nll struct {
	classes, inner  int
	labels, weights *tensor
	reduction       string
	ignore          int
	hasIgnore       bool
}

func newNLL(c *call, logp, labels, weights *tensor) (*nll, error) {
	if err := want(c.Op, []*tensor{labels}, accel.Int32, accel.Int64); err != nil {
		return nil, err
	}
	if err := want(c.Op, []*tensor{weights}, logp.DType); err != nil {
		return nil, err
	}
	l := &nll{labels: labels, weights: weights, reduction: c.Str("reduction", "mean"), ignore: c.Int("ignore_index", 0), hasIgnore: c.Has("ignore_index")}
	if len(logp.Shape) < 2 || labels.n*logp.Shape[1] != logp.n {
		return nil, shapeErr(logp, labels)
	}
	_, l.classes, l.inner = around(logp.Shape, 1)
	if weights != nil && weights.n != l.classes {
		return nil, shapeErr(logp, weights)
	}
	return l, nil
}

// label is the class of element p; skip says that it does not count.
func (l *nll) label(f *frame, p int) (class int, skip bool, err error) {
	if l.labels.DType == accel.Int32 {
		class = int(data[int32](f, l.labels)[p])
	} else {
		class = int(data[int64](f, l.labels)[p])
	}
	if l.hasIgnore && class == l.ignore {
		return 0, true, nil
	}
	if class < 0 || class >= l.classes {
		return 0, false, fmt.Errorf("label %d at element %d, want 0 <= label < %d", class, p, l.classes)
	}
	return class, false, nil
}

func (l *nll) at(p, class int) int { return (p/l.inner*l.classes+class)*l.inner + p%l.inner }

func nllLoss(c *call) (kernel, error) {
	return byType(c, c.in[0], map[accel.DType]func(*call) (kernel, error){
		accel.Float32: nllLossOf[float32], accel.Float64: nllLossOf[float64],
	})
}

// nllLossOf sums in float64, in the order of the elements.
func nllLossOf[T float32 | float64](c *call) (kernel, error) {
	logp, loss := c.in[0], c.out[0]
	l, err := newNLL(c, logp, c.in[1], c.input(2))
	if err != nil {
		return nil, err
	}
	return func(f *frame) error {
		x, y := data[T](f, logp), data[T](f, loss)
		sum, total := 0.0, 0.0
		for p := range l.labels.n {
			class, skip, err := l.label(f, p)
			if err != nil {
				return err
			}
			w := 0.0
			if !skip {
				w = weightOf[T](f, l, class)
			}
			term := 0.0
			if !skip {
				term = -w * float64(x[l.at(p, class)])
			}
			if l.reduction == "none" {
				y[p] = T(term)
			}
			sum, total = sum+term, total+w
		}
		switch l.reduction {
		case "mean":
			y[0] = T(sum / total)
		case "sum":
			y[0] = T(sum)
		}
		return nil
	}, nil
}

func weightOf[T float32 | float64](f *frame, l *nll, class int) float64 {
	if l.weights == nil {
		return 1
	}
	return float64(data[T](f, l.weights)[class])
}

func nllLossGrad(c *call) (kernel, error) {
	return byType(c, c.in[0], map[accel.DType]func(*call) (kernel, error){
		accel.Float32: nllLossGradOf[float32], accel.Float64: nllLossGradOf[float64],
	})
}

func nllLossGradOf[T float32 | float64](c *call) (kernel, error) {
	dy, dx := c.in[0], c.out[0]
	l, err := newNLL(c, c.in[1], c.in[2], c.input(3))
	if err != nil {
		return nil, err
	}
	return func(f *frame) error {
		d, out := data[T](f, dy), data[T](f, dx)
		clear(out)
		total := 0.0
		for p := range l.labels.n {
			class, skip, err := l.label(f, p)
			if err != nil {
				return err
			}
			if !skip {
				total += weightOf[T](f, l, class)
			}
		}
		for p := range l.labels.n {
			class, skip, _ := l.label(f, p) // checked above
			if skip {
				continue
			}
			g := -weightOf[T](f, l, class)
			switch l.reduction {
			case "mean":
				g *= float64(d[0]) / total
			case "sum":
				g *= float64(d[0])
			default:
				g *= float64(d[p])
			}
			out[l.at(p, class)] = T(g)
		}
		return nil
	}, nil
}

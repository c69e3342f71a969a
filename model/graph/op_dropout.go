package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/counter"
)

// opMaskedDropout is Dropout while training: it zeroes elements of x with
// probability ratio and scales the others by 1/(1-ratio). Its second input is
// the run's seed, one uint64; the attribute salt tells the dropouts of a graph
// apart. What is dropped depends on seed, salt and the element's index alone.
// Inference takes the node out.
var opMaskedDropout = operator{
	name: "MaskedDropout", min: 2, shapes: maskedDropoutRule, inplace: []int{0},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		return []*Value{b.Op("MaskedDropout", n.Attrs, dy[0], n.Inputs[1]), nil}
	},
}

// opDropout is ONNX's Dropout of x, with a ratio (0.5 by default) and a scalar
// training_mode (false): y = x, and the mask is true everywhere. While training
// with a ratio above 0 it is a MaskedDropout, and the mask says what that kept. The
// seed is the attribute seed, or comes from the node's name: it is the same in every
// run. To train, use MaskedDropout, whose seed is an input; nn makes it.
var opDropout = operator{
	name: "Dropout", min: 1, max: 3, static: []int{1, 2},
	shapes: func(c *Context) ([]Type, error) {
		if err := c.IsA(0, floatTypes...); err != nil {
			return nil, err
		}
		if _, err := trainingRatio(c); err != nil {
			return nil, err
		}
		return []Type{{DType: c.DType(0), Shape: c.Shape(0)}, {DType: accel.Bool, Shape: c.Shape(0)}}, nil
	},
	expand: func(b *B, n *Node) []*Value {
		x, c := n.Inputs[0], &Context{Node: n, g: b.G}
		ratio, err := trainingRatio(c)
		b.Fail(err)
		drop := func(v *Value) *Value {
			if ratio == 0 {
				return b.Op("Identity", nil, v)
			}
			seed := b.Const(accel.ArrayOf(accel.Uint64, []int{}, []uint64{dropoutSeed(n)}))
			return b.Op("MaskedDropout", accel.Attrs{accel.Float("ratio", ratio)}, v, seed)
		}
		out := []*Value{drop(x), nil}
		if n.Output(1) != nil {
			out[1] = b.Cast(drop(b.Expand(b.Scalar(accel.Float32, 1), x.Type.Shape...)), accel.Bool)
		}
		return out
	},
}

// trainingRatio is the part of the elements that a Dropout drops: none but in training.
func trainingRatio(c *Context) (float64, error) {
	if training, err := dropoutInput(c, 2, 0); err != nil || training == 0 {
		return 0, err
	}
	r, err := dropoutInput(c, 1, 0.5)
	if err == nil && !(r >= 0 && r < 1) {
		err = fmt.Errorf("ratio %g, want 0 <= ratio < 1", r)
	}
	return r, err
}

// dropoutSeed is the seed of a Dropout while training.
func dropoutSeed(n *Node) uint64 {
	if n.Attrs.Has("seed") {
		return counter.Key(uint64(n.Attrs.Int("seed", 0)), "dropout")
	}
	return counter.Key(0, "dropout", n.Name)
}

// dropoutInput is the value of input i, one number, or what stands for it if it
// is absent.
func dropoutInput(c *Context, i int, absent float64) (float64, error) {
	a, err := c.Value(i)
	if a == nil || err != nil {
		return absent, err
	}
	if a.Len() != 1 {
		return 0, fmt.Errorf("input %d has %d elements, want one", i, a.Len())
	}
	a, err = c.g.evaluate("Cast", accel.Attrs{accel.String("to", accel.Float64.String())}, a)
	if err != nil {
		return 0, err
	}
	return accel.Values[float64](a)[0], nil
}

func maskedDropoutRule(c *Context) ([]Type, error) {
	if err := c.IsA(0, floatTypes...); err != nil {
		return nil, err
	}
	if err := c.IsA(1, accel.Uint64); err != nil {
		return nil, err
	}
	if c.Rank(1) != 0 {
		return nil, fmt.Errorf("seed %v, want a scalar", c.Shape(1))
	}
	if r := c.Attrs.Float("ratio", 0.5); !(r >= 0 && r < 1) {
		return nil, fmt.Errorf("ratio %g, want 0 <= ratio < 1", r)
	}
	return like(c)
}

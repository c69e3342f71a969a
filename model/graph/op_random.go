package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opRandomNormal is numbers of a normal distribution with the attributes mean
// (0) and scale (1, the standard deviation), of the attributes shape and dtype
// (float32). A number is a function of its place and of the attribute seed, or without
// one of the node's name: it is the same in every run, and nodes with one seed draw
// the same numbers.
var opRandomNormal = random("RandomNormal", 0)

// opRandomNormalLike is RandomNormal in the shape of its input and, without dtype, of its type.
var opRandomNormalLike = random("RandomNormalLike", 1)

// opRandomUniform is numbers of [low, high), attributes that are 0 and 1 by
// default, of the attributes shape and dtype (float32), drawn as RandomNormal draws.
// Half precision is rounded from float32, which may give high.
var opRandomUniform = random("RandomUniform", 0)

// opRandomUniformLike is RandomUniform in the shape of its input and, without dtype, of its type.
var opRandomUniformLike = random("RandomUniformLike", 1)

func random(name string, inputs int) operator {
	return operator{
		name: name, min: inputs, random: true, flat: true,
		shapes: func(c *Context) ([]Type, error) {
			otherwise, shape := accel.Float32, c.Attrs.Ints("shape")
			if inputs > 0 {
				shape = c.Shape(0)
				if c.DType(0).IsFloat() {
					otherwise = c.DType(0)
				}
			}
			if accel.Size(shape) < 0 {
				return nil, fmt.Errorf("%v is no shape", shape)
			}
			t, err := typeAttr(c.Node, "dtype", otherwise)
			if err == nil && !t.IsFloat() {
				err = fmt.Errorf("random numbers of type %s", t)
			}
			if err != nil {
				return nil, err
			}
			return one(t, shape)
		},
	}
}

// opBernoulli is 1 with the probability that x gives, else 0, of the attribute
// dtype (that of x). It is a function of x and, as RandomNormal, of seed or name.
var opBernoulli = operator{
	name: "Bernoulli", min: 1, random: true, flat: true,
	shapes: func(c *Context) ([]Type, error) {
		if !c.DType(0).IsFloat() {
			return nil, fmt.Errorf("probabilities of type %s", c.DType(0))
		}
		t, err := typeAttr(c.Node, "dtype", c.DType(0))
		if err != nil {
			return nil, err
		}
		return one(t, c.Shape(0))
	},
	expand: func(b *B, n *Node) []*Value {
		p := n.Inputs[0]
		t, err := typeAttr(n, "dtype", p.Type.DType)
		b.Fail(err)
		if p.Type.DType.IsHalf() { // whose uniform numbers may round up to 1
			p = b.Cast(p, accel.Float32)
		}
		u := b.Op("RandomUniformLike", n.Attrs.Without("dtype"), p)
		return []*Value{b.Cast(b.Op("Less", nil, u, p), t)}
	},
}

// opMultinomial draws sample_size (1) classes for each row of x, a matrix of
// logarithms of probabilities that need not add up to 1. The attribute dtype is
// int32 (the default) or int64. The classes are a function of x and, as RandomNormal,
// of seed or name.
var opMultinomial = operator{
	name: "Multinomial", min: 1, random: true, flat: true,
	shapes: func(c *Context) ([]Type, error) {
		s, samples := c.Shape(0), c.Attrs.Int("sample_size", 1)
		if !c.DType(0).IsFloat() || len(s) != 2 || s[1] == 0 || samples < 0 {
			return nil, fmt.Errorf("%d samples of %s%v, want a matrix of real numbers", samples, c.DType(0), s)
		}
		t, err := typeAttr(c.Node, "dtype", accel.Int32)
		if err == nil && t != accel.Int32 && t != accel.Int64 {
			err = fmt.Errorf("classes of type %s", t)
		}
		if err != nil {
			return nil, err
		}
		return one(t, []int{s[0], samples})
	},
}

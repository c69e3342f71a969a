package onnx

import (
	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
)

// axesInput makes an input of the attribute axes.
func axesInput(c *call) {
	if axes, ok := c.take("axes"); ok {
		c.setInput(1, c.ints(axes...))
	}
}

// sliceInputs makes inputs of the attributes starts, ends and axes.
func sliceInputs(c *call) {
	for i, name := range []string{"starts", "ends", "axes"} {
		if v, ok := c.take(name); ok {
			c.setInput(i+1, c.ints(v...))
		}
	}
}

// splitInput makes an input of the attribute split.
func splitInput(c *call) {
	if sizes, ok := c.take("split"); ok {
		c.setInput(1, c.ints(sizes...))
	}
}

// splitCount gives the number of parts, which used to be that of the results.
func splitCount(c *call) {
	if c.input(1) == nil && !c.attrs.Has("num_outputs") {
		c.set(accel.Int("num_outputs", len(c.out)))
	}
}

// padInputs makes inputs of the attributes pads and value.
func padInputs(c *call) {
	pads, ok := c.take("pads")
	if !ok {
		pads, _ = c.take("paddings")
	}
	c.setInput(1, c.ints(pads...))
	value := c.attrs.Float("value", 0)
	c.attrs = c.attrs.Without("value")
	if value != 0 {
		c.setInput(2, c.like(c.input(0), value))
	}
}

// topKInput makes an input of the attribute k.
func topKInput(c *call) {
	k := c.attrs.Int("k", 0)
	c.attrs = c.attrs.Without("k")
	c.setInput(1, c.ints(k))
}

// clipInputs makes inputs of the attributes min and max.
func clipInputs(c *call) {
	for i, name := range []string{"min", "max"} {
		if c.attrs.Has(name) {
			c.setInput(i+1, c.like(c.input(0), c.attrs.Float(name, 0)))
			c.attrs = c.attrs.Without(name)
		}
	}
}

// dftAxis makes an input of the attribute axis, whose default was 1.
func dftAxis(c *call) {
	axis := c.attrs.Int("axis", 1)
	c.attrs = c.attrs.Without("axis")
	c.setInput(2, c.int(axis))
}

// oneHotNegative keeps the meaning of negative indices, which used to be out
// of range and count from the end now: it makes them depth, which is out of range.
func oneHotNegative(c *call) {
	indices, depth := c.input(0), c.input(1)
	zero := c.like(indices, 0)
	c.setInput(0, c.node("Where", nil, c.node("Less", nil, indices, zero), c.node("CastLike", nil, depth, indices), indices))
}

// flattenedSoftmax is a softmax over all dimensions from the axis (1) on as one.
func flattenedSoftmax(c *call) {
	x := c.input(0)
	flat := c.node("Flatten", accel.Attrs{accel.Int("axis", c.attrs.Int("axis", 1))}, x)
	y := c.node(c.op, accel.Attrs{accel.Int("axis", 1)}, flat)
	c.results = c.apply("Reshape", accel.Attrs{accel.Int("allowzero", 1)}, []*graph.Value{y, c.node("Shape", nil, x)}, c.out...)
}

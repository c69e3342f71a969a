package onnx

import (
	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
)

// dropoutInputs makes an input of the attribute ratio. The mask of versions 10
// and 11 is of truth values, false in ONNX Runtime where nothing is dropped; that
// of older ones is of the data's type.
func dropoutInputs(c *call) {
	x := c.input(0)
	c.in = []*graph.Value{x, c.float(c.attrs.Float("ratio", 0.5))}
	c.attrs = c.attrs.Without("ratio")
	if !c.wants(1) {
		return
	}
	mask := c.s.taken.fresh(c.name + ".mask")
	both := c.apply("Dropout", c.attrs, c.in, c.out[0], mask)
	c.results = []*graph.Value{both[0], nil}
	if c.version >= 10 {
		c.results[1] = c.apply("Not", nil, both[1:], c.out[1])[0]
		return
	}
	c.results[1] = c.apply("CastLike", nil, []*graph.Value{both[1], x}, c.out[1])[0]
}

// spatialOnly refuses statistics for each element instead of each channel.
func spatialOnly(c *call) {
	if c.attrs.Int("spatial", 1) != 1 {
		c.unsupported("BatchNormalization with spatial=0")
	}
	c.attrs = c.attrs.Without("spatial")
}

// batchNormTraining says by an attribute what the number of results used to say.
func batchNormTraining(c *call) {
	if c.wants(3) || c.wants(4) {
		c.unsupported("BatchNormalization with the saved mean or variance as a result")
	}
	if c.wants(1) || c.wants(2) {
		c.set(accel.Int("training_mode", 1))
	}
}

// groupNormChannels repeats scale and bias, of which there was one a group, for
// each channel of the group.
func groupNormChannels(c *call) {
	groups := c.attrs.Int("num_groups", 0)
	if groups < 1 || len(c.in) != 3 {
		return // the shape rule says what is wrong
	}
	channels := c.node("Shape", accel.Attrs{accel.Int("start", 1), accel.Int("end", 2)}, c.input(0))
	each := c.node("Div", nil, channels, c.ints(groups))
	shape := c.node("Concat", accel.Attrs{accel.Int("axis", 0)}, c.ints(groups), each)
	for i := 1; i < 3; i++ {
		column := c.node("Reshape", nil, c.in[i], c.ints(-1, 1))
		c.setInput(i, c.node("Reshape", nil, c.node("Expand", nil, column, shape), c.ints(-1)))
	}
}

// batchedScan is Scan of operator set 8, which ran the body over sequences of a
// batch: a scan over the batch, whose body is a scan over a sequence.
func batchedScan(c *call) {
	if c.input(0) != nil {
		c.unsupported("Scan with lengths of sequences")
		return
	}
	m := c.attrs.Int("num_scan_inputs", 0)
	if len(c.bodies) != 1 || m < 1 || len(c.in)-1 < m {
		return // the shape rule says what is wrong
	}
	inner := c.attrs
	if d, ok := c.take("directions"); ok {
		inner = append(c.attrs, accel.Ints("scan_input_directions", d...))
	}
	c.in = c.in[1:]
	body := &scope{im: c.s.im, g: graph.New(c.name), taken: names{}}
	n := &graph.Node{Op: "Scan", Name: c.name, Attrs: inner, Graphs: c.bodies}
	for i, v := range c.in {
		if v == nil {
			c.unsupported("Scan without input %d", i)
			return
		}
		x, err := body.g.InputOf(body.taken.fresh(v.Name), graph.Type{DType: v.Type.DType, Form: graph.Unknown})
		if err != nil {
			c.fail(err)
			return
		}
		n.Inputs = append(n.Inputs, x)
	}
	names := make([]string, len(c.bodies[0].Graph.Outputs))
	for i := range names {
		names[i] = body.taken.fresh("result")
	}
	if err := body.add(n, names); err != nil {
		c.fail(err)
		return
	}
	body.g.Outputs = n.Outputs
	c.bodies = []graph.Body{{Attr: "body", Graph: body.g}}
	c.attrs = accel.Attrs{accel.Int("num_scan_inputs", len(c.in))}
}

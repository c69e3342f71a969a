package onnx

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
)

// newestOpset is the version of ONNX's own operator set that the graph speaks;
// oldestOpset the oldest that is brought up to it.
const (
	newestOpset = 28
	oldestOpset = 7
)

// call is a node on its way into the graph. Upgrades change op, attrs, in and
// out until they are those of the newest version.
type call struct {
	s       *scope
	op      string // with the domain before it, unless that is ONNX's own
	name    string
	version int64 // of the operator set that the node is written in
	attrs   accel.Attrs
	in      []*graph.Value
	out     []string // names of the results, "" for one left out
	bodies  []graph.Body
	results []*graph.Value
	err     error
}

// upgrade rewrites nodes from before a version of the operator set to its form.
type upgrade struct {
	since int64
	apply func(c *call)
}

// upgrades lists what changed, by operator, the oldest change first. Changes that
// only added types, attributes whose default keeps the meaning, or optional
// inputs at the end need no line; see https://onnx.ai/onnx/operators/.
var upgrades = map[string][]upgrade{
	"Squeeze":         {{13, axesInput}},
	"Unsqueeze":       {{13, axesInput}},
	"ReduceL1":        {{18, axesInput}},
	"ReduceL2":        {{18, axesInput}},
	"ReduceLogSum":    {{18, axesInput}},
	"ReduceLogSumExp": {{18, axesInput}},
	"ReduceMax":       {{18, axesInput}},
	"ReduceMean":      {{18, axesInput}},
	"ReduceMin":       {{18, axesInput}},
	"ReduceProd":      {{18, axesInput}},
	"ReduceSum":       {{13, axesInput}},
	"ReduceSumSquare": {{18, axesInput}},

	"Slice": {{10, sliceInputs}},
	"Split": {{13, splitInput}, {18, splitCount}},
	"Pad":   {{11, padInputs}},
	"TopK":  {{10, topKInput}},
	"Clip":  {{11, clipInputs}},
	"DFT":   {{20, dftAxis}},

	"Upsample":   {{10, upsampleToResize}},
	"Resize":     {{11, oldResize}, {13, halfPixelForNN}, {newestOpset + 1, dropEmptyInputs}},
	"GridSample": {{20, gridSampleModes}},
	"RoiAlign":   {{16, roiAlignPixels}},

	"Scatter": {{11, func(c *call) { c.op = "ScatterElements" }}},
	"OneHot":  {{11, oneHotNegative}},

	"Softmax":    {{13, flattenedSoftmax}},
	"LogSoftmax": {{13, flattenedSoftmax}},
	"Hardmax":    {{13, flattenedSoftmax}},

	"Dropout":            {{12, dropoutInputs}},
	"BatchNormalization": {{9, spatialOnly}, {14, batchNormTraining}},
	"GroupNormalization": {{21, groupNormChannels}},

	"Scan": {{9, batchedScan}},
}

// brokenBefore lists the operators whose meaning before oldestOpset is another,
// so that they are refused there.
var brokenBefore = map[string]bool{
	"Add": true, "Sub": true, "Mul": true, "Div": true, "Pow": true, "And": true, "Or": true, "Xor": true,
	"Equal": true, "Greater": true, "Less": true, "Gemm": true, "PRelu": true, "BatchNormalization": true,
	"Dropout": true, "AveragePool": true, "LpPool": true, "GlobalLpPool": true, "RNN": true, "GRU": true, "LSTM": true, "Upsample": true,
	"Cast": true, "Tile": true, "Reshape": true, "Concat": true, "Pad": true, "Split": true, "Selu": true,
	"Loop": true, "If": true, "TopK": true,
}

// finish upgrades the node and adds it to the graph.
func (c *call) finish() error {
	if c.version < oldestOpset && brokenBefore[c.op] {
		return fmt.Errorf("%s of operator set %d; the oldest is %d: %w", c.op, c.version, oldestOpset, accel.ErrUnsupported)
	}
	for _, u := range upgrades[c.op] {
		if c.version < u.since && c.err == nil {
			u.apply(c)
		}
	}
	if c.err != nil || c.results != nil {
		return c.err
	}
	c.results = c.apply(c.op, c.attrs, c.in, c.out...)
	return c.err
}

// fail notes the first error.
func (c *call) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// unsupported refuses a node that is sound.
func (c *call) unsupported(format string, args ...any) {
	c.fail(fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), accel.ErrUnsupported))
}

// apply adds a node with these results.
func (c *call) apply(op string, attrs accel.Attrs, in []*graph.Value, out ...string) []*graph.Value {
	if c.err != nil {
		return make([]*graph.Value, len(out))
	}
	n := &graph.Node{Op: op, Name: c.name, Inputs: in, Attrs: attrs, Graphs: c.bodies}
	if op != c.op {
		n.Graphs = nil
	}
	if err := c.s.add(n, out); err != nil {
		c.fail(err)
		return make([]*graph.Value, len(out))
	}
	return slices.Clone(n.Outputs)
}

// node adds a node with one result, in front of the one that is upgraded.
func (c *call) node(op string, attrs accel.Attrs, in ...*graph.Value) *graph.Value {
	return c.apply(op, attrs, in, c.s.taken.fresh(c.name+"."+op))[0]
}

// constant adds a constant.
func (c *call) constant(a *accel.Array) *graph.Value {
	return c.s.g.Const(c.s.taken.fresh(c.name+".const"), a)
}

// ints adds an int64 vector.
func (c *call) ints(v ...int) *graph.Value { return c.constant(accel.Ints64(v...)) }

// float adds a float32 scalar.
func (c *call) float(v float64) *graph.Value {
	return c.constant(accel.ArrayOf(accel.Float32, []int{}, []float32{float32(v)}))
}

// int adds an int64 scalar.
func (c *call) int(v int) *graph.Value {
	return c.constant(accel.ArrayOf(accel.Int64, []int{}, []int64{int64(v)}))
}

// like adds a scalar of x's type.
func (c *call) like(x *graph.Value, v float64) *graph.Value {
	if x != nil && x.Type.DType == accel.Float32 {
		return c.float(v)
	}
	return c.node("CastLike", nil, c.float(v), x)
}

// input is input i, nil if it is left out.
func (c *call) input(i int) *graph.Value {
	if i < len(c.in) {
		return c.in[i]
	}
	return nil
}

// setInput makes v input i.
func (c *call) setInput(i int, v *graph.Value) {
	c.in = slices.Clone(c.in)
	for len(c.in) <= i {
		c.in = append(c.in, nil)
	}
	c.in[i] = v
}

// take removes a list attribute and returns it; false if there is none.
func (c *call) take(name string) ([]int, bool) {
	has, v := c.attrs.Has(name), c.attrs.Ints(name)
	c.attrs = c.attrs.Without(name)
	return v, has
}

// wants reports whether result i is asked for.
func (c *call) wants(i int) bool { return i < len(c.out) && c.out[i] != "" }

package program

import (
	"errors"
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
)

// hostCall is a node on the host, with the values of its inputs.
type hostCall struct {
	*graph.Node
	in        []Datum // as many as the node has inputs
	part      *part
	f         frame
	maxRounds int
}

// hostOp computes the outputs of a node. They may share memory with its inputs,
// which are not written to.
type hostOp func(c *hostCall) ([]Datum, error)

// hostOps are the operators that run on the host; see package graph for what they
// compute. init fills it, because running a body reads it.
var hostOps map[string]hostOp

func init() {
	hostOps = map[string]hostOp{
		"Identity": func(c *hostCall) ([]Datum, error) { return c.in[:1], nil },
		"If":       hostIf, "Loop": hostLoop, "Scan": hostScan, "SequenceMap": hostSequenceMap,
		"SequenceEmpty": sequenceEmpty, "SequenceConstruct": sequenceConstruct, "SequenceAt": sequenceAt,
		"SequenceInsert": sequenceInsert, "SequenceErase": sequenceErase, "SequenceLength": sequenceLength,
		"SplitToSequence": splitToSequence, "ConcatFromSequence": concatFromSequence,
		"Optional": optional, "OptionalHasElement": optionalHasElement, "OptionalGetElement": optionalGetElement,
	}
}

// has reports whether input i is there.
func (c *hostCall) has(i int) bool { return c.Node.Input(i) != nil }

// graph is a body and the values that it reads of the graphs around it.
func (c *hostCall) graph(attr string) (*Program, []Datum, error) {
	b, ok := c.part.bodies[attr]
	if !ok {
		return nil, nil, fmt.Errorf("no graph %s", attr)
	}
	outer, err := c.f.all(b.reads)
	return b.program, outer, err
}

// hostIf runs a branch.
func hostIf(c *hostCall) ([]Datum, error) {
	taken, err := c.in[0].truth()
	if err != nil {
		return nil, fmt.Errorf("the condition is %w", err)
	}
	name := "else_branch"
	if taken {
		name = "then_branch"
	}
	body, outer, err := c.graph(name)
	if err != nil {
		return nil, err
	}
	return body.runData(outer)
}

// optional wraps its input, which changes nothing.
func optional(c *hostCall) ([]Datum, error) {
	if c.has(0) {
		return c.in[:1], nil
	}
	t, err := accel.ParseDType(c.Attrs.Str("type", ""))
	if err != nil {
		return nil, fmt.Errorf("attribute type: %w", err)
	}
	return []Datum{{Form: graph.Optional, DType: t}}, nil
}

func optionalHasElement(c *hostCall) ([]Datum, error) {
	return []Datum{scalar(accel.Bool, c.has(0) && c.in[0].Form != graph.Optional)}, nil
}

func optionalGetElement(c *hostCall) ([]Datum, error) {
	if c.in[0].Form == graph.Optional {
		return nil, errors.New("the optional is empty")
	}
	return c.in[:1], nil
}

// hostSequenceMap runs the body once an element.
func hostSequenceMap(c *hostCall) ([]Datum, error) {
	body, outer, err := c.graph("body")
	if err != nil {
		return nil, err
	}
	first, err := c.in[0].sequence()
	if err != nil {
		return nil, fmt.Errorf("input 0 is %w", err)
	}
	for i, d := range c.in {
		if d.Form == graph.Sequence && len(d.Seq) != len(first) {
			return nil, fmt.Errorf("input %d is a sequence of %d, the first of %d", i, len(d.Seq), len(first))
		}
	}
	if len(first) == 0 {
		return nil, fmt.Errorf("a map over an empty sequence, of which the result's type is not known: %w", accel.ErrUnsupported)
	}
	out := make([]Datum, len(body.g.Outputs))
	for i := range first {
		in := slices.Clone(c.in)
		for k, d := range in {
			if d.Form == graph.Sequence {
				in[k] = Datum{Array: d.Seq[i]}
			}
		}
		results, err := body.runData(slices.Concat(in, outer))
		if err != nil {
			return nil, fmt.Errorf("element %d: %w", i, err)
		}
		for k, d := range results {
			a, err := d.tensor()
			if err != nil {
				return nil, fmt.Errorf("element %d: output %d is %w", i, k, err)
			}
			out[k].Form, out[k].DType, out[k].Seq = graph.Sequence, a.DType, append(out[k].Seq, a)
		}
	}
	return out, nil
}

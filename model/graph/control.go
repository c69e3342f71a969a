package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// controlOps lists the operators that run other graphs, and those on sequences
// and optionals. They have no shape rules: package program runs them on the
// host, between the compiled parts of a graph. Bind replaces an If whose condition is
// known by the branch taken, and a Loop or Scan whose number of rounds is known
// by its rounds (see unroll), so that only the others are left.
func controlOps() []operator {
	return []operator{
		opIf, opLoop, opScan, opSequenceMap,
		opSequenceEmpty, opSequenceConstruct, opSequenceAt, opSequenceInsert, opSequenceErase, opSequenceLength,
		opSplitToSequence, opConcatFromSequence,
		opOptional, opOptionalHasElement, opOptionalGetElement,
	}
}

// If(condition) is the outputs of the graph then_branch if the one element of
// condition is true, else those of else_branch. Neither takes inputs.
var opIf = operator{name: "If", min: 1, outs: variadic}

// Loop(rounds, condition, state…) runs the graph body, (round, condition, state…)
// -> (condition, state…, scanned…), while fewer than rounds were run and
// condition is true; either may be absent, which is no limit, and a condition
// that the body computes is not looked at if the first one is absent. It returns the
// state after the last round, then what was scanned, stacked along a new first
// axis.
var opLoop = operator{name: "Loop", max: variadic, outs: variadic}

// Scan(state…, sequence…) runs the graph body, (state…, element…) -> (state…,
// scanned…), for each element of the sequences, which are the slices along
// scan_input_axes (0 by default) of the last num_scan_inputs inputs. It returns
// the last state, then what was scanned, stacked along scan_output_axes (0).
// Directions of 1 run through an input, or stack an output, from the end.
var opScan = operator{name: "Scan", min: 1, max: variadic, outs: variadic}

// SequenceMap(sequence, other…) runs the graph body for each element of the first
// input, with that of the same position of the other inputs that are sequences,
// and tensors as they are. It returns a sequence for each output of body.
var opSequenceMap = operator{name: "SequenceMap", min: 1, max: variadic, outs: variadic}

// SequenceEmpty() is a sequence without elements, of type dtype (float32).
var opSequenceEmpty = operator{name: "SequenceEmpty"}

// SequenceConstruct(x…) is the sequence of its inputs, which have one type.
var opSequenceConstruct = operator{name: "SequenceConstruct", min: 1, max: variadic}

// SequenceAt(sequence, position) is one element; -1 is the last.
var opSequenceAt = operator{name: "SequenceAt", min: 2}

// SequenceInsert(sequence, x, position) has x in front of the element at position,
// or at the end if position is absent.
var opSequenceInsert = operator{name: "SequenceInsert", min: 2, max: 3}

// SequenceErase(sequence, position) leaves out one element, the last if position
// is absent.
var opSequenceErase = operator{name: "SequenceErase", min: 1, max: 2}

// SequenceLength(sequence) is the number of elements, an int64 scalar.
var opSequenceLength = operator{name: "SequenceLength", min: 1}

// SplitToSequence(x, split) cuts x along axis (0): into parts of the sizes in
// split, or of the size split if that is a scalar (the last may be smaller), or of
// size 1 if it is absent; then keepdims = 0 drops the axis.
var opSplitToSequence = operator{name: "SplitToSequence", min: 1, max: 2}

// ConcatFromSequence(sequence) joins the elements along axis, or stacks them along
// a new one if new_axis is 1.
var opConcatFromSequence = operator{name: "ConcatFromSequence", min: 1}

// Optional(x) is an optional with x in it, or without an input an empty one of the
// element type that the attribute type names.
var opOptional = operator{name: "Optional", max: 1}

// OptionalHasElement(x) is false for an empty optional and an absent input, else
// true.
var opOptionalHasElement = operator{name: "OptionalHasElement", max: 1}

// OptionalGetElement(x) is what is in an optional, or x if it is none.
var opOptionalGetElement = operator{name: "OptionalGetElement", min: 1}

// OnHost reports whether only the host can run a node, because it runs graphs or
// works on sequences or optionals.
func (n *Node) OnHost() bool {
	o, ok := table[n.Op]
	return ok && o.expand == nil && (o.shapes == nil || len(n.Graphs) > 0)
}

// CheckInputs errs unless a node has as many inputs as its operator takes.
func (n *Node) CheckInputs() error {
	o, ok := table[n.Op]
	if !ok {
		return fmt.Errorf("operator %s: %w", n.Op, accel.ErrUnsupported)
	}
	return o.checkInputs(n)
}

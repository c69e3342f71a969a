package graph

import (
	"fmt"
	"slices"
)

// operator is one row of the operator table.
type operator struct {
	name string
	// min and max bound the number of inputs; the first min must be there. max 0
	// is min, variadic any number.
	min, max int
	// outs is the number of outputs that are always made; the others are made
	// when asked for. It is 1 if left out, variadic for all that shapes gives,
	// asked for none.
	outs int
	// shapes gives the types of all outputs, optional ones included, from
	// concrete shapes. It is the place to check types, attributes and shapes. nil
	// says that only a host can run the operator: see Dynamic.
	shapes func(c *Context) ([]Type, error)
	// static are inputs whose values must be constants when code is compiled:
	// shapes, axes. Shape rules read them by Context.Ints.
	static []int
	// grad gives the gradient of the loss with respect to each input, nil for
	// none, from those with respect to the outputs, nil for zero. An operator
	// without it cannot be differentiated; flat says that its gradient is zero.
	grad func(b *backward, n *Node, dy []*Value) []*Value
	flat bool
	// expand writes the operator as others, as ONNX defines a function. Bind does
	// it; the operator needs no kernel then. It gives as many outputs as the node
	// has; those that the node does not have may be nil.
	expand func(b *B, n *Node) []*Value
	// definition is an expand for Gradients alone, of operators that have a
	// kernel: what they compute by operators that have gradients.
	definition func(b *B, n *Node) []*Value
	// when says if a node is to be expanded; nil means always.
	when func(n *Node) bool
	// macs counts multiply-adds; nil is none, one operation an element of the
	// first output.
	macs func(n *Node) int64
	// view says that the output is the first input's bytes with another shape.
	view bool
	// inplace lists the inputs whose memory the first output may take, if it is
	// of the same size and nobody reads them later.
	inplace []int
	// late says of a node on constants that Bind leaves it for the passes to fold: they
	// look for it.
	late func(n *Node) bool
	// random says that equal nodes differ, so they are neither folded nor merged.
	random bool
}

const (
	variadic = -1 // as many as there are
	asked    = -2 // every output is optional
)

// families lists the operators, by the files that hold them. To add one, write
// op_<name>.go and name it in its family.
func families() [][]operator {
	return [][]operator{
		elementwiseOps(), reductionOps(), movementOps(), indexingOps(), miscOps(), productOps(), nnOps(), quantOps(), controlOps(),
	}
}

// table indexes operators by name. It is filled by init, because the gradient
// rules call Apply, which reads it.
var table map[string]operator

func init() {
	table = map[string]operator{}
	for _, f := range families() {
		for _, o := range f {
			if _, twice := table[o.name]; twice {
				panic("graph: two operators " + o.name)
			}
			table[o.name] = o
		}
	}
}

// Ops lists the names of all operators, sorted.
func Ops() []string {
	out := make([]string, 0, len(table))
	for name := range table {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// checkInputs checks the number of inputs, and that the required ones are there.
func (o operator) checkInputs(n *Node) error {
	most := max(o.min, o.max)
	if len(n.Inputs) < o.min || len(n.Inputs) > most && o.max != variadic {
		want := fmt.Sprintf("%d to %d", o.min, most)
		switch {
		case o.max == variadic:
			want = fmt.Sprintf("at least %d", o.min)
		case o.min == most:
			want = fmt.Sprint(most)
		}
		return fmt.Errorf("%d inputs, want %s", len(n.Inputs), want)
	}
	for i := range o.min {
		if n.Inputs[i] == nil {
			return fmt.Errorf("input %d is absent", i)
		}
	}
	return nil
}

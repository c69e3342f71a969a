package program

import "github.com/millrace-go/millrace/model/graph"

// hostOp runs a node whose inputs or outputs are not all tensors of known shapes.
type hostOp func(p *Program, n *graph.Node, in []Datum, f *frame) ([]Datum, error)

// hostOps is the table of operators that run on the host.
var hostOps = map[string]hostOp{}

package nn

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
)

// session runs one graph on one device for any batch size: it compiles a
// program a size and keeps the last few, and moves data in and out. Buffers
// whose shape does not depend on the batch are shared by the programs.
type session struct {
	dev     accel.Device
	g       *graph.Graph
	outputs []*graph.Value
	shared  map[*graph.Value]accel.Buffer
	bound   map[int]*binding
	clock   int
}

// maxPrograms bounds the programs kept. Training has two sizes, the batch and
// the last one of an epoch; scoring may have some more.
const maxPrograms = 16

// binding is a program with its arguments.
type binding struct {
	program accel.Program
	args    []accel.Buffer
	at      map[*graph.Value]accel.Buffer
	used    int // session.clock when it was last run
}

func newSession(dev accel.Device, g *graph.Graph, outputs []*graph.Value) *session {
	return &session{dev: dev, g: g, outputs: outputs, shared: map[*graph.Value]accel.Buffer{}, bound: map[int]*binding{}}
}

// bind returns the program for n rows, compiling it if need be.
func (s *session) bind(n int) (*binding, error) {
	s.clock++
	if b := s.bound[n]; b != nil {
		b.used = s.clock
		return b, nil
	}
	code, err := graph.Compile(s.g, n, s.outputs)
	if err != nil {
		return nil, err
	}
	b := &binding{at: map[*graph.Value]accel.Buffer{}, used: s.clock}
	if b.program, err = s.dev.Compile(code); err != nil {
		return nil, err
	}
	for _, list := range [][]*graph.Value{s.g.Inputs, s.g.Params, s.outputs} {
		for _, v := range list {
			buf, err := s.buffer(v, n)
			if err != nil {
				return nil, err
			}
			b.args = append(b.args, buf)
			b.at[v] = buf
		}
	}
	s.evict()
	s.bound[n] = b
	return b, nil
}

// buffer allocates the argument v, or finds it if its shape is without N.
func (s *session) buffer(v *graph.Value, n int) (accel.Buffer, error) {
	if b := s.shared[v]; b != nil {
		return b, nil
	}
	b, err := s.dev.Alloc(v.Type.DType, v.Type.Shape.Len(n))
	if err != nil {
		return nil, fmt.Errorf("nn: buffer of %s for %d rows: %w", v, n, err)
	}
	if v.Type.Shape.Len(1) == v.Type.Shape.Len(2) {
		s.shared[v] = b
	}
	return b, nil
}

// evict drops the program that was not used for longest, if there are too many.
func (s *session) evict() {
	if len(s.bound) < maxPrograms {
		return
	}
	oldest, at := 0, s.clock+1
	for n, b := range s.bound {
		if b.used < at { // each clock value belongs to one program
			oldest, at = n, b.used
		}
	}
	delete(s.bound, oldest)
}
